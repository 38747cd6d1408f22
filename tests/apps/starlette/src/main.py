from starlette.applications import Starlette
from starlette.responses import JSONResponse
from starlette.routing import Route, WebSocketRoute


async def about(request):
    return JSONResponse({"scheme": request.url.scheme, "path": request.url.path})


async def health(request):
    return JSONResponse({"ok": True})


async def echo(socket):
    await socket.accept()
    await socket.send_text(await socket.receive_text())
    await socket.close()


app = Starlette(
    routes=[
        Route("/", about),
        Route("/healthz", health),
        WebSocketRoute("/echo", echo),
    ]
)
