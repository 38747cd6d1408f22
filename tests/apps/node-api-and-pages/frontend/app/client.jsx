"use client";

export function Client() {
  return (
    <>
      <p id="api">{process.env.NEXT_PUBLIC_API_BASE_URL ?? "http://localhost:4000/api/v1"}</p>
      <p id="socket">{process.env.NEXT_PUBLIC_WS_URL ?? "ws://localhost:4000/ws"}</p>
    </>
  );
}
