import subprocess

from adder import add
from fastapi import FastAPI

from shop.fast import product

app = FastAPI()


@app.get("/health")
def health() -> str:
    return "ok"


@app.get("/about")
def about() -> dict[str, object]:
    greeting = subprocess.run(["greet"], check=True, capture_output=True, text=True).stdout
    return {"cython": product(6, 7), "cmake": add(2, 3), "rust": greeting.strip()}
