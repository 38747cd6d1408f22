const http = require("node:http");
const { Queue } = require("bullmq");
const { connection } = require("./queue");
const { connect, Word } = require("./word");

const queue = new Queue("words", { connection });
const server = http.createServer(async (request, response) => {
  if (request.url === "/health") return response.end("ok");
  if (request.url.startsWith("/add/")) await queue.add("word", { text: request.url.slice(5) });
  const words = await Word.find();
  response.setHeader("Content-Type", "application/json");
  response.end(JSON.stringify(words.map((word) => word.text)));
});
connect().then(() => server.listen(process.env.PORT || 3000));
