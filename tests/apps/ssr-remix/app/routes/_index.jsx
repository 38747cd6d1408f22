import { useLoaderData } from "@remix-run/react";

export const loader = () => ({ word: process.env.WORD ?? "none" });

export default function Index() {
  return <main>{useLoaderData().word}</main>;
}
