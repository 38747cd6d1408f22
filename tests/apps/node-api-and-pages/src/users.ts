import { Router } from "express";

export const users = Router();
users.get("/", (_request, response) => {
  response.json([{ id: 1, name: "Ada" }]);
});
