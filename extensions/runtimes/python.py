"""Apps in Python, whatever their framework."""

from __future__ import annotations

import re
import shlex
from collections.abc import Collection, Mapping, Sequence
from dataclasses import dataclass, replace
from typing import Any

from .. import (
    addresses,
    database_driver,
    framework,
    limits,
    migrations,
    name_prefixes,
    own_variables,
    package_managers,
    python_packages,
    python_program,
    python_programs,
    python_servers,
    python_source,
    python_state,
    python_version,
    quoting,
    secret_files,
    workers,
)
from ..container import HOME
from ..environment_reads import Read
from ..environment_reads import python as environment_reads
from ..framework import Situation
from ..model import (
    App,
    BuildStep,
    Env,
    PythonBuild,
    Runtime,
    Tests,
    Tmpfs,
    Variable,
    Volume,
)
from ..origins import Fields, Found, line_at
from ..project import Project
from ..python_dependencies import CACHES, CUDA, MODEL_LIBRARIES, TORCH_LIBRARIES, system_packages
from ..setting import Setting
from ..tree import Tree

RUNTIME = Runtime(
    name="python",
    title="Python",
    image="python:3.13-slim",
    image_suffix="-slim",
    version="3.13",
    interpreter="python",
    runs_workers=True,
    ignored=(
        "**/.venv",
        "**/venv",
        "**/__pycache__",
        "**/*.py[cod]",
        "**/.mypy_cache",
        "**/.pytest_cache",
        "**/.ruff_cache",
        "**/.coverage",
        "**/htmlcov",
    ),
    rank=0,
)
# At the root, two apps can share the folder: what is only Node's stays out.
_NODE_ONLY = re.compile(r"tsconfig.*|.*\.config\.\w+|.*\.(ts|js|mjs|cjs|tsbuildinfo)|public")


@dataclass(frozen=True)
class Web:
    """What is peculiar to an app of a web framework.

    Attributes:
        title: The framework's name, where its module is that of several.
        servers: Packages of its server that the project's own list leaves out.
        steps: What is run while its image is built.
        told: What its image tells it by the environment.
        volumes: Where it keeps what users upload.
        alone: Browsers have to reach one and the same process.
        warnings: What the user should know, one sentence each.
    """

    title: str = ""
    servers: tuple[str, ...] = ()
    steps: tuple[BuildStep, ...] = ()
    told: tuple[tuple[str, str], ...] = ()
    volumes: tuple[Volume, ...] = ()
    alone: bool = False
    warnings: tuple[str, ...] = ()


NO_WEB = Web()


def settings(kind: str, title: str) -> tuple[Setting, ...]:
    """The keys of `--set` that every Python app has."""
    managers = "|".join(package_managers.of(RUNTIME.name))
    return (
        *framework.settings(kind, title),
        Setting(f"{kind}.manager", managers, "Package manager"),
        Setting(
            f"{kind}.libraries", "list", "Dependencies that need system packages, and the like"
        ),
        Setting(f"{kind}.source_root", "text", "Folder that modules are imported from"),
        Setting(
            f"{kind}.package", "list", "Files that installing the project itself reads, or off"
        ),
        Setting(
            f"{kind}.models", "boolean", "Whether a volume keeps the models that libraries download"
        ),
        Setting(f"{kind}.groups", "list", "Groups of dependencies beside the main ones"),
        Setting(f"{kind}.extras", "list", "The project's extras that are installed"),
        Setting(
            f"{kind}.driver",
            "|".join((*database_driver.DRIVERS, database_driver.NONE)),
            "Driver that URLs of PostgreSQL name",
        ),
        Setting(f"{kind}.worker", "text", "Command of the background worker, or off"),
        Setting(f"{kind}.scheduler", "text", "Command that starts its scheduled jobs, or off"),
        Setting(f"{kind}.tests", "text", "Command that tests it, or off"),
        Setting(f"{kind}.test_requirements", "list", "Requirements files for tests alone"),
    )


def fitting_image(tree: Tree, folder: str, image: Found[str | None]) -> Found[str | None]:
    """The image of `versions.conf`, or the nearest one with the Python that an app asks for."""
    return python_version.fitting_image(tree, folder, image, RUNTIME.image)


def modules(project: Project, folder: str) -> tuple[list[python_source.Module], str | None]:
    """The app's source, and one sentence about the first file that is not valid, or None."""
    skipped = project.service_folders if folder == "." else frozenset()
    return python_source.parse_modules(project.tree, folder, skipped)


def read(
    project: Project,
    folder: str,
    modules: list[python_source.Module],
    libraries: Collection[str] = (),
    *,
    command: Sequence[str] = (),
    more: Sequence[Read] = (),
) -> Fields:
    """What every Python app says of itself.

    Args:
        project: The project.
        folder: The app's.
        modules: Its source.
        libraries: Dependencies that matter to its framework, to be among its `libraries`.
        command: The command line that runs it, as far as that is known; else empty.
        more: Where its framework knows of variables that are read, beside what its syntax says.

    Raises:
        ProjectError: A file that has to be read is broken.
    """
    tree = project.tree
    packages = python_packages.read_packages(tree, folder, libraries)
    packages = python_packages.with_programs(packages, python_programs.find(modules))
    others = set(project.service_folders) if folder == "." else set()
    if folder == ".":
        tops = {path.split("/")[0] for path in tree.files if "/" in path}
        others |= {top for top in tops if project.is_app_folder(top)}
    sources = project.sources(folder, _NODE_ONLY)
    worker, scheduler = workers.find(modules), workers.find_scheduler(modules)
    migrating = migrations.find_in_app(RUNTIME.name, tree, folder)
    if any(found.value for found in migrating.values()):
        migrating |= _sqlite(modules)
    commands = [command, *(shlex.split(line.value or "") for line in (worker, scheduler))]
    scripts = migrations.environments(migrating)
    reads = environment_reads.reads(tree, folder, modules, commands, scripts)
    known = {(one.name, one.path, one.line) for one in reads}
    reads += [one for one in more if (one.name, one.path, one.line) not in known]
    variables = own_variables.read(project.variables(folder), reads)
    names, prefixes = variables["variables"].value, name_prefixes.read(modules)
    return {
        **packages,
        **python_packages.find_tests(tree, folder, packages, others),
        "sources": sources,
        **secret_files.read(project.tree, folder, sources.value),
        "worker": worker,
        "scheduler": scheduler,
        **migrating,
        "driver": database_driver.find(tree, folder, modules, packages["libraries"].value),
        **_state(tree, folder, modules, command),
        **variables,
        name_prefixes.FIELD: prefixes,
        addresses.FIELD: addresses.read(tree, folder, names, reads, prefixes.value),
    }


def _sqlite(modules: list[python_source.Module]) -> Fields:
    """That it can have its database in a file; nothing where no code says so."""
    for module in modules:
        if (place := module.text.find("sqlite")) >= 0:
            line = line_at(module.text, place)
            return {"sqlite": Found(True, "SQLite", module.path, line)}
    return {}


def _state(
    tree: Tree, folder: str, modules: list[python_source.Module], command: Sequence[str]
) -> Fields:
    """What its process keeps in memory, where a server may start several; else nothing."""
    if command[:1] not in (("uvicorn",), ("gunicorn",)):
        return {}
    program = python_program.of(tree, folder, modules)
    # Django's applications are named by its settings.
    by_settings = tree.first(folder, "manage.py") is not None
    found = python_state.find(program, folder, command, all_modules=by_settings)
    return {python_state.FIELD: found} if found else {}


def define(
    facts: Mapping[str, Any],
    situation: Situation,
    command: tuple[str, ...],
    *,
    job: bool = False,
    environment: tuple[Env, ...] = (),
    serving: tuple[Env, ...] = (),
    variables: tuple[Variable, ...] = (),
    cautions: tuple[str, ...] = (),
    web: Web = NO_WEB,
) -> App:
    """The app of the stack.

    Args:
        facts: Its facts.
        situation: What it is made from beside them.
        command: What runs, without a shell.
        job: It ends by itself.
        environment: What its framework has set for it.
        serving: The same of its server, set last.
        variables: What whoever runs the stack sets for it.
        cautions: What to look after where it can be reached.
        web: What is peculiar to an app of a web framework.

    Raises:
        ProjectError: Nothing would enter its image.
    """
    choices = situation.choices
    libraries = set(facts.get("libraries", ()))
    names = {service.name for service in situation.backing}
    manager = facts.get("manager")
    with_torch = bool(libraries & TORCH_LIBRARIES)
    warnings = []
    if CUDA in libraries and with_torch and not choices.get("gpu"):
        warnings.append(
            "The lockfile decides which PyTorch is installed, with several GB of CUDA libraries "
            "by default: point it at PyTorch's CPU index and lock again."
        )
    models = bool(libraries & MODEL_LIBRARIES)
    if facts.get("models") is not None:
        models = facts["models"]
    resources = limits.of_python(libraries, models=models)
    image = facts.get("image") or RUNTIME.image
    needed = system_packages(image)
    packages = [
        needed[name]
        for name in sorted(libraries)
        if name in needed and not (name == "psycopg" and "psycopg-binary" in libraries)
    ]
    manifests = tuple(facts.get("manifests", ()))
    build = PythonBuild(
        image=image,
        manager=manager,
        manifests=manifests,
        locking=package_managers.locking(RUNTIME.name, manager),
        additions=workers.additions(libraries, names),
        build_packages=tuple(sorted({name for build, _ in packages for name in build})),
        runtime_packages=tuple(sorted({name for _, run in packages for name in run})),
        cpu_torch=manager == "pip" and with_torch and not choices.get("gpu"),
        source_root=facts.get("source_root", "."),
        servers=web.servers,
        steps=web.steps,
        environment=(
            *(python_servers.share(resources) if serving else ()),
            *web.told,
        ),
        package=tuple(facts.get("package") or ()),
        package_version=facts.get("package_version") or "",
        asked=bool(facts.get("asked")),
        groups=None if facts.get("groups") is None else tuple(facts["groups"]),
        extras=tuple(facts.get("extras") or ()),
        locked_by=facts.get("locked_by") or "",
        unhashed="git" in libraries or any(path.endswith("/") for path in manifests),
    )
    caches = tuple(
        Env(name, f"{HOME}/.cache/{folder}".rstrip("/"))
        for library, (name, folder) in CACHES.items()
        if models and library in libraries
    )
    named = () if framework.ENVIRONMENT in variables else framework.environment(facts)
    environment = (
        *named,
        *environment,
        *caches,
        *situation.connection,
        *_drivers(facts, libraries, names),
        *serving,
    )
    own = framework.own(facts, environment, situation)
    uploads = situation.uploads or web.volumes
    volumes = tuple(framework.volumes(facts, uploads, situation.service))
    if models and f"{HOME}/.cache" not in {v.path for v in volumes}:
        volumes += (Volume("models", f"{HOME}/.cache", "Models that libraries download"),)
    app = App(
        name=situation.service,
        kind=situation.kind,
        title=web.title or situation.title,
        runtime=RUNTIME,
        directory=facts["dir"],
        dockerfile=situation.dockerfile,
        sources=framework.sources(facts, situation),
        build=build,
        command=command,
        port=None if job else facts.get("port"),
        health=facts.get("health"),
        job=job,
        environment=(*environment, *own.environment),
        passed_on=own.passed_on,
        filled=own.filled,
        addresses=own.addresses,
        build_secrets=tuple(facts.get("build_secrets") or ()),
        keep=framework.kept(facts),
        services=situation.services,
        external=situation.external,
        routes=framework.routes(facts, situation),
        volumes=volumes,
        tmpfs=(Tmpfs("/tmp", "128m"),),
        resources=resources,
        gpu=bool(choices.get("gpu")),
        alone=web.alone or bool(facts.get(python_state.FIELD)),
        tests=_tests(facts, libraries, build),
        variables=(*((framework.ENVIRONMENT,) if named else ()), *variables, *own.variables),
        cautions=cautions,
        warnings=(*warnings, *web.warnings, *framework.warnings(facts, situation)),
    )
    if first := migrations.before_start(app, facts):
        told = Env("MIGRATE_FIRST", quoting.shell_words(first))
        return replace(app, environment=(told, *app.environment))
    return app


def _drivers(facts: Mapping[str, Any], libraries: set[str], services: set[str]) -> tuple[Env, ...]:
    """The driver is named, since a bare postgresql:// means another one from SQLAlchemy 2.1 on."""
    if "postgres" not in services:
        return ()
    found = facts.get("driver")
    if found and found != database_driver.NONE:
        return (Env("SQLALCHEMY_DRIVER", found), Env("DATABASE_DRIVER", found))
    # What SQLAlchemy alone reads.
    names = {name.removesuffix("-binary") for name in libraries}
    driver = next((name for name in ("psycopg2", "psycopg", "asyncpg") if name in names), None)
    return (Env("SQLALCHEMY_DRIVER", driver),) if driver else ()


def _tests(facts: Mapping[str, Any], libraries: set[str], build: PythonBuild) -> Tests | None:
    if not facts.get("tests"):
        return None
    command = tuple(shlex.split(facts["tests"]))
    requirements = tuple(facts.get("test_requirements", ()))
    install = ["uv venv --clear"]
    if build.manager:
        manager = package_managers.get(build.manager)
        install.append(manager.test_install(build.manifests, requirements))
        if build.package and build.manager in {"pip", "pipenv"}:
            install.append("uv pip install --no-deps --editable .")
    # A file for tests that declares pytest itself may ask for a version of its own.
    if "pytest" in command and "pytest" not in libraries and not requirements:
        install.append("uv pip install pytest")
    return Tests(command, tuple(install), ". .venv/bin/activate", requirements)
