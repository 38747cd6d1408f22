"""Dependencies of apps on Node that an installation in their image does not find or refuses."""

from __future__ import annotations

import re
from collections.abc import Iterator, Mapping
from typing import Any

from .. import node_scripts, package_managers
from ..errors import ProjectError
from ..finding import Finding, where
from ..image_reference import ImageReference
from ..model import App, NodeBuild
from ..node_source import Package, read_package_json
from ..subject import Subject
from ..tree import Tree, join
from ..versions import leading_version

_RULE = "start.node_install"
RUNTIME = "node"
IDS = {_RULE: "Dependencies of the apps on Node are installed as package.json and lockfile are"}

_TABLES = ("dependencies", "devDependencies")
# Of an installation script: needs the source, which comes after it.
_BUILDERS = frozenset(
    {"tsc", "nest", "next", "vite", "rollup", "tsup", "webpack", "esbuild", "swc", "babel", "ng"}
)
_GENERATORS = frozenset(
    {
        "panda", "contentlayer", "velite", "graphql-codegen", "turbo",
        "nx", "drizzle-kit", "orval", "openapi-typescript", "lerna", "tsx", "ts-node",
    }
)  # fmt: skip
_GIT = re.compile(r"git\+|git:|git@|ssh:|(?:github|gitlab|bitbucket):|[\w-]+/[\w.-]+(?:#|$)")
# Hosts whose archives npm takes without git, where a lockfile says of which commit.
_HOSTED = re.compile(r"(?:git\+https://github\.com/|github:)?([\w-]+/[\w.-]+?)(?:\.git)?(?:#|$)")


def find(subject: Subject) -> Iterator[Finding]:
    """What lockfile, addresses of dependencies, install scripts and versions of Node say."""
    for app in subject.of("node"):
        package = subject.package(app)
        if isinstance(app.build, NodeBuild) and package.path:
            build = app.build
            yield from _two_lockfiles(subject.tree, app, build)
            yield from _workspaces(subject.tree, app, package)
            yield from _addresses(app, package)
            yield from _out_of_step(subject.tree, app, build, package)
            yield from _scripts(subject.tree, app, build, package)
            yield from _lost_client(subject.tree, app, build, package)
            yield from _node_version(subject.tree, app, build, package)


def _told(certain: bool, package: Package, keys: tuple[str, ...], what: str, mend: str) -> Finding:
    line = package.lines.get(keys)
    seen = f"{where(package.path or 'package.json', line)}: {what}"
    return Finding(_RULE, certain, seen, mend, package.path, line)


def _versions(package: Package) -> Iterator[tuple[str, str, str]]:
    """Table, name and version of each dependency."""
    for table in (*_TABLES, "optionalDependencies"):
        for name, version in package.table(table).items():
            yield table, name, str(version)


# --- Lockfiles -----------------------------------------------------------------------------------


def _two_lockfiles(tree: Tree, app: App, build: NodeBuild) -> Iterator[Finding]:
    found = {
        name: lockfile
        for name, module in package_managers.of("node").items()
        for lockfile in module.LOCKFILES
        if tree.has(join(app.directory, lockfile))
    }
    others = [join(app.directory, lock) for name, lock in found.items() if name != build.manager]
    if build.lockfile and others:
        yield Finding(
            _RULE,
            certain=False,
            seen=f"{join(app.directory, build.lockfile)} is what {build.manager} installs from, "
            f"and {' and '.join(others)} fixes other versions.",
            mend=f"git rm {' '.join(others)}",
            path=join(app.directory, build.lockfile),
        )


def _out_of_step(tree: Tree, app: App, build: NodeBuild, package: Package) -> Iterator[Finding]:
    """A dependency that the lockfile does not have: it is installed from as it is."""
    if not build.lockfile or build.lockfile.endswith(".lockb") or package.content.get("workspaces"):
        return
    path = join(app.directory, build.lockfile)
    try:
        text = tree.read(path)
    except ProjectError:
        return
    missing = [
        (table, name)
        for table, name, version in _versions(package)
        if table != "optionalDependencies" and not _is_locked(build, package, text, name, version)
    ]
    if missing:
        table, name = missing[0]
        more = f" and {len(missing) - 1} more" if len(missing) > 1 else ""
        folder = "" if app.directory == "." else f"cd {app.directory} && "
        yield _told(
            True,
            package,
            (table, name),
            f"{path} does not have {name}{more} as package.json does, and the image is built "
            f"with `{build.tool.install}`, which refuses that.",
            f"{folder}{_LOCK[build.manager]}",
        )


_LOCK = {
    "npm": "npm install --package-lock-only",
    "pnpm": "pnpm install --lockfile-only",
    "yarn": "yarn install",
    "bun": "bun install --lockfile-only",
}


def _is_locked(build: NodeBuild, package: Package, text: str, name: str, version: str) -> bool:
    """Whether a lockfile has a dependency, as far as its text says so for certain."""
    if f'"{name}"' not in text and f"/{name}" not in text and name not in text:
        return False
    if build.manager == "pnpm":
        quoted = re.escape(name)
        own = re.findall(rf"^ +'?{quoted}'?:\n +specifier: '?(.+?)'?$", text, re.MULTILINE)
        return not own or version in own or version.startswith(("catalog:", "workspace:"))
    if build.manager == "npm" and '"packages"' in text:
        return f'"node_modules/{name}"' in text or '"lockfileVersion": 1' in text
    is_first_yarn = build.manager == "yarn" and text.startswith(("# THIS IS AN AUTO", "# yarn"))
    if is_first_yarn and "__metadata:" not in text and not package.content.get("resolutions"):
        return f"{name}@{version}" in text or ":" in version
    return True


# --- Workspaces ----------------------------------------------------------------------------------


def _workspaces(tree: Tree, app: App, package: Package) -> Iterator[Finding]:
    if app.directory == ".":
        if _patterns(tree, package):
            members = _members(tree)
            used = [(t, n) for t, n, _ in _versions(package) if n in members]
            keys = used[0] if used else ("workspaces",)
            yield _told(
                bool(used) and not _enter(tree, app, members, used),
                package,
                keys,
                "it is the top of a workspace, whose other packages are not there when the image "
                "installs dependencies.",
                "Have each folder that is deployed stand alone, with its own lockfile, or set "
                f"--set {app.kind}.manifests={','.join(_manifests(app, tree, members))}.",
            )
        return
    try:
        top = read_package_json(tree, ".")
    except ProjectError:
        return
    patterns = _patterns(tree, top) if top else _patterns(tree, Package(None, {}, {}))
    if not any(_matches(pattern, app.directory) for pattern in patterns):
        return
    members = _members(tree)
    for table, name, version in _versions(package):
        if name in members or version.startswith(("workspace:", "catalog:")):
            yield _told(
                True,
                package,
                (table, name),
                f"{name} is a package of the workspace, and the image is built from "
                f"{app.directory}/ alone: its installation does not find it.",
                f'Put that package into {app.directory}/ (as in "file:./{name.rpartition("/")[2]}'
                '"), or publish it.',
            )
            return
    if isinstance(app.build, NodeBuild) and not app.build.lockfile:
        yield _told(
            False,
            package,
            ("name",),
            f"{app.directory}/ is part of a workspace, and the image is built from it alone: the "
            "lockfile at the top does not fix its versions.",
            f"Add a lockfile of its own: cd {app.directory} && "
            f"{_LOCK[app.build.manager]}{_ALONE.get(app.build.manager, '')}",
        )


# Of pnpm-workspace.yaml.
_PACKAGES = re.compile(r"^packages:\n((?:[ \t]*-.*\n?|[ \t]*#.*\n?|[ \t]*\n)+)", re.MULTILINE)
_ITEM = re.compile(r"^[ \t]*-[ \t]*['\"]?([^'\"\n#]+?)['\"]?[ \t]*$", re.MULTILINE)
_ALONE = {"npm": " --workspaces=false", "pnpm": " --ignore-workspace"}


def _patterns(tree: Tree, package: Package) -> list[str]:
    """The folders of a workspace's packages, as patterns."""
    found: Any = package.content.get("workspaces")
    if isinstance(found, Mapping):
        found = found.get("packages")
    patterns = [str(pattern) for pattern in found] if isinstance(found, list) else []
    if tree.has("pnpm-workspace.yaml"):
        text = tree.read("pnpm-workspace.yaml")
        block = re.search(
            r"^packages:\n((?:[ \t]*-.*\n?|[ \t]*#.*\n?|[ \t]*\n)+)", text, re.MULTILINE
        )
        if block:
            patterns += re.findall(
                r"^[ \t]*-[ \t]*['\"]?([^'\"\n#]+?)['\"]?[ \t]*$", block[1], re.MULTILINE
            )
    return patterns


def _matches(pattern: str, folder: str) -> bool:
    pattern = pattern.removeprefix("./").rstrip("/")
    expression = re.escape(pattern).replace(r"\*\*", ".+").replace(r"\*", "[^/]+")
    return re.fullmatch(expression, folder) is not None


def _members(tree: Tree) -> dict[str, str]:
    """The folders of the project's packages by their names."""
    found: dict[str, str] = {}
    for path in tree.below(".", "/package.json"):
        folder = path.rpartition("/")[0]
        try:
            package = read_package_json(tree, folder)
        except ProjectError:
            continue
        if package and isinstance(name := package.content.get("name"), str):
            found[name] = folder
    return found


def _enter(tree: Tree, app: App, members: dict[str, str], used: list[tuple[str, str]]) -> bool:
    """Whether the folders of these packages are there at the installation."""
    folders = app.build.manifest_folders if isinstance(app.build, NodeBuild) else ()
    return all(f"{members[name]}/".startswith(tuple(folders) or ("\0",)) for _, name in used)


def _manifests(app: App, tree: Tree, members: dict[str, str]) -> list[str]:
    own = app.build.manifests if isinstance(app.build, NodeBuild) else ()
    return list(dict.fromkeys((*own, *(f"{folder}/" for folder in members.values()))))


# --- Addresses -----------------------------------------------------------------------------------


def _addresses(app: App, package: Package) -> Iterator[Finding]:
    for table, name, version in _versions(package):
        path = re.match(r"(?:file|link|portal):(\.\./\S*|/\S*)", version)
        if path:
            place = "the project" if app.directory == "." else f"{app.directory}/"
            yield _told(
                True,
                package,
                (table, name),
                f"{name} is {path[1]}, which lies outside of {place}: it does not enter the image.",
                f"Put it into {place} and write its path there, as in "
                f'"file:./{path[1].rstrip("/").rpartition("/")[2]}".',
            )
        elif _GIT.match(version) and not version.startswith(("npm:", "file:", "link:")):
            hosted = _HOSTED.fullmatch(re.sub(r"#.*", "", version))
            locked = isinstance(app.build, NodeBuild) and app.build.lockfile is not None
            address = f"https://codeload.github.com/{hosted[1]}/tar.gz/COMMIT" if hosted else ""
            yield _told(
                not (hosted and locked),
                package,
                (table, name),
                f"{name} comes from a git repository, and the image {_image(app)} has no git.",
                f'Write its archive in place: "{address}".'
                if address
                else "Publish it as a package, or write the address of an archive "
                '("https://….tar.gz") in its place.',
            )


def _image(app: App) -> str:
    return app.build.image


# --- Scripts of an installation ------------------------------------------------------------------


def _scripts(tree: Tree, app: App, build: NodeBuild, package: Package) -> Iterator[Finding]:
    """`postinstall`, `prepare` and the like run where only the manifests are."""
    for command in node_scripts.install_commands(package):
        own = str(package.table("scripts").get(command.script, ""))
        certain = "||" not in own
        keys = ("scripts", command.script)
        program = command.program
        if program in _BUILDERS or program in _GENERATORS:
            wanted = _source_manifests(tree, app, build)
            if not wanted:
                continue
            manifests = ",".join((*build.manifests, *wanted))
            yield _told(
                certain and program in _BUILDERS,
                package,
                keys,
                f"`{command.text}` runs while dependencies are installed, where the "
                f"source is not yet: only {', '.join(build.manifests)}.",
                f"Move it to the build script, or set --set {app.kind}.manifests={manifests}.",
            )
            return
        if program == "git":
            yield _told(
                certain,
                package,
                keys,
                f"`{command.text}` runs while dependencies are installed, and the "
                f"image {build.image} has no git.",
                f'Write "{own} || true" there.',
            )
            return
        if program in {"lefthook", "simple-git-hooks", "pre-commit"}:
            yield _told(
                False,
                package,
                keys,
                f"`{command.text}` runs while dependencies are installed, where no "
                "git repository is.",
                f'Write "{own} || true" there.',
            )
            return
        if program == "node" and (lost := _missing_file(tree, app, command.words)):
            yield _told(
                certain,
                package,
                keys,
                f"`{command.text}` runs while dependencies are installed, and {lost} is not there.",
                f"Add {lost}, or leave the command out.",
            )
            return
        if program == "patch-package" and build.manager in {"bun", "yarn"}:
            if build.manager == "yarn" and not build.tool.install.endswith("--frozen-lockfile"):
                continue
            yield _told(
                False,
                package,
                keys,
                f"{build.manager} installs what production needs anew, without `{command.text}`"
                " of that script: its patches may not be in the image.",
                "Patch with the package manager itself (`bun patch`; `yarn patch` of Yarn 2 and "
                "later), or install with npm.",
            )
            return


def _missing_file(tree: Tree, app: App, words: tuple[str, ...]) -> str | None:
    name = next((word for word in words[1:] if not word.startswith("-")), None)
    if name is None or any(word in {"-e", "-p", "--eval"} for word in words) or ".." in name:
        return None
    path = join(app.directory, name)
    endings = ("", ".js", ".mjs", ".cjs", "/index.js")
    is_there = name.startswith("node_modules") or any(tree.has(path + e) for e in endings)
    return None if is_there else name


def _source_manifests(tree: Tree, app: App, build: NodeBuild) -> list[str]:
    """What of the source an installation does not have, as `--set` takes it."""
    if app.directory == ".":
        wanted = list(app.sources)
    else:
        prefix = f"{app.directory}/"
        inner = [path.removeprefix(prefix) for path in tree.below(app.directory)]
        wanted = list(
            dict.fromkeys(
                top + ("/" if slash else "")
                for top, slash, _ in (path.partition("/") for path in inner)
                if (slash and top in {"src", "app", "lib", "server"}) or top.startswith("tsconfig")
            )
        )
    return [name for name in wanted if name not in build.manifests and name != "public/"]


def _lost_client(tree: Tree, app: App, build: NodeBuild, package: Package) -> Iterator[Finding]:
    """Prisma's client, where only the build script makes it: in node_modules of the build."""
    if "@prisma/client" not in package.table("dependencies") or build.outputs:
        return
    schemas = list(tree.below(app.directory, ".prisma"))
    text = "".join(tree.read(path) for path in schemas)
    if not schemas or re.search(r"^\s*output\s*=", text, re.MULTILINE):
        return
    makes = [
        c
        for c in node_scripts.install_commands(package)
        if c.program == "prisma" and "generate" in c.words
    ]
    # Packages' own scripts run with npm and Yarn alone, unless they are allowed.
    allowed = "onlyBuiltDependencies" in str(package.content) or (
        tree.has(join(app.directory, "pnpm-workspace.yaml"))
        and "@prisma/client" in tree.read(join(app.directory, "pnpm-workspace.yaml"))
    )
    if build.manager == "bun" or (build.manager == "pnpm" and not makes and not allowed):
        yield _told(
            True,
            package,
            ("dependencies", "@prisma/client"),
            "Prisma's client is made in node_modules where the app is built, and is not in those "
            "of the image.",
            f'Write output = "../src/generated/prisma" into the generator of {schemas[0]}, and '
            "import the client from there, with `prisma generate` in the build script.",
        )


# --- Versions of Node ----------------------------------------------------------------------------


def _node_version(tree: Tree, app: App, build: NodeBuild, package: Package) -> Iterator[Finding]:
    version = leading_version(ImageReference.parse(build.image).tag or "")
    if version is None:
        return
    wanted = package.table("engines").get("node")
    if isinstance(wanted, str) and not _takes(wanted, version.major):
        settings = join(app.directory, ".npmrc")
        strict = tree.has(settings) and re.search(
            r"^engine-strict\s*=\s*true", tree.read(settings), re.MULTILINE
        )
        yield _told(
            bool(strict) or build.manager in {"pnpm"} or _is_first_yarn(build),
            package,
            ("engines", "node"),
            f'it asks for Node "{wanted}", and the image is {build.image}.',
            f"spinbox build --prod --set {app.kind}.image=node:{_nearest(wanted)}-alpine",
        )
        return
    for name in (".nvmrc", ".node-version"):
        path = join(app.directory, name)
        if not tree.has(path):
            path = name
        if tree.has(path):
            asked = leading_version(tree.read(path).strip())
            if asked and asked.major != version.major:
                yield Finding(
                    _RULE,
                    certain=False,
                    seen=f"{where(path, 1)}: it asks for Node {asked.major}, and the image is "
                    f"{build.image}.",
                    mend=f"spinbox build --prod --set {app.kind}.image=node:{asked.major}-alpine",
                    path=path,
                    line=1,
                )
            return


def _is_first_yarn(build: NodeBuild) -> bool:
    return build.manager == "yarn" and (build.tool.package or "").startswith("yarn@")


def _takes(wanted: str, major: int) -> bool:
    """Whether a range of versions (docs.npmjs.com, "semver") has one of a major version."""
    return any(_has_major(part, major) for part in wanted.split("||"))


def _has_major(part: str, major: int) -> bool:
    span = re.fullmatch(r"\s*v?(\d+)[\w.]*\s+-\s+v?(\d+)[\w.]*\s*", part)
    if span:
        return int(span[1]) <= major <= int(span[2])
    for sign, number, rest in re.findall(r"(>=|<=|>|<|\^|~|=)?\s*v?(\d+)((?:\.[\dxX*]+)*)", part):
        low = int(number)
        zero = not re.search(r"[1-9]", rest)
        good = {
            ">=": major >= low,
            ">": major > low or (major == low and bool(rest)),
            "<": major < low or (major == low and not zero),
            "<=": major <= low,
        }.get(sign, major == low)
        if not good:
            return False
    return True


def _nearest(wanted: str) -> str:
    numbers = [int(number) for number in re.findall(r"(?<![.\d])(\d+)", wanted)]
    takes = [n for n in (24, 22, 20, *numbers) if _takes(wanted, n)]
    return str(takes[0] if takes else max(numbers, default=22))
