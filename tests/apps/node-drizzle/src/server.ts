import { createServer } from "node:http";
import { drizzle } from "drizzle-orm/node-postgres";
import { items } from "./schema.js";

const db = drizzle(process.env.DATABASE_URL!);
createServer(async (request, response) => {
  if (request.url === "/health") return response.end("ok");
  response.setHeader("Content-Type", "application/json");
  response.end(JSON.stringify(await db.select({ name: items.name }).from(items)));
}).listen(process.env.PORT ?? 3000);
