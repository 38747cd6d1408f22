export default async function Page({ params }) {
  const { lang } = await params;
  return <p>Hello in {lang}</p>;
}
