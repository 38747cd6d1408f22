"""What Render needs."""

from __future__ import annotations

import hashlib
import re
from collections.abc import Iterator, Mapping, Sequence

from packaging.version import Version

from ... import derivation
from ...answers import load_yaml
from ..managed_platform import IDS as _SHARED
from ..managed_platform import Found, Platform, Unit, listed, mapping, surface
from ..managed_platform import look as look_at
from ..model import Check, Context, failed, passed, warned

IDS = {**_SHARED, "platform.committed": "git holds the file that Render reads"}
ENV_FILE = False


def look(context: Context) -> list[Check]:
    """All checks of this target."""
    return look_at(context, _PLATFORM)


def done(context: Context) -> Mapping[str, bool]:
    """Nothing that can be seen from here."""
    return {}


def _read(text: str) -> Iterator[Unit]:
    document = mapping(load_yaml(text))
    for part in (*listed(document.get("services")), *listed(document.get("databases"))):
        unit = mapping(part)
        values: dict[str, str | None] = {}
        for one in map(mapping, listed(unit.get("envVars"))):
            if "key" in one:
                values[str(one["key"])] = str(one["value"]) if "value" in one else None
        yield Unit(str(unit.get("name", "")), values, unit)


def _committed(context: Context, paths: Sequence[str]) -> list[Check]:
    """Render builds what is in the repository, and nothing else."""
    id_ = "platform.committed"
    if not context.in_git:
        return [failed(id_, "There is no git repository, which Render builds from.", "git init")]
    for path in paths:
        name = context.outcome.request.named(path)
        if not context.git("ls-tree", "--name-only", "HEAD", "--", name):
            mend = f"Commit {name} and what was generated with it, and push."
            return [failed(id_, f"No commit holds {name}.", mend)]
        # No `git status`: it would run the filters that the repository's settings name.
        if context.git("rev-parse", "--verify", f"HEAD:./{name}")[0] not in _blobs(context, name):
            return [warned(id_, f"{name} has changes that no commit holds.", "Commit and push.")]
    return [passed(id_, "The file is committed.")]


def _blobs(context: Context, name: str) -> Iterator[str]:
    """What git calls a file's content, as it is and with line feeds (git-hash-object(1))."""
    content = (context.project / name).read_bytes()
    for text in (content, content.replace(b"\r\n", b"\n")):
        yield hashlib.sha1(b"blob %d\0" % len(text) + text, usedforsecurity=False).hexdigest()


def _references(context: Context, path: str, found: Found) -> Iterator[str]:
    units = found[path]
    names = {unit.name for unit in units}
    regions = derivation.choices.CHOICES["render_region"].values
    for unit in units:
        region = unit.document.get("region")
        if region is not None and region not in regions:
            yield f"{region} is no region"
        dockerfile = str(unit.document.get("dockerfilePath") or "").removeprefix("./")
        folder = str(context.outcome.answers.get("ci_folder") or "")
        inside = dockerfile.removeprefix(f"{folder}/" if folder else "")
        if dockerfile and not (context.project / inside).is_file():
            yield f"there is no {dockerfile}"
        for one in map(mapping, listed(unit.document.get("envVars"))):
            for kind in ("fromDatabase", "fromService"):
                name = mapping(one.get(kind, {})).get("name")
                if name is not None and name not in names:
                    yield f"{one.get('key')} comes from {name}, which is not there"


def _plan(context: Context, units: Sequence[Unit]) -> Check:
    id_ = "platform.plan"
    view = surface(context)
    called = {view.name(app.name) for app in view.apps if view.caller(app)}
    for unit in units:
        if unit.document.get("plan") == "free" and (reason := _free(unit, called)):
            seen = f"{unit.name} is on the free plan, which {reason}."
            return failed(id_, seen, f"Set the plan of {unit.name} to a paid one.")
    if any(unit.document.get("plan") == "free" for unit in units):
        seen = "A free service sleeps after 15 minutes without a visitor."
        return warned(id_, seen, "See https://render.com/docs/free.")
    return passed(id_, "No service is on the free plan.")


def _free(unit: Unit, called: set[str]) -> str:
    """What Render's free plan does not do for a service (render.com/docs/free)."""
    type_ = unit.document.get("type")
    if type_ is None:
        return "ends after 30 days"
    if type_ in {"worker", "pserv"}:
        return "has no workers and no private services"
    if unit.document.get("disk"):
        return "has no disk"
    if unit.document.get("preDeployCommand"):
        return "runs no pre-deploy command"
    if type_ == "keyvalue":
        return "forgets its data at every restart"
    return "takes no requests of the private network" if unit.name in called else ""


_PLATFORM = Platform(
    program="render",
    oldest=Version("2.7.0"),
    url="https://render.com/docs/cli",
    files=re.compile(derivation.targets.TARGETS["render"].root_files),
    read=_read,
    references=_references,
    plan=_plan,
    more=_committed,
    # It builds from the repository: the program only checks the file beforehand.
    needed=False,
)
