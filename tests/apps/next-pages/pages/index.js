export const getStaticProps = ({ locale }) => ({
  props: { locale, made: Date.now() },
  revalidate: 1,
});

export default function Page({ locale, made }) {
  return <main>{`${locale} ${made}`}</main>;
}
