import { createServer } from "node:http";
import { source } from "./data-source";
import { Item } from "./item";

async function main(): Promise<void> {
  await source.initialize();
  createServer(async (request, response) => {
    if (request.url === "/health") return response.end("ok");
    response.setHeader("Content-Type", "application/json");
    response.end(JSON.stringify(await source.getRepository(Item).find({ select: { name: true } })));
  }).listen(process.env.PORT ?? 3000);
}

void main();
