import { auth } from "@/auth";
export default async function P(){const s=await auth();return <p>hi {s?.user?.name ?? "nobody"}</p>}
