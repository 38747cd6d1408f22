"""What a target is: somewhere that the stack runs; `targets/` has one module for each."""

from __future__ import annotations

from collections.abc import Callable, Mapping
from dataclasses import dataclass
from typing import Any

from .choice import Choice
from .model import Stack


@dataclass(frozen=True)
class DataScript:
    """A script that saves and brings back what is kept.

    Attributes:
        name: What that is, as in `Stack.kept`.
        path: Where it lies, relative to `deploy/`.
    """

    name: str
    path: str


@dataclass(frozen=True)
class Surface:
    """What the templates see of a target, under its `surface` name.

    Attributes:
        stack: What is to run.
        wanted: Whether its files are generated.
    """

    stack: Stack
    wanted: bool

    # Where the script lies that runs SQL migrations, below `deploy/`; empty for there itself.
    sql_folder = ""

    @property
    def data_scripts(self) -> tuple[DataScript, ...]:
        """The scripts of what the target keeps; none where a platform keeps it."""
        return ()


@dataclass(frozen=True)
class EngineSurface(Surface):
    """The same where Docker itself runs the containers, on one server or in a swarm."""

    @property
    def data_scripts(self) -> tuple[DataScript, ...]:
        """Both have the same."""
        return tuple(DataScript(name, f"data/{name}.sh") for name in self.stack.kept)


# The answers, complete, and the stack -> what its templates see.
Build = Callable[[Mapping[str, Any], Stack], Surface]


@dataclass(frozen=True)
class Target:
    """A target, and all that is its alone.

    Attributes:
        name: As `--target` takes it.
        title: Its name, for people.
        surface: What templates call it.
        guide: Its guide, relative to the output folder.
        build: Makes its surface. Raises ProjectError where it is wanted, but cannot be had.
        files: What of the template is its alone, as patterns of `_exclude`, by Jinja's condition
            under which a project that has the target gets them; empty for always.
        choices: Answers that count for it alone.
        root_files: A pattern of its files in the output folder, which are no app's source.
        managed: A platform that builds and runs the apps; there is one environment.
        from_repository: It builds what the repository has, from its top folder.
        rank: Where it stands in lists.
    """

    name: str
    title: str
    surface: str
    guide: str
    build: Build
    files: Mapping[str, tuple[str, ...]]
    choices: tuple[Choice, ...] = ()
    root_files: str = ""
    managed: bool = False
    from_repository: bool = False
    rank: int = 50
