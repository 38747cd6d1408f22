import { createServer } from "node:http";
import { db, items } from "@demo/db";
const rows = () => db.select({ name: items.name }).from(items);
createServer(async (request, response) => {
  if (request.url === "/health") return void response.end("ok");
  response.setHeader("Content-Type", "application/json");
  response.end(JSON.stringify(await rows()));
}).listen(process.env.PORT ?? 3000);
