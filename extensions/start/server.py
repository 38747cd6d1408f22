"""Servers of Python apps: those for development, and those that nobody outside would reach."""

from __future__ import annotations

import ast
from collections.abc import Iterator

from .. import finding, started
from ..finding import Finding
from ..model import App
from ..python_source import Module, called_name
from ..started import Started
from ..subject import Subject

RUNTIME = "python"
IDS = {"start.server": "The apps' servers are for production, and can be reached"}

_FRAMEWORKS = frozenset({"Flask", "Quart", "Sanic", "Dash", "Bottle"})
# Of libraries for bots, schedules and servers.
_WAITING = frozenset(
    {"run_polling", "infinity_polling", "start_polling", "run_forever", "serve_forever"}
    | {"run_pending", "run_until_disconnected"}
)
_LOCAL = frozenset({"127.0.0.1", "localhost"})
# Ports where none is named (flask.palletsprojects.com, uvicorn.dev, sanic.dev, dash.plotly.com).
_PORTS = {
    "uvicorn": 8000,
    "Flask": 5000,
    "Quart": 5000,
    "Sanic": 8000,
    "Dash": 8050,
    "Bottle": 8080,
}


def find(subject: Subject) -> Iterator[Finding]:
    """What is said of servers in commands, and in the scripts that they run."""
    for app in subject.of("python"):
        yield from _command(app)
        yield from _without_loop(subject, app)
        run = started.of(subject, app)
        for name in sorted(run.scripts):
            yield from _script(app, run, run.program.modules[name])
            yield from _endless(app, run, run.program.modules[name])


def _command(app: App) -> Iterator[Finding]:
    words = app.command
    shown = " ".join(words)
    key = f"{app.kind}.command"
    without = " ".join(word for word in words if word != "--reload")
    if words[:2] in {("fastapi", "dev"), ("flask", "run")}:
        better = "fastapi run …" if words[0] == "fastapi" else "gunicorn MODULE:app"
        yield Finding(
            "start.server",
            False,
            f"`{shown}` is a server for development: it is set as {key}.",
            f"spinbox build --prod --set {key}='{better} --bind 0.0.0.0:{app.port}'"
            if words[0] == "flask"
            else f"spinbox build --prod --set {key}='{' '.join(('fastapi', 'run', *words[2:]))}'",
        )
    elif "--reload" in words:
        yield Finding(
            "start.server",
            False,
            f"`{shown}` is set as {key}: --reload is for development.",
            f"spinbox build --prod --set {key}='{without}'",
        )


def _without_loop(subject: Subject, app: App) -> Iterator[Finding]:
    """Gunicorn, which serves WSGI unless its workers are Uvicorn's."""
    words = app.command
    settings = subject.tree.first(app.directory, "gunicorn.conf.py")
    own = any(word in {"-c", "--config"} or word.startswith("--config=") for word in words)
    if app.kind != "fastapi" or words[:1] != ("gunicorn",) or settings or own:
        return
    if not any("uvicorn" in word.lower() for word in words):
        shown = " ".join(words)
        yield Finding(
            "start.server",
            True,
            f"`{shown}` serves WSGI, which FastAPI does not speak: every answer is an error.",
            f"spinbox build --prod --set {app.kind}.command="
            f"'{shown} -k uvicorn.workers.UvicornWorker'",
        )


def _endless(app: App, run: Started, module: Module) -> Iterator[Finding]:
    """Scripts that end never: Streamlit's, and those that wait for messages."""
    streamlit = any(i.name.partition(".")[0] == "streamlit" for i in run.program.imports(module))
    if streamlit and "streamlit" not in app.command:
        shown = f"streamlit run {app.command[-1]} --server.address 0.0.0.0 --server.port 8501"
        yield Finding(
            "start.server",
            False,
            f"{module.path} is Streamlit's, but `{' '.join(app.command)}` does not serve it.",
            "spinbox build --prod --set python.mode=service --set python.port=8501 "
            f"--set python.command='{shown}'",
            module.path,
        )
    for call, _ in run.calls(module) if app.job else ():
        if called_name(call) in _WAITING:
            yield Finding(
                "start.server",
                False,
                f"{finding.where(module.path, call.lineno)} runs for ever, but {app.name} is taken "
                "for a job that ends: nothing keeps it running.",
                f"spinbox build --prod --set {app.kind}.mode=service",
                module.path,
                call.lineno,
            )
            return


def _script(app: App, run: Started, module: Module) -> Iterator[Finding]:
    for call, _ in run.calls(module):
        kind = _kind(run, module, call)
        if kind is None:
            continue
        place = finding.where(module.path, call.lineno)
        given = {keyword.arg: keyword.value for keyword in call.keywords}
        port = _port(kind, given)
        if app.job:
            number = port or _PORTS[kind]
            yield Finding(
                "start.server",
                False,
                f"{place} starts a server, but {app.name} is taken for a job that ends.",
                f"spinbox build --prod --set {app.kind}.mode=service "
                f"--set {app.kind}.port={number}",
                module.path,
                call.lineno,
            )
            continue
        host = given.get("host")
        if app.port and (host is None or run.program.text(module, host) in _LOCAL):
            if host is not None and not isinstance(host, ast.Constant):
                continue
            yield Finding(
                "start.server",
                True,
                f"{place} listens on localhost alone: the proxy does not reach it.",
                f'Listen on all addresses: host="0.0.0.0" in {module.path}.',
                module.path,
                call.lineno,
            )
        if app.port and port and port != app.port:
            yield Finding(
                "start.server",
                True,
                f"{place} listens on {port}, but {app.name} is asked on {app.port}.",
                f"spinbox build --prod --set {app.kind}.port={port}",
                module.path,
                call.lineno,
            )
        if any(_is_true(given.get(word)) for word in ("debug", "reload", "use_reloader")):
            yield Finding(
                "start.server",
                False,
                f"{place} starts its server for development (debug or reload).",
                f"Take debug and reload out of {module.path}.",
                module.path,
                call.lineno,
            )


def _kind(run: Started, module: Module, call: ast.Call) -> str | None:
    """What serves where this is called; None where nothing does."""
    if called_name(call) not in {"run", "run_server"} or not isinstance(call.func, ast.Attribute):
        return None
    owner = call.func.value
    if isinstance(owner, ast.Name) and owner.id == "uvicorn":
        return "uvicorn"
    reference = run.program.resolve(module, owner)
    there = run.program.modules.get(reference[0]) if reference else None
    made = run.program.constants(there).get(reference[1] or "") if there and reference else None
    name = called_name(made) if isinstance(made, ast.Call) else ""
    return name if name in _FRAMEWORKS else None


def _port(kind: str, given: dict[str | None, ast.expr]) -> int | None:
    """The port that is named, or the usual one; None where only running code knows."""
    value = given.get("port")
    if value is None:
        return _PORTS[kind]
    if isinstance(value, ast.Constant) and isinstance(value.value, int):
        return value.value
    return None


def _is_true(node: ast.expr | None) -> bool:
    return isinstance(node, ast.Constant) and node.value is True
