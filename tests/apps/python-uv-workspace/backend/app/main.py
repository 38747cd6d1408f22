from importlib.metadata import version

from fastapi import FastAPI
from pricing import price

app = FastAPI()


@app.get("/health")
def health() -> str:
    return "ok"


@app.get("/price")
def get_price() -> dict[str, object]:
    return {"price": price(), "backend": version("backend"), "pricing": version("pricing")}
