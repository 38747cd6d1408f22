import { NextResponse } from "next/server";

export function middleware(request) {
  const url = request.nextUrl.clone();
  if (/^\/(en|de)(\/|$)/.test(url.pathname)) return NextResponse.next();
  url.pathname = `/en${url.pathname}`;
  return NextResponse.redirect(url);
}

export const config = { matcher: ["/", "/((?!_next).*)"] };
