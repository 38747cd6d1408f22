import { Links, Meta, Outlet, Scripts, ScrollRestoration } from "@remix-run/react";
export function Layout({ children }) { return <html lang="en"><head><meta charSet="utf-8"/><Meta/><Links/></head><body>{children}<ScrollRestoration/><Scripts/></body></html>; }
export default function App() { return <Outlet/>; }
export function HydrateFallback() { return <p>Loading the app</p>; }
