"""Frameworks that no image here serves, and what servers do not tell an app behind a proxy."""

from __future__ import annotations

import ast
import re
from collections.abc import Iterator, Sequence

from .. import finding, python_mode, python_program, python_scripts, python_web
from ..errors import ProjectError
from ..finding import Finding
from ..model import App
from ..python_source import Module, called_name, parse_modules, statements
from ..python_web import MANIFESTS
from ..services import FOLDERS
from ..source_text import parse_file
from ..subject import Subject

RUNTIME = "python"
IDS = {"start.frameworks": "The apps' frameworks are served as they have to be"}
_RULE = "start.frameworks"
_NEVER = FOLDERS | {"tests", "test", "docs", "examples", "example", "scripts", "deploy"}
_OVER_HTTP = re.compile(r"http|sse")


def find(subject: Subject) -> Iterator[Finding]:
    """What is said of each Python app."""
    yield from _left_out(subject)
    for app in subject.of("python"):
        modules = subject.modules(app)
        if app.kind == "python":
            yield from _reflex(subject, app)
            for module in modules:
                yield from _chainlit(app, module)
                yield from _mcp(app, module)
        if app.command[:1] == ("gunicorn",):
            yield from _configured(subject, app)
        if app.command[:1] == ("gunicorn",) and app.kind in {"wsgi", "django"}:
            yield from _visitors(app, modules)
        if app.kind == "gradio":
            yield from _gradio(modules)
        if app.kind == "streamlit":
            yield from _streamlit(modules)
        if app.kind in {"wsgi", "asgi", "aiohttp"}:
            yield from _served_twice(app, modules)
        yield from _without_lock(subject, app)


def _left_out(subject: Subject) -> Iterator[Finding]:
    """Web apps in folders of their own that no app of the stack is in."""
    tree = subject.tree
    used = {app.directory.split("/")[0] for app in subject.stack.apps}
    tops = sorted({path.split("/")[0] for path in tree.below(".", ".py") if "/" in path})
    for top in tops:
        if top in used | _NEVER or top.startswith(".") or not tree.first(top, *MANIFESTS):
            continue
        modules = parse_modules(tree, top)[0]
        web = python_web.in_folder(tree, top, modules)
        if web is None and (found := _service(subject, top, modules)):
            yield found
        if web and not any(app.kind == web.kind for app in subject.stack.apps):
            yield Finding(
                _RULE,
                False,
                f"{finding.where(web.path, web.line)} is {web.title}'s, and no part of the stack.",
                f"spinbox build --prod --set {web.kind}.dir={top}",
                web.path,
                web.line,
            )


def _service(subject: Subject, folder: str, modules: Sequence[Module]) -> Finding | None:
    """A program without a framework that goes on running, as a worker or a bot."""
    entry = python_scripts.find(subject.tree, folder, modules)
    if entry is None or not subject.stack.apps:
        return None
    program = python_program.of(subject.tree, folder, list(modules))
    mode, _ = python_mode.find(program, entry.value.module)
    if mode.value == python_mode.JOB:
        return None
    app, module = subject.stack.apps[0], entry.value.module
    if module is None or app.runtime.name != RUNTIME:
        return None
    path = module.path
    return Finding(
        _RULE,
        False,
        f"{path} is a program that goes on running, and no part of the stack.",
        "Deploy it from a project of its own, or move it to the app, and name it: "
        f"spinbox build --prod --set {app.kind}.worker=COMMAND",
        path,
    )


def _configured(subject: Subject, app: App) -> Iterator[Finding]:
    """The address in gunicorn.conf.py, which Gunicorn reads by itself, before PORT."""
    path = subject.tree.first(app.directory, "gunicorn.conf.py")
    if path is None or any(word in {"-b", "--bind"} for word in app.command):
        return
    try:
        body = parse_file(subject.tree, path)
    except ProjectError:
        return
    for node in statements(body.body):
        match node:
            case ast.Assign(targets=[ast.Name(id="bind")], value=ast.Constant(value=str(bind))):
                host, _, port = bind.rpartition(":")
                if host in {"127.0.0.1", "localhost"} or port != str(app.port):
                    yield Finding(
                        _RULE,
                        True,
                        f"{finding.where(path, node.lineno)} has Gunicorn listen on {bind}, but "
                        f"{app.name} is asked on port {app.port} of every address.",
                        f'Write bind = "0.0.0.0:{app.port}" there, or take it out.',
                        path,
                        node.lineno,
                    )


def _gradio(modules: list[Module]) -> Iterator[Finding]:
    """What launch() is given that holds only on a developer's machine."""
    name = python_web.argument(modules, "launch", "server_name")
    if name and name.value in {"127.0.0.1", "localhost"}:
        yield Finding(
            _RULE,
            True,
            f"{finding.where(name.path or '', name.line)} listens on localhost alone: the proxy "
            "does not reach it.",
            "Leave server_name out there: the image names it in GRADIO_SERVER_NAME.",
            name.path,
            name.line,
        )
    share = python_web.argument(modules, "launch", "share")
    if share and share.value is True:
        yield Finding(
            _RULE,
            False,
            f"{finding.where(share.path or '', share.line)} opens a public address at gradio.live, "
            "past the proxy.",
            "Take share=True out there.",
            share.path,
            share.line,
        )


def _streamlit(modules: list[Module]) -> Iterator[Finding]:
    """Secrets in a file that no image gets."""
    for module in modules:
        for node in ast.walk(module.body):
            if isinstance(node, ast.Attribute) and ast.unparse(node) in {
                "st.secrets",
                "streamlit.secrets",
            }:
                yield Finding(
                    _RULE,
                    False,
                    f"{finding.where(module.path, node.lineno)} reads .streamlit/secrets.toml, "
                    "which the image does not get.",
                    "Read it from os.environ there, and set it in .env.",
                    module.path,
                    node.lineno,
                )
                return


def _served_twice(app: App, modules: list[Module]) -> Iterator[Finding]:
    """A module that starts a server of its own as soon as the real one imports it."""
    target = next((word for word in app.command if ":" in word and "://" not in word), "")
    served, _, name = target.partition(":")
    for module in modules:
        if module.name != served:
            continue
        for node in statements(module.body.body):
            call = node.value if isinstance(node, ast.Expr) else None
            if not isinstance(call, ast.Call) or called_name(call) not in {"run", "run_server"}:
                continue
            owner = call.func.value if isinstance(call.func, ast.Attribute) else None
            if isinstance(owner, ast.Name) and owner.id in {name, "uvicorn", "socketio"}:
                place = finding.where(module.path, call.lineno)
                yield Finding(
                    _RULE,
                    True,
                    f"{place} starts a server for development as soon as {app.command[0]} imports "
                    "that module.",
                    f'Put it below if __name__ == "__main__": in {module.path}.',
                    module.path,
                    call.lineno,
                )


def _reflex(subject: Subject, app: App) -> Iterator[Finding]:
    path = subject.tree.first(app.directory, "rxconfig.py")
    if path:
        yield Finding(
            _RULE,
            True,
            f"{path} is Reflex's, whose pages are built with Node and served beside a server of "
            "its own: this image runs neither.",
            "Export both with `reflex export`, or run `reflex run --env prod` in an image that has "
            "Node as well: spinbox build --prod --set python=off leaves it out here.",
            path,
        )


def _chainlit(app: App, module: Module) -> Iterator[Finding]:
    if "chainlit" in app.command or not python_web.imports(module, "chainlit"):
        return
    path = module.path if app.directory == "." else module.path.removeprefix(f"{app.directory}/")
    command = f"chainlit run {path} --headless --host 0.0.0.0 --port 8000"
    yield Finding(
        _RULE,
        False,
        f"{module.path} is Chainlit's, but `{' '.join(app.command)}` does not serve it.",
        "spinbox build --prod --set python.mode=service --set python.port=8000 "
        f"--set python.command='{command}'",
        module.path,
    )


def _mcp(app: App, module: Module) -> Iterator[Finding]:
    if not any(python_web.imports(module, name) for name in ("mcp", "fastmcp")):
        return
    for node in ast.walk(module.body):
        if not isinstance(node, ast.Call) or called_name(node) not in {"run", "run_async"}:
            continue
        whole = ast.unparse(node)
        if _OVER_HTTP.search(whole) or "mcp" not in whole.lower():
            continue
        yield Finding(
            _RULE,
            False,
            f"{finding.where(module.path, node.lineno)} serves MCP over standard input, where "
            "nobody reaches a container.",
            "Serve it over HTTP: app = mcp.streamable_http_app() in that module, which is found "
            "and served.",
            module.path,
            node.lineno,
        )


def _visitors(app: App, modules: list[Module]) -> Iterator[Finding]:
    """Gunicorn takes the scheme from the proxy, but not the address of who asks."""
    if any("ProxyFix" in module.text or "X_FORWARDED_FOR" in module.text for module in modules):
        return
    for module in modules:
        if "remote_addr" not in module.text.lower():
            continue
        for node in ast.walk(module.body):
            is_read = (isinstance(node, ast.Attribute) and node.attr == "remote_addr") or (
                isinstance(node, ast.Constant) and node.value == "REMOTE_ADDR"
            )
            if is_read and isinstance(node, ast.expr):
                mend = (
                    'Take the last address of request.META["HTTP_X_FORWARDED_FOR"] there.'
                    if app.kind == "django"
                    else "Wrap the app: app.wsgi_app = ProxyFix(app.wsgi_app, x_for=1, x_proto=1), "
                    "from werkzeug.middleware.proxy_fix."
                )
                yield Finding(
                    _RULE,
                    False,
                    f"{finding.where(module.path, node.lineno)} takes the proxy's address for the "
                    "visitor's.",
                    mend,
                    module.path,
                    node.lineno,
                )
                return


def _without_lock(subject: Subject, app: App) -> Iterator[Finding]:
    """Python without the global lock, which has images of its own."""
    for folder in dict.fromkeys((app.directory, ".")):
        path = subject.tree.first(folder, ".python-version")
        version = subject.tree.read(path).strip() if path else ""
        if path and re.fullmatch(r"(cpython-)?3\.\d+(\.\d+)?(t|\+freethreaded)", version):
            yield Finding(
                _RULE,
                False,
                f"{path} asks for free-threaded Python ({version}), which no official image has: "
                "this one has the usual Python.",
                "Name an image that has it: "
                f"spinbox build --prod --set {app.kind}.image=IMAGE, or take the usual Python.",
                path,
                1,
            )
            return
