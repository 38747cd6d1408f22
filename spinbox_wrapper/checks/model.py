"""What a check is, and what all checks look at."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass, field, replace
from datetime import date
from enum import StrEnum
from functools import cached_property
from pathlib import Path

from .. import derivation, git
from ..derivation import programs
from ..dotenv import SettingsFile, UnreadableError, contents, parse_env
from ..sync import Outcome


class Status(StrEnum):
    """How a check ended."""

    PASS = "pass"
    WARN = "warn"
    FAIL = "fail"


@dataclass(frozen=True)
class Check:
    """One condition that was looked at.

    Attributes:
        id: What was looked at, as in `settings.present`.
        status: How it ended.
        seen: What was seen, as one sentence.
        mend: The command, run in the project's top folder, or the edit that mends it; empty where
            it passed.
        file: The file of the project that says it; None where that is said in no single one.
        line: The line in that file, counted from 1.
    """

    id: str
    status: Status
    seen: str
    mend: str = ""
    file: str | None = None
    line: int | None = None


def passed(id_: str, seen: str) -> Check:
    """A check that found nothing to mend."""
    return Check(id_, Status.PASS, seen)


def warned(id_: str, seen: str, mend: str) -> Check:
    """A check that found what may be meant."""
    return Check(id_, Status.WARN, seen, mend)


def failed(id_: str, seen: str, mend: str) -> Check:
    """A check that found what has to be mended first."""
    return Check(id_, Status.FAIL, seen, mend)


@dataclass(frozen=True)
class Context:
    """What the checks look at.

    Attributes:
        outcome: What a run of `build` would do; it holds the stack and the project's files.
        environment: `production`, or the name that `--env` gave.
        target: `docker`, or what `--target` gave.
        online: Whether names may be looked up in DNS.
        today: The day that ends of life are compared with.
    """

    outcome: Outcome
    environment: str = "production"
    target: str = "docker"
    online: bool = False
    today: date = field(default_factory=date.today)

    @property
    def stack(self) -> derivation.model.Stack:
        """What runs."""
        return self.outcome.stack

    @property
    def project(self) -> Path:
        """The project's top folder."""
        return self.outcome.request.project

    @property
    def root(self) -> Path:
        """The folder of the generated files."""
        return self.outcome.request.root

    @property
    def names(self) -> derivation.guide.Guide:
        """What the environment's parts are called."""
        return derivation.guide.Guide(self.stack.name, self.environment)

    @property
    def compose_project(self) -> str:
        """The name that Compose gives the environment's containers."""
        return self.names.project

    @property
    def is_default_target(self) -> bool:
        """Whether it is the one that is there without being asked for."""
        return self.target == derivation.targets.DEFAULT

    @property
    def command(self) -> str:
        """The command line that generates the files, run in the project's top folder."""
        request = replace(self.outcome.request, project=Path())
        return request.command if self.is_default_target else request.command_for(self.target)

    @property
    def guide_command(self) -> str:
        """The command line of the target's guide, run in the project's top folder."""
        request = replace(self.outcome.request, project=Path())
        return request.guide_command if self.is_default_target else request.guide_for(self.target)

    @property
    def build_command(self) -> str:
        """The command line of `build`, run in the project's top folder."""
        return replace(self.outcome.request, project=Path()).command

    @property
    def settings_path(self) -> str:
        """The settings file, relative to `root`."""
        return self.names.settings

    @property
    def settings_name(self) -> str:
        """The settings file as the user sees it, relative to the project's top folder."""
        return self.outcome.request.named(self.settings_path)

    @cached_property
    def settings_file(self) -> SettingsFile:
        """The settings file as Docker Compose reads it.

        Raises:
            OSError: There is none, or it cannot be read.
            UnreadableError: Compose cannot read it.
        """
        return parse_env(contents(self.root / self.settings_path), programs.for_docker())

    @cached_property
    def settings(self) -> Mapping[str, str] | None:
        """What the settings file sets, by name; None where there is none that can be read."""
        try:
            return self.settings_file.values
        except (OSError, UnreadableError):
            return None

    def read(self, path: str) -> str:
        """The text of a file of the project; empty where it cannot be read, or is no text of code.

        Args:
            path: Relative to the project's top folder.
        """
        try:
            if (self.project / path).stat().st_size > derivation.tree.MEGABYTE:
                return ""
            return (self.project / path).read_text("utf-8-sig")
        except (OSError, UnicodeDecodeError):
            return ""

    @cached_property
    def in_git(self) -> bool:
        """Whether the project lies in a git repository."""
        return self.git("rev-parse", "--is-inside-work-tree") == ["true"]

    def git(self, *arguments: str) -> list[str]:
        """What git prints about the project, line by line (or by NUL, with `-z`).

        Nothing where it fails.
        """
        asked = derivation.git.ask(self.project, "-c", "core.quotePath=off", *arguments)
        result = git.answer(asked)
        if result.returncode != 0:
            return []
        text = result.stdout.decode("utf-8", "surrogateescape")
        lines = text.split("\0") if "-z" in arguments else text.splitlines()
        return [line for line in lines if line]
