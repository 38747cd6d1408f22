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
    names = ("uvloop", "iniconfig", "pluggy", "packaging", "stars", "moons", "ruff", "tomli")
    return {
        "core": value(),
        "version": f"{version('shop')} {version('iniconfig')}",
        "installed": [name for name in names if importlib.util.find_spec(name)],
    }
