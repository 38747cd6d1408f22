from fastapi import FastAPI

from tasks import add as task

app = FastAPI()


@app.get("/health")
def health() -> str:
    return "ok"


@app.get("/add")
def add(a: int, b: int) -> int:
    return task.send(a, b).get_result(block=True, timeout=20000)
