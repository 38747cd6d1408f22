from sanic import Sanic
from sanic.response import json

app = Sanic("notes")


@app.get("/")
async def index(request):
    return json({"scheme": request.scheme})


@app.get("/health")
async def health(request):
    return json({"ok": True})


if __name__ == "__main__":
    app.run(dev=True)
