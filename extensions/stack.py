"""Facts and choices -> the stack. Pure: what is stored in the answers file decides alone."""

from __future__ import annotations

import re
import shlex
from collections.abc import Mapping
from typing import Any

from . import migrations, python_packages, services
from .errors import ProjectError
from .facts import Facts
from .model import (
    App,
    BackingService,
    Env,
    Migrations,
    NodeBuild,
    PythonBuild,
    Resources,
    Stack,
    Tests,
    Tmpfs,
    Variable,
    Volume,
    Worker,
    password,
)
from .services import postgres
from .settings import check_facts, check_overrides, lay_over

# The user that every image of ours runs as: numeric, so that Kubernetes can tell it is not root.
UID = 10001
_HOME = "/home/app"
# How long a container may take to finish its requests; the server itself stops before that.
GRACE_SECONDS = 30
# Where the proxy takes requests of one app to another; built into images, so alike everywhere.
INNER_HOST = "api"
INNER_PORT = 8000

_TITLES = {"fastapi": "FastAPI", "python": "Python", "nextjs": "Next.js", "node": "Node"}
_RUNTIMES = {"python": ("fastapi", "python"), "node": ("nextjs", "node")}
_DEFAULT_IMAGES = {"python": "python:3.13-slim", "node": "node:22-alpine"}
_INSTALL = {
    ("npm", True): "npm ci --no-audit --no-fund",
    ("npm", False): "npm install --no-audit --no-fund",
    ("pnpm", True): "pnpm install --frozen-lockfile",
    ("pnpm", False): "pnpm install",
    ("yarn", True): "yarn install --frozen-lockfile",
    ("yarn", False): "yarn install",
    ("bun", True): "bun install --frozen-lockfile",
    ("bun", False): "bun install",
}
_PRUNE = {
    "npm": "npm prune --omit=dev --no-audit --no-fund",
    "pnpm": "pnpm prune --prod",
    "yarn": "yarn install --production --ignore-scripts --prefer-offline",
    "bun": "rm -rf node_modules && bun install --production",
}
_CACHES = {
    "npm": "/root/.npm",
    "pnpm": "/root/.local/share/pnpm/store",
    "yarn": "/usr/local/share/.cache/yarn",
    "bun": "/root/.bun/install/cache",
}
# Yarn 2 and later, whose settings these variables overrule (yarnpkg.com/configuration/yarnrc):
# dependencies in a folder that can be copied, what is downloaded outside of the project, and the
# Yarn that npm installed.
_MODERN_YARN = (
    ("YARN_NODE_LINKER", "node-modules"),
    ("YARN_ENABLE_GLOBAL_CACHE", "true"),
    ("YARN_IGNORE_PATH", "true"),
)
_MODERN_YARN_CACHE = "/root/.yarn/berry/cache"


def build_stack(facts: Facts, overrides: Mapping[str, Any], choices: Mapping[str, Any]) -> Stack:
    """Derive all that runs in production.

    Args:
        facts: What `read_facts` found.
        overrides: What the user set by hand, by `--set` key.
        choices: `runtime` (`auto`, `python`, `node`), `proxy`, `gpu`, `uploads`.

    Raises:
        ProjectError: Nothing to deploy, or something only the user can decide; it says how.
    """
    check_facts(facts)
    facts = lay_over(facts, check_overrides(overrides))
    name = _project_name(facts["name"])
    kinds = _app_kinds(facts, choices.get("runtime", "auto"))
    backing = tuple(services.define(n, facts[n], name) for n in services.NAMES if n in facts)
    warnings: list[str] = []

    # Next.js beside an API leaves the databases to it.
    has_api = any(kind in _RUNTIMES["python"] and not _is_job(kind, facts[kind]) for kind in kinds)
    apps: list[App] = []
    for position, kind in enumerate(kinds):
        service = "app" if position == 0 else "frontend" if kind == "nextjs" else "node"
        make = _python_app if kind in _RUNTIMES["python"] else _node_app
        uses = () if kind == "nextjs" and has_api else backing
        beside_api = has_api and len(kinds) > 1
        apps.append(make(service, kind, facts[kind], uses, beside_api, choices, warnings))

    primary = facts[kinds[0]]
    worker = _worker(apps[0], primary.get("worker"))
    with_proxy = choices.get("proxy") != "none" and any(a.port and not a.job for a in apps)
    return Stack(
        name=name,
        apps=tuple(apps),
        worker=worker,
        services=tuple(service for service in backing if not service.external),
        external=tuple(service for service in backing if service.external),
        migrations=_migrations(apps, facts),
        variables=_variables(apps, backing, with_proxy),
        with_proxy=with_proxy,
        warnings=tuple(warnings),
    )


def _is_job(kind: str, facts: Mapping[str, Any]) -> bool:
    return kind == "python" and facts.get("mode", "job") == "job"


def _project_name(name: object) -> str:
    """A name that Compose, an image reference and a host name all take."""
    slug = re.sub(r"[^a-z0-9]+", "-", str(name).lower()).strip("-")
    if not slug:
        raise ProjectError(
            "The project's name has no letter or digit: set PROJECT_NAME in .config/project.conf, "
            "or use --set name=NAME."
        )
    return slug[:50].strip("-")


def _app_kinds(facts: Facts, runtime: str) -> list[str]:
    wanted = _RUNTIMES.get(runtime, (*_RUNTIMES["python"], *_RUNTIMES["node"]))
    kinds = [kind for kind in wanted if kind in facts]
    if kinds:
        for kind in kinds:
            if facts[kind].get("dir") is None:
                raise ProjectError(
                    f"The project uses {_TITLES[kind]}, but no such app was found: name its folder "
                    f"with --set {kind}.dir=FOLDER, or leave it out with --set {kind}=off."
                )
        return kinds
    if runtime in _RUNTIMES:
        raise ProjectError(f"The project has no {runtime.capitalize()} app: use --target auto.")
    raise ProjectError(
        "There is nothing to deploy: the project has no FastAPI, Python, Next.js or Node app. "
        "Add one, for example with `spinbox add --fastapi`."
    )


def _python_app(
    service: str,
    kind: str,
    facts: Mapping[str, Any],
    backing: tuple[BackingService, ...],
    beside_api: bool,
    choices: Mapping[str, Any],
    warnings: list[str],
) -> App:
    libraries = set(facts.get("libraries", ()))
    names = {service.name for service in backing}
    manager = facts.get("manager")
    with_torch = bool(libraries & python_packages.TORCH_LIBRARIES)
    if with_torch and manager in python_packages.LOCKFILES and not choices.get("gpu"):
        warnings.append(
            "The lockfile decides which PyTorch is installed, with several GB of CUDA libraries "
            "by default: point it at PyTorch's CPU index and lock again."
        )
    packages = [
        python_packages.SYSTEM_PACKAGES[n]
        for n in sorted(libraries)
        if n in python_packages.SYSTEM_PACKAGES
    ]
    if "psycopg-binary" in libraries:
        packages = [p for p in packages if p != python_packages.SYSTEM_PACKAGES["psycopg"]]
    build = PythonBuild(
        image=facts.get("image") or _DEFAULT_IMAGES["python"],
        manager=manager,
        manifests=tuple(facts.get("manifests", ())),
        # Celery's Redis transport needs `packaging`, which its extra names; in development it works
        # without the extra, since pytest or black bring the package along.
        additions=("celery[redis]",) if "celery" in libraries and "redis" in names else (),
        build_packages=tuple(sorted({name for build, _ in packages for name in build})),
        runtime_packages=tuple(sorted({name for _, run in packages for name in run})),
        cpu_torch=manager == "pip" and with_torch and not choices.get("gpu"),
        source_root=facts.get("source_root", "."),
    )
    job = _is_job(kind, facts)
    port = None if job else facts.get("port")
    environment = [*_connection(backing), *_sqlalchemy(libraries, backing)]
    if kind == "fastapi":
        environment.insert(0, Env("SECRET_KEY", variable="SECRET_KEY"))
        environment.insert(1, Env("ENVIRONMENT", "production"))
        environment.append(Env("WEB_CONCURRENCY", variable="WEB_CONCURRENCY"))
        environment.append(Env("FORWARDED_ALLOW_IPS", variable="FORWARDED_ALLOW_IPS"))
    volumes = _app_volumes(choices)
    if libraries & python_packages.MODEL_LIBRARIES:
        volumes.append(Volume("models", f"{_HOME}/.cache", "Models that libraries download"))
    return App(
        name=service,
        kind=kind,
        title=_TITLES[kind],
        directory=facts["dir"],
        dockerfile="Dockerfile.prod",
        sources=_sources(kind, facts),
        build=build,
        command=_python_command(kind, facts, libraries),
        port=port,
        health=facts.get("health"),
        job=job,
        environment=tuple(environment),
        passed_on=_own_variables(facts, environment, backing),
        services=tuple(service.name for service in backing if not service.external),
        external=tuple(service.name for service in backing if service.external),
        routes=_routes(facts) if beside_api else (),
        volumes=tuple(volumes),
        tmpfs=(Tmpfs("/tmp", "128m"),),
        resources=Resources("1G" if libraries & python_packages.MODEL_LIBRARIES else "512M"),
        gpu=bool(choices.get("gpu")),
        tests=_python_tests(facts, libraries),
    )


def _node_app(
    service: str,
    kind: str,
    facts: Mapping[str, Any],
    backing: tuple[BackingService, ...],
    beside_api: bool,
    choices: Mapping[str, Any],
    warnings: list[str],
) -> App:
    manager = facts.get("manager") or "npm"
    version = facts.get("manager_version") or ("1" if manager == "yarn" else "")
    modern_yarn = manager == "yarn" and not re.match(r"[~^]?1(\D|$)", str(version))
    package = "@yarnpkg/cli-dist" if modern_yarn else manager
    build_script = "build" if kind == "nextjs" or facts.get("build") else None
    build = NodeBuild(
        image=facts.get("image") or _DEFAULT_IMAGES["node"],
        manager=manager,
        manager_package=f"{package}@{version}" if version else None,
        manifests=tuple(facts.get("manifests") or ["package.json"]),
        lockfile=facts.get("lockfile"),
        install=_node_install(manager, modern_yarn, bool(facts.get("lockfile"))),
        cache=_MODERN_YARN_CACHE if modern_yarn else _CACHES[manager],
        prune=_modern_yarn_prune(str(version)) if modern_yarn else _PRUNE[manager],
        build=f"{manager} run {build_script}" if build_script else None,
        standalone=kind == "nextjs" and facts.get("output") != "standalone",
        variables=_MODERN_YARN if modern_yarn else (),
        leavings=("node_modules", ".yarn") if modern_yarn else ("node_modules",),
    )
    if kind == "nextjs" and facts.get("output") == "export":
        raise ProjectError(
            "Next.js' output: 'export' writes static files, which this tool does not serve: use "
            "output: 'standalone', or leave the app out with --set nextjs=off."
        )
    port = facts.get("port") or 3000
    environment = [*_connection(backing)]
    arguments: list[Env] = []
    tmpfs = [Tmpfs("/tmp")]
    own = _own_variables(facts, environment, backing)
    if kind == "nextjs":
        arguments = [Env(name, variable=name) for name in own if name.startswith("NEXT_PUBLIC_")]
        own = tuple(name for name in own if not name.startswith("NEXT_PUBLIC_"))
        # Next.js keeps rendered pages and resized images there.
        tmpfs.append(Tmpfs("/app/.next/cache", "128m", UID))
        if beside_api:
            arguments.append(Env("BACKEND_URL", variable="BACKEND_URL"))
            environment.append(Env("BACKEND_URL", variable="BACKEND_URL"))
            own = tuple(name for name in own if name != "BACKEND_URL")
        if facts.get("env_production"):
            warnings.append(
                "The committed .env.production of the Next.js app enters its image: "
                "make sure that it holds no secret."
            )
    command = ("node", "server.js") if kind == "nextjs" else _node_command(facts)
    if facts.get("command") and kind == "nextjs":
        command = tuple(shlex.split(facts["command"]))
    return App(
        name=service,
        kind=kind,
        title=_TITLES[kind],
        directory=facts["dir"],
        dockerfile="Dockerfile.prod" if service == "app" else f"Dockerfile.{service}.prod",
        sources=_sources(kind, facts),
        env_production=bool(facts.get("env_production")),
        build=build,
        command=command,
        port=port,
        health=facts.get("health"),
        environment=tuple(environment),
        passed_on=own,
        build_arguments=tuple(arguments),
        services=tuple(service.name for service in backing if not service.external),
        external=tuple(service.name for service in backing if service.external),
        volumes=tuple(_app_volumes(choices) if service == "app" else ()),
        tmpfs=tuple(tmpfs),
        resources=Resources("512M"),
        tests=Tests((manager, "run", *shlex.split(facts["tests"]))) if facts.get("tests") else None,
    )


def _python_tests(facts: Mapping[str, Any], libraries: set[str]) -> Tests | None:
    if not facts.get("tests"):
        return None
    command = tuple(shlex.split(facts["tests"]))
    missing = "pytest" in command and "pytest" not in libraries
    requirements = tuple(facts.get("test_requirements", ()))
    # A file for tests that declares pytest itself may ask for a version of its own.
    additions = ("pytest",) if missing and not requirements else ()
    return Tests(command, requirements, additions)


def _python_command(kind: str, facts: Mapping[str, Any], libraries: set[str]) -> tuple[str, ...]:
    if facts.get("command"):
        return tuple(shlex.split(facts["command"]))
    entry = facts.get("entry")
    if kind == "python":
        if entry is None:
            raise ProjectError(
                "The script to run was not found: name it with --set python.entry=FILE."
            )
        return ("python", entry)
    if entry is None:
        found = facts.get("entries") or []
        if found:
            raise ProjectError(
                f"Several FastAPI apps were found ({', '.join(found)}): choose one with "
                f"--set fastapi.entry={found[0]}."
            )
        raise ProjectError(
            f"No FastAPI app was found in {facts['dir']}: name it with "
            "--set fastapi.entry=MODULE:NAME."
        )
    if not libraries & python_packages.ASGI_SERVERS:
        manifest = (facts.get("manifests") or ["requirements.txt"])[0]
        raise ProjectError(
            f"{facts['dir']}/{manifest} has no ASGI server: add uvicorn[standard] to it, or name "
            "the command of another server with --set fastapi.command=COMMAND."
        )
    factory = ["--factory"] if facts.get("factory") else []
    grace = ["--timeout-graceful-shutdown", str(GRACE_SECONDS - 5)]
    return ("uvicorn", entry, *factory, "--host", "0.0.0.0", "--proxy-headers", *grace)


def _node_command(facts: Mapping[str, Any]) -> tuple[str, ...]:
    command = facts.get("command")
    if not command:
        raise ProjectError(
            "package.json has no start script: add one, or name the command with "
            "--set node.command=COMMAND."
        )
    return tuple(shlex.split(command))


def _node_install(manager: str, modern_yarn: bool, locked: bool) -> str:
    if modern_yarn:
        return "yarn install --immutable" if locked else "yarn install"
    return _INSTALL[manager, locked]


def _modern_yarn_prune(version: str) -> str:
    """The same for each version: `workspaces focus` is built in from 4 on, and runs scripts."""
    no_scripts = "--skip-builds" if version.lstrip("~^").startswith("2") else "--mode=skip-build"
    return f"npm pkg delete devDependencies && yarn install --no-immutable {no_scripts}"


def _sources(kind: str, facts: Mapping[str, Any]) -> tuple[str, ...]:
    sources = tuple(facts.get("sources", ()))
    if facts["dir"] == "." and not sources:
        raise ProjectError(
            f"No source of the {_TITLES[kind]} app was found: list it with "
            f"--set {kind}.sources=src/,main.py."
        )
    return sources


def _routes(facts: Mapping[str, Any]) -> tuple[str, ...]:
    paths = list(facts.get("paths") or ["/api"])
    health = facts.get("health")
    if health and not any(_covers(path, health) for path in paths):
        paths.append(health)
    return tuple(paths)


def _covers(prefix: str, path: str) -> bool:
    return path == prefix or path.startswith(prefix.rstrip("/") + "/")


def _connection(backing: tuple[BackingService, ...]) -> list[Env]:
    return [variable for service in backing for variable in service.app_environment]


def _sqlalchemy(libraries: set[str], backing: tuple[BackingService, ...]) -> list[Env]:
    """The driver is named, since a bare postgresql:// means another one from SQLAlchemy 2.1 on."""
    if not any(service.name == "postgres" for service in backing):
        return []
    names = {name.removesuffix("-binary") for name in libraries}
    driver = next((name for name in ("psycopg2", "psycopg", "asyncpg") if name in names), None)
    return [Env("SQLALCHEMY_DRIVER", driver)] if driver else []


# What images and Compose set; WORKERS and RELOAD are Uvicorn's in development.
_ALWAYS_SET = frozenset(
    {"PORT", "HOST", "HOSTNAME", "NODE_ENV", "ENVIRONMENT", "WORKERS", "RELOAD"}
)


def _own_variables(
    facts: Mapping[str, Any], environment: list[Env], backing: tuple[BackingService, ...]
) -> tuple[str, ...]:
    """The app's own variables, but those that the stack sets for it."""
    taken = {variable.name for variable in environment} | _ALWAYS_SET
    for service in backing:
        taken |= set(service.urls) | service.synonyms
    return tuple(name for name in facts.get("variables", ()) if name not in taken)


def _app_volumes(choices: Mapping[str, Any]) -> list[Volume]:
    path = choices.get("uploads")
    return [Volume("uploads", path, "Files that users upload")] if path else []


def _worker(app: App, command: str | None) -> Worker | None:
    if not command or app.kind not in _RUNTIMES["python"]:
        return None
    words = tuple(shlex.split(command))
    health = None
    if words[:2] == ("celery", "--app"):
        app_name = shlex.quote(words[2])
        health = f'entrypoint celery --app {app_name} inspect ping --destination "celery@$HOSTNAME"'
    return Worker("worker", app, words, Resources("512M"), health)


def _migrations(apps: list[App], facts: Facts) -> Migrations | None:
    database = facts.get("postgres")
    if database is None:
        return None
    name = database.get("migrations", migrations.NONE)
    return migrations.define(name, postgres.extensions(database), apps, facts)


_COMPOSE_SETTING = re.compile(
    r"DOMAIN|MORE_DOMAINS|SITE_ADDRESS|TRUSTED_PROXIES|TAG|REVISION"
    r"|DEPLOY_TIMEOUT|DRAIN_SECONDS|KEEP_VERSIONS|HTTPS?_PORT|MAX_REQUEST_BODY|BIND_ADDRESS|IMAGE_(APP|FRONTEND|NODE)"
    r"|(APP|FRONTEND|NODE)_PORT|[A-Z]+_(MEMORY|CPUS|PIDS)"
    r"|BACKUP_(DIR|KEEP_DAYS|MIN_FREE_MB|RCLONE_REMOTE|RESTIC_REPOSITORY|RESTIC_PASSWORD_FILE)"
)


def _variables(
    apps: list[App], backing: tuple[BackingService, ...], with_proxy: bool
) -> tuple[Variable, ...]:
    variables: list[Variable] = []
    if any(app.kind == "fastapi" for app in apps):
        variables += [
            password(
                "SECRET_KEY",
                "Application",
                "Signs sessions and tokens; a new one logs everybody out.",
            ),
            Variable("WEB_CONCURRENCY", "Application", "Worker processes of the API.", "2"),
            Variable(
                "FORWARDED_ALLOW_IPS",
                "Application",
                "Proxies whose word on client address and scheme is taken; * is safe while only "
                "the proxy reaches the app.",
                "*",
            ),
        ]
    for app in apps:
        for env in app.build_arguments:
            if env.name == "BACKEND_URL":
                where = f"{INNER_HOST}:{INNER_PORT}" if with_proxy else f"app:{apps[0].port}"
                help_text = "Where Next.js finds the API inside the stack."
                variables.append(
                    Variable(
                        env.name,
                        "Frontend (built into its image)",
                        help_text,
                        f"http://{where}",
                        build=True,
                    )
                )
            else:
                variables.append(_public_variable(env.name, with_proxy))
    for service in backing:
        variables += service.variables
    for app in apps:
        where = "" if app.directory == "." else f" ({app.directory}/)"
        for name in app.passed_on:
            # One of Compose's own names is explained where Compose's are.
            if name not in {v.name for v in variables} and not _COMPOSE_SETTING.fullmatch(name):
                variables.append(Variable(name, f"{app.title}'s own{where}", ""))
    return tuple(variables)


def _public_variable(name: str, with_proxy: bool) -> Variable:
    group = "Frontend (built into its image)"
    if name != "NEXT_PUBLIC_API_URL":
        return Variable(name, group, "", build=True)
    if with_proxy:
        help_text = "The address that browsers call; by default https:// and DOMAIN."
        return Variable(name, group, help_text, build=True)
    help_text = "The address under which browsers reach the API, as in https://example.com"
    return Variable(name, group, help_text, required=True, build=True)
