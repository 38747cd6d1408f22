const { Worker } = require("bullmq");
const { connection } = require("./queue");
const { connect, Word } = require("./word");

connect().then(() => new Worker("words", (job) => Word.create(job.data), { connection }));
