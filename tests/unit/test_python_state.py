"""What a web app keeps in its process, and how many processes serve it."""

from __future__ import annotations

import textwrap
from pathlib import Path

import pytest

from extensions.facts import read_facts
from extensions.model import Stack
from tests.unit.support import stack_of, write_project

FASTAPI = "from fastapi import FastAPI, WebSocket\napp = FastAPI()\n"
MANAGER = """
    class Manager:
        def __init__(self):
            self.active = []
        async def connect(self, websocket: WebSocket):
            await websocket.accept()
            self.active.append(websocket)
    manager = Manager()
    @app.websocket("/ws")
    async def talk(websocket: WebSocket):
        await manager.connect(websocket)
"""
ROOMS = """
    rooms = {}
    @app.websocket("/ws/{room}")
    async def talk(socket: WebSocket, room: str):
        rooms.setdefault(room, []).append(socket)
"""
SCHEDULER = """
    from apscheduler.schedulers.asyncio import AsyncIOScheduler
    scheduler = AsyncIOScheduler()
"""
STORE = """
    items = []
    @app.post("/items")
    def add(item: dict):
        items.append(item)
"""
COUNTER = """
    visits = 0
    @app.get("/")
    def index():
        global visits
        visits += 1
        return visits
"""
LIMITER = """
    from slowapi import Limiter
    limiter = Limiter(key_func=lambda: "")
"""
SOCKETIO = """
    import socketio
    sio = socketio.AsyncServer(async_mode="asgi")
    app.mount("/socket.io", socketio.ASGIApp(sio))
"""
KEY = """
    import os
    SECRET_KEY = os.urandom(24)
"""
MCP = """
    from fastmcp import FastMCP
    mcp = FastMCP("x")
    app.mount("/llm", mcp.http_app())
"""
KEPT = {
    "mcp": (MCP, "the sessions of MCP"),
    "connections": (MANAGER, "open WebSockets"),
    "rooms": (ROOMS, "open WebSockets"),
    "scheduler": (SCHEDULER, "a scheduler, which each process would start"),
    "list": (STORE, "variables that requests change"),
    "counter": (COUNTER, "variables that requests change"),
    "limits": (LIMITER, "rate limits"),
    "socketio": (SOCKETIO, "the sessions of Socket.IO"),
    "key": (KEY, "a secret key that each process would make"),
}
CACHED = """
    model_cache = {}
    @app.get("/")
    def index():
        model_cache["x"] = 1
"""
LOCAL = """
    @app.post("/items")
    def add(item: dict):
        items = []
        items.append(item)
"""
MODELS = """
    models = {}
    @app.on_event("startup")
    def load():
        models["x"] = 1
"""
SHARED = "async def listen(redis):\n    pubsub = redis.pubsub()\n" + textwrap.dedent(MANAGER)
STORED = """
    import os
    from slowapi import Limiter
    limiter = Limiter(key_func=lambda: "", storage_uri=os.environ.get("REDIS_URL", ""))
"""
LAZY = """
    model = None
    @app.get("/")
    def index():
        global model
        if model is None:
            model = 1
"""
NONE_KEPT = {
    "cache": CACHED,
    "local": LOCAL,
    "loaded at the start": MODELS,
    "Redis between": SHARED,
    "Redis for limits": STORED,
    "made when it is first asked for": LAZY,
}


def stack_with(folder: Path, source: str) -> Stack:
    """The stack of a FastAPI app with some code."""
    files = {
        "main.py": FASTAPI + textwrap.dedent(source),
        "requirements.txt": "fastapi\nuvicorn\n",
    }
    facts = read_facts(write_project(folder, files, USE_FASTAPI="true"))
    found: Stack = stack_of(facts)
    return found


@pytest.mark.parametrize(("source", "what"), KEPT.values(), ids=KEPT)
def test_one_process_serves_what_is_kept_in_it(source: str, what: str, tmp_path: Path) -> None:
    stack = stack_with(tmp_path, source)
    workers = stack.variable("WEB_CONCURRENCY")
    assert workers.default == "1" and stack.replicas == {"app": 1}
    assert f"one, as main.py has {what}." in workers.help


@pytest.mark.parametrize("source", NONE_KEPT.values(), ids=NONE_KEPT)
def test_the_limits_decide_where_nothing_is_kept(source: str, tmp_path: Path) -> None:
    stack = stack_with(tmp_path, source)
    assert stack.variable("WEB_CONCURRENCY").default == "auto" and stack.replicas == {"app": 2}
