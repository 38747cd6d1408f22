export default function Page() { return <h1>Exported for {process.env.NEXT_PUBLIC_NAME}</h1>; }
