export function GET() {
  return Response.json({ region: process.env.REGION ?? "none" });
}
