import importlib.util

from fastapi import FastAPI

app = FastAPI()


@app.get("/health")
def health() -> str:
    return "ok"


@app.get("/about")
def about() -> list[str]:
    return [name for name in ("uvloop", "stars", "moons") if importlib.util.find_spec(name)]
