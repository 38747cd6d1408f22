"""Frameworks that no image here serves, and what servers do not tell an app behind a proxy."""

from __future__ import annotations

import ast
import re
from collections.abc import Iterator, Sequence

from .. import (
    finding,
    python_locks,
    python_mode,
    python_program,
    python_scripts,
    python_web,
)
from ..errors import ProjectError
from ..finding import Finding
from ..model import App
from ..origins import line_at
from ..python_source import Module, assigned_calls, called_name, parse_modules, statements
from ..python_web import MANIFESTS
from ..services import FOLDERS
from ..source_text import parse_file
from ..subject import Subject
from ..tree import MEGABYTE

RUNTIME = "python"
IDS = {"start.frameworks": "The apps' frameworks are served as they have to be"}
_RULE = "start.frameworks"
_NEVER = FOLDERS | {"tests", "test", "docs", "examples", "example", "scripts", "deploy"}
_TAKES_SCHEME = re.compile(r"ProxyFixMiddleware|ProxyHeadersMiddleware|_with_proxy_headers")
_NEEDS_SCHEME = re.compile(
    r"HTTPSRedirectMiddleware|\burl_for\(|\brequest\.(?:url|base_url|client)\b"
)
_LIFESPAN = re.compile(r"session_manager|\.lifespan\b|lifespan_context|combine_lifespans")
# As the proxy's MAX_REQUEST_BODY is where nobody sets it.
_BODY_MEGABYTES = 25
_LOCAL = frozenset({"127.0.0.1", "localhost"})
_OVER_HTTP = re.compile(r"http|sse")


def find(subject: Subject) -> Iterator[Finding]:
    """What is said of each Python app."""
    yield from _left_out(subject)
    for app in subject.of("python"):
        modules = subject.modules(app)
        if app.port:
            yield from _mcp_hosts(subject, app, modules)
            yield from _mcp_lifespan(modules)
            if subject.stack.with_proxy:
                yield from _bodies(modules)
        if app.kind == "python":
            yield from _reflex(subject, app)
            for module in modules:
                yield from _chainlit(app, module)
                yield from _mcp(app, module)
        if app.command[:1] in {("hypercorn",), ("granian",)}:
            yield from _schemes(app, modules)
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
    """What is in gunicorn.conf.py, which Gunicorn reads by itself, before PORT."""
    path = subject.tree.first(app.directory, "gunicorn.conf.py")
    if path is None or any(word in {"-b", "--bind", "-c", "--config"} for word in app.command):
        return
    try:
        body = parse_file(subject.tree, path)
    except ProjectError:
        return
    for node in statements(body.body):
        match node:
            case ast.Assign(targets=[ast.Name(id="bind")], value=ast.Constant(value=str(bind))):
                host, _, port = bind.rpartition(":")
                if host in _LOCAL or port != str(app.port):
                    yield Finding(
                        _RULE,
                        True,
                        f"{finding.where(path, node.lineno)} has Gunicorn listen on {bind}, but "
                        f"{app.name} is asked on port {app.port} of every address.",
                        f'Write bind = "0.0.0.0:{app.port}" there, or take it out.',
                        path,
                        node.lineno,
                    )
            case ast.Assign(
                targets=[ast.Name(id="errorlog" | "pidfile" as name)],
                value=ast.Constant(value=str(file)),
            ) if file != "-" and not file.startswith(("/tmp/", "/dev/")):
                yield Finding(
                    _RULE,
                    True,
                    f"{finding.where(path, node.lineno)} has Gunicorn write {file}, but no file in "
                    "its container can change: the start fails.",
                    f'Write {name} = "-" there, for the console.'
                    if name == "errorlog"
                    else f"Take {name} out there: Docker knows the process.",
                    path,
                    node.lineno,
                )
            case ast.Assign(targets=[ast.Name(id="daemon")], value=ast.Constant(value=True)):
                yield Finding(
                    _RULE,
                    True,
                    f"{finding.where(path, node.lineno)} has Gunicorn go to the background: its "
                    "container ends at once.",
                    "Take daemon out there.",
                    path,
                    node.lineno,
                )
            case ast.Assign(targets=[ast.Name(id="workers")], value=value) if "cpu_count" in (
                ast.unparse(value)
            ):
                yield Finding(
                    _RULE,
                    False,
                    f"{finding.where(path, node.lineno)} starts workers by the processors of the "
                    "machine, whatever memory the container has.",
                    'Write workers = int(os.environ["WEB_CONCURRENCY"]) there, or take it out.',
                    path,
                    node.lineno,
                )


def _gradio(modules: list[Module]) -> Iterator[Finding]:
    """What launch() is given that holds only on a developer's machine."""
    name = python_web.argument(modules, "launch", "server_name")
    if name and name.value in _LOCAL:
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


def _mcp_lifespan(modules: list[Module]) -> Iterator[Finding]:
    """A mounted MCP server, which needs what its own lifespan starts.

    Starlette runs the outer app's alone (py.sdk.modelcontextprotocol.io, "Mounting").
    """
    if any(_LIFESPAN.search(module.text) for module in modules):
        return
    for module in modules:
        own = python_web.imports(module, "mcp")
        if not own and not python_web.imports(module, "fastmcp"):
            continue
        made = {"streamable_http_app", "http_app"}
        names = {name for name, call in assigned_calls(module.body) if called_name(call) in made}
        for node in ast.walk(module.body):
            if not isinstance(node, ast.Call) or called_name(node) != "mount":
                continue
            given = (*node.args, *(keyword.value for keyword in node.keywords))
            if not any(
                (isinstance(one, ast.Call) and called_name(one) in made)
                or (isinstance(one, ast.Name) and one.id in names)
                for one in given
            ):
                continue
            mend = (
                "Run mcp.session_manager.run() in the app's lifespan."
                if own
                else "Give the app the lifespan of what is mounted: lifespan=mcp_app.lifespan."
            )
            yield Finding(
                _RULE,
                False,
                f"{finding.where(module.path, node.lineno)} mounts an MCP server, but nothing "
                "starts it: every request fails (Task group is not initialized).",
                mend,
                module.path,
                node.lineno,
            )
            return


def _bodies(modules: list[Module]) -> Iterator[Finding]:
    """Uploads that the app takes, but that are larger than the proxy's limit (`Caddyfile`)."""
    for module in modules:
        if not any(word in module.text for word in ("MAX_CONTENT_LENGTH", "file_uploader")):
            continue
        for node in ast.walk(module.body):
            megabytes, what = 0, "takes"
            if isinstance(node, ast.Assign) and "MAX_CONTENT_LENGTH" in ast.unparse(
                node.targets[0]
            ):
                megabytes = (_number(node.value) or 0) // MEGABYTE
            elif isinstance(node, ast.Call) and called_name(node) == "file_uploader":
                # Where server.maxUploadSize says nothing else (docs.streamlit.io, "config.toml").
                megabytes, what = 200, "offers to take"
            if isinstance(node, ast.stmt | ast.expr) and megabytes > _BODY_MEGABYTES:
                yield Finding(
                    _RULE,
                    False,
                    f"{finding.where(module.path, node.lineno)} {what} files of {megabytes} MB, "
                    f"but the proxy refuses what is above {_BODY_MEGABYTES} MB (413).",
                    f"Set MAX_REQUEST_BODY={megabytes}MB in .env, or a lower limit there.",
                    module.path,
                    node.lineno,
                    "MAX_REQUEST_BODY",
                )
                return


def _number(node: ast.expr) -> int | None:
    """The product of whole numbers that an expression is."""
    match node:
        case ast.Constant(value=int(number)):
            return number
        case ast.BinOp(left=left, op=ast.Mult(), right=right):
            factors = _number(left), _number(right)
            return None if None in factors else (factors[0] or 0) * (factors[1] or 0)
    return None


def _mcp_hosts(subject: Subject, app: App, modules: list[Module]) -> Iterator[Finding]:
    """MCP's own SDK, which answers localhost alone unless it is told otherwise.

    So do its releases since 1.23 where they are told no address (its README, "Transport Security").
    """
    manifests = app.build.manifests
    stated = python_locks.stated(subject.tree, app.directory, manifests, "mcp")
    if stated and not stated.allows("1.23.0"):
        return
    serves = [m for m in modules if re.search(r"streamable_http_app|sse_app", m.text)]
    if not serves or any("transport_security" in module.text for module in modules):
        return
    for module in modules:
        older = python_web.imports(module, "mcp.server.fastmcp")
        if not older and not python_web.imports(module, "mcp.server"):
            continue
        wanted = {"FastMCP"} if older else {"streamable_http_app", "sse_app"}
        for node in ast.walk(module.body):
            if not isinstance(node, ast.Call) or called_name(node) not in wanted:
                continue
            host = next((k.value for k in node.keywords if k.arg == "host"), None)
            if host is None or (isinstance(host, ast.Constant) and host.value in _LOCAL):
                yield Finding(
                    _RULE,
                    False,
                    f"{finding.where(module.path, node.lineno)} answers requests for localhost "
                    "alone: those for the domain get 421, Invalid Host header.",
                    f'Write host="0.0.0.0" into {called_name(node)}(…) there.',
                    module.path,
                    node.lineno,
                )


def _schemes(app: App, modules: list[Module]) -> Iterator[Finding]:
    """Servers that take neither scheme nor address from a proxy; each has what does so for them."""
    if any(_TAKES_SCHEME.search(module.text) for module in modules):
        return
    wrapped = (
        'app = ProxyFixMiddleware(app, mode="legacy", trusted_hops=1), from hypercorn.middleware'
        if app.command[0] == "hypercorn"
        else 'app = wrap_asgi_with_proxy_headers(app, trusted_hosts="*"), from '
        "granian.utils.proxies"
    )
    for module in modules:
        if found := _NEEDS_SCHEME.search(module.text):
            line = line_at(module.text, found.start())
            yield Finding(
                _RULE,
                "HTTPSRedirectMiddleware" in found[0],
                f"{finding.where(module.path, line)} asks for the scheme, which "
                f"{app.command[0]} takes from no proxy: it is always http.",
                f"Write {wrapped}, or add uvicorn[standard] to the dependencies.",
                module.path,
                line,
            )
            return


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
