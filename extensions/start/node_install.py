"""Dependencies of apps on Node that an installation in their image does not find or refuses."""

from __future__ import annotations

import json
import re
from collections.abc import Iterator, Mapping
from dataclasses import dataclass

from .. import (
    javascript,
    node_scripts,
    node_versions,
    node_workspace,
    package_managers,
    package_registries,
)
from ..errors import ProjectError
from ..finding import Finding, where
from ..image_reference import ImageReference
from ..model import App, Member, NodeBuild
from ..node_binaries import COMPILED, is_whole
from ..node_source import NO_PACKAGE, Package, fixes_nothing, read_package_json
from ..node_workspace import Workspace
from ..package_managers import pnpm, yarn
from ..subject import Subject
from ..tree import Tree, join
from ..version_ranges import satisfies, takes
from ..versions import leading_version

_RULE = "start.node_install"
RUNTIME = "node"
IDS = {_RULE: "Dependencies of the apps on Node are installed as package.json and lockfile are"}

_TABLES = ("dependencies", "devDependencies")
# What needs a key, which no build has.
_SSH = re.compile(r"git\+ssh:|ssh:|git@")


def find(subject: Subject) -> Iterator[Finding]:
    """What lockfile, addresses of dependencies, install scripts and versions of Node say."""
    for app in subject.of("node"):
        package = subject.package(app)
        if isinstance(app.build, NodeBuild) and package.path:
            build = app.build
            yield from _two_lockfiles(subject.tree, app, build)
            yield from _empty(subject.tree, app)
            yield from _of_another_yarn(subject.tree, app, build)
            yield from _workspaces(subject.tree, app, build, package)
            yield from _addresses(app, package)
            yield from _out_of_step(subject.tree, app, build, package)
            yield from _registries(subject, app, build)
            yield from _scripts(subject.tree, app, build, package)
            yield from _lost_client(subject.tree, app, build, package)
            yield from _not_approved(subject.tree, app, build, package)
            yield from _other_platforms(subject.tree, app, build)
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
        if tree.has(join(app.base, lockfile))
    }
    others = [join(app.base, lock) for name, lock in found.items() if name != build.manager]
    if build.lockfile and others:
        yield Finding(
            _RULE,
            certain=False,
            seen=f"{join(app.base, build.lockfile)} is what {build.manager} installs from, "
            f"and {' and '.join(others)} fixes other versions.",
            mend=f"git rm {' '.join(others)}",
            path=join(app.base, build.lockfile),
        )


def _empty(tree: Tree, app: App) -> Iterator[Finding]:
    path = join(app.base, "package-lock.json")
    if tree.has(path) and fixes_nothing(tree, path):
        folder = "" if app.base == "." else f"cd {app.base} && "
        yield Finding(
            _RULE,
            certain=False,
            seen=f"{path} has not one package, so it fixes no version: every build may get others.",
            mend=f"{folder}{_LOCK['npm']}",
            path=path,
        )


def _of_another_yarn(tree: Tree, app: App, build: NodeBuild) -> Iterator[Finding]:
    """A lockfile that the project's Yarn would write anew, whatever is in it."""
    version = (build.tool.package or "").rpartition("@")[2]
    path = join(app.base, "yarn.lock")
    if build.manager != "yarn" or build.lockfile != "yarn.lock" or not tree.has(path):
        return
    if found := yarn.unfitting_lockfile(tree.read(path), version):
        number, other = found
        folder = "" if app.base == "." else f"cd {app.base} && "
        yield Finding(
            _RULE,
            certain=True,
            seen=f"{path} has version {number}, which Yarn {version} writes anew, and the image is "
            f"built with `{build.tool.install}`, which refuses that.",
            mend=f"{folder}npx @yarnpkg/cli-dist@{version} install, or name Yarn "
            f"{other.lstrip('~')} as packageManager.",
            path=path,
        )


def _out_of_step(tree: Tree, app: App, build: NodeBuild, package: Package) -> Iterator[Finding]:
    """A dependency that the lockfile does not have: it is installed from as it is."""
    if not build.lockfile or build.lockfile.endswith(".lockb"):
        return
    path = join(app.base, build.lockfile)
    try:
        text = tree.read(path)
    except ProjectError:
        return
    folder = build.member.folder if build.member else "."
    workspace = node_workspace.of_app(tree, app.directory)
    local = workspace.folder_of if workspace else lambda name: None
    lock = _Lock(build.manager, text, folder, _overridden(tree, app.base))
    missing = [
        (table, name)
        for table, name, version in _versions(package)
        if table != "optionalDependencies"
        and not version.startswith(("workspace:", "catalog:"))
        and local(name) is None
        and not _is_locked(lock, package, name, version)
    ]
    if missing:
        table, name = missing[0]
        more = f" and {len(missing) - 1} more" if len(missing) > 1 else ""
        folder = "" if app.base == "." else f"cd {app.base} && "
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


@dataclass(frozen=True)
class _Lock:
    """A lockfile: whose it is, its text, the app's folder below it, and what is overridden."""

    manager: str
    text: str
    folder: str
    overridden: frozenset[str]


def _overridden(tree: Tree, base: str) -> frozenset[str]:
    """Dependencies that have another version than package.json says: pnpm's and Yarn's way."""
    try:
        package = read_package_json(tree, base) or NO_PACKAGE
    except ProjectError:
        return frozenset()
    path = join(base, node_workspace.PNPM_SETTINGS)
    settings = node_workspace.read_yaml(tree, path) if tree.has(path) else {}
    own = package.table("pnpm").get("overrides")
    names: set[str] = set(package.table("resolutions"))
    for table in (own, settings.get("overrides")):
        names |= {str(name) for name in table} if isinstance(table, Mapping) else set()
    return frozenset(re.sub(r"(?<=.)@.*", "", name.rpartition(">")[2]) for name in names)


def _is_locked(lock: _Lock, package: Package, name: str, version: str) -> bool:
    """Whether a lockfile has a dependency, as far as its text says so for certain."""
    text = lock.text
    if f'"{name}"' not in text and f"/{name}" not in text and name not in text:
        return False
    if name in lock.overridden:
        return True
    if lock.manager == "pnpm":
        own = re.findall(
            rf"^ +'?{re.escape(name)}'?:\n +specifier: '?(.+?)'?$", _importer(lock), re.MULTILINE
        )
        return not own or version in own
    if lock.manager == "npm" and '"packages"' in text:
        return '"lockfileVersion": 1' in text or _is_npms(lock, name, version)
    is_first_yarn = lock.manager == "yarn" and text.startswith(("# THIS IS AN AUTO", "# yarn"))
    if is_first_yarn and "__metadata:" not in text and lock.folder == ".":
        return f"{name}@{version}" in text or ":" in version
    return True


def _importer(lock: _Lock) -> str:
    """What pnpm's lockfile says of the app; all of it where it names no packages."""
    section = rf"^  ['\"]?{re.escape(lock.folder)}['\"]?:\n((?:    .*\n|\n)*)"
    found = re.search(section, lock.text, re.MULTILINE)
    return found[1] if found and "\nimporters:" in lock.text else lock.text


def _is_npms(lock: _Lock, name: str, version: str) -> bool:
    """Whether npm's lockfile has a dependency, in a version that package.json takes."""
    inner = "" if lock.folder == "." else f"{lock.folder}/"
    for place in dict.fromkeys((f"{inner}node_modules/{name}", f"node_modules/{name}")):
        entry = re.search(rf'"{re.escape(place)}": *\{{\s*(?:"version": *"([^"]+)")?', lock.text)
        if entry:
            return not entry[1] or satisfies(version, entry[1]) is not False
    return False


# --- Workspaces ----------------------------------------------------------------------------------


def _workspaces(tree: Tree, app: App, build: NodeBuild, package: Package) -> Iterator[Finding]:
    workspace = node_workspace.find(tree, app.directory)
    names = {str(p.content.get("name")) for p in workspace.members.values()} if workspace else set()
    for table, name, version in _versions(package):
        if not version.startswith(("workspace:", "catalog:")):
            continue
        if build.member and (name in names or version.startswith("catalog:")):
            continue
        if version.startswith("catalog:") and _has_catalog(tree, app):
            continue
        what = f'{name} is "{version}"'
        if workspace is None:
            what += ", and no package.json or pnpm-workspace.yaml above names a workspace."
            mend = "Write its version in place, or commit the top of the workspace."
        elif name in names or version.startswith("catalog:"):
            what += f", and {app.directory}/ is installed by its own lockfile, without the others."
            mend = f"git rm {' '.join(join(app.directory, lock) for lock in _own_locks(tree, app))}"
        else:
            what += ", and no package of the workspace has that name."
            mend = "Add that package, or correct its name."
        yield _told(True, package, (table, name), what, mend)
        return
    if build.member and workspace:
        yield from _not_locked(tree, app, build, build.member)
        yield from _typescript(tree, app, build.member, workspace, package)


def _has_catalog(tree: Tree, app: App) -> bool:
    """Whether settings of pnpm or Yarn beside the app have catalogs (pnpm.io/catalogs)."""
    paths = (join(app.base, name) for name in (node_workspace.PNPM_SETTINGS, ".yarnrc.yml"))
    found = [node_workspace.read_yaml(tree, path) for path in paths if tree.has(path)]
    return any("catalog" in settings or "catalogs" in settings for settings in found)


def _own_locks(tree: Tree, app: App) -> list[str]:
    modules = package_managers.of("node").values()
    names = [name for module in modules for name in module.LOCKFILES]
    return [name for name in names if tree.has(join(app.directory, name))]


# How a lockfile names a member of the workspace, by its folder.
_MEMBERS = {
    "package-lock.json": r'^ *"{}": *\{{',
    "npm-shrinkwrap.json": r'^ *"{}": *\{{',
    "pnpm-lock.yaml": r"^  ['\"]?{}['\"]?:",
    "bun.lock": r'^ *"{}": *\{{',
}


def _not_locked(tree: Tree, app: App, build: NodeBuild, member: Member) -> Iterator[Finding]:
    """A member that the lockfile at the top does not have."""
    if not build.lockfile or build.lockfile not in _MEMBERS:
        return
    path = join(member.top, build.lockfile)
    try:
        text = tree.read(path)
    except ProjectError:
        return
    pattern = _MEMBERS[build.lockfile]
    for folder in member.built:
        if not re.search(pattern.format(re.escape(folder)), text, re.MULTILINE):
            at = "" if member.top == "." else f"cd {member.top} && "
            yield Finding(
                _RULE,
                certain=True,
                seen=f"{path} does not have {folder}, a package of the workspace, and the image is "
                f"built with `{build.tool.install}`, which refuses that.",
                mend=f"{at}{_LOCK[build.manager]}",
                path=path,
            )
            return


_BUNDLERS = frozenset({"esbuild", "tsup", "webpack", "rollup", "ncc", "vite", "tsdown", "rspack"})
_RUN_TYPESCRIPT = frozenset({"tsx", "ts-node", "bun", "swc-node", "ts-node-esm"})


def _typescript(
    tree: Tree, app: App, member: Member, workspace: Workspace, package: Package
) -> Iterator[Finding]:
    """Packages of the workspace whose entry is TypeScript, which nobody compiles."""
    for folder in member.runs:
        inner = workspace.members[folder]
        name = str(inner.content.get("name"))
        exported = json.dumps([inner.content.get("exports"), inner.content.get("main")])
        entry = re.search(r'"([^"]+(?<!\.d)\.[cm]?tsx?)"', exported)
        if folder == member.folder or entry is None or re.search(r'\.[cm]?js"', exported):
            continue
        line = inner.lines.get(("main",)) or inner.lines.get(("exports",))
        seen = f"{where(inner.path or folder, line)}: {name} exports {entry[1]}, TypeScript"
        build = '"build": "tsc", with "main": "dist/index.js"'
        if app.kind == "nextjs":
            config = tree.first(app.directory, *(f"next.config.{e}" for e in _CONFIG_ENDINGS))
            if config and re.search(rf"transpilePackages[^;]*{re.escape(name)}", tree.read(config)):
                continue
            yield Finding(
                _RULE,
                certain=False,
                seen=f"{seen}, and Next.js compiles no package that its settings do not name.",
                mend=f"Write transpilePackages: ['{name}'] into {config or 'next.config.js'}.",
                path=inner.path,
                line=line,
            )
            return
        programs = {c.program for c in node_scripts.commands(package, "build")}
        started = app.command[0] if node_scripts.script_of(app.command) is None else ""
        if programs & _BUNDLERS or started in _RUN_TYPESCRIPT or _runs_types(tree, app, folder):
            continue
        yield Finding(
            _RULE,
            certain=started == "node",
            seen=f"{seen}, which the image {_image(app)} does not run as it is.",
            mend=f"Give it a build script, as in {build}, or bundle it into the app (tsup, "
            "esbuild).",
            path=inner.path,
            line=line,
        )
        return


_CONFIG_ENDINGS = ("js", "mjs", "cjs", "ts", "mts")


def _runs_types(tree: Tree, app: App, folder: str) -> bool:
    """Whether Node itself runs a package's TypeScript: from 22.18, where imports name `.ts`."""
    version = leading_version(ImageReference.parse(_image(app)).tag or "")
    if version is not None and version.major < 22:
        return False
    return not any(
        name.startswith(".") and not re.search(r"\.[cm]?[jt]sx?$|\.json$", name)
        for script in javascript.scripts(tree, join(app.base, folder))
        for name in javascript.imports(script)
    )


# --- Addresses -----------------------------------------------------------------------------------


def _addresses(app: App, package: Package) -> Iterator[Finding]:
    for table, name, version in _versions(package):
        path = re.match(r"(?:file|link|portal):(\.\./\S*|/\S*)", version)
        if path and not (isinstance(app.build, NodeBuild) and app.build.member):
            place = "the project" if app.directory == "." else f"{app.directory}/"
            yield _told(
                True,
                package,
                (table, name),
                f"{name} is {path[1]}, which lies outside of {place}: it does not enter the image.",
                f"Put it into {place} and write its path there, as in "
                f'"file:./{path[1].rstrip("/").rpartition("/")[2]}".',
            )
        elif _SSH.match(version):
            address = re.sub(r"^(git\+)?ssh://(git@)?|^git@", "git+https://", version)
            address = re.sub(r"(?<=[a-z]):(?![/0-9])", "/", address)
            yield _told(
                True,
                package,
                (table, name),
                f"{name} comes from a git repository over SSH, and the build of the image has no "
                "key for it.",
                f'Write "{address}" in its place, if everybody may read it, or publish it as a '
                "package.",
            )


def _registries(subject: Subject, app: App, build: NodeBuild) -> Iterator[Finding]:
    """Packages of a registry that asks for a login, where no settings of the project have one."""
    facts = subject.facts[app.kind]
    if facts.get("build_secrets") or facts.get("logins"):
        return
    names = (build.lockfile or "", *package_registries.FILES)
    for path in (join(app.base, name) for name in names if name):
        if not path.endswith(".lockb") and subject.tree.has(path):
            found = package_registries.host_with_login(subject.tree.read(path))
            if found is None:
                continue
            host, line = found
            modern = build.manager == "yarn" and not _is_first_yarn(build)
            mend = (
                f'Commit .yarnrc.yml with npmRegistries: {{"//{host}": {{npmAuthToken: '
                '"${NPM_TOKEN-}"}}'
                if modern
                else f'Commit .npmrc with "//{host}/:_authToken=${{NPM_TOKEN}}"'
            )
            yield Finding(
                _RULE,
                certain=False,
                seen=f"{where(path, line)}: packages come from {host}, which asks for a login, and "
                "nothing that is committed gives the build of the image one.",
                mend=f"{mend}, and run this again: the token is then a secret of the build.",
                path=path,
                line=line,
            )
            return


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
        if program in node_scripts.BUILDERS | node_scripts.GENERATORS:
            wanted = _source_manifests(tree, app, build)
            if not wanted:
                continue
            manifests = ",".join((*build.manifests, *wanted))
            yield _told(
                certain and program in node_scripts.BUILDERS,
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
    wanted = node_scripts.source_names(tree, app.directory, app.sources)
    return [name for name in wanted if name not in build.manifests]


def _lost_client(tree: Tree, app: App, build: NodeBuild, package: Package) -> Iterator[Finding]:
    """Prisma's client, where only the build script makes it: in node_modules of the build."""
    if "@prisma/client" not in package.table("dependencies") or build.outputs or build.generated:
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
        tree.has(join(app.base, "pnpm-workspace.yaml"))
        and "@prisma/client" in tree.read(join(app.base, "pnpm-workspace.yaml"))
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


def _not_approved(tree: Tree, app: App, build: NodeBuild, package: Package) -> Iterator[Finding]:
    """Packages that pnpm 10 and later install without their binaries."""
    version = leading_version((build.tool.package or "").rpartition("@")[2])
    if build.manager != "pnpm" or version is None or version.major < 10:
        return
    if pnpm.approvals(tree, app.base):
        return
    held = {name: str(v) for name, v in package.table("dependencies").items()}
    for name in sorted(COMPILED & held.keys()):
        if not is_whole(name, held[name]):
            folder = "" if app.base == "." else f"cd {app.base} && "
            yield _told(
                False,
                package,
                ("dependencies", name),
                f"{name} gets its binary by a script of its installation, and pnpm 10 runs those of"
                " approved packages alone.",
                f"{folder}pnpm approve-builds {name}",
            )
            return


def _other_platforms(tree: Tree, app: App, build: NodeBuild) -> Iterator[Finding]:
    """Binaries that the lockfile has for the system of who wrote it, and not for Linux."""
    if not build.lockfile or build.lockfile.endswith(".lockb"):
        return
    path = join(app.base, build.lockfile)
    try:
        text = tree.read(path)
    except ProjectError:
        return
    for match in re.finditer(r"([@\w][\w./-]*?[-/])(?:darwin|win32)-(?:arm64|x64)", text):
        name = match[1].rpartition("node_modules/")[2].lstrip("/")
        if f"{name}linux" not in text and not name.startswith(("fsevents", "node-")):
            line = text[: match.start()].count("\n") + 1
            yield Finding(
                _RULE,
                certain=False,
                seen=f"{where(path, line)}: it has no binary of {name.rstrip('-/')} for Linux, "
                "which the image needs.",
                mend=f"rm -rf {join(app.base, 'node_modules')} {path} && {build.manager} install",
                path=path,
                line=line,
            )
            return


# --- Versions of Node ----------------------------------------------------------------------------


def _node_version(tree: Tree, app: App, build: NodeBuild, package: Package) -> Iterator[Finding]:
    version = leading_version(ImageReference.parse(build.image).tag or "")
    if version is None:
        return
    for wanted in node_versions.asked(tree, app.directory):
        if takes(wanted.value, version.major):
            continue
        binding = wanted.reason in {"engines", "devEngines"}
        settings = join(app.base, ".npmrc")
        strict = tree.has(settings) and re.search(
            r"^engine-strict\s*=\s*true", tree.read(settings), re.MULTILINE
        )
        certain = wanted.reason == "devEngines" or (
            binding and (bool(strict) or build.manager == "pnpm" or _is_first_yarn(build))
        )
        asks = f'Node "{wanted.value}"' if binding else f"Node {wanted.value}"
        image = f"node:{node_versions.nearest(wanted.value, version.major) or version.major}-alpine"
        yield Finding(
            _RULE,
            certain,
            seen=f"{where(wanted.path or '', wanted.line)}: it asks for {asks}, and the image is "
            f"{build.image}.",
            mend=f"spinbox build --prod --set {app.kind}.image={image}",
            path=wanted.path,
            line=wanted.line,
        )
        return


def _is_first_yarn(build: NodeBuild) -> bool:
    return build.manager == "yarn" and (build.tool.package or "").startswith("yarn@")
