import { createClient } from "redis";

const client = await createClient({ url: process.env.REDIS_URL }).connect();
console.log(`run ${await client.incr("runs")}`);
await client.quit();
