export default function Home() { return <h1>Home {import.meta.env.VITE_NAME}</h1>; }
