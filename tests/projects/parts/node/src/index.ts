import express from 'express'

const port = Number(process.env.PORT) || 3000
const app = express()

app.get('/', (_request, response) => {
  response.json({ message: 'Hello from __PROJECT_NAME__' })
})

app.get('/health', (_request, response) => {
  response.json({ status: 'healthy' })
})

const server = app.listen(port, () => console.log(`Listening on port ${port}`))

process.on('SIGTERM', () => {
  server.close(() => process.exit(0))
})
