"""What Fly.io needs."""

from __future__ import annotations

import re
import tomllib
from collections.abc import Iterator, Mapping, Sequence

from packaging.version import Version

from ... import derivation
from ..managed_platform import IDS, Found, Platform, Unit, listed, mapping, surface
from ..managed_platform import look as look_at
from ..model import Check, Context, passed

__all__ = ["ENV_FILE", "IDS", "done", "look"]

ENV_FILE = False


def look(context: Context) -> list[Check]:
    """All checks of this target."""
    return look_at(context, _PLATFORM)


def done(context: Context) -> Mapping[str, bool]:
    """Nothing that can be seen from here."""
    return {}


def _read(text: str) -> Iterator[Unit]:
    document = tomllib.loads(text)
    environment = mapping(document.get("env", {}))
    arguments = mapping(mapping(document.get("build", {})).get("args", {}))
    values = {str(k): str(v) for k, v in (*environment.items(), *arguments.items())}
    yield Unit(str(document.get("app", "")), values, document)


def _references(context: Context, path: str, found: Found) -> Iterator[str]:
    view = surface(context)
    (unit,) = found[path]
    dockerfile = mapping(unit.document.get("build", {})).get("dockerfile")
    if dockerfile is not None and not (context.root / path).parent.joinpath(dockerfile).is_file():
        yield f"there is no {dockerfile}"
    app = next((a for a in view.apps if view.file(a.name) == path), None)
    for service in listed(unit.document.get("services")) if app else ():
        port = str(unit.values.get("PORT") or (app.port if app else None))
        if str(service.get("internal_port")) != port:
            yield f"the app listens on port {port}, not on {service.get('internal_port')}"
    names = {other.name for units in found.values() for other in units}
    for name, value in unit.values.items():
        host = re.search(r"([\w-]+)\.flycast", value or "")
        if host and host[1] not in names:
            yield f"{name} leads to {host[1]}, which no file is the app of"


def _plan(context: Context, units: Sequence[Unit]) -> Check:
    return passed("platform.plan", "Fly.io has no free plan: everything here is paid for.")


_PLATFORM = Platform(
    program="fly",
    # Any that knows Managed Postgres does; it updates itself.
    oldest=Version("0.3.100"),
    url="https://fly.io/docs/flyctl/install/",
    files=re.compile(derivation.targets.TARGETS["fly"].root_files),
    read=_read,
    references=_references,
    plan=_plan,
    # A secret of Fly.io's is in none of them.
    in_files=False,
    version_command="version",
)
