"""Servers on Node and the proxy in front of them: what it says of visitors, TLS, and the port.

Source of the rules: expressjs.com, "Express behind proxies"; express-rate-limit.mintlify.app,
"Troubleshooting proxy issues"; koajs.com, "app.proxy"; fastify.dev, "trustProxy".
"""

from __future__ import annotations

import re
from collections.abc import Iterator, Sequence

from .. import javascript, node_ports, node_source
from ..apps import FRAMEWORKS
from ..apps import node as node_app
from ..finding import Finding, where
from ..javascript import Script
from ..model import App
from ..origins import line_at
from ..subject import Subject

_RULE = "start.node_server"
RUNTIME = "node"
IDS = {_RULE: "Servers on Node and the proxy in front of them speak alike"}

# Express' and Nest's setting, Fastify's, Koa's, and that of sessions alone.
_TRUSTS = re.compile(
    r"""["'`]trust proxy["'`]|\btrustProxy\b|\.proxy\s*=\s*true|\bproxy\s*:\s*true|enforceHttps"""
)
_SECURE = re.compile(
    r"\bsecure\s*:\s*(?!false\b)(true\b|[\w.\s]*NODE_ENV|is[Pp]rod|production\b|!)"
)
# Packages that look at it, and what then goes wrong.
_SESSIONS = {
    "express-session", "cookie-session", "koa-session", "@fastify/session", "fastify-session",
}  # fmt: skip
_LIMITS = {"express-rate-limit", "express-slow-down", "rate-limiter-flexible", "koa-ratelimit",
           "@fastify/rate-limit", "@nestjs/throttler"}  # fmt: skip
_SETTINGS = {
    "express": 'app.set("trust proxy", 1)',
    "@nestjs/core": 'app.set("trust proxy", 1) on the app of NestExpressApplication',
    "fastify": "Fastify({ trustProxy: true })",
    "koa": "app.proxy = true",
}
_TLS = re.compile(r"\bhttps\s*\.\s*createServer\s*\(|\bhttp2\s*\.\s*createSecureServer\s*\(")
_PLAIN = re.compile(r"\bhttp\s*\.\s*createServer\s*\(|\bapp\s*\.\s*listen\s*\(")
_READS_PORT = re.compile(r"\bPORT\b")
_LISTENS = re.compile(r"\.listen\s*\(\s*([^)\s,{][^),]*)")


def find(subject: Subject) -> Iterator[Finding]:
    """What the code that is loaded with the app says."""
    for app in subject.of("node"):
        if app.kind != "node" or not app.port or app.job or subject.facts["node"].get("server"):
            continue
        entries = FRAMEWORKS[app.kind].entries(subject.tree, app.directory)
        loaded = javascript.reachable(subject.tree, app.directory, entries)
        scripts = [
            script
            for path in sorted(loaded)
            if (script := javascript.read(subject.tree, path)) is not None
        ]
        yield from _trust(subject, app, scripts)
        yield from _tls(scripts)
        yield from _port(subject, app, scripts)


def _trust(subject: Subject, app: App, scripts: Sequence[Script]) -> Iterator[Finding]:
    """Requests that look like the proxy's own: by HTTP, and all from one address."""
    held = subject.package(app).table("dependencies")
    setting = next((text for name, text in _SETTINGS.items() if name in held), None)
    if setting is None or any(_TRUSTS.search(script.text) for script in scripts):
        return
    for script in scripts:
        used = set(javascript.imports(script))
        code = node_source.read_source(subject.tree, script.path).code
        secure = _SECURE.search(code)
        if used & _SESSIONS and secure:
            line = line_at(script.text, secure.start())
            what = "the session's cookie is for HTTPS alone, and the proxy asks by HTTP: no cookie"
            yield _told(
                script.path,
                line,
                f"{what} is set, so that nobody stays logged in.",
                f"Add {setting} in front of it: the proxy says what it was asked by.",
            )
            return
    for script in scripts:
        limits = next((n for n in javascript.imports(script) if n in _LIMITS), None)
        if limits:
            line = line_at(script.text, script.text.index(limits))
            yield _told(
                script.path,
                line,
                f"{limits} counts by the address that asks, which is the proxy's: all visitors "
                "share one limit.",
                f"Add {setting}: the proxy says who asks.",
            )
            return


def _tls(scripts: Sequence[Script]) -> Iterator[Finding]:
    """A server that speaks TLS itself, which the proxy does for it."""
    plain = any(_PLAIN.search(script.text) for script in scripts)
    for script in scripts:
        if match := _TLS.search(script.text):
            line = line_at(script.text, match.start())
            guarded = re.search(r"\bif\s*\(|\?", script.text[: match.start()]) is not None
            yield Finding(
                _RULE,
                not plain and not guarded,
                f"{where(script.path, line)}: the server speaks TLS itself, and the proxy in front "
                "of it, which does that for the whole stack, asks by HTTP.",
                "Listen by http.createServer in production, or leave it to app.listen.",
                script.path,
                line,
            )
            return


def _port(subject: Subject, app: App, scripts: Sequence[Script]) -> Iterator[Finding]:
    """A port that nothing here can tell, and that PORT, which the image sets, does not change."""
    if "node.port" in subject.overrides:
        return
    every = node_source.app_sources(subject.tree, app.directory)
    if any(_READS_PORT.search(source.code) for source in every):
        return
    entry = node_app.find_entry(subject.tree, app.directory)
    if node_ports.find(subject.tree, app.directory, entry).path is not None:
        return
    for script in scripts:
        code = node_source.read_source(subject.tree, script.path).code
        if match := _LISTENS.search(code):
            value = match[1].strip()
            if re.fullmatch(r"\d+", value) or value.startswith(("(", "async", "function")):
                continue
            line = line_at(script.text, match.start())
            yield _told(
                script.path,
                line,
                f"the port is what `{value}` holds, which was not found out, so {app.port} is "
                "taken for it.",
                "Listen on process.env.PORT, or spinbox build --prod --set node.port=PORT",
            )
            return


def _told(path: str, line: int, what: str, mend: str) -> Finding:
    return Finding(_RULE, False, f"{where(path, line)}: {what}", mend, path, line)
