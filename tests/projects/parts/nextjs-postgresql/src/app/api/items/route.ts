import { NextResponse } from 'next/server'
import { Pool } from 'pg'

export const dynamic = 'force-dynamic'

// A pool connects with its first query, so `next build` needs no database.
const pool = new Pool({ connectionString: process.env.DATABASE_URL })

export async function GET() {
  const { rows } = await pool.query('SELECT id, name FROM items ORDER BY id')
  return NextResponse.json(rows)
}

export async function POST(request: Request) {
  const { name } = await request.json()
  const { rows } = await pool.query('INSERT INTO items (name) VALUES ($1) RETURNING id, name', [
    name,
  ])
  return NextResponse.json(rows[0], { status: 201 })
}
