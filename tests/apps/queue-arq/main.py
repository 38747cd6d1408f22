from arq import create_pool
from fastapi import FastAPI

from tasks import WorkerSettings

app = FastAPI()


@app.get("/health")
async def health() -> str:
    return "ok"


@app.get("/add")
async def add(a: int, b: int) -> int:
    pool = await create_pool(WorkerSettings.redis_settings)
    job = await pool.enqueue_job("add", a, b)
    return await job.result(timeout=20)
