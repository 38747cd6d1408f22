import path from "node:path";

if (!process.env.AUTH_SECRET) throw new Error("AUTH_SECRET is not set");

export default { basePath: "/shop", outputFileTracingRoot: path.join(import.meta.dirname, "../") };
