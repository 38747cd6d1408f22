"""Migrations of Python's tools, which nothing of the stack runs."""

from __future__ import annotations

import posixpath
import re
from collections.abc import Iterator
from typing import NamedTuple

from .. import migrations as tools
from .. import source_text
from ..errors import ProjectError
from ..finding import Finding, where
from ..model import App
from ..origins import line_at
from ..subject import Subject
from ..tree import MEGABYTE, Tree, join

_RULE = "start.python_migrations"
RUNTIME = "python"
IDS = {_RULE: "Migrations of the apps in Python are run by something"}


class _Tool(NamedTuple):
    """A tool: its settings, by a file and what stands there, and what upgrades a schema."""

    title: str
    files: tuple[str, ...]
    sign: re.Pattern[str]
    command: str
    runs: str


_TOLD = (
    _Tool("Aerich", ("pyproject.toml",), re.compile(r"^\[tool\.aerich\]", re.M), "aerich upgrade",
          "aerich"),
    _Tool("Yoyo", ("yoyo.ini",), re.compile(r"^\[DEFAULT\]|^sources\s*=", re.M),
          "yoyo apply --batch", "yoyo"),
    _Tool("Piccolo", ("piccolo_conf.py",), re.compile(r"^APP_REGISTRY\b", re.M),
          "piccolo migrations forwards all", "piccolo"),
)  # fmt: skip
_STEPS = re.compile(r"(?m)^from yoyo import .*\bstep\b")


def find(subject: Subject) -> Iterator[Finding]:
    """A tool whose settings are there, and no command of the stack that runs it."""
    migrations = subject.stack.migrations
    for app in subject.of("python"):
        if not (migrations and migrations.migrates):
            yield from tools.find_beside(_RULE, subject.tree, app.directory)
        yield from _without_settings(subject, app)
        run = " ".join((*app.command, *(migrations.command if migrations else ())))
        for tool in _TOLD:
            for name in tool.files:
                path = join(app.directory, name)
                if not subject.tree.has(path) or tool.runs in run:
                    continue
                text = subject.tree.read(path, MEGABYTE)
                if match := tool.sign.search(text):
                    line = line_at(text, match.start())
                    yield Finding(
                        _RULE,
                        certain=False,
                        seen=f"{where(path, line)}: nothing runs {tool.title}'s migrations: a new "
                        "database has no tables.",
                        mend=f"Run `sh deploy/run.sh {app.name} {tool.command}` after each "
                        "deployment that has new ones.",
                        path=path,
                        line=line,
                    )


def _text(tree: Tree, path: str) -> str:
    """The text of a file; none of what is no source."""
    try:
        return source_text.text_of(tree, path)
    except ProjectError:
        return ""


def _without_settings(subject: Subject, app: App) -> Iterator[Finding]:
    """Yoyo's steps, which its program would be told of by its command line."""
    tree = subject.tree
    if tree.has(join(app.directory, "yoyo.ini")) or "yoyo" in " ".join(app.command):
        return
    modules = subject.modules(app)
    # Their names need be none of modules.
    steps = [path for path in tree.below(app.directory, ".py") if _STEPS.search(_text(tree, path))]
    if not steps or any("apply_migrations" in one.text for one in modules):
        return
    folder = posixpath.relpath(posixpath.dirname(steps[0]), app.directory)
    apply = f'yoyo apply --batch --database "$DATABASE_URL" {folder}'
    yield Finding(
        _RULE,
        certain=False,
        seen=f"{steps[0]}: nothing runs Yoyo's migrations: a new database has no tables.",
        mend=f"Run `sh deploy/run.sh {app.name} sh -c '{apply}'` after each deployment that has "
        "new ones.",
        path=steps[0],
    )
