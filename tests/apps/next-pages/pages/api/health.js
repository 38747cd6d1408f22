export default function handler(request, response) {
  response.json({ ok: true });
}
