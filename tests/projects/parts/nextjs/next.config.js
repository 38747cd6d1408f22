/** @type {import('next').NextConfig} */
const nextConfig = {
  output: 'standalone',
  // Read at build time; the app's own routes, such as /api/health, win over rewrites.
  async rewrites() {
    return [
      {
        source: '/api/:path*',
        destination: `${process.env.BACKEND_URL || 'http://localhost:8000'}/api/:path*`,
      },
    ]
  },
}

module.exports = nextConfig
