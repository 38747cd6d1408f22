import { createServer } from "node:http";

const api = process.env.API_URL ?? "http://localhost:8000/api";
const site = process.env.APP_URL ?? "http://localhost:3000";

createServer(async (request, response) => {
  const answer = await fetch(`${api}/settings`);
  const seen = await answer.json();
  response.setHeader("content-type", "application/json");
  response.end(JSON.stringify({ site, status: answer.status, api: seen }));
}).listen(process.env.PORT ?? 3000, "0.0.0.0");
