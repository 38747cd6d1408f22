import ApiStatus from '@/components/ApiStatus'

export default function Home() {
  return (
    <main className="mx-auto max-w-xl p-8">
      <h1 className="text-3xl font-bold">
        {process.env.NEXT_PUBLIC_APP_NAME || '__PROJECT_NAME__'}
      </h1>
      <ApiStatus />
    </main>
  )
}
