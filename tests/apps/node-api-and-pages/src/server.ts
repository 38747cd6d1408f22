import cors from "cors";
import express from "express";
import { users } from "./users";

const app = express();
app.use(cors({ origin: (process.env.CORS_ORIGINS ?? "http://localhost:3000").split(",") }));
app.get("/health", (_request, response) => {
  response.json({ status: "ok" });
});
app.use("/api/v1/users", users);
app.get("/api/v1/origins", (_request, response) => {
  response.json((process.env.CORS_ORIGINS ?? "").split(","));
});
app.listen(process.env.PORT ?? 4000);
