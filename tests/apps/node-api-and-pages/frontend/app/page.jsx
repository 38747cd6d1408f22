import { Client } from "./client";

export const dynamic = "force-dynamic";

export default async function Page() {
  const api = process.env.API_URL ?? "http://localhost:4000/api/v1";
  const users = await (await fetch(`${api}/users`)).json();
  return (
    <main>
      <p id="server">{users.map((user) => user.name).join()}</p>
      <p id="site">{process.env.APP_URL ?? "http://localhost:3000"}</p>
      <Client />
    </main>
  );
}
