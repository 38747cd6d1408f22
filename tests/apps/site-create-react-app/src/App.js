import logo from "./logo.svg";export default function App(){return <main><img src={logo} alt=""/>{process.env.REACT_APP_GREETING}</main>}
