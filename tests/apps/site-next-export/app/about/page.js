export default function Page() { return <h1>All about it</h1>; }
