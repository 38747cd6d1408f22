import { drizzle } from "drizzle-orm/node-postgres";
import express from "express";
import { items } from "./schema.js";
import { version } from "./version.js";

const db = drizzle(process.env.DATABASE_URL!);
const app = express();
app.get("/health", (_, response) => void response.send("ok"));
app.all("/version", (_, response) => void response.send(version));
app.get("/", async (_, response) => {
  response.json(await db.select({ name: items.name }).from(items));
});
app.listen(process.env.PORT ?? 3000);
