"""What brings the database's schema up to date: one module for each tool, found by being here.

A module has what `Tool` lists. Beside it stand what guides say of the tool
(`template/_partials/migrations/NAME.jinja`) and what is checked of its files
(`spinbox_wrapper/checks/migrations/NAME.py`). Nothing else knows a tool by its name: the rest asks
`Migrations` (`model.py`) what matters.
"""

from __future__ import annotations

from collections.abc import Iterator, Mapping, Sequence
from dataclasses import replace
from typing import Any, Protocol

from .. import node_migrations, registry
from ..errors import ProjectError
from ..finding import Finding
from ..model import App, Migrations
from ..origins import Fields, Found
from ..tree import Tree


class Tool(Protocol):
    """What the module of a tool has.

    Attributes:
        TITLE: Its name, for people.
        SOUGHT: What its detection looks for, as in "no Alembic".
        RUNTIMES: The runtimes (`python`, `node`) of the apps whose image it runs in; empty where
            psql does all, in the database's image.
        FOLDERS: Names of folders in an app that hold its files, which are no modules of the app.

    It may have `fields(tree, folder)`: more facts of the app in which it was found; and
    `find_beside(rule, tree, folder)`: what says that its files lie beside an app's folder.
    """

    TITLE: str
    SOUGHT: str
    RUNTIMES: tuple[str, ...]
    FOLDERS: frozenset[str]

    def find(self, tree: Tree, folder: str) -> Found[bool] | None:
        """Whether the app in `folder` uses it; without `RUNTIMES`, the project (`.`).

        None where there is nothing to say of it.
        """

    def scripts(self, tree: Tree) -> Sequence[str]:
        """Files of the project with its steps, which may create extensions of the database."""

    def define(
        self, extensions: tuple[str, ...], app: App | None, facts: Mapping[str, Any]
    ) -> Migrations:
        """How it comes about.

        `app` is the one whose image it runs in, and `facts` are that app's; None and none without
        `RUNTIMES`.
        """

    def find_faults(self, rule: str, tree: Tree, migrations: Migrations) -> Iterator[Finding]:
        """What it would refuse to run, as findings of that rule."""


TOOLS: dict[str, Tool] = registry.modules(__name__)
# Extensions are created, where the project needs some, and nothing more.
NONE = "none"
NAMES = (*TOOLS, NONE)
FOLDERS = frozenset().union(*(tool.FOLDERS for tool in TOOLS.values()))


def find_in_app(
    runtime: str, tree: Tree, folder: str, packages: Mapping[str, str] | None = None
) -> Fields:
    """Whether an app uses each tool that runs in its image: facts of the app, by the tool's name.

    Args:
        runtime: The app's language.
        tree: The project's files.
        folder: The app's.
        packages: Of an app in a workspace: the folders of the packages that it needs, whose
            migrations are its own, by what the folders are called below the workspace's top.

    Returns:
        Where a package has them also `migrate_at`, what its folder is called there.

    Raises:
        ProjectError: A file that has to be read is broken.
    """
    found = _find_in(runtime, tree, folder)
    for at, place in (packages or {}).items():
        if any(use.value for name, use in found.items() if name in TOOLS):
            break
        there = _find_in(runtime, tree, place)
        used = [name for name in there if name in TOOLS and there[name].value]
        # A tool whose migrations the app itself runs, or makes its tables by, stays the app's.
        spec = getattr(TOOLS[used[0]], "SPEC", None) if used else None
        if spec and not node_migrations.started_with(tree, folder, spec):
            first = there[used[0]]
            found |= {**there, "migrate_at": replace(first, value=at)}
    return found


def _find_in(runtime: str, tree: Tree, folder: str) -> Fields:
    found: Fields = {}
    for name, tool in TOOLS.items():
        if runtime in tool.RUNTIMES and (use := tool.find(tree, folder)) is not None:
            found[name] = use
            if use.value and hasattr(tool, "fields"):
                found |= {
                    key: field
                    for key, field in tool.fields(tree, folder).items()
                    if key not in found
                }
    return found


def node_specs() -> list[node_migrations.Spec]:
    """What is known of each tool for Node."""
    return [tool.SPEC for tool in TOOLS.values() if hasattr(tool, "SPEC")]


def environments(found: Fields) -> list[str]:
    """The files that the tools of an app run each time, of what `find_in_app` found."""
    places = (found[name] for name, tool in TOOLS.items() if name in found and tool.RUNTIMES)
    return [place.path for place in places if place.value and place.path]


def find(tree: Tree, apps: Sequence[Fields]) -> Found[str]:
    """The tool of the project: an app's, of the first that has one, before those of psql.

    Args:
        tree: The project's files.
        apps: What was found of each app, `find_in_app` included.
    """
    own = [name for name, tool in TOOLS.items() if tool.RUNTIMES]
    places: list[tuple[str, Found[Any] | None]]
    places = [(name, fields[name]) for fields in apps for name in own if name in fields]
    places += [(name, TOOLS[name].find(tree, ".")) for name in TOOLS if name not in own]
    for name, found in places:
        if found and found.value:
            return replace(found, value=name)
    return Found(NONE, ", ".join(f"no {tool.SOUGHT}" for tool in TOOLS.values()))


def scripts(tree: Tree) -> list[str]:
    """Files with the steps of any tool, SQL first, which says it in the database's own words."""
    paths = [path for tool in TOOLS.values() for path in tool.scripts(tree)]
    return sorted(paths, key=lambda path: not path.endswith(".sql"))


def define(
    name: str, extensions: tuple[str, ...], apps: Sequence[App], facts: Mapping[str, Any]
) -> Migrations | None:
    """How the schema comes about; None where there is nothing to do.

    Args:
        name: One of `NAMES`.
        extensions: PostgreSQL extensions that have to be there first.
        apps: The stack's, the primary one first.
        facts: The project's facts, with those of each app under its kind.

    Raises:
        ProjectError: No app's image has the tool, or the app that has it leaves the database to
            another.
    """
    if name == NONE:
        return Migrations(NONE, "psql", extensions, concurrent=True) if extensions else None
    tool = TOOLS[name]
    if hasattr(tool, "SPEC") and not any(
        app.runtime.name == "node" and "postgres" in app.backing for app in apps
    ):
        # Its app was left out, or leaves the database to another: `start.node_migrations` tells.
        return define(NONE, extensions, apps, facts)
    app = _app(name, tool, apps, facts) if tool.RUNTIMES else None
    return tool.define(extensions, app, facts[app.kind] if app else {})


def before_start(app: App, facts: Mapping[str, Any]) -> tuple[str, ...]:
    """What an app migrates its own database with, which lies in a volume that it alone mounts.

    Args:
        app: The app, as it is without that.
        facts: Its facts.

    Returns:
        The command line; empty where its database is another, or it has no such tool.
    """
    keeps = any(volume.kept for volume in app.volumes)
    if not facts.get("sqlite") or not keeps or "postgres" in app.backing:
        return ()
    for name, tool in TOOLS.items():
        if app.runtime.name in tool.RUNTIMES and facts.get(name):
            return tool.define((), app, facts).command
    return ()


def find_faults(rule: str, tree: Tree, migrations: Migrations) -> Iterator[Finding]:
    """What the tool would refuse to run, as findings of that rule."""
    if migrations.kind != NONE:
        yield from TOOLS[migrations.kind].find_faults(rule, tree, migrations)


def find_beside(rule: str, tree: Tree, folder: str) -> Iterator[Finding]:
    """Files of a tool that lie beside an app's folder, whose image lacks them."""
    for tool in TOOLS.values():
        if hasattr(tool, "find_beside"):
            yield from tool.find_beside(rule, tree, folder)


def _app(name: str, tool: Tool, apps: Sequence[App], facts: Mapping[str, Any]) -> App:
    """The app that runs it: of those that use the database, the one that it was found in."""
    having = [app for app in apps if app.runtime.name in tool.RUNTIMES]
    if not having:
        runtimes = " or ".join(runtime.capitalize() for runtime in tool.RUNTIMES)
        raise ProjectError(
            f"{tool.TITLE} runs in the {runtimes} app, which was left out: use --target auto."
        )
    able = [app for app in having if "postgres" in app.backing]
    if not able:
        raise ProjectError(
            f"{tool.TITLE} runs in the {having[0].title} app, which leaves the database to another "
            "app: use another tool, or --set postgres.migrations=none."
        )
    return next((app for app in able if facts[app.kind].get(name)), able[0])
