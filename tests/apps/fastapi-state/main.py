import asyncio

from fastapi import FastAPI, Request
from fastapi.responses import StreamingResponse

app = FastAPI()
items = []


@app.get("/health")
def health():
    return {"status": "ok"}


@app.post("/items/")
def add(item: dict):
    items.append(item)
    return {"items": len(items)}


@app.get("/address")
def address(request: Request):
    return {"address": str(request.url_for("health"))}


@app.get("/stream")
def stream():
    async def parts():
        for number in range(3):
            yield f"data: {number}\n\n"
            await asyncio.sleep(1)

    return StreamingResponse(parts(), media_type="text/event-stream")
