"""Connections to Redis without the password that it has in production."""

from __future__ import annotations

import ast
import re
from collections.abc import Iterator

from ..environment_reads.python_scan import Scan, scan
from ..finding import Finding, where
from ..subject import Subject

RUNTIME = "python"
IDS = {"start.redis": "The apps give Redis its password"}

# What takes a host and a password as arguments (redis.readthedocs.io, "Connecting to Redis").
_CLIENT = re.compile(
    r"(?:redis(?:\.asyncio|\.client|\.connection|\.asyncio\.client|\.asyncio\.connection)?|aioredis)"
    r"\.(?:Redis|StrictRedis|ConnectionPool|BlockingConnectionPool)"
)
_URL = re.compile(r"rediss?://")
_PASSWORD = re.compile(r"redis\w*pass|redis\w*auth|pass\w*redis", re.IGNORECASE)
_NAME = "REDIS_PASSWORD"


def concerns(subject: Subject) -> bool:
    """Where there is a Redis with a password."""
    return any(s.name == "redis" and not s.is_open for s in subject.stack.services)


def find(subject: Subject) -> Iterator[Finding]:
    """Calls that name its host, and URLs that are made of it, where nothing gives a password.

    A guess: nothing tells whether the code is run, or who refuses what it makes.
    """
    for app in subject.of("python"):
        if not any(name == "redis" for name in app.services):
            continue
        for module in subject.modules(app):
            one = scan(subject.tree, module)
            if "redis" not in one.text or _PASSWORD.search(one.text):
                continue
            for node in ast.walk(module.body):
                if _is_open_client(one, node) or _is_open_url(node):
                    yield _finding(app.title, one, node)
                    break


def _is_open_client(one: Scan, node: ast.AST) -> bool:
    if not isinstance(node, ast.Call) or not _CLIENT.fullmatch(one.full_name(node.func) or ""):
        return False
    given = {keyword.arg for keyword in node.keywords}
    # Positions: host, port, db, password. `**` may hold anything.
    names_host = bool(node.args) or "host" in given
    return names_host and len(node.args) < 4 and given.isdisjoint({"password", None, "url"})


def _is_open_url(node: ast.AST) -> bool:
    """`f"redis://{host}:{port}/0"`: what follows the scheme is the host."""
    if not isinstance(node, ast.JoinedStr) or not node.values:
        return False
    texts = [str(v.value) if isinstance(v, ast.Constant) else "" for v in node.values]
    return (
        _URL.fullmatch(texts[0]) is not None
        and len(texts) > 2
        and texts[2].startswith((":", "/"))
        and not any("@" in text for text in texts)
    )


def _finding(title: str, one: Scan, node: ast.AST) -> Finding:
    path, line = one.module.path, getattr(node, "lineno", 1)
    owner = _settings_of(one, node)
    value = f"{owner}.{_NAME}" if owner else f'os.environ["{_NAME}"]'
    declared = f"`{_NAME}: str | None = None` to the settings class, and " if owner else ""
    if isinstance(node, ast.Call):
        added = f"`password={value}` to the call"
    else:
        added = f"`:{{{value}}}@` after `redis://`"
    return Finding(
        "start.redis",
        certain=False,
        seen=f"{title} connects to Redis without a password ({where(path, line)}), which "
        "production's has: it refuses every command.",
        mend=f"Add {declared}{added}, or let it use REDIS_URL, which has all parts; or run Redis "
        "without one: spinbox build --prod --set redis.password=off",
        path=path,
        line=line,
    )


def _settings_of(one: Scan, node: ast.AST) -> str | None:
    """The settings object whose field is the host, as in `settings.REDIS_HOST`."""
    fields = (inner for inner in ast.walk(node) if isinstance(inner, ast.Attribute))
    for field in fields:
        owner = field.value
        is_library = str(one.full_name(owner)).startswith(("redis", "aioredis"))
        if "redis" in field.attr.lower() and isinstance(owner, ast.Name) and not is_library:
            return owner.id
    return None
