from fastapi import FastAPI

from tasks import add as task

app = FastAPI()


@app.get("/health")
def health() -> str:
    return "ok"


@app.get("/add")
def add(a: int, b: int) -> int:
    return task(a, b)(blocking=True, timeout=20)
