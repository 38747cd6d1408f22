module.exports={ token: process.env.DISCORD_TOKEN };
