export const loader = () => ({ word: process.env.WORD ?? "none" });

export default function Home({ loaderData }) {
  return (
    <main>
      {loaderData.word} {import.meta.env.VITE_GREETING}
    </main>
  );
}
