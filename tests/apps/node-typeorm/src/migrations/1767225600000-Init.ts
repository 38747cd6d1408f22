import { MigrationInterface, QueryRunner } from "typeorm";

export class Init1767225600000 implements MigrationInterface {
  async up(runner: QueryRunner): Promise<void> {
    await runner.query(`CREATE TABLE items (id int PRIMARY KEY, name text NOT NULL)`);
    await runner.query(`INSERT INTO items VALUES (1, 'first')`);
  }

  async down(runner: QueryRunner): Promise<void> {
    await runner.query(`DROP TABLE items`);
  }
}
