"""Notes in SQLite, counted in Redis, for two names alone."""

import os
import sqlite3

import redis
from fastapi import FastAPI
from starlette.middleware.trustedhost import TrustedHostMiddleware

DATABASE = os.getenv("NOTES_DATABASE", "notes.db")

app = FastAPI()
app.add_middleware(TrustedHostMiddleware, allowed_hosts=["localhost", "notes.example.test"])
counter = redis.Redis(host=os.environ["REDIS_HOST"], port=6379)


def database() -> sqlite3.Connection:
    connection = sqlite3.connect(DATABASE)
    connection.execute("PRAGMA journal_mode = wal")
    connection.execute("CREATE TABLE IF NOT EXISTS notes (text TEXT)")
    return connection


@app.get("/health")
def health() -> str:
    return "ok"


@app.get("/notes")
def notes() -> dict[str, object]:
    with database() as connection:
        rows = connection.execute("SELECT text FROM notes").fetchall()
    return {"notes": [text for (text,) in rows], "count": int(counter.get("notes") or 0)}


@app.post("/notes/{text}")
def add(text: str) -> str:
    with database() as connection:
        connection.execute("INSERT INTO notes VALUES (?)", (text,))
    counter.incr("notes")
    return text
