"""Names in the settings file that go nowhere: no container, script or build reads them."""

from __future__ import annotations

import difflib
import re
from collections.abc import Collection, Iterator, Mapping
from contextlib import suppress

from .. import derivation, unheeded_settings
from .model import Check, Context, passed, warned

_ID = "settings.unused"
# What Docker, Compose and Buildx read themselves (docs.docker.com, "Pre-defined environment
# variables"), and what a shell or cron may find in the same file.
_OF_DOCKER = re.compile(r"(COMPOSE|DOCKER|BUILDKIT|BUILDX|BUILD|GIT)_\w+|TZ|PATH|HOME|LANG|SHELL")
_REFERENCE = re.compile(r"\$\{?([A-Za-z_]\w*)")
# `NAME:` without a value, and `- NAME`: Compose takes it from its own environment.
_PASSED = re.compile(r"^\s+(?:- )?([A-Za-z_]\w*):?\s*$", re.MULTILINE)
_LISTED = re.compile(r"^#?([A-Za-z_]\w*)=", re.MULTILINE)
_WORD = re.compile(r"\b[A-Z][A-Z0-9_]+\b")
_COMPOSE_FILE = re.compile(r".*(compose[^/]*|stack)\.ya?ml")
# Run in containers, which see what they are passed.
_INSIDE = ("deploy/entrypoint.sh",)


def look(context: Context, settings: Mapping[str, str]) -> Iterator[Check]:
    """One check for what an app's code reads all the same, and one for all other names."""
    name, known = context.settings_name, _read(context)
    left = [n for n in settings if n not in known and not _OF_DOCKER.fullmatch(n)]
    given = unheeded_settings.services(context.stack)
    unheeded = [n for n in left if n in given]
    left = [n for n in left if n not in given]
    for known_name in unheeded:
        service = given[known_name]
        seen = unheeded_settings.said(f"{known_name} of {name}", service)
        yield warned(_ID, seen, unheeded_settings.mend(service, context.build_command))
    read: dict[str, tuple[derivation.model.App, str]] = {}
    for app in context.stack.apps if left else ():
        for one in context.outcome.subject.reads(app):
            if one.name in left and one.name not in read:
                read[one.name] = app, derivation.finding.where(one.path, one.line)
    for app in context.stack.apps:
        if names := [n for n, (reader, _) in read.items() if reader == app]:
            is_one = len(names) == 1
            seen = (
                f"{_listed(names)} of {name} {'is' if is_one else 'are'} read by "
                f"{read[names[0]][1]}, but {'is' if is_one else 'are'} not passed on."
            )
            yield warned(_ID, seen, _passing_on(context, app, names))
    others = [n for n in left if n not in read]
    if others:
        verb = "goes" if len(others) == 1 else "go"
        yield warned(
            _ID,
            f"{_listed(others)} of {name} {verb} nowhere: no container, script or build reads it.",
            _mend(context, others, known, name),
        )
    if not left and not unheeded:
        yield passed(_ID, f"Every name in {name} is read.")


def _read(context: Context) -> frozenset[str]:
    """The names that are read: by the files on disk, edits and all, and by those to come."""
    outcome = context.outcome
    names: set[str] = set(context.stack.build_secrets)
    for step in outcome.steps:
        for file in filter(None, (step.before, step.generated)):
            text = file.content.decode("utf-8", "replace")
            if step.path == outcome.deployment.env_example:
                names.update(_LISTED.findall(text))
            elif _COMPOSE_FILE.fullmatch(step.path):
                names.update(_REFERENCE.findall(text), _PASSED.findall(text))
            elif step.path.endswith((".sh", ".awk")) and step.path not in _INSIDE:
                names.update(_WORD.findall(text))
    # The same file is development's, too, where it lies beside these.
    for path in derivation.compose_files.names(outcome.tree):
        text = context.read(path)
        names.update(_REFERENCE.findall(text), _PASSED.findall(text))
    for path in ("Makefile", "justfile", "Justfile", "Taskfile.yml"):
        names.update(_WORD.findall(context.read(path)))
    with suppress(OSError, UnicodeDecodeError):
        names.update(_REFERENCE.findall((context.root / context.settings_path).read_text("utf-8")))
    return frozenset(names)


def _mend(context: Context, names: list[str], known: Collection[str], file: str) -> str:
    """What is likely meant, by a name that is known, or what an app would need."""
    for name in names:
        near = difflib.get_close_matches(name, [n for n in known if len(n) > 3], 1, cutoff=0.85)
        if near:
            return f"Is {near[0]} meant by {name}? Else take it out of {file}."
    app = context.stack.apps[0]
    return f"Take it out of {file}; or, for the app: {_passing_on(context, app, names)}"


def _passing_on(context: Context, app: derivation.model.App, names: list[str]) -> str:
    """The command that passes names on; it names those that are passed on already, too."""
    listed = ",".join(dict.fromkeys((*app.passed_on, *names)))
    return f"{context.build_command} --set {app.kind}.variables={listed}"


def _listed(names: list[str]) -> str:
    return ", ".join(names[:3]) + (f" and {len(names) - 3} more" if len(names) > 3 else "")
