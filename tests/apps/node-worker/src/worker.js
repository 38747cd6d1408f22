import { Worker } from "bullmq";
import { Redis } from "ioredis";
import cron from "node-cron";

const redis = new Redis(process.env.REDIS_URL, { maxRetriesPerRequest: null });
const worker = new Worker("words", async (job) => redis.set("word", job.data.word), {
  connection: redis,
});
cron.schedule("* * * * * *", () => redis.incr("ticks"));
process.on("SIGTERM", async () => {
  await worker.close();
  process.exit(0);
});
