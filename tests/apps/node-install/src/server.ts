import { execFileSync } from "node:child_process";
import { existsSync } from "node:fs";
import { dirname, join } from "node:path";

import express from "express";

const app = express();

app.get("/health", (_request, response) => {
  response.send("ok");
});
app.get("/", (_request, response) => {
  const place = join(dirname(require.resolve("better-sqlite3/package.json")), "answer");
  const native = existsSync(place) ? execFileSync(place) : -1;
  const beside = { paths: [require.resolve("is-odd")] };
  response.json({
    compiled: Number(native),
    git: require("from-git"),
    greeting: require("greet"),
    overridden: require(require.resolve("is-number/package.json", beside)).version,
    patched: require("is-odd")(3),
  });
});
app.listen(Number(process.env.PORT ?? 3000));
