"""Servers of Python apps: those for development, and those that nobody outside would reach."""

from __future__ import annotations

import ast
from collections.abc import Iterator

from .. import finding, python_listening, started
from ..finding import Finding
from ..model import App
from ..python_source import Module
from ..started import Started
from ..subject import Subject

RUNTIME = "python"
IDS = {"start.server": "The apps' servers are for production, and can be reached"}

_LOCAL = frozenset({"127.0.0.1", "localhost"})


def find(subject: Subject) -> Iterator[Finding]:
    """What is said of servers in commands, and in the scripts that they run."""
    for app in subject.of("python"):
        yield from _command(app)
        yield from _without_loop(subject, app)
        run = started.of(subject, app)
        for name in sorted(run.scripts):
            yield from _script(app, run, run.program.modules[name])
            yield from _streamlit(app, run, run.program.modules[name])


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


def _streamlit(app: App, run: Started, module: Module) -> Iterator[Finding]:
    """Scripts that Streamlit runs, in a server of its own."""
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


def _script(app: App, run: Started, module: Module) -> Iterator[Finding]:
    for server in python_listening.find(run.program, module, [c for c, _ in run.calls(module)]):
        call, host = server.call, server.host
        place = finding.where(module.path, call.lineno)
        if app.job:
            yield Finding(
                "start.server",
                False,
                f"{place} starts a server, but {app.name} is set to be a job that ends.",
                f"spinbox build --prod --set {app.kind}.mode=service "
                f"--set {app.kind}.port={server.port or server.usual}",
                module.path,
                call.lineno,
            )
            continue
        local = server.local if host is None else run.program.text(module, host) in _LOCAL
        if app.port and local:
            if host is not None and not isinstance(host, ast.Constant):
                continue
            yield Finding(
                "start.server",
                True,
                f"{place} listens on localhost alone: the proxy does not reach it.",
                f"Listen on all addresses: {server.all_addresses} in {module.path}.",
                module.path,
                call.lineno,
            )
        if app.port and server.fixed and server.port != app.port:
            yield Finding(
                "start.server",
                True,
                f"{place} listens on {server.port}, but {app.name} is asked on {app.port}.",
                f"spinbox build --prod --set {app.kind}.port={server.port}",
                module.path,
                call.lineno,
            )
        given = {keyword.arg: keyword.value for keyword in call.keywords}
        if any(_is_true(given.get(word)) for word in ("debug", "reload", "use_reloader")):
            yield Finding(
                "start.server",
                False,
                f"{place} starts its server for development (debug or reload).",
                f"Take debug and reload out of {module.path}.",
                module.path,
                call.lineno,
            )


def _is_true(node: ast.expr | None) -> bool:
    return isinstance(node, ast.Constant) and node.value is True
