const http = require("node:http");
const { Sequelize, QueryTypes } = require("sequelize");

const sequelize = new Sequelize(process.env.DATABASE_URL, { dialect: "postgres", logging: false });
http
  .createServer(async (request, response) => {
    if (request.url === "/health") return response.end("ok");
    const rows = await sequelize.query("SELECT name FROM items", { type: QueryTypes.SELECT });
    response.setHeader("Content-Type", "application/json");
    response.end(JSON.stringify(rows));
  })
  .listen(process.env.PORT || 3000);
