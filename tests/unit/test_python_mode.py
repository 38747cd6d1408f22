"""Whether a script ends, serves or goes on for ever."""

from __future__ import annotations

import textwrap
from collections.abc import Mapping
from pathlib import Path

import pytest

from extensions.facts import read_facts
from tests.unit.support import write_project

DISCORD = """
    import discord
    client = discord.Client(intents=discord.Intents.default())
    client.run("token")
"""
OWN_BOT = """
    from discord.ext import commands
    class Own(commands.Bot):
        pass
    def main():
        bot = Own("!")
        bot.run("token")
    if __name__ == "__main__":
        main()
"""
ASYNC_LOOP = """
    import asyncio
    async def work():
        while True:
            try:
                await step()
            except KeyboardInterrupt:
                break
            await asyncio.sleep(5)
    asyncio.run(work())
"""
SLACK = """
    from slack_bolt import App
    from slack_bolt.adapter.socket_mode import SocketModeHandler
    SocketModeHandler(App(), "x").start()
"""
SCHEDULER = """
    from apscheduler.schedulers.blocking import BlockingScheduler
    scheduler = BlockingScheduler()
    scheduler.start()
"""
ENDLESS = {
    "discord.py": DISCORD,
    "a bot of its own class": OWN_BOT,
    "python-telegram-bot": "application.run_polling()",
    "aiogram": "import asyncio\nasyncio.run(dispatcher.start_polling(bot))",
    "slack-bolt": SLACK,
    "APScheduler": SCHEDULER,
    "pika": "channel.start_consuming()",
    "a loop": "import time\nwhile True:\n    time.sleep(5)",
    "a loop of asyncio": ASYNC_LOOP,
}
ENDING = {
    "a loop that is left": "while True:\n    if done():\n        break",
    "retries": "def get():\n    while True:\n        try:\n            return ask()\n"
    "        except OSError:\n            pass\nget()",
    "a generator": "def ticks():\n    while True:\n        yield 1\nfor t in ticks():\n    break",
    "a loop that nothing calls": "def loop():\n    while True:\n        pass\nprint(1)",
    "subprocess": "import subprocess\nsubprocess.run(['x'])",
    "asyncio": "import asyncio\nasyncio.run(main())",
    "a client of something else": "client = Client()\nclient.run()",
    "a guard of another module": "import other",
}


def mode_of(root: Path, source: str) -> tuple[str, int | None]:
    """The mode and the port of a script."""
    other = "if __name__ == '__main__':\n    while True:\n        pass\n"
    files: Mapping[str, str] = {"main.py": textwrap.dedent(source), "other.py": other}
    facts = read_facts(write_project(root, files, USE_PYTHON="true"))["python"]
    return facts["mode"], facts["port"]


@pytest.mark.parametrize("name", ENDLESS)
def test_what_goes_on_for_ever_is_a_service(name: str, tmp_path: Path) -> None:
    assert mode_of(tmp_path, ENDLESS[name]) == ("service", None)


@pytest.mark.parametrize("name", ENDING)
def test_what_ends_is_a_job(name: str, tmp_path: Path) -> None:
    assert mode_of(tmp_path, ENDING[name]) == ("job", None)


@pytest.mark.parametrize(
    ("source", "port"),
    [
        ("HTTPServer(('0.0.0.0', 8080), Handler).serve_forever()", 8080),
        ("PORT = int(os.environ.get('PORT', '9000'))\nHTTPServer(('', PORT), H)", 9000),
        ("port = int(os.getenv('PORT') or 7000)\nHTTPServer(('', port), H)", 7000),
        ("HTTPServer(('', int(os.environ['PORT'])), H)", 8000),
        ("import uvicorn\nuvicorn.run('x:app', host='0.0.0.0', port=8001)", 8001),
        ("import uvicorn\nuvicorn.run('x:app', host='0.0.0.0')", 8000),
        ("import websockets\nasync def main():\n    async with websockets.serve(h, '', 8765):\n"
         "        pass\nmain()", 8765),
        ("application.run_webhook(listen='0.0.0.0', port=8443)", 8443),
        ("from waitress import serve\nserve(app, host='0.0.0.0', port=8001)", 8001),
        ("import waitress\nwaitress.serve(app, listen='*:9000')", 9000),
        ("from nicegui import ui\nui.label('x')\nui.run(title='x')", 8080),
        ("import uvicorn\nuvicorn.Server(uvicorn.Config(app, host='0.0.0.0', port=81)).run()", 81),
        ("from gevent.pywsgi import WSGIServer\nWSGIServer(('', 5001), app).serve_forever()", 5001),
        ("from bottle import run\nrun(host='0.0.0.0', port=8088)", 8088),
        ("import tornado\nasync def main():\n    make_app().listen(8888)\n"
         "    await asyncio.Event().wait()\nasyncio.run(main())", 8888),
        ("from granian import Granian\nGranian('m:a', address='0.0.0.0', port=82).serve()", 82),
        ("from mcp.server.fastmcp import FastMCP\nmcp = FastMCP('x', host='0.0.0.0', port=9)\n"
         "mcp.run(transport='streamable-http')", 9),
        ("from fastmcp import FastMCP\nmcp = FastMCP('x')\nmcp.run('http', host='0.0.0.0')", 8000),
        ("with make_server('', 8002, app) as httpd:\n    httpd.serve_forever()", 8002),
    ],
)  # fmt: skip
def test_what_listens_is_a_service_on_its_port(source: str, port: int, tmp_path: Path) -> None:
    assert mode_of(tmp_path, source) == ("service", port)


def test_mcp_over_standard_input_is_no_server(tmp_path: Path) -> None:
    source = "from mcp.server.fastmcp import FastMCP\nmcp = FastMCP('x')\nmcp.run()"
    assert mode_of(tmp_path, source)[0] == "job"
