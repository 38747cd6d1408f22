import importlib.util
from importlib.metadata import version

from core import value
from fastapi import FastAPI

app = FastAPI()


@app.get("/health")
def health() -> str:
    return "ok"


@app.get("/about")
def about() -> dict[str, object]:
    names = ("uvloop", "iniconfig", "pluggy", "packaging")
    return {
        "core": value(),
        "version": version("shop"),
        "installed": [name for name in names if importlib.util.find_spec(name)],
    }
