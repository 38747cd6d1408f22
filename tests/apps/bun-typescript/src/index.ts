import { Hono } from "hono";

const app = new Hono();

app.get("/health", (context) => context.text("ok"));
app.get("/", (context) => context.json({ runtime: "Bun" in globalThis ? "bun" : "node" }));

export default { port: Number(process.env.PORT ?? 3000), fetch: app.fetch };
