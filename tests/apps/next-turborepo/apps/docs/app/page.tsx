export default function Page() { return <p>docs</p>; }
