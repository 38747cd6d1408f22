import { createServer } from "node:http";

const server = createServer((request, response) => {
  response.writeHead(200, { "Content-Type": "application/json" });
  response.end(JSON.stringify({ path: request.url }));
});

server.listen(process.env.PORT ?? 3000);
process.on("SIGTERM", () => server.close());
