import "reflect-metadata";
import { DataSource } from "typeorm";
import { Item } from "./item";

export const source = new DataSource({
  type: "postgres",
  url: process.env.DATABASE_URL,
  entities: [Item],
  migrations: [__dirname + "/migrations/*{.ts,.js}"],
});
