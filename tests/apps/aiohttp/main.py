from aiohttp import web


async def index(request):
    return web.json_response({"remote": request.headers["X-Forwarded-Proto"]})


async def health(request):
    return web.json_response({"ok": True})


def make_app():
    app = web.Application()
    app.router.add_get("/", index)
    app.add_routes([web.get("/health", health)])
    return app


if __name__ == "__main__":
    web.run_app(make_app(), port=9000)
