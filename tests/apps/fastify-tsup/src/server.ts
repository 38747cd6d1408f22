import Fastify from "fastify";

import { greeting } from "@/lib/greeting";

const app = Fastify({ logger: true });

app.get("/health", async () => ({ status: "ok" }));
app.get("/", async () => ({ greeting, instrumented: "instrumented" in globalThis }));
await app.listen({ host: "0.0.0.0", port: Number(process.env.PORT ?? 3000) });
