const core = require("@demo/core");
const express = require("express");

const app = express();

app.get("/", (request, response) => response.json(core));
app.listen(process.env.PORT ?? 3000);
