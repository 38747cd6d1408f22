import { isOdd } from "@demo/parity";
import express from "express";

const app = express();

app.get("/health", (_request, response) => {
  response.send("ok");
});
app.get("/odd/:number", (request, response) => {
  response.json({ odd: isOdd(Number(request.params.number)) });
});
app.listen(Number(process.env.PORT ?? 3000));
