"""Apps that answer to some names only: health checks come with those of the container itself."""

from __future__ import annotations

import ast
import re
from collections.abc import Iterator

from .. import finding, python_program
from ..finding import Finding
from ..python_source import Module
from ..subject import Subject

RUNTIME = "python"
IDS = {"start.hosts": "The app answers its own health check"}

_CHECKED = "127.0.0.1"


def find(subject: Subject) -> Iterator[Finding]:
    """TrustedHostMiddleware, which refuses other names with 400, and Django's redirect."""
    for app in subject.of("python"):
        # These tell Django themselves what the proxy says.
        told = app.command[:1] in {("gunicorn",), ("uvicorn",)}
        for module in subject.modules(app) if app.port and not told else ():
            yield from _redirecting(module)
        if not app.health:
            continue
        program = python_program.of(subject.tree, app.directory, subject.modules(app))
        for module in program.modules.values():
            if "TrustedHostMiddleware" not in module.text:
                continue
            for allowed in _allowed(module):
                hosts = program.texts(module, allowed)
                if hosts is None or not {"*", _CHECKED}.intersection(hosts):
                    yield _refused(module, allowed, hosts)


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


def _refused(module: Module, allowed: ast.expr, hosts: list[str] | None) -> Finding:
    place = finding.where(module.path, allowed.lineno)
    certain = hosts is not None
    seen = (
        f"TrustedHostMiddleware in {place} refuses the health check, which asks for {_CHECKED}: "
        "the app never counts as healthy."
        if certain
        else f"TrustedHostMiddleware in {place} refuses the health check unless "
        f"{ast.unparse(allowed)} has {_CHECKED}."
    )
    mend = f'Add "{_CHECKED}" and "localhost" to allowed_hosts in {module.path}.'
    return Finding("start.hosts", certain, seen, mend, module.path, allowed.lineno)


def _allowed(module: Module) -> Iterator[ast.expr]:
    """What is given as `allowed_hosts` where the middleware is put in."""
    for node in ast.walk(module.body):
        if isinstance(node, ast.Call) and any(
            isinstance(part, ast.Name | ast.Attribute)
            and ast.unparse(part).endswith("TrustedHostMiddleware")
            for part in (node.func, *node.args)
        ):
            yield from (k.value for k in node.keywords if k.arg == "allowed_hosts")
