import { serve } from "@hono/node-server";
import { Hono } from "hono";

const app = new Hono();

app.get("/health", (context) => context.text("ok"));
app.get("/", (context) => context.json({ greeting: "hello" }));
serve({ fetch: app.fetch, port: Number(process.env.PORT ?? 3000) });
