import { createFileRoute } from "@tanstack/react-router";
import { createServerFn } from "@tanstack/react-start";

const word = createServerFn().handler(() => process.env.WORD ?? "none");

export const Route = createFileRoute("/")({
  loader: () => word(),
  component: () => <main>{Route.useLoaderData()}</main>,
});
