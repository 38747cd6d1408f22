"""An app's own variables: which there are, which it does not start without, and how those come."""

from __future__ import annotations

import re
from collections.abc import Collection, Mapping, Sequence
from dataclasses import dataclass, replace
from typing import Any

from . import name_prefixes
from .environment_reads import Read, is_given
from .model import Address, BackingService, Env, Variable, password
from .origins import Fields, Found, and_more
from .secrets import looks_secret

# What of facts and settings names them, by the last part of the key of `--set`.
REQUIRED = "required"
OPTIONAL = "optional"
IGNORED = "ignored"
# Words before SECRET, SECRET_KEY and the like that are the app's, and not another company's.
_OWN_WORDS = frozenset(
    {
        "ACCESS", "APP", "APPLICATION", "AUTH", "BACKEND", "BETTER", "COOKIE", "CSRF", "DJANGO",
        "FASTAPI", "FLASK", "HASH", "JWT", "MIDDLEWARE", "NEXTAUTH", "PASSWORD", "REFRESH", "RESET",
        "SECURITY", "SERVER", "SESSION", "SESSIONS", "SIGNING", "TOKEN", "VERIFICATION", "WEB",
    }
)  # fmt: skip
_RANDOM = re.compile(r"(?P<words>(?:[A-Z]+_+)*?)(?:SECRET|SECRET_KEY|SECRET_KEY_BASE|SALT|PEPPER)")
_LINK = re.compile(
    r"(?:.*_)?(?:DATABASE|DB|POSTGRES|POSTGRESQL|PG|MYSQL|MARIADB|MONGO|MONGODB|REDIS|CACHE|BROKER"
    r"|RABBITMQ|AMQP|KAFKA|CELERY|SMTP|MAIL|EMAIL)_(?:.*_)?(?:URL|URI)|.*_CONNECTION_STRING"
)
_NUMBER = re.compile(
    r".*(?:PORT|SECONDS|MINUTES|HOURS|DAYS|SIZE|LIMIT|COUNT|TIMEOUT|TTL|INTERVAL|RETRIES|WORKERS|DIM)"
    r"|(?:MAX|MIN|NUM)_.*"
)
_SWITCH = re.compile(r"DEBUG|.*_(?:ENABLED|DEBUG|TLS|SSL)|(?:ENABLE|USE|IS)_.*")


@dataclass(frozen=True)
class Own:
    """An app's own variables in its stack.

    Attributes:
        environment: Those it does not start without, each from the setting of its name.
        variables: The same as settings.
        passed_on: Names of all others: set only where the user sets them.
        filled: Those of them that are filled where the user does not, as in `App`.
        addresses: The same from addresses.
    """

    environment: tuple[Env, ...]
    variables: tuple[Variable, ...]
    passed_on: tuple[str, ...]
    filled: tuple[tuple[str, str], ...]
    addresses: tuple[Address, ...] = ()


def read(listed: Found[list[str]], reads: Sequence[Read]) -> Fields:
    """The facts: `variables` (all names) and `required` (those the app does not start without).

    Args:
        listed: Names in the app's example files.
        reads: Where its code reads any.
    """
    first: dict[str, Read] = {}
    for one in reads:
        if is_given(one.name):
            continue
        if one.name not in first or (one.required and not first[one.name].required):
            first[one.name] = one
    new = sorted(name for name in first if name not in listed.value)
    variables = replace(listed, value=[*listed.value, *new])
    if new and not listed.value:
        one = first[new[0]]
        variables = Found(new, f"reads {new[0]}{and_more(new)}", one.path, one.line)
    names = sorted(name for name, one in first.items() if one.required)
    required: Found[list[str]] = Found([], "nothing is read without a default at the start")
    if names:
        one = first[names[0]]
        reason = f"reads {names[0]}{and_more(names)} without a default at the start"
        required = Found(names, reason, one.path, one.line)
    return {"variables": variables, REQUIRED: required}


def carry_over(facts: Mapping[str, Any], stored: Mapping[str, Any] | None) -> dict[str, Any]:
    """The facts of a project with stored ones: what they do not require is not required now.

    So a stack that ran before an update runs after it; `start.settings` tells of the others.

    Args:
        facts: As they were read.
        stored: Those of the answers file; None before the first run.
    """
    carried = {}
    for component, fields in facts.items():
        before = (stored or {}).get(component)
        if isinstance(fields, Mapping) and REQUIRED in fields and isinstance(before, Mapping):
            known = before.get(REQUIRED) or ()
            fields = {**fields, REQUIRED: [name for name in fields[REQUIRED] if name in known]}
        carried[component] = fields
    return carried


def fill(
    facts: Mapping[str, Any], backing: Sequence[BackingService], taken: Collection[str]
) -> dict[str, str]:
    """What the app's names for backing services are filled from, by name.

    Args:
        facts: The app's; what they list as `optional` is the user's own to fill.
        backing: The services that it uses.
        taken: Names that the stack gives it under these very names.
    """
    by_rank = sorted(backing, key=lambda service: (service.rank, service.name))
    names = [*(facts.get("variables") or ()), *(facts.get(REQUIRED) or ())]
    excused = {*taken, *(facts.get(OPTIONAL) or ()), *(facts.get(IGNORED) or ())}
    prefixes = name_prefixes.shared(dict.fromkeys(names), facts.get(name_prefixes.FIELD) or ())
    sources = {}
    below: dict[tuple[str, str], dict[str, str]] = {}
    for name in dict.fromkeys(names):
        prefix = name_prefixes.of(name, prefixes)
        if found := _source(name, by_rank):
            sources[name] = found[1]
        elif prefix and (found := _source(name.removeprefix(prefix), by_rank)):
            below.setdefault((prefix, found[0]), {})[name] = found[1]
    plain = set(sources.values())
    for (prefix, _), others in below.items():
        # Beside plain names, or below another prefix, they are those of another service.
        rivals = plain.union(*(o.values() for (p, _), o in below.items() if p != prefix))
        if name_prefixes.is_usual(prefix) or rivals.isdisjoint(others.values()):
            sources |= others
    return {name: source for name, source in sources.items() if name not in excused}


def _source(name: str, backing: Sequence[BackingService]) -> tuple[str, str] | None:
    """The service that a name means, and what of it."""
    found = ((service.name, service.source_of(name)) for service in backing)
    return next(((name, source) for name, source in found if source), None)


def define(
    facts: Mapping[str, Any],
    taken: Collection[str],
    group: str,
    filled: Mapping[str, str],
    addresses: Sequence[Address] = (),
) -> Own:
    """The variables of an app in its stack.

    Args:
        facts: The app's.
        taken: Names that the stack gives it, which are none of its own.
        group: The heading of its own.
        filled: What `fill` gives.
        addresses: What `addresses.fill` gives.
    """
    left = set(taken) | set(facts.get(IGNORED) or ())
    optional = list(facts.get(OPTIONAL) or ())
    given = [*filled, *(address.name for address in addresses)]
    excused = {*left, *optional, *given}
    required = [name for name in facts.get(REQUIRED) or () if name not in excused]
    left.update(required)
    names = dict.fromkeys([*(facts.get("variables") or ()), *optional, *given])
    return Own(
        environment=tuple(Env(name, variable=name) for name in required),
        variables=tuple(setting(name, group) for name in required),
        passed_on=tuple(name for name in names if name not in left),
        filled=tuple(filled.items()),
        addresses=tuple(addresses),
    )


def setting(name: str, group: str) -> Variable:
    """A variable that an app does not start without, as a setting."""
    if is_random(name):
        return replace(password(name, group, "A secret of the app's own."), own=True)
    secret = looks_secret(name) or _LINK.fullmatch(name) is not None
    help_text = "The app does not start without it."
    return Variable(name, group, help_text, required=True, secret=secret, own=True)


def is_random(name: str) -> bool:
    """Whether any random value will do: a secret of the app's own, by its name."""
    match = _RANDOM.fullmatch(name)
    return match is not None and _OWN_WORDS.issuperset(filter(None, match["words"].split("_")))


def stand_in(name: str) -> str:
    """A value that does no harm where only the user knows the right one, by the name."""
    if name.endswith(("_URL", "_URI", "_ENDPOINT", "_ORIGIN")) or name in {"URL", "URI"}:
        return "http://localhost"
    if _NUMBER.fullmatch(name):
        return "1"
    if _SWITCH.fullmatch(name):
        return "false"
    return "check@example.com" if name.endswith(("EMAIL", "_FROM")) else "check"
