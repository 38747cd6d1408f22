'use client'

import { useEffect, useState } from 'react'

const apiUrl = process.env.NEXT_PUBLIC_API_URL || 'http://localhost:8000'

export default function ApiStatus() {
  const [status, setStatus] = useState('checking')

  useEffect(() => {
    fetch(`${apiUrl}/health`)
      .then((response) => setStatus(response.ok ? 'up' : 'failing'))
      .catch(() => setStatus('unreachable'))
  }, [])

  return <p className="mt-4">API: {status}</p>
}
