export const dynamic = "force-dynamic";

export const GET = () => Response.json({ word: globalThis.registered ? "registered" : "not" });
