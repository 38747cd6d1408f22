from collections.abc import AsyncIterator
from contextlib import asynccontextmanager

from fastapi import FastAPI

from tasks import add as task
from tasks import broker, ticks


@asynccontextmanager
async def lifespan(app: FastAPI) -> AsyncIterator[None]:
    await broker.startup()
    yield
    await broker.shutdown()


app = FastAPI(lifespan=lifespan)


@app.get("/health")
def health() -> str:
    return "ok"


@app.get("/add")
async def add(a: int, b: int) -> int:
    result = await (await task.kiq(a, b)).wait_result(timeout=20)
    return result.return_value


@app.get("/ticks")
async def counted() -> int:
    return int(await ticks() or 0)
