"""Apps that run on Node, whatever their framework."""

from __future__ import annotations

import re
import shlex
from collections.abc import Mapping, Sequence
from dataclasses import replace
from typing import Any

from .. import (
    addresses,
    framework,
    javascript,
    library_variables,
    limits,
    migrations,
    node_frameworks,
    node_scripts,
    node_source,
    node_system,
    node_versions,
    node_workspace,
    own_variables,
    package_managers,
    package_registries,
    prisma_client,
    secret_files,
)
from ..environment_reads import Read
from ..environment_reads import javascript as environment_reads
from ..framework import Situation
from ..model import App, Env, Member, NodeBuild, Runtime, Tests, Tmpfs, Variable
from ..node_workspace import Workspace
from ..origins import Fields, Found
from ..project import Project
from ..setting import Setting
from ..tree import Tree

RUNTIME = Runtime(
    name="node",
    title="Node",
    image="node:22-alpine",
    image_suffix="-alpine",
    version="22",
    interpreter="node",
    runs_workers=True,
    ignored=("**/node_modules", "**/.next", "**/coverage", "**/*.tsbuildinfo"),
    rank=1,
)
DEFAULT_PORT = 3000
# At the root, two apps can share the folder: what is only Python's stays out.
_PYTHON_ONLY = re.compile(r".*\.(py|toml|ini|cfg|txt)")


def fitting_image(tree: Tree, folder: str, image: Found[str | None]) -> Found[str | None]:
    """The image of `versions.conf`, or one with the version of Node that the app asks for."""
    return node_versions.fitting_image(tree, folder, image, RUNTIME.image)


def settings(kind: str, title: str) -> tuple[Setting, ...]:
    """The keys of `--set` that every app on Node has."""
    managers = "|".join(package_managers.of(RUNTIME.name))
    return (
        *framework.settings(kind, title),
        Setting(f"{kind}.manager", managers, "Package manager"),
        Setting(f"{kind}.manager_version", "text", "Its version"),
        Setting(f"{kind}.lockfile", "text", "Its lockfile, or off"),
        Setting(f"{kind}.tests", "text", "Script that tests it, or off"),
        Setting(
            f"{kind}.build_needs", "list", "Names of its variables that its build reads, or off"
        ),
        Setting(f"{kind}.migrate", "text", "Command that runs the migrations of its tool"),
    )


def package(project: Project, folder: str) -> node_source.Package:
    """The app's package.json; an empty one where there is none.

    Raises:
        ProjectError: It is not a JSON object.
    """
    return node_source.read_package_json(project.tree, folder) or node_source.NO_PACKAGE


def read(
    project: Project,
    folder: str,
    package: node_source.Package,
    entries: Sequence[str],
    own: Fields,
) -> Fields:
    """What every app on Node says of itself.

    Args:
        project: The project.
        folder: The app's.
        package: Its package.json.
        entries: The files that it begins with.
        own: What its framework says of it.

    Raises:
        ProjectError: A file that has to be read is broken.
    """
    workspace = node_workspace.of_app(project.tree, folder)
    places = node_workspace.places(workspace, folder) if workspace else {}
    migrating = migrations.find_in_app(RUNTIME.name, project.tree, folder, places)
    at = migrating["migrate_at"].value if "migrate_at" in migrating else None
    steps = migrating["migrate_files"].value if "migrate_files" in migrating else []
    top = workspace.top if workspace else folder
    top_package = node_source.read_package_json(project.tree, top) or node_source.NO_PACKAGE
    packages = node_source.read_packages(project.tree, top, top_package)
    more = node_scripts.install_files(project.tree, top, top_package)
    # Only where there are: most apps stand alone, and need nothing.
    members: Fields = {}
    installed = [package, top_package]
    if workspace:
        members = node_workspace.fields(project.tree, workspace, folder)
        more += node_workspace.manifests(project.tree, workspace, members["members"].value)
        installed += [workspace.members[member] for member in members["members"].value]
    if needs := node_system.find(project.tree, top, packages["lockfile"].value, installed):
        members["needs"] = Found(needs, "what dependencies need of the system")
    sources = _sources(project, folder, package, workspace, [] if at else steps)
    if at == ".":
        sources = replace(sources, value=sorted({*sources.value, *steps}))
    if workspace is None and node_scripts.installs_source(package):
        names = node_scripts.source_names(project.tree, folder, sources.value)
        # A file in a folder comes with the folder.
        inside = tuple(name for name in names if name.endswith("/"))
        more = [name for name in more if not name.startswith(inside)] + names
    manifests = packages["manifests"]
    listed = dict.fromkeys((*manifests.value, *more))
    reads = _reads(project.tree, folder, entries)
    known = {read.name for read in reads if read.required}
    libraries = library_variables.reads(project.tree, folder, package)
    reads += [read for read in libraries if read.name not in known]
    variables = own_variables.read(project.variables(folder), reads)
    names = variables["variables"].value
    return {
        **packages,
        **own,
        **members,
        "manifests": replace(manifests, value=list(listed)),
        "tests": node_source.find_tests(project.tree, folder, package),
        "untyped": node_source.find_untyped(project.tree, folder, package),
        "sources": sources,
        **secret_files.read(project.tree, folder, sources.value),
        **migrating,
        **_client(project.tree, folder, package, places),
        **variables,
        addresses.FIELD: addresses.read(project.tree, folder, names, reads),
    }


def _client(
    tree: Tree, folder: str, package: node_source.Package, places: Mapping[str, str]
) -> Fields:
    """Prisma's client of an app, or else of a package of its workspace that it needs."""
    if found := prisma_client.read(tree, folder, node_workspace.with_top(tree, folder, package)):
        return found
    for at, place in places.items():
        own = node_source.read_package_json(tree, place) or node_source.NO_PACKAGE
        whole = node_workspace.with_top(tree, place, own)
        if found := prisma_client.read(tree, place, whole):
            return {**found, "prisma_at": replace(found["prisma_place"], value=at)}
    return {}


# Settings of tools that build, whose names begin with a dot, as the app's other settings do not.
_BUILD_SETTINGS = re.compile(
    r"\.(babelrc|swcrc|browserslistrc|postcssrc|sequelizerc|parcelrc)(\.\w+)?"
)
# The scripts that run in the build and in the image.
_IMAGE_SCRIPTS = ("build", "start", "start:prod")


def _sources(
    project: Project,
    folder: str,
    package: node_source.Package,
    workspace: Workspace | None,
    steps: Sequence[str],
) -> Found[list[str]]:
    """What enters the image of an app at the root: also what its scripts and imports name.

    Of a member of a workspace it is what lies at the top and belongs to no member. `steps` are
    files of its migrations, and folders (ending in `/`).
    """
    tree = project.tree
    found = project.sources(folder, _PYTHON_ONLY)
    if folder != "." and workspace:
        return node_workspace.shared(tree, workspace, folder)
    if folder != ".":
        return found
    tops = {path.split("/")[0] + ("/" if "/" in path else "") for path in tree.files}
    used = set(node_scripts.used_tops(tree, folder, package, *_IMAGE_SCRIPTS))
    used |= {top for top in tops if _BUILD_SETTINGS.fullmatch(top)}
    used |= {path.split("/")[0] + ("/" if "/" in path else "") for path in steps}
    used |= _imported(tree, {top for top in tops - set(found.value) if top.endswith("/")})
    # What a script goes into is part of the app, though it has dependencies of its own.
    commands = (c for name in _IMAGE_SCRIPTS for c in node_scripts.commands(package, name))
    entered = {node_scripts.entered(command) for command in commands}
    others = {top for top in used - entered if project.is_app_folder(top)}
    more = (used & tops) - {"package.json"} - others
    more = {top for top in more if not secret_files.matching(top)}
    return replace(found, value=sorted({*found.value, *more}))


def _imported(tree: Tree, tops: set[str]) -> set[str]:
    """Those of these top folders that source outside of them imports from."""
    return {
        top
        for script in javascript.scripts(tree, ".")
        for top in tops
        if top in script.text and not script.path.startswith(tuple(tops))
        for name in javascript.imports(script)
        if (javascript.resolve(tree, ".", script.path, name) or "").startswith(top)
    }


# What no app loads reads variables of tools: configuration of tests and linters, seeds.
_OF_TOOLS = re.compile(r"(^|/)(scripts|seeds?|migrations|tools)/|(^|/)seed\.|\.config\.\w+$")


def _reads(tree: Tree, folder: str, entries: Sequence[str]) -> list[Read]:
    """Where the app's code reads variables."""
    loaded = javascript.reachable(tree, folder, list(entries))
    return [
        read
        for read in environment_reads.reads(tree, folder, entries)
        if read.path in loaded or not _OF_TOOLS.search(read.path)
    ] + [
        read
        for place, begins in node_workspace.beside(tree, folder)
        for read in environment_reads.reads(tree, place, begins)
        if not _OF_TOOLS.search(read.path)
    ]


def define(
    facts: Mapping[str, Any],
    situation: Situation,
    command: tuple[str, ...],
    *,
    script: str | None,
    after_script: str = "",
    build_environment: tuple[tuple[str, str], ...] = (),
    build_cache: tuple[str, str] | None = None,
    outputs: tuple[tuple[str, str], ...] = (),
    with_dependencies: bool = False,
    image_environment: tuple[tuple[str, str], ...] = (),
    environment: tuple[Env, ...] = (),
    arguments: tuple[Env, ...] = (),
    tmpfs: tuple[Tmpfs, ...] = (),
    variables: tuple[Variable, ...] = (),
    package: str | None = None,
    warnings: tuple[str, ...] = (),
    serves: bool = True,
    job: bool = False,
    bundles: bool = False,
) -> App:
    """The app of the stack.

    Args:
        facts: Its facts.
        situation: What it is made from beside them.
        command: What runs, without a shell.
        script: The script of package.json that builds it; None for none.
        after_script: What else a shell does then.
        build_environment: As in `NodeBuild`, like `build_cache` and `outputs`.
        build_cache: See there.
        outputs: See there.
        with_dependencies: See there.
        image_environment: What its image sets.
        environment: What its framework has set for its container.
        arguments: Variables baked into its image.
        tmpfs: Writable folders beside /tmp.
        variables: What whoever runs the stack sets for it.
        package: As in `App`.
        warnings: What the user should know.
        serves: It has a port.
        job: It ends by itself.
        bundles: It renders pages, which its build makes.

    Raises:
        ProjectError: Nothing would enter its image.
    """
    manager = facts.get("manager") or "npm"
    lockfile = facts.get("lockfile")
    manifests = tuple(facts.get("manifests") or ["package.json"])
    tool = package_managers.get(manager).define(
        str(facts.get("manager_version") or ""), bool(lockfile)
    )
    needs = tuple(facts.get("needs") or ())
    image = facts.get("image") or RUNTIME.image
    member = _member(facts, manifests)
    if member:
        names = tuple(facts.get("package_names") or ())
        tool = package_managers.get(manager).in_workspace(tool, member, names)
    secrets = tuple(facts.get("build_secrets") or ())
    if secrets:
        # Settings of registries name them: package managers may not start without.
        settings_files = tuple(file for file in package_registries.FILES if file in manifests)
        tool = replace(tool, leavings=(*tool.leavings, *settings_files))
    unset = "".join(f"{name}='' " for name in secrets)
    asked = list(facts.get("prisma_needs") or ())
    client = facts.get("prisma_client")
    at = facts.get("prisma_at") or (member.folder if member else ".")
    if client and at != ".":
        client = f"cd {shlex.quote(at)} && {prisma_client.with_variables(client, asked)}"
    elif client:
        client = prisma_client.with_variables(client, asked)
    installed = facts.get("prisma_place") == "installed"
    steps = [f"({client})" if member else client] if client and not installed else []
    steps += [
        prisma_client.with_variables(step, asked)
        for step in _build_steps(facts, manager, member, script)
    ]
    steps = [unset + step if not step.startswith("(") else step for step in steps]
    # Its engines choose their files by the version of OpenSSL that they find.
    engines = ("openssl",) if facts.get("prisma_place") else ()
    build = NodeBuild(
        image=image,
        manager=manager,
        tool=tool,
        manifests=manifests,
        lockfile=lockfile,
        locking=package_managers.locking(RUNTIME.name, manager),
        build_packages=(*engines, *node_system.packages(needs, image, run=False)),
        runtime_packages=(*engines, *node_system.packages(needs, image, run=True)),
        build=" \\\n    && ".join(steps) + (after_script if script else "") if steps else None,
        build_environment=(*build_environment, *_builder_environment(facts)),
        build_cache=build_cache,
        bundles=bundles or bool(facts.get("bundles")),
        outputs=outputs,
        with_dependencies=with_dependencies,
        environment=image_environment,
        runs_tool=command[0] == manager,
        generate=client if client and installed else None,
        generated=".prisma" if installed else None,
        member=member,
    )
    named = framework.environment(facts)
    environment = (*named, *situation.connection, *environment)
    own = framework.own(facts, (*environment, *arguments), situation)
    calls = situation.beside_api and situation.first is not None
    built = addresses.built_in(facts, [env.name for env in arguments], calls=calls)
    stack_gives = {url: service.name for service in situation.backing for url in service.urls}
    build_needs = [name for name in facts.get("build_needs") or () if script]
    filled = dict(own.filled)
    # The entrypoint makes these where the image runs: while it is built nothing connects.
    made = [name for name in build_needs if name in stack_gives or name in filled]
    needed = tuple(name for name in build_needs if name not in made and name not in secrets)
    if made and build.build:
        stand_ins = "".join(
            f"{name}={_stand_in(name, filled.get(name, name), stack_gives)} " for name in made
        )
        told = build.build.replace(f"{manager} run", f"{stand_ins}{manager} run")
        build = replace(build, build=told)
    tests = None
    if facts.get("tests"):
        tests = Tests(
            (manager, "run", *shlex.split(facts["tests"])),
            _test_install(facts, manager, member, tool.install),
        )
    return App(
        name=situation.service,
        kind=situation.kind,
        title=situation.title,
        runtime=RUNTIME,
        directory=facts["dir"],
        dockerfile=situation.dockerfile,
        sources=framework.sources(facts, situation),
        env_production=bool(facts.get("env_production")),
        build=build,
        command=command,
        port=(facts.get("port") or DEFAULT_PORT) if serves else None,
        health=facts.get("health") if serves else None,
        job=job,
        environment=(*environment, *own.environment),
        passed_on=own.passed_on,
        filled=own.filled,
        addresses=own.addresses,
        build_arguments=arguments,
        built_addresses=built,
        build_secrets=(*secrets, *needed),
        build_needs=needed,
        keep=framework.kept(facts),
        services=situation.services,
        external=situation.external,
        volumes=tuple(
            framework.volumes(
                facts, situation.uploads if situation.first is None else (), situation.service
            )
        ),
        tmpfs=(Tmpfs("/tmp"), *tmpfs),
        resources=limits.LARGE_APP if bundles or facts.get("large") else limits.APP,
        tests=tests,
        variables=(*((framework.ENVIRONMENT,) if named else ()), *variables, *own.variables),
        package=package,
        warnings=(
            *warnings,
            *(_untyped(facts, situation) if script else ()),
            *framework.warnings(facts, situation),
        ),
    )


_ADDRESSES = {
    "postgres": "postgresql://build:build@localhost:5432/build",
    "mongodb": "mongodb://localhost:27017/build",
    "redis": "redis://localhost:6379/0",
}


def _stand_in(name: str, source: str, services: Mapping[str, str]) -> str:
    """A value of the right form for what only the running container knows."""
    return _ADDRESSES.get(services.get(source, ""), own_variables.stand_in(name))


def built_in(
    facts: Mapping[str, Any], prefixes: tuple[str, ...]
) -> tuple[tuple[Env, ...], tuple[Variable, ...]]:
    """The app's own variables that its build puts into pages, by what their names begin with."""
    names = node_frameworks.public_names(facts, prefixes)
    required = set(facts.get("required") or ()) - set(facts.get("optional") or ())
    return (
        tuple(Env(name, variable=name) for name in names),
        tuple(
            Variable(name, "App (built into its image)", "", required=name in required, build=True)
            for name in names
        ),
    )


def _member(facts: Mapping[str, Any], manifests: tuple[str, ...]) -> Member | None:
    if facts.get("workspace") is None:
        return None
    built = tuple(facts.get("members") or ())
    packages = (path.rpartition("/")[0] for path in manifests if path.endswith("/package.json"))
    return Member(
        facts["workspace"],
        facts.get("member") or ".",
        built,
        tuple(facts.get("runs") or ()),
        tuple(folder for folder in packages if folder not in built),
    )


def member_prefix(facts: Mapping[str, Any]) -> str:
    """What paths in the app's folder begin with in its image, below /app; as `Member.prefix`."""
    folder = facts.get("member") or "."
    return "" if folder == "." else f"{folder}/"


def _build_steps(
    facts: Mapping[str, Any], manager: str, member: Member | None, script: str | None
) -> list[str]:
    """The commands that build an app, after what it needs of its workspace."""
    if member is None:
        return [f"{manager} run {script}"] if script else []
    names = tuple(facts.get("package_names") or ())
    own = names[-1] if names and member.folder != "." else ""
    if own and script == "build" and (builder := facts.get("builder")):
        if builder == "turbo":
            # Strictly, it would keep from builds what turbo.json does not name.
            return [f"npx turbo run {script} --filter={shlex.quote(own)} --env-mode=loose"]
        return [f"npx nx run {shlex.quote(f'{own}:{script}')}"]
    module = package_managers.get(manager)
    steps = [module.run_in(folder, "build") for folder in facts.get("builds") or ()]
    if script:
        top = member.folder == "."
        steps.append(f"{manager} run {script}" if top else module.run_in(member.folder, script))
    return steps


def _builder_environment(facts: Mapping[str, Any]) -> tuple[tuple[str, str], ...]:
    return {
        "turbo": (("TURBO_TELEMETRY_DISABLED", "1"),),
        "nx": (("NX_DAEMON", "false"), ("NX_NO_CLOUD", "true")),
    }.get(facts.get("builder") or "", ())


def _test_install(
    facts: Mapping[str, Any], manager: str, member: Member | None, install: str
) -> tuple[str, ...]:
    """What a pipeline runs in the app's folder before its tests."""
    if member is None:
        return (install,)
    builds = (
        package_managers.get(manager).run_in(folder, "build")
        for folder in facts.get("builds") or ()
    )
    if member.folder == ".":
        return (install, *builds)
    up = "/".join([".."] * len(member.folder.split("/")))
    return tuple(f"(cd {up} && {command})" for command in (install, *builds))


def _untyped(facts: Mapping[str, Any], situation: Situation) -> tuple[str, ...]:
    names = list(facts.get("untyped") or ())
    if not names:
        return ()
    packages = " ".join(f"@types/{name}" for name in names)
    add = {"npm": "npm install --save-dev"}.get(manager := facts.get("manager") or "npm")
    folder = "" if facts["dir"] == "." else f"cd {shlex.quote(facts['dir'])} && "
    return (
        f"The build of the {situation.title} app will stop at TS7016, as {' and '.join(names)} "
        f"{'comes' if len(names) == 1 else 'come'} without types: {folder}"
        f"{add or f'{manager} add --dev'} {packages}",
    )
