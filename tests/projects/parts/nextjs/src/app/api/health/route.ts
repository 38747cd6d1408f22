import { NextResponse } from 'next/server'

// Without this, `next build` freezes the answer.
export const dynamic = 'force-dynamic'

export async function GET() {
  return NextResponse.json({ status: 'healthy', uptime: process.uptime() })
}
