"""What managed platforms are told of the stack: Fly.io, Railway and Render.

Sources, read in November 2026: fly.io/docs/reference/configuration, the `railway` package's
`railway/iac` and docs.railway.com/infrastructure-as-code, render.com/docs/blueprint-spec.
"""

from __future__ import annotations

import re
import shlex
from collections.abc import Iterator, Mapping
from dataclasses import dataclass, replace
from typing import Any

from .errors import ProjectError
from .image_reference import ImageReference
from .model import App, BackingService, Env, PythonBuild, Stack, Worker
from .pipeline import FORMS
from .secrets import looks_secret
from .services import postgres

NAMES = ("fly", "railway", "render")
TITLES = {"fly": "Fly.io", "railway": "Railway", "render": "Render"}
# The answers that the files follow from.
ANSWERS = ("targets", "fly_name", "fly_region", "railway_config", "render_region", "ci_folder")
# A label of a host's name (RFC 1123): names become part of NAME.fly.dev and NAME.onrender.com.
FLY_NAME = re.compile(r"[a-z]([a-z0-9-]{0,38}[a-z0-9])?")
FLY_REGION = re.compile(r"[a-z]{3}")
RENDER_REGIONS = ("oregon", "ohio", "virginia", "frankfurt", "singapore")
# From this day on, railway.json is not read any more (docs.railway.com/config-as-code).
RAILWAY_JSON_ENDS = "2026-12-01"
# The npm package that reads .railway/railway.ts; it works with version 5.42.1 of the program.
RAILWAY_SDK = "3.11.0"
# How many volumes a project of Railway may have (docs.railway.com/volumes/reference).
RAILWAY_VOLUMES = {"Free": 1, "Trial": 3, "Hobby": 10}
# What Railway's own databases are made from (the package's `postgres()`, `redis()`, `mongo()`).
RAILWAY_VERSIONS = {"postgres": 18, "redis": 8, "mongodb": 8}
# The PostgreSQL versions of Fly.io's clusters (fly.io/docs/flyctl/mpg-create).
_FLY_POSTGRES = (16, 17)
# Extensions of PostgreSQL that Fly.io's clusters offer (fly.io/docs/mpg/extensions).
_FLY_EXTENSIONS = frozenset(
    {
        "btree_gin", "btree_gist", "citext", "cube", "dict_int", "fuzzystrmatch", "hstore",
        "intarray", "isn", "lo", "ltree", "pg_trgm", "pgcrypto", "postgis", "postgis_raster",
        "postgis_sfcgal", "postgis_topology", "seg", "tablefunc", "tcn", "tsm_system_rows",
        "tsm_system_time", "unaccent", "uuid-ossp", "vector",
    }
)  # fmt: skip
# What each platform calls the parts of a service's address.
_RAILWAY_OUTPUTS = {
    "postgres": {
        "POSTGRES_SERVER": "PGHOST",
        "POSTGRES_PORT": "PGPORT",
        "POSTGRES_USER": "PGUSER",
        "POSTGRES_PASSWORD": "PGPASSWORD",
        "POSTGRES_DB": "PGDATABASE",
    },
    "redis": {
        "REDIS_HOST": "REDISHOST",
        "REDIS_PORT": "REDISPORT",
        "REDIS_PASSWORD": "REDISPASSWORD",
    },
    "mongodb": {
        "MONGODB_HOST": "MONGOHOST",
        "MONGODB_PORT": "MONGOPORT",
        "MONGODB_USERNAME": "MONGOUSER",
        "MONGODB_PASSWORD": "MONGOPASSWORD",
    },
}
_RENDER_PROPERTIES = {
    "POSTGRES_SERVER": "host",
    "POSTGRES_PORT": "port",
    "POSTGRES_USER": "user",
    "POSTGRES_PASSWORD": "password",
    "POSTGRES_DB": "database",
}
# Render's instance types by their memory in MB (render.com/pricing).
_RENDER_PLANS = {512: "starter", 2048: "standard", 4096: "pro"}
_ORIGINS = re.compile(r"(.*_)?ORIGINS")


@dataclass(frozen=True)
class Platforms:
    """The platforms that the stack runs on.

    Attributes:
        wanted: Their names, of NAMES.
        fly_name: The first app's name on Fly.io; the others' begin with it.
        fly_region: Where its machines are.
        railway_json: The old railway.json instead of .railway/railway.ts.
        render_region: Where Render's services are.
        folder: From the repository's top folder to the project's, ending in `/`; or empty.
    """

    wanted: tuple[str, ...]
    fly_name: str
    fly_region: str
    railway_json: bool
    render_region: str
    folder: str = ""


@dataclass(frozen=True)
class Setting:
    """Where a platform takes an environment variable of an app from.

    Either a fixed `value`, or `output` of the resource `resource`; with neither, it is a secret
    that is given to the platform by hand, or by the command `command`.

    Attributes:
        name: The variable.
        value: Its text.
        resource: A service or database of the platform.
        output: What of it: one of its variables, or a property such as `host`.
        command: What gives it to the platform, other than setting a secret.
        required: The app does not start without it, and has no default of its own.
        generate: A shell command that makes a good value.
        build: Read while the image is built, and baked into it.
    """

    name: str
    value: str | None = None
    resource: str = ""
    output: str = ""
    command: str = ""
    required: bool = True
    generate: str | None = None
    build: bool = False

    @property
    def by_hand(self) -> bool:
        """Whether whoever runs the stack gives it to the platform."""
        return self.value is None and not self.resource and not self.command

    @property
    def optional(self) -> bool:
        """Whether nobody has to give it."""
        return self.by_hand and not self.required


def build_platforms(answers: Mapping[str, Any], stack: Stack) -> Platforms:
    """Derive it.

    Args:
        answers: Those of ANSWERS.
        stack: What is to run there.

    Raises:
        ProjectError: A name or region has another form than the platform's, or nothing of the
            stack keeps running.
    """
    wanted = tuple(name for name in NAMES if name in (answers.get("targets") or ()))
    own_name = f"app-{stack.name}" if stack.name[:1].isdigit() else stack.name
    fly_name = answers.get("fly_name") or own_name[:40].strip("-")
    region = answers.get("fly_region") or "iad"
    render_region = answers.get("render_region") or RENDER_REGIONS[0]
    folder = str(answers.get("ci_folder") or "")
    if folder and not FORMS["ci_folder"].fullmatch(folder):
        raise ProjectError(
            f"The stored ci_folder {folder!r} is no folder: restore the answers file."
        )
    if wanted and not apps(stack):
        options = " ".join(f"--remove-target {target}" for target in wanted)
        raise ProjectError(
            f"{TITLES[wanted[0]]} has nothing to keep running: the project's app ends by itself. "
            "If it serves or loops, say so with --set python.mode=service; else leave it out, with "
            f"spinbox-deploy deploy {options}."
        )
    if not FLY_NAME.fullmatch(fly_name):
        raise ProjectError(
            f"fly_name must be like my-app, of at most 40 letters, not {fly_name!r}."
        )
    if not FLY_REGION.fullmatch(region):
        raise ProjectError(f"fly_region must be a code such as iad or fra, not {region!r}.")
    if render_region not in RENDER_REGIONS:
        raise ProjectError(f"render_region must be one of {', '.join(RENDER_REGIONS)}.")
    return Platforms(
        wanted=wanted,
        fly_name=fly_name,
        fly_region=region,
        railway_json=answers.get("railway_config") == "json",
        render_region=render_region,
        folder=f"{folder}/" if folder else "",
    )


# --- What runs there ------------------------------------------------------------------------------


def apps(stack: Stack) -> tuple[App, ...]:
    """The apps that keep running; one that ends by itself has no place on these platforms."""
    return tuple(app for app in stack.apps if not app.job)


def worker(stack: Stack) -> Worker | None:
    """The background worker, where the app whose image it runs is deployed."""
    return stack.worker if stack.worker and not stack.worker.app.job else None


def units(stack: Stack) -> tuple[App | Worker, ...]:
    """The apps, and the worker."""
    jobs = worker(stack)
    return (*apps(stack), jobs) if jobs else apps(stack)


def health(app: App) -> str | None:
    """The path of an app's health check; None for one that listens on no port."""
    return app.health if app.port else None


def managed(target: str, stack: Stack) -> tuple[BackingService, ...]:
    """The backing services that the platform itself runs."""
    return tuple(s for s in stack.services if s not in own(target, stack))


def own(target: str, stack: Stack) -> tuple[BackingService, ...]:
    """Those that it does not offer: their images run there, with a volume."""
    offered = {"fly": {"postgres", "redis"}, "render": {"postgres", "redis"}}
    names = offered.get(target, {"postgres", "redis", "mongodb"})
    return tuple(
        service
        for service in stack.services
        if service.name not in names
        # Railway's PostgreSQL image has no more than PostgreSQL's own extensions.
        or (target == "railway" and service.name == "postgres" and _is_special(service.image))
    )


def _is_special(image: str) -> bool:
    return not ImageReference.parse(image).is_official("postgres")


def missing_extensions(target: str, stack: Stack) -> tuple[str, ...]:
    """The PostgreSQL extensions that the stack needs and the platform does not offer."""
    if target != "fly" or not stack.migrations or stack.service("postgres").external:
        return ()
    return tuple(name for name in stack.migrations.extensions if name not in _FLY_EXTENSIONS)


def fly_postgres(stack: Stack) -> int:
    """The version of PostgreSQL to ask Fly.io for: the project's, or the nearest."""
    wanted = postgres.major(stack.service("postgres").image)
    return min(max(wanted, _FLY_POSTGRES[0]), _FLY_POSTGRES[-1])


def _other_versions(target: str, stack: Stack) -> Iterator[str]:
    """Backing services that a platform has in another version than the project."""
    for service in managed(target, stack):
        theirs = RAILWAY_VERSIONS[service.name] if target == "railway" else None
        if target == "fly" and service.name == "postgres":
            theirs = fly_postgres(stack)
        ours = ImageReference.parse(service.image).major
        if theirs and ours and theirs != ours:
            yield (
                f"{service.title} is version {theirs} there; the project was made with {ours}: "
                "try it before."
            )


def railway_volumes(stack: Stack) -> int:
    """How many volumes the stack has on Railway: each service holds one."""
    return len(stack.services) + sum(1 for app in apps(stack) if uploads(app))


def caller(stack: Stack, app: App) -> App | None:
    """The app that calls this one over the private network, if there is one."""
    names = {edge.source for edge in stack.edges if edge.target == app.name}
    return next((other for other in apps(stack) if other.name in names), None)


def uploads(app: App) -> str | None:
    """The folder whose files are kept, if there is one; a cache of models is none."""
    return next((volume.path for volume in app.volumes if volume.name == "uploads"), None)


def lost(target: str, stack: Stack) -> tuple[str, ...]:
    """What of the stack a platform cannot give it as it is, one sentence each."""
    sentences = list(_other_versions(target, stack))
    for app in stack.jobs:
        sentences.append(
            f"The {app.title} app ends by itself: it is not deployed. Run its image where you like."
        )
    if stack.migrations and stack.migrations.kind == "alembic" and migrator(stack) is None:
        sentences.append("Alembic runs in that app: bring the database's schema up to date there.")
    jobs = worker(stack)
    if jobs and uploads(jobs.app):
        sentences.append("The worker sees no uploaded files: a volume belongs to one service.")
    if any(app.gpu for app in stack.apps):
        sentences.append("None of these machines has a GPU: the app has to do without.")
    return tuple(sentences)


# --- Names and addresses --------------------------------------------------------------------------


def name(target: str, stack: Stack, platforms: Platforms, unit: str) -> str:
    """What an app or service is called on the platform.

    Names are unique among all users of Fly.io, and in a workspace of Render; in a project of
    Railway.
    """
    if target == "railway":
        return unit
    first = platforms.fly_name if target == "fly" else stack.name
    return first if unit == apps(stack)[0].name else f"{first}-{unit}"


def fly_apps(stack: Stack, platforms: Platforms) -> tuple[App, ...]:
    """The apps that have a configuration file of Fly.io's."""
    return apps(stack) if "fly" in platforms.wanted else ()


def fly_services(stack: Stack, platforms: Platforms) -> tuple[BackingService, ...]:
    """The same of backing services."""
    return own("fly", stack) if "fly" in platforms.wanted else ()


def railway_files(stack: Stack, platforms: Platforms) -> tuple[App | Worker, ...]:
    """What has a railway.json of its own."""
    return units(stack) if "railway" in platforms.wanted and platforms.railway_json else ()


def railway_file(stack: Stack, unit: str) -> str:
    """The railway.json of an app or of the worker."""
    return "railway.json" if unit == apps(stack)[0].name else f"railway.{unit}.json"


def variable(stack: Stack, unit: str) -> str:
    """The variable of railway.ts that holds a service: those of apps are called as these."""
    services = {service.name for service in stack.services}
    return f"{unit}Service" if unit in services else unit


def render_kind(stack: Stack, platforms: Platforms, resource: str) -> str:
    """The type of a service of Render, or `database`."""
    names = {name("render", stack, platforms, service.name): service for service in stack.services}
    if resource not in names:
        app = next(a for a in apps(stack) if name("render", stack, platforms, a.name) == resource)
        return "web" if app.port else "worker"
    if names[resource] in own("render", stack):
        return "pserv"
    return "database" if names[resource].name == "postgres" else "keyvalue"


def fly_file(stack: Stack, unit: str) -> str:
    """The configuration file of an app or service on Fly.io."""
    return "fly.toml" if unit == apps(stack)[0].name else f"fly.{unit}.toml"


def _public(target: str, stack: Stack, platforms: Platforms, app: App, variable: str) -> Setting:
    """A variable with an app's public address."""
    if target == "fly":
        return Setting(variable, f"https://{name(target, stack, platforms, app.name)}.fly.dev")
    if target == "railway":
        return Setting(variable, f"https://${{{{{app.name}.RAILWAY_PUBLIC_DOMAIN}}}}")
    resource = name(target, stack, platforms, app.name)
    return Setting(variable, resource=resource, output="RENDER_EXTERNAL_URL")


def _private(target: str, stack: Stack, platforms: Platforms, app: App, variable: str) -> Setting:
    """A variable with the address that other apps of the stack call an app by."""
    resource = name(target, stack, platforms, app.name)
    if target == "fly":
        return Setting(variable, f"http://{resource}.flycast:{app.port}")
    if target == "railway":
        address = f"${{{{{app.name}.RAILWAY_PRIVATE_DOMAIN}}}}:${{{{{app.name}.PORT}}}}"
        return Setting(variable, f"http://{address}")
    # Without a scheme, which the image adds.
    return Setting(variable, resource=resource, output="hostport")


# --- Variables ------------------------------------------------------------------------------------


def settings(target: str, stack: Stack, platforms: Platforms, app: App) -> tuple[Setting, ...]:
    """Every environment variable of an app, in the model's order, and where it comes from."""
    found: dict[str, Setting] = {}
    for env in app.environment:
        service = _provider(env, app, stack)
        if service is not None and not service.external:
            given = _connection(target, stack, platforms, service)
        elif env.name == "BACKEND_URL":
            given = [_private(target, stack, platforms, stack.apps[0], env.name)]
        else:
            given = [_from_model(env, stack)]
        for setting in given:
            found.setdefault(setting.name, setting)
    for env in app.build_arguments:
        if env.name == "NEXT_PUBLIC_API_URL" and stack.calls_api:
            setting = _public(target, stack, platforms, stack.apps[0], env.name)
        else:
            setting = found.get(env.name) or _from_model(env, stack)
        found[env.name] = replace(setting, build=True)
    front = caller(stack, app)
    for variable in app.passed_on:
        if front is not None and _ORIGINS.fullmatch(variable):
            address = _public(target, stack, platforms, front, variable)
            found[variable] = replace(address, required=False)
        else:
            found[variable] = Setting(variable, required=False)
    if target == "railway" and app.port:
        found["PORT"] = Setting("PORT", str(app.port))
        if uploads(app):
            # Volumes belong to root there (docs.railway.com, "Volumes", "Permissions").
            found["RAILWAY_RUN_UID"] = Setting("RAILWAY_RUN_UID", "0")
    return tuple(found.values())


def _provider(env: Env, app: App, stack: Stack) -> BackingService | None:
    """The backing service that an app's variable is there for."""
    used = (stack.service(service) for service in app.backing)
    return next((service for service in used if env in service.app_environment), None)


def _from_model(env: Env, stack: Stack) -> Setting:
    if env.variable is None:
        return Setting(env.name, env.value or "")
    variable = stack.variable(env.variable)
    if variable.default and not variable.secret:
        return Setting(env.name, variable.default, required=False)
    return Setting(env.name, required=variable.required, generate=variable.generate)


def _connection(
    target: str, stack: Stack, platforms: Platforms, service: BackingService
) -> list[Setting]:
    """How an app is told where a backing service is."""
    resource = name(target, stack, platforms, service.name)
    if service not in own(target, stack):
        if target == "fly":
            # Each is one secret; the image's entrypoint takes it apart.
            command = {"postgres": "fly mpg attach", "redis": "fly redis create"}[service.name]
            given = [Setting(service.urls[0], command=command)]
            if service.name == "postgres":
                # For migrations, where connections are pooled by transaction.
                given.append(Setting("DIRECT_DATABASE_URL", required=False))
            return given
        if target == "render" and service.name == "redis":
            return [Setting("REDIS_URL", resource=resource, output="connectionString")]
        outputs = _RENDER_PROPERTIES if target == "render" else _RAILWAY_OUTPUTS[service.name]
        return [
            Setting(env.name, resource=resource, output=outputs[env.name])
            if env.name in outputs
            else _from_model(env, stack)
            for env in service.app_environment
        ]
    container = {env.variable: env.name for env in service.environment if env.variable}
    result = []
    for env in service.app_environment:
        if env.value == service.name:
            result.append(_own_host(target, resource, env.name))
        elif target == "fly" or env.variable not in container:
            result.append(_from_model(env, stack))
        else:
            result.append(Setting(env.name, resource=resource, output=container[env.variable]))
    return result


def _own_host(target: str, resource: str, variable: str) -> Setting:
    if target == "fly":
        return Setting(variable, f"{resource}.flycast")
    output = "RAILWAY_PRIVATE_DOMAIN" if target == "railway" else "host"
    return Setting(variable, resource=resource, output=output)


def worker_settings(target: str, stack: Stack, platforms: Platforms) -> tuple[Setting, ...]:
    """The worker's: secrets are those of the app whose image it runs, given once."""
    jobs = worker(stack)
    assert jobs is not None
    app = jobs.app
    resource = name(target, stack, platforms, app.name)
    return tuple(
        replace(s, resource=resource, output=s.name) if s.by_hand and s.required else s
        for s in settings(target, stack, platforms, app)
        if s.name not in {"PORT", "RAILWAY_RUN_UID"}
    )


def own_settings(stack: Stack, service: BackingService) -> tuple[Setting, ...]:
    """The variables of a backing service that runs from its image."""
    return tuple(_from_model(env, stack) for env in (*service.environment, *service.own_folder))


def by_hand(target: str, stack: Stack, platforms: Platforms) -> bool:
    """Whether an app, or a service that runs from its image, has variables given by hand."""
    of_apps = [s for app in apps(stack) for s in settings(target, stack, platforms, app)]
    of_services = [s for service in own(target, stack) for s in own_settings(stack, service)]
    return any(setting.by_hand for setting in (*of_apps, *of_services))


# --- Commands, plans, builds ----------------------------------------------------------------------


def migrator(stack: Stack) -> App | None:
    """The app whose image brings the database's schema up to date; None where nothing does."""
    if stack.migrations is None:
        return None
    if stack.migrations.app is not None:
        return stack.migrations.app if stack.migrations.app in apps(stack) else None
    return next((app for app in apps(stack) if "postgres" in app.backing), None)


def has_psql(stack: Stack, platforms: Platforms, app: App) -> bool:
    """Whether an app's image gets `migrate`: these platforms run it in no other."""
    return bool(
        platforms.wanted
        and stack.migrations
        and stack.migrations.in_database_image
        and app == migrator(stack)
    )


def migration(stack: Stack) -> str:
    """The command that brings the schema up to date, as words of a shell, run by `entrypoint`."""
    assert stack.migrations is not None
    steps = []
    if stack.migrations.in_database_image:
        steps.append(shlex.join(["migrate", *stack.migrations.extensions]))
    if stack.migrations.kind == "alembic":
        steps.append("alembic upgrade head")
    return steps[0] if len(steps) == 1 else f"sh -c {shlex.quote(' && '.join(steps))}"


def worker_migrates(stack: Stack) -> bool:
    """Whether the worker runs migrations before it starts, where services start by themselves.

    A lock makes that safe for those of psql; Alembic has none.
    """
    jobs, migrations = worker(stack), stack.migrations
    if jobs is None or migrations is None or migrations.kind == "alembic":
        return False
    return jobs.app == migrator(stack)


def render_plan(unit: App | Worker | BackingService) -> str:
    """The smallest instance type of Render that has the memory of a container's limit."""
    needed = unit.resources.megabytes
    return next((plan for size, plan in _RENDER_PLANS.items() if needed <= size), "pro plus")


def render_image(image: str) -> str:
    """An image with its registry, which Render asks for (render.com/docs/deploying-an-image)."""
    return ImageReference.parse(image).with_registry()


def is_secret(stack: Stack, name: str) -> bool:
    """Whether a variable is a secret: by the model, as a URL with a password, or by its name."""
    known = {variable.name for variable in stack.variables if variable.secret}
    known |= {url for service in stack.backing for url in service.urls}
    return name in known or looks_secret(name) or name == "DIRECT_DATABASE_URL"


def watched(stack: Stack, platforms: Platforms, app: App, to_output: str) -> tuple[str, ...]:
    """What an image is built from, as patterns: a change of it is worth a deployment.

    They start at the repository's top folder, which need not be the project's.
    """
    root = app.directory == "."
    paths = [*app.build.manifests, *app.sources] if root else [f"{app.directory}/"]
    if root and app.env_production:
        paths.append(".env.production")
    paths += [f"{to_output}{app.dockerfile}", f"{to_output}{app.dockerfile}.dockerignore"]
    paths.append(f"{to_output}deploy/entrypoint.sh")
    if isinstance(app.build, PythonBuild) and app.build.manager:
        paths.append(f"{to_output}deploy/trim-symbols.py")
    if has_psql(stack, platforms, app):
        paths.append(f"{to_output}deploy/migrate.sh")
        if stack.migrations and stack.migrations.kind == "sql":
            paths.append(f"{stack.migrations.folder}/")
    prefixed = (f"{platforms.folder}{path}" for path in dict.fromkeys(paths))
    return tuple(f"{path}**" if path.endswith("/") else path for path in prefixed)
