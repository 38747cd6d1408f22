const { Agenda } = require("agenda");
const agenda = new Agenda({ db: { address: process.env.MONGODB_URI } });
agenda.define("greet", async () => { console.log("greeted"); });
(async () => { await agenda.start(); await agenda.every("2 seconds", "greet"); console.log("started"); })();
