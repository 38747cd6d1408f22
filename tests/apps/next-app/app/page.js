export const revalidate = 1;

export default function Page() {
  return <main>made at {Date.now()}</main>;
}
