import { greeting } from "@repo/text";
import { Title } from "@repo/ui";

export const dynamic = "force-dynamic";

export default function Page() {
  return <Title>{greeting("workspace")}</Title>;
}
