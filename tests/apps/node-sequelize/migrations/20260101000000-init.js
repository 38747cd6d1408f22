module.exports = {
  async up(queryInterface, Sequelize) {
    await queryInterface.createTable("items", { name: Sequelize.TEXT });
    await queryInterface.bulkInsert("items", [{ name: "first" }]);
  },
  async down(queryInterface) {
    await queryInterface.dropTable("items");
  },
};
