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
    migrations,
    node_scripts,
    node_source,
    own_variables,
    package_managers,
    package_registries,
    secret_files,
)
from ..environment_reads import Read
from ..environment_reads import javascript as environment_reads
from ..framework import Situation
from ..model import Address, App, Env, NodeBuild, Resources, Runtime, Tests, Tmpfs, Variable
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
    runs_workers=False,
    ignored=("**/node_modules", "**/.next", "**/coverage", "**/*.tsbuildinfo"),
    rank=1,
)
DEFAULT_PORT = 3000
# At the root, two apps can share the folder: what is only Python's stays out.
_PYTHON_ONLY = re.compile(r".*\.(py|toml|ini|cfg|txt)")


def settings(kind: str, title: str) -> tuple[Setting, ...]:
    """The keys of `--set` that every app on Node has."""
    managers = "|".join(package_managers.of(RUNTIME.name))
    return (
        *framework.settings(kind, title),
        Setting(f"{kind}.manager", managers, "Package manager"),
        Setting(f"{kind}.manager_version", "text", "Its version"),
        Setting(f"{kind}.lockfile", "text", "Its lockfile, or off"),
        Setting(f"{kind}.tests", "text", "Script that tests it, or off"),
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
    sources = _sources(project, folder, package)
    packages = node_source.read_packages(project.tree, folder, package)
    more = node_scripts.install_files(project.tree, folder, package)
    manifests = packages["manifests"]
    listed = dict.fromkeys((*manifests.value, *more))
    reads = _reads(project.tree, folder, entries)
    variables = own_variables.read(project.variables(folder), reads)
    names = variables["variables"].value
    return {
        **packages,
        **own,
        "manifests": replace(manifests, value=list(listed)),
        "tests": node_source.find_tests(project.tree, folder, package),
        "untyped": node_source.find_untyped(project.tree, folder, package),
        "sources": sources,
        **secret_files.read(project.tree, folder, sources.value),
        **migrations.find_in_app(RUNTIME.name, project.tree, folder),
        **variables,
        addresses.FIELD: addresses.read(project.tree, folder, names, reads),
    }


# Settings of tools that build, whose names begin with a dot, as the app's other settings do not.
_BUILD_SETTINGS = re.compile(
    r"\.(babelrc|swcrc|browserslistrc|postcssrc|sequelizerc|parcelrc)(\.\w+)?"
)
# The scripts that run in the build and in the image.
_IMAGE_SCRIPTS = ("build", "start", "start:prod")


def _sources(project: Project, folder: str, package: node_source.Package) -> Found[list[str]]:
    """What enters the image of an app at the root: also what its scripts and imports name."""
    tree = project.tree
    found = project.sources(folder, _PYTHON_ONLY)
    if folder != ".":
        return found
    tops = {path.split("/")[0] + ("/" if "/" in path else "") for path in tree.files}
    used = set(node_scripts.used_tops(tree, folder, package, *_IMAGE_SCRIPTS))
    used |= {top for top in tops if _BUILD_SETTINGS.fullmatch(top)}
    used |= _imported(tree, {top for top in tops - set(found.value) if top.endswith("/")})
    more = (used & tops) - {"package.json"} - {top for top in used if project.is_app_folder(top)}
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
    image_environment: tuple[tuple[str, str], ...] = (),
    environment: tuple[Env, ...] = (),
    arguments: tuple[Env, ...] = (),
    tmpfs: tuple[Tmpfs, ...] = (),
    variables: tuple[Variable, ...] = (),
    package: str | None = None,
    warnings: tuple[str, ...] = (),
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
        image_environment: What its image sets.
        environment: What its framework has set for its container.
        arguments: Variables baked into its image.
        tmpfs: Writable folders beside /tmp.
        variables: What whoever runs the stack sets for it.
        package: As in `App`.
        warnings: What the user should know.

    Raises:
        ProjectError: Nothing would enter its image.
    """
    manager = facts.get("manager") or "npm"
    lockfile = facts.get("lockfile")
    manifests = tuple(facts.get("manifests") or ["package.json"])
    tool = package_managers.get(manager).define(
        str(facts.get("manager_version") or ""), bool(lockfile)
    )
    secrets = tuple(facts.get("build_secrets") or ())
    if secrets:
        # Settings of registries name them: package managers may not start without.
        settings_files = tuple(file for file in package_registries.FILES if file in manifests)
        tool = replace(tool, leavings=(*tool.leavings, *settings_files))
    unset = "".join(f"{name}='' " for name in secrets)
    build = NodeBuild(
        image=facts.get("image") or RUNTIME.image,
        manager=manager,
        tool=tool,
        manifests=manifests,
        lockfile=lockfile,
        locking=package_managers.locking(RUNTIME.name, manager),
        build=f"{unset}{manager} run {script}{after_script}" if script else None,
        build_environment=build_environment,
        build_cache=build_cache,
        outputs=outputs,
        environment=image_environment,
        runs_tool=command[0] == manager,
    )
    named = framework.environment(facts)
    environment = (*named, *situation.connection, *environment)
    own = framework.own(facts, (*environment, *arguments), situation)
    calls = situation.beside_api and situation.first is not None
    built = addresses.built_in(facts, [env.name for env in arguments], calls=calls)
    tests = None
    if facts.get("tests"):
        tests = Tests((manager, "run", *shlex.split(facts["tests"])), (tool.install,))
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
        port=facts.get("port") or DEFAULT_PORT,
        health=facts.get("health"),
        environment=(*environment, *own.environment),
        passed_on=own.passed_on,
        filled=own.filled,
        addresses=own.addresses,
        build_arguments=arguments,
        built_addresses=built,
        build_secrets=secrets,
        keep=framework.kept(facts),
        services=situation.services,
        external=situation.external,
        volumes=situation.uploads if situation.first is None else (),
        tmpfs=(Tmpfs("/tmp"), *tmpfs),
        resources=Resources("512M"),
        tests=tests,
        variables=(
            *((framework.ENVIRONMENT,) if named else ()),
            *_for_browsers(variables, built, with_proxy=situation.choices.get("proxy") != "none"),
            *own.variables,
        ),
        package=package,
        warnings=(
            *warnings,
            *(_untyped(facts, situation) if script else ()),
            *framework.warnings(facts, situation),
        ),
    )


def _for_browsers(
    variables: tuple[Variable, ...], built: tuple[Address, ...], *, with_proxy: bool
) -> tuple[Variable, ...]:
    """The variables, those that are addresses with what they are filled with behind the proxy."""
    around = {address.name: address.around for address in built}
    made = []
    for variable in variables:
        if variable.name in around and (with_proxy or variable.public):
            address = framework.address_for_browsers(
                variable.name, variable.group, with_proxy, around[variable.name]
            )
            made.append(address)
        else:
            made.append(variable)
    return tuple(made)


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
