const http = require("node:http");
const { PrismaClient } = require("@prisma/client");

const prisma = new PrismaClient();
http
  .createServer(async (request, response) => {
    if (request.url === "/health") return response.end("ok");
    const rows = await prisma.$queryRawUnsafe('SELECT name FROM "Item"');
    response.setHeader("Content-Type", "application/json");
    response.end(JSON.stringify(rows));
  })
  .listen(process.env.PORT || 3000);
