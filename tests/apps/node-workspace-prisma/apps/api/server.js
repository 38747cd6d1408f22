const { createServer } = require("node:http");
const { greet } = require("@demo/greet");
const { PrismaClient } = require("@prisma/client");
const prisma = new PrismaClient();
const rows = async () => [...await prisma.$queryRawUnsafe('SELECT name FROM "Item"'), greet()];
createServer(async (request, response) => {
  if (request.url === "/health") return void response.end("ok");
  response.setHeader("Content-Type", "application/json");
  response.end(JSON.stringify(await rows()));
}).listen(process.env.PORT ?? 3000);
