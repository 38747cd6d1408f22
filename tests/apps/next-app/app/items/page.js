import { sql } from "drizzle-orm";
import { drizzle } from "drizzle-orm/node-postgres";

export const dynamic = "force-dynamic";
const db = drizzle(process.env.DATABASE_URL);

export default async function Page() {
  const { rows } = await db.execute(sql`SELECT name FROM items`);
  return <main>{rows.map((row) => row.name).join(" ")}</main>;
}
