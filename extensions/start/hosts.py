"""Apps that answer to some names only: visitors and health checks ask for the domain.

Where there is none, and where another proxy stands in front, health checks ask for the container
itself.
"""

from __future__ import annotations

import ast
import re
from collections.abc import Iterator

from .. import finding, python_program
from ..finding import Finding
from ..model import App
from ..python_source import Module
from ..subject import Subject

RUNTIME = "python"
IDS = {"start.hosts": "The app answers its own health check"}

_CHECKED = "127.0.0.1"
_LOCAL = (_CHECKED, "localhost", "testserver", "[::1]", "0.0.0.0", "test")
_MIDDLEWARE, _DJANGO = "TrustedHostMiddleware", "ALLOWED_HOSTS"


def find(subject: Subject) -> Iterator[Finding]:
    """TrustedHostMiddleware and Django's ALLOWED_HOSTS, which refuse others with 400; redirects."""
    for app in subject.of("python"):
        # These tell Django themselves what the proxy says.
        told = app.command[:1] in {("gunicorn",), ("uvicorn",)}
        for module in subject.modules(app) if app.port and not told else ():
            yield from _redirecting(module)
        if not app.health:
            continue
        program = python_program.of(subject.tree, app.directory, subject.modules(app))
        for module in program.modules.values():
            for what, allowed in _allowed(module):
                hosts = program.texts(module, allowed)
                if hosts is None and (
                    what == _DJANGO or _is_given(app, allowed) or _is_filled(app, allowed)
                ):
                    continue
                if hosts is None or "*" not in hosts:
                    with_domain = subject.stack.with_proxy
                    found = _refused(what, module, allowed, hosts, with_domain=with_domain)
                    yield from (found,) if found else ()


def _is_filled(app: App, allowed: ast.expr) -> bool:
    """Whether the names come from a setting that the entrypoint fills, with those of checks."""
    text = ast.unparse(allowed).lower()
    return any(one.kind == "hosts" and one.name.lower() in text for one in app.addresses)


def _is_given(app: App, allowed: ast.expr) -> bool:
    """Whether the stack fills the setting that names them."""
    given = {env.name for env in app.environment} | {name for name, _ in app.filled}
    words = (
        getattr(node, "attr", None) or getattr(node, "id", None) or getattr(node, "value", None)
        for node in ast.walk(allowed)
    )
    return any(isinstance(word, str) and word.upper() in given for word in words)


def _redirecting(module: Module) -> Iterator[Finding]:
    """Django, which sends everybody to HTTPS for ever unless it is told what the proxy says."""
    match = re.search(r"(?m)^SECURE_SSL_REDIRECT\s*=\s*True", module.text)
    if match and "SECURE_PROXY_SSL_HEADER" not in module.text:
        line = module.text.count("\n", 0, match.start()) + 1
        yield Finding(
            "start.hosts",
            False,
            f"{finding.where(module.path, line)} sends all requests to HTTPS, also those that the "
            "proxy took by HTTPS: browsers see endless redirects.",
            f'Add SECURE_PROXY_SSL_HEADER = ("HTTP_X_FORWARDED_PROTO", "https") to {module.path}.',
            module.path,
            line,
        )


def _refused(
    what: str, module: Module, allowed: ast.expr, hosts: list[str] | None, *, with_domain: bool
) -> Finding | None:
    """What is refused where no name is `*`; None where that is nobody."""
    place, line = finding.where(module.path, allowed.lineno), allowed.lineno
    names = "allowed_hosts" if what == _MIDDLEWARE else what
    if hosts is None:
        lacks = f"{ast.unparse(allowed)} has {'the domain' if with_domain else _CHECKED}."
        seen = f"{what} in {place} refuses the health check unless {lacks}"
        mend = f"Let {names} in {module.path} have it, where the settings do not give it."
        return Finding("start.hosts", False, seen, mend, module.path, line)
    if not with_domain:
        if _CHECKED in hosts:
            return None
        seen = (
            f"{what} in {place} refuses the health check, which asks for {_CHECKED}: the app never "
            "counts as healthy."
        )
        mend = f'Add "{_CHECKED}" and "localhost" to {names} in {module.path}.'
        return Finding("start.hosts", True, seen, mend, module.path, line)
    public = [host for host in hosts if host not in _LOCAL]
    patterns = [f"*{host}" if host.startswith(".") else host for host in public]
    patterns += [host[1:] for host in public if host.startswith(".")]
    if public:
        shown = " and ".join(public[:3]) + (" …" if public[3:] else "")
        seen = (
            f"{what} in {place} takes requests for {shown} alone, so with any other DOMAIN the app "
            "never counts as healthy."
        )
        mend = f"Set DOMAIN in .env to one of these, or add its name to {names} in {module.path}."
    else:
        seen = (
            f"{what} in {place} refuses every visitor who asks for the site's domain, and then the "
            "app never counts as healthy."
        )
        mend = f"Add the domain to {names} in {module.path}."
    if public and _CHECKED in hosts:
        patterns.append("")
    # Without a domain it may be tried as it is.
    certain = bool(public) or _CHECKED not in hosts
    return Finding("start.hosts", certain, seen, mend, module.path, line, "DOMAIN", tuple(patterns))


def _allowed(module: Module) -> Iterator[tuple[str, ast.expr]]:
    """What lists the names, where the middleware is put in and among Django's settings."""
    if _MIDDLEWARE in module.text:
        for node in ast.walk(module.body):
            if isinstance(node, ast.Call) and any(
                isinstance(part, ast.Name | ast.Attribute)
                and ast.unparse(part).endswith(_MIDDLEWARE)
                for part in (node.func, *node.args)
            ):
                given = (k.value for k in node.keywords if k.arg == "allowed_hosts")
                yield from ((_MIDDLEWARE, value) for value in given)
    if "INSTALLED_APPS" in module.text:
        for statement in module.body.body:
            if isinstance(statement, ast.Assign) and any(
                isinstance(target, ast.Name) and target.id == _DJANGO
                for target in statement.targets
            ):
                yield _DJANGO, statement.value
