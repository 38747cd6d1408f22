exports.up = async (knex) => {
  await knex.schema.createTable("items", (table) => table.text("name"));
  await knex("items").insert({ name: "first" });
};
exports.down = (knex) => knex.schema.dropTable("items");
