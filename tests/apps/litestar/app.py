from litestar import Litestar, Request, get


@get("/")
async def index(request: Request) -> dict[str, str]:
    return {"scheme": request.url.scheme}


@get("/health")
async def health() -> dict[str, bool]:
    return {"ok": True}


app = Litestar(route_handlers=[index, health])
