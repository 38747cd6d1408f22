const fs=require("node:fs");const path=require("node:path");
const { Client, Collection, GatewayIntentBits } = require("discord.js");
const { token } = require("./config.js");
const client = new Client({ intents: [GatewayIntentBits.Guilds] });
client.commands = new Collection();
for (const file of fs.readdirSync(path.join(__dirname,"commands"))) { const c=require(`./commands/${file}`); client.commands.set(c.name,c); }
process.on("unhandledRejection",(e)=>console.error("unhandled",e.message));
console.log("commands", client.commands.size);
setInterval(()=>{}, 1000);
client.login(token);
