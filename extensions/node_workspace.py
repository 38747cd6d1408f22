"""Workspaces of package managers on Node: several packages, one lockfile at the top.

npm, Yarn and Bun name the folders of the packages in the package.json of the top (`workspaces`),
pnpm in `pnpm-workspace.yaml`; Lerna and Nx go by those, and Lerna has a list of its own.
"""

from __future__ import annotations

import json
import re
from collections.abc import Iterable, Iterator, Mapping, Sequence
from dataclasses import dataclass, replace
from typing import Any

from . import javascript, node_scripts, package_managers, secret_files
from .errors import ProjectError
from .node_source import NO_PACKAGE, Package, read_package_json
from .origins import Fields, Found
from .tree import MEGABYTE, Tree, join

_TABLES = ("dependencies", "optionalDependencies", "peerDependencies")
PNPM_SETTINGS = "pnpm-workspace.yaml"
# Every kind of generated file can hold it as it is.
_FOLDER = re.compile(r"(?![-/.])[\w@./+-]+")


@dataclass(frozen=True)
class Workspace:
    """A workspace: its top folder, relative to the project's, and its packages by their folders.

    The folders are relative to the top one.
    """

    top: str
    members: Mapping[str, Package]

    def folder_of(self, name: str) -> str | None:
        """The folder of the package of that name."""
        return next((f for f, p in self.members.items() if p.content.get("name") == name), None)

    def local(self, package: Package, *, tools: bool) -> list[str]:
        """The folders of the workspace's packages that a package depends on.

        Args:
            package: Its package.json.
            tools: With those that only its development needs.
        """
        tables = (*_TABLES, "devDependencies") if tools else _TABLES
        names = dict.fromkeys(name for table in tables for name in package.table(table))
        folders = (self.folder_of(name) for name in names)
        return [folder for folder in folders if folder is not None]

    def needed(self, folder: str, *, tools: bool) -> list[str]:
        """What a package needs of the workspace, each after what it needs itself; it comes last."""
        found: dict[str, None] = {}
        open_: set[str] = set()

        def visit(place: str) -> None:
            if place in found or place in open_:
                return
            open_.add(place)
            for other in self.local(self.members.get(place, NO_PACKAGE), tools=tools):
                visit(other)
            found[place] = None

        visit(folder)
        return list(found)


def find(tree: Tree, folder: str) -> Workspace | None:
    """The workspace that a folder is a member or the top of, or None."""
    places = folder.split("/") if folder != "." else []
    for depth in range(len(places), -1, -1):
        top = "/".join(places[:depth]) or "."
        if not (listed := patterns(tree, top)):
            continue
        inner = folder if top == "." else folder.removeprefix(top).lstrip("/") or "."
        if top == folder or matches(listed, inner):
            return read(tree, top)
    return None


def read(tree: Tree, top: str) -> Workspace:
    """The workspace of a top folder, with every package that its patterns name."""
    key = ("workspace", top)
    if key not in tree.kept:
        tree.kept[key] = Workspace(top, _members(tree, top, patterns(tree, top)))
    found: Workspace = tree.kept[key]
    return found


def _members(tree: Tree, top: str, listed: list[str]) -> dict[str, Package]:
    found: dict[str, Package] = {}
    prefix = "" if top == "." else f"{top}/"
    for path in tree.below(top, "/package.json"):
        folder = path.removeprefix(prefix).removesuffix("package.json").rstrip("/")
        if not _FOLDER.fullmatch(folder) or not matches(listed, folder):
            continue
        try:
            package = read_package_json(tree, join(top, folder))
        except ProjectError:
            continue
        if package:
            found[folder] = package
    return found


def patterns(tree: Tree, top: str) -> list[str]:
    """The folders of a workspace's packages, as patterns; one that is left out begins with `!`."""
    try:
        package = read_package_json(tree, top)
    except ProjectError:
        package = None
    found: Any = package.content.get("workspaces") if package else None
    if isinstance(found, Mapping):
        found = found.get("packages")
    listed = [one for one in found if isinstance(one, str)] if isinstance(found, list) else []
    path = join(top, PNPM_SETTINGS)
    if tree.has(path):
        settings = read_yaml(tree, path)
        if isinstance(more := settings.get("packages"), list):
            listed += [pattern for pattern in more if isinstance(pattern, str)]
    return listed


def read_yaml(tree: Tree, path: str) -> Mapping[str, Any]:
    """A settings file in YAML; nothing where it is none."""
    # Help of the command line does without it.
    import yaml

    try:
        text = tree.read(path, MEGABYTE)
        # Merged mappings would be copied once for each name, and those within them again.
        found = None if "<<" in text else yaml.safe_load(text)
    except (yaml.YAMLError, ProjectError, RecursionError):
        return {}
    return found if isinstance(found, Mapping) else {}


def matches(listed: Iterable[str], folder: str) -> bool:
    """Whether patterns of a workspace name a folder, relative to its top."""
    found = False
    for pattern in listed:
        negated = pattern.startswith("!")
        plain = pattern.removeprefix("!").removeprefix("./").rstrip("/")
        expression = re.escape(plain).replace(r"\*\*/", "(.+/)?").replace(r"/\*\*", "(/.+)?")
        expression = expression.replace(r"\*\*", ".+").replace(r"\*", "[^/]+")
        expression = re.sub(
            r"\\\{([^{}]*)\\\}", lambda m: f"({m[1].replace(',', '|')})", expression
        )
        if re.fullmatch(expression, folder):
            found = not negated
    return found


def of_app(tree: Tree, folder: str) -> Workspace | None:
    """The workspace that an app is installed from; None where it stands alone."""
    workspace = find(tree, folder)
    return workspace if workspace and is_installed_from(tree, workspace, folder) else None


def with_top(tree: Tree, folder: str, package: Package) -> Package:
    """The package.json of a member; its tools with those that the top has installed for all."""
    workspace = of_app(tree, folder)
    if workspace is None or workspace.top == folder:
        return package
    top = read_package_json(tree, workspace.top) or NO_PACKAGE
    tools = {**top.table("devDependencies"), **top.table("dependencies")}
    own = package.table("dependencies")
    tools = {name: version for name, version in tools.items() if name not in own}
    if not tools:
        return package
    tools |= package.table("devDependencies")
    return replace(package, content={**package.content, "devDependencies": tools})


def places(workspace: Workspace, folder: str) -> dict[str, str]:
    """What a member needs of its workspace, without itself: folders by what they are below the top.

    The nearest come first, the top (`.`) last.
    """
    own = inside(workspace, folder)
    needed = [] if own == "." else [*reversed(workspace.needed(own, tools=True)[:-1]), "."]
    return {member: join(workspace.top, member) for member in needed}


def beside(tree: Tree, folder: str) -> list[tuple[str, list[str]]]:
    """The packages of the workspace that run with an app: their folders, and what they begin with.

    Args:
        tree: The project's files.
        folder: The app's.

    Returns:
        Both relative to the project's top folder; nothing for an app that stands alone.
    """
    workspace = of_app(tree, folder)
    if workspace is None:
        return []
    own = inside(workspace, folder)
    package = workspace.members.get(own) or read_package_json(tree, folder) or NO_PACKAGE
    found: dict[str, None] = {}
    for local in workspace.local(package, tools=False):
        found |= dict.fromkeys(workspace.needed(local, tools=False))
    return [
        (join(workspace.top, member), _entries(tree, workspace, member))
        for member in found
        if member != own
    ]


def _entries(tree: Tree, workspace: Workspace, member: str) -> list[str]:
    """The source files that a package begins with: those of its exports, before they are built."""
    package, folder = workspace.members[member], join(workspace.top, member)
    named = json.dumps([package.content.get(key) for key in ("exports", "main", "module")])
    stems = [re.sub(r"\.[cm]?[jt]sx?$", "", path) for path in re.findall(r'"(\.?[\w./-]+)"', named)]
    found: dict[str, None] = {}
    for stem in (*stems, "src/index", "index"):
        plain = stem.removeprefix("./")
        for place in (plain, re.sub(r"^(dist|build|lib|out)/", "src/", plain)):
            for ending in javascript.ENDINGS:
                if tree.has(path := join(folder, place + ending)):
                    found[path] = None
    return list(found)


def lockfile(tree: Tree, top: str) -> str | None:
    """The lockfile of a folder, whatever package manager wrote it."""
    names = (n for module in package_managers.of("node").values() for n in module.LOCKFILES)
    return tree.first(top, *names)


def is_installed_from(tree: Tree, workspace: Workspace, folder: str) -> bool:
    """Whether the dependencies in a folder are installed from the workspace's top.

    One with a lockfile of its own stands alone, and so does one that needs nothing of it: no
    lockfile, and none of its packages.
    """
    top = workspace.top
    inner = inside(workspace, folder)
    package = workspace.members.get(inner)
    if folder == top:
        try:
            package = read_package_json(tree, top)
        except ProjectError:
            return False
        return package is not None and bool(workspace.local(package, tools=True))
    if package is None or lockfile(tree, folder):
        return False
    return bool(lockfile(tree, top)) or any(
        version.startswith(("workspace:", "catalog:")) or workspace.folder_of(name) is not None
        for table in (*_TABLES, "devDependencies")
        for name, version in ((n, str(v)) for n, v in package.table(table).items())
    )


def inside(workspace: Workspace, folder: str) -> str:
    """A folder of the project, relative to the workspace's top."""
    if folder == workspace.top:
        return "."
    return folder if workspace.top == "." else folder.removeprefix(f"{workspace.top}/")


def builder(tree: Tree, workspace: Workspace) -> str | None:
    """What builds packages in their order: `turbo` or `nx`, where the top has and configures it."""
    try:
        package = read_package_json(tree, workspace.top) or NO_PACKAGE
    except ProjectError:
        return None
    tools = {**package.table("dependencies"), **package.table("devDependencies")}
    if "turbo" in tools and (path := tree.first(workspace.top, "turbo.json", "turbo.jsonc")):
        text = tree.read(path)
        return "turbo" if re.search(r'"build"\s*:', text) else None
    if "nx" in tools and (path := tree.first(workspace.top, "nx.json")):
        try:
            settings = json.loads(tree.read(path))
        except json.JSONDecodeError:
            return None
        defaults = settings.get("targetDefaults") if isinstance(settings, Mapping) else None
        build = defaults.get("build") if isinstance(defaults, Mapping) else None
        # Without that it would build the one package alone.
        if isinstance(build, Mapping) and "^build" in (build.get("dependsOn") or ()):
            return "nx"
    return None


def fields(tree: Tree, workspace: Workspace, folder: str) -> Fields:
    """What the app needs of the workspace that it is a member or the top of.

    Returns:
        `workspace` (the top folder), `member` (the app's folder there), `members` (the folders of
        all that its build needs, in the order in which they are built; without the top one),
        `runs` (those that run with it), `builds` (those that have a build script themselves),
        `builder` (the tool that builds them in their order, or None) and `package_names` (of
        `members`, empty for none).
    """
    own = inside(workspace, folder)
    reason = "member of a workspace" if own != "." else "top of a workspace"
    path = tree.first(workspace.top, PNPM_SETTINGS, "package.json")
    needed, runs = list[str](), list[str]()
    if own == ".":
        package = read_package_json(tree, folder) or NO_PACKAGE
        for tools, found in ((True, needed), (False, runs)):
            for local in workspace.local(package, tools=tools):
                found += workspace.needed(local, tools=tools)
    else:
        needed = workspace.needed(own, tools=True)
        runs = workspace.needed(own, tools=False)
    needed, runs = list(dict.fromkeys(needed)), list(dict.fromkeys(runs))
    builds = [
        member
        for member in needed
        if member != own and "build" in workspace.members[member].table("scripts")
    ]
    names = [str(workspace.members[member].content.get("name") or "") for member in needed]
    builds_with = builder(tree, workspace)
    found_fields = {
        "workspace": workspace.top, "member": own, "members": needed, "runs": runs,
        "builds": builds, "builder": builds_with, "package_names": names,
    }  # fmt: skip
    return {field: Found(value, reason, path) for field, value in found_fields.items()}


def manifests(tree: Tree, workspace: Workspace, needed: Sequence[str]) -> list[str]:
    """What an installation reads of the members, relative to the top folder.

    Of every one the package.json, as lockfiles have them all; of those that are needed also what
    their scripts of the installation read.
    """
    found = [f"{member}/package.json" for member in workspace.members]
    for member in needed:
        folder = join(workspace.top, member)
        package = workspace.members[member]
        files = node_scripts.install_files(tree, folder, package)
        if node_scripts.installs_source(package):
            files += node_scripts.source_names(tree, folder, ())
        found += [f"{member}/{file}" for file in files]
        found += _elsewhere(tree, workspace, member)
    return list(dict.fromkeys(found))


def _elsewhere(tree: Tree, workspace: Workspace, member: str) -> Iterator[str]:
    """What a member depends on by its path, in the workspace and in no member."""
    package = workspace.members[member]
    for table in (*_TABLES, "devDependencies"):
        for version in package.table(table).values():
            path = re.match(r"(?:file|link|portal):(\.\./.+)", str(version))
            if path is None or (place := join(member, path[1])).startswith(".."):
                continue
            whole = join(workspace.top, place)
            if tree.has(whole):
                yield place
            elif place not in workspace.members and any(tree.below(whole)):
                yield f"{place}/"


# Settings at the top of a workspace that builds of its members read.
_SHARED = re.compile(
    r"tsconfig[\w.-]*\.json|(turbo|nx|project)\.jsonc?|[\w-]+\.config\.[cm]?[jt]s|\.swcrc|\.babelrc.*"
    r"|\.browserslistrc|\.postcssrc.*|\.eslintrc.*|\.prettierrc.*|\.npmrc|\.yarnrc.*"
)


def shared(tree: Tree, workspace: Workspace, folder: str) -> Found[list[str]]:
    """What a member's build needs of the top: settings, and folders that members import from."""
    at = "" if workspace.top == "." else f"{workspace.top}/"
    own = inside(workspace, folder)
    needed = [join(workspace.top, member) for member in workspace.needed(own, tools=True)]
    files = [path.removeprefix(at) for path in tree.below(workspace.top)]
    settings = {
        name for name in files if _SHARED.fullmatch(name) and not secret_files.matching(name)
    }
    used: set[str] = set()
    for member in needed:
        for script in javascript.scripts(tree, member):
            for name in javascript.imports(script):
                if not name.startswith("../"):
                    continue
                target = javascript.resolve(tree, member, script.path, name) or ""
                if target.startswith(at) and not target.startswith(tuple(f"{m}/" for m in needed)):
                    top, slash, _ = target.removeprefix(at).partition("/")
                    used.add(top + slash)
    folders = tuple(f"{member}/" for member in workspace.members)
    used = {name for name in used if not any(each.startswith(name) for each in folders)}
    return Found(sorted(settings | used), "what members share at the top of the workspace")
