"""What Railway needs."""

from __future__ import annotations

import re
from collections.abc import Iterator, Mapping, Sequence

from packaging.version import Version

from ... import derivation
from ...derivation import programs
from ..managed_platform import IDS, Found, Platform, Unit, surface
from ..managed_platform import look as look_at
from ..model import Check, Context, passed, warned

__all__ = ["ENV_FILE", "IDS", "done", "look"]

ENV_FILE = False
_QUOTED = r"""("(?:[^"\\\n]|\\.)*"|'(?:[^'\\\n]|\\.)*'|`[^`]*`)"""


def look(context: Context) -> list[Check]:
    """All checks of this target."""
    return look_at(context, _PLATFORM)


def done(context: Context) -> Mapping[str, bool]:
    """Nothing that can be seen from here."""
    return {}


def _read(text: str) -> Iterator[Unit]:
    """By its text, which is a program: what stands in comments counts for nothing.

    Where Node.js is installed, it parses the text first (nodejs.org/api/module.html).
    """
    if problem := _syntax(text):
        raise ValueError(problem)
    bare = re.sub(rf"{_QUOTED}|//[^\n]*|/\*.*?\*/", lambda m: m[1] or "", text, flags=re.S)
    if "defineRailway(" not in bare:
        raise ValueError("it does not call defineRailway")
    makers = "|".join(["service", *_constructors()])
    calls = list(re.finditer(rf"\b({makers})\(\s*{_QUOTED}", bare))
    ends = [call.start() for call in calls[1:]] + [len(bare)]
    for call, end in zip(calls, ends, strict=True):
        body = bare[call.end() : end]
        values: dict[str, str | None] = {}
        match = re.search(r"\b(?:env|variables)\s*:\s*\{", body)
        for entry in re.finditer(rf"[{{,\n]\s*[\"']?(\w+)[\"']?\s*:\s*(?:{_QUOTED}|([\w.]+))",
                                 body[match.end() - 1 :] if match else ""):  # fmt: skip
            values[entry[1]] = entry[2][1:-1] if entry[2] else None
        document = {
            key: f"{value[1:-1]}" for key, value in re.findall(rf"(\w+):\s*{_QUOTED}", body)
        }
        yield Unit(call[2][1:-1], values, document)


def _constructors() -> set[str]:
    """The functions of Railway's package that make the databases it offers."""
    services = derivation.services
    defined = (services.define(name, {}, "project") for name in services.NAMES)
    offers = (service.managed.get("railway") for service in defined)
    return {offer.constructor for offer in offers if offer}


def _syntax(text: str) -> str:
    """What Node.js says is wrong with a TypeScript text; empty where it says nothing."""
    script = (
        "const strip = require('node:module').stripTypeScriptTypes;"
        "if (strip) strip(require('node:fs').readFileSync(0, 'utf8'))"
    )
    result = programs.run(["node", "--no-warnings", "-e", script], stdin=text)
    if result.ok or result.ending is not programs.Ending.DONE:
        return ""
    errors = [line for line in result.error.splitlines() if "Error" in line]
    return errors[0].strip() if errors else ""


def _references(context: Context, path: str, found: Found) -> Iterator[str]:
    text = (context.root / path).read_text("utf-8")
    constants = set(re.findall(r"\b(?:const|let|var)\s+(\w+)", text))
    for name in re.findall(r":\s*(\w+)\.env\.", text):
        if name not in constants:
            yield f"{name} is used, and not made"
    for unit in found[path]:
        dockerfile = str(unit.document.get("dockerfilePath") or "")
        if dockerfile and not (context.project / dockerfile).is_file():
            yield f"there is no {dockerfile}"


def _plan(context: Context, units: Sequence[Unit]) -> Check:
    id_ = "platform.plan"
    view = surface(context)
    enough = next((p for p, n in view.volumes_of_plan.items() if n >= view.volumes), "Pro")
    if enough == "Free":
        return passed(id_, "The stack's volumes are no more than the free plan has.")
    seen = f"The stack has {view.volumes} volumes; the plan {enough} is the first with so many."
    return warned(id_, seen, "See https://docs.railway.com/pricing/plans.")


_PLATFORM = Platform(
    program="railway",
    oldest=Version("5.42.1"),
    url="https://docs.railway.com/cli",
    files=re.compile(r"\.railway/railway\.ts"),
    read=_read,
    references=_references,
    plan=_plan,
)
