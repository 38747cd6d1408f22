"""Defaults that hold on a developer's machine alone, where the stack passes no other value."""

from __future__ import annotations

import re
from collections.abc import Iterator

from .. import compose_files, env_example, services
from ..environment_reads import is_given
from ..finding import Finding, where
from ..model import App
from ..own_variables import IGNORED
from ..secrets import is_bare
from ..subject import Subject
from ..variables import resolve

IDS = {"start.defaults": "No default of the code or of an example is one for development alone"}

_THIS_MACHINE = ("localhost", "127.0.0.1", "[::1]", "host.docker.internal")
# Where a server listens; and whom browsers and hosts are told apart by, which are no addresses to
# connect to.
_NO_TARGET = re.compile(
    r"(?:(?:SERVER|APP|API|WEB|UVICORN|GUNICORN|LISTEN|BIND|HTTP)_)?(?:HOST|HOSTNAME|ADDR|ADDRESS)"
    r"|.*(?:BIND|LISTEN|CORS|ORIGIN|ALLOWED|TRUSTED|CSRF|WHITELIST|COOKIE|ISSUER|AUDIENCE).*"
)
# Beside what `is_bare` asks for: a cache's key, or a column's, is none.
_SECRET = re.compile(
    r"(?:.*_)?(?:SECRET|PASSWORD|TOKEN|(?:SECRET|API|ACCESS|ENCRYPTION|SIGNING|PRIVATE|JWT)_KEY)"
)
_NO_SECRET = re.compile(r"|.*[/\\\s].*|.*\.(?:pem|key|txt)|none|null|false|true", re.IGNORECASE)
# What the stack sets for any of its services.
_SERVICES = tuple(services.define(kind, {}, "") for kind in services.NAMES)
_CATALOGUE = frozenset(
    name
    for service in _SERVICES
    for name in (*(env.name for env in service.app_environment), *service.urls)
)


def find(subject: Subject) -> Iterator[Finding]:
    """Each name once, at the first place; a guess, as the code may never use it in production."""
    hosts = _hosts(subject)
    told: set[str] = set()
    for app in subject.stack.apps:
        # Spinbox's settings have fields for every service, whether the project has it or not.
        given = _given(subject, app) | _CATALOGUE | set(subject.facts[app.kind].get(IGNORED) or ())
        given |= app.filled_names
        reads = [
            one
            for one in subject.reads(app)
            if one.name not in given and not any(s.source_of(one.name) for s in _SERVICES)
        ]
        for one in reads:
            if one.name in told or one.default is None or is_given(one.name):
                continue
            if finding := _judged(one.name, one.default, one.path, one.line, hosts):
                told.add(one.name)
                yield finding
        # An example's value holds nowhere; what else the code would take then is no value.
        bare = {one.name for one in reads} - {one.name for one in reads if one.default is not None}
        for path, line in _examples(subject, app):
            host = _host(line.name, line.value, hosts) if line.name in bare - told else None
            if host:
                told.add(line.name)
                yield _address(line.name, host, path, line.number)


def _hosts(subject: Subject) -> re.Pattern[str]:
    """Hosts that no container reaches: its own machine, and development's own services."""
    there = {service.name for service in subject.stack.backing} | {
        app.name for app in subject.stack.apps
    }
    others = {service.name for service in compose_files.read_all(subject.tree)} - there
    names = "|".join(map(re.escape, (*_THIS_MACHINE, *sorted(others))))
    return re.compile(rf"(?:^|//|@|,)({names})(?=[:/?,]|$)")


def _given(subject: Subject, app: App) -> set[str]:
    """The names that have a value in production whatever the user sets."""
    return {
        one.name
        for one in resolve(subject.stack, app)
        if not one.own
        and (
            one.value is not None
            or one.calls
            or one.address
            or (one.variable and (one.variable.required or one.variable.default is not None))
        )
    }


def _examples(subject: Subject, app: App) -> Iterator[tuple[str, env_example.Line]]:
    for folder in dict.fromkeys((app.directory, ".")):
        yield from env_example.read(subject.tree, folder)


def _judged(name: str, value: str, path: str, line: int, hosts: re.Pattern[str]) -> Finding | None:
    if host := _host(name, value, hosts):
        return _address(name, host, path, line)
    if is_bare(name) and _SECRET.fullmatch(name) and not _NO_SECRET.fullmatch(value):
        seen = (
            f"{name} has a default in {where(path, line)}, which everybody knows who reads the "
            "code."
        )
        return _finding(name, seen, "to a secret of its own: openssl rand -hex 32", path, line)
    return None


def _host(name: str, value: str, hosts: re.Pattern[str]) -> str | None:
    """The host of a value, where it is one of those; None for any other value."""
    # A word alone is a host where the name says so.
    if "://" not in value and not re.search(r"HOST|SERVER|URL|URI|ADDR|ENDPOINT", name):
        return None
    found = None if _NO_TARGET.fullmatch(name) else hosts.search(value)
    return found[1] if found else None


def _address(name: str, host: str, path: str, line: int) -> Finding:
    seen = f"{name} leads to {host} in {where(path, line)}, and nothing sets it in production."
    return _finding(name, seen, "to the address in production", path, line)


def _finding(name: str, seen: str, to: str, path: str, line: int) -> Finding:
    mend = f"Set {name} in .env {to}."
    return Finding("start.defaults", False, seen, mend, path, line, name)
