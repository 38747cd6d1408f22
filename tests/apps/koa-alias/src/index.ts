import Koa from "koa";

import { greeting } from "@/lib/greeting";

const app = new Koa();

app.use((context) => {
  context.body = { greeting, environment: process.env.NODE_ENV };
});
app.listen(Number(process.env.PORT ?? 4000));
