import time

from fastapi import FastAPI

from queues import queue

app = FastAPI()


@app.get("/health")
def health() -> str:
    return "ok"


@app.get("/add")
def add(a: int, b: int) -> int:
    job = queue.enqueue("tasks.add", a, b)
    for _ in range(100):
        if job.is_finished:
            break
        time.sleep(0.2)
    return job.return_value()
