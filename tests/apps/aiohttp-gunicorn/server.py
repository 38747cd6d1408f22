from aiohttp import web

routes = web.RouteTableDef()


@routes.get("/")
async def index(request):
    return web.json_response({"served": True})


@routes.get("/health")
async def health(request):
    return web.json_response({"ok": True})


app = web.Application()
app.add_routes(routes)

if __name__ == "__main__":
    web.run_app(app, host="127.0.0.1")
