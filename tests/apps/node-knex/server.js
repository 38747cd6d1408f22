const http = require("node:http");
const knex = require("knex")(require("./knexfile"));

http
  .createServer(async (request, response) => {
    if (request.url === "/health") return response.end("ok");
    response.setHeader("Content-Type", "application/json");
    response.end(JSON.stringify(await knex("items").select("name")));
  })
  .listen(process.env.PORT || 3000);
