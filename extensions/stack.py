"""Facts and choices -> the stack. Pure: what is stored in the answers file decides alone."""

from __future__ import annotations

import re
from collections.abc import Mapping
from dataclasses import replace
from typing import Any

from . import addresses, apps, migrations, services, workers
from .errors import ProjectError
from .facts import Facts
from .framework import Situation, own_group
from .model import App, BackingService, Env, Migrations, Stack, Variable
from .origins import either
from .proxies import PROXIES
from .runtimes import RUNTIMES
from .services import postgres
from .settings import SETTINGS, check_facts, check_overrides, lay_over
from .targets import TARGETS

_HEADERS = {"Content-Security-Policy": "csp", "Permissions-Policy": "permissions_policy"}


def build_stack(facts: Facts, overrides: Mapping[str, Any], choices: Mapping[str, Any]) -> Stack:
    """Derive all that runs in production.

    Args:
        facts: What `read_facts` found.
        overrides: What the user set by hand, by `--set` key.
        choices: All answers, complete (`choices.complete`).

    Raises:
        ProjectError: Nothing to deploy, or something only the user can decide; it says how.
    """
    check_facts(facts)
    facts = lay_over(facts, check_overrides(overrides))
    name = slug(facts["name"])
    kinds = _app_kinds(facts, choices["runtime"])
    backing = tuple(services.define(n, facts[n], name) for n in services.NAMES if n in facts)

    # Beside an API, a frontend leaves the databases to it.
    has_pages = any(apps.FRAMEWORKS[kind].LEAVES_DATA for kind in kinds)
    is_api = [_is_api(facts, kind, has_pages) for kind in kinds]
    has_api = any(is_api)
    # Pages come after the API that they call.
    kinds = [kind for _, kind in sorted(zip(_places(kinds, is_api), kinds, strict=True))]
    made: list[App] = []
    for kind in kinds:
        framework = apps.FRAMEWORKS[kind]
        served = any(app.port and not app.job for app in made)
        if served and not has_api and getattr(framework, "NEEDS_API", False):
            continue
        situation = Situation(
            kind=kind,
            title=framework.TITLE,
            service=framework.SERVICE if made else "app",
            backing=() if has_api and _leaves_data(facts, kind, backing) else backing,
            beside_api=has_api and len(kinds) > 1,
            first=made[0] if made else None,
            choices=choices,
            fronted=has_pages or (has_api and len(kinds) > 1),
            alone=len(kinds) == 1,
            pages=has_pages,
            together=not any(TARGETS[name].managed for name in choices["targets"]),
        )
        made.append(framework.define(facts[kind], situation))

    _refuse_two_of_all(made, choices)
    made = _addressed(_shared(made), with_proxy=choices["proxy"] != "none")
    primary = facts[kinds[0]]
    commands = primary.get("worker"), primary.get("scheduler")
    serves = any(app.port and not app.job for app in made)
    return Stack(
        name=name,
        apps=tuple(made),
        workers=workers.define(made[0], *commands),
        services=tuple(service for service in backing if not service.external),
        external=tuple(service for service in backing if service.external),
        migrations=_migrations(made, facts),
        variables=_variables(made, backing),
        with_proxy=serves and PROXIES[choices["proxy"]].generated,
        headers={name: choices[key] for name, key in _HEADERS.items() if choices[key]},
        warnings=(
            *(warning for app in made for warning in app.warnings),
            *workers.warnings(made[0], *commands),
            *(text for service in backing if not service.external for text in service.warnings),
        ),
    )


_BESIDE_PAGES = frozenset(
    kind for kind, f in apps.FRAMEWORKS.items() if getattr(f, "ONLY_BESIDE_PAGES", False)
)


def _is_api(facts: Facts, kind: str, has_pages: bool) -> bool:
    """Whether an app is an API: some kinds are one only where pages stand beside them."""
    framework = apps.FRAMEWORKS[kind]
    return bool(framework.is_api(facts[kind])) and (has_pages or kind not in _BESIDE_PAGES)


def _places(kinds: list[str], is_api: list[bool]) -> list[int]:
    """The order of the apps: pages move behind the API, where that comes after them."""
    last = max((n for n, api in enumerate(is_api) if api), default=-1)
    first = is_api.index(True) if last >= 0 else -1
    pages = [n < first and apps.FRAMEWORKS[kind].LEAVES_DATA for n, kind in enumerate(kinds)]
    return [n + len(kinds) if moves else n for n, moves in enumerate(pages)]


def _leaves_data(facts: Facts, kind: str, backing: tuple[BackingService, ...]) -> bool:
    """Whether pages use no database: beside an API of such a kind, as their names say."""
    if not apps.FRAMEWORKS[kind].LEAVES_DATA:
        return False
    others = {k: f for k, f in apps.FRAMEWORKS.items() if k in facts and k not in _BESIDE_PAGES}
    if any(f.is_api(facts[k]) for k, f in others.items()):
        return True
    names = facts[kind].get("variables") or ()
    return not any(n in s.urls or s.source_of(n) for n in names for s in backing)


def _refuse_two_of_all(made: list[App], choices: Mapping[str, Any]) -> None:
    """Nothing is generated where two apps would get all paths of one site.

    Raises:
        ProjectError: That is so; it says how to tell them apart.
    """
    rest = [app for app in made if app.port and not app.job and not app.routes]
    shared = choices["proxy"] != "none" or "kubernetes" in choices["targets"]
    if len(rest) < 2 or not shared:
        return
    one = next((app for app in reversed(rest) if not apps.FRAMEWORKS[app.kind].LEAVES_DATA), None)
    other = next(app for app in rest if app != one)
    if one and f"{one.kind}.paths" in {setting.key for setting in SETTINGS}:
        raise ProjectError(
            f"Nothing tells which paths of the site are those of the {one.title} app and which "
            f"those of the {other.title} app: name the first with --set {one.kind}.paths=/api, "
            f"or leave it out with --set {one.kind}=off."
        )


def slug(name: object) -> str:
    """A name that Compose, an image reference and a host name all take."""
    slug = re.sub(r"[^a-z0-9]+", "-", str(name).lower()).strip("-")
    if not slug:
        raise ProjectError(
            "The project's name has no letter or digit: set PROJECT_NAME in .config/project.conf, "
            "or use --set name=NAME."
        )
    return slug[:50].strip("-")


def _app_kinds(facts: Facts, runtime: str) -> list[str]:
    kinds = [kind for kind in apps.of(runtime) if kind in facts]
    if kinds:
        for kind in kinds:
            if facts[kind].get("dir") is None:
                title = apps.FRAMEWORKS[kind].TITLE
                raise ProjectError(
                    f"The project uses {title}, but no such app was found: name its folder "
                    f"with --set {kind}.dir=FOLDER, or leave it out with --set {kind}=off."
                )
        return kinds
    if runtime in RUNTIMES:
        title = RUNTIMES[runtime].title
        raise ProjectError(f"The project has no {title} app: use --target auto.")
    titles = either([framework.TITLE for framework in apps.FRAMEWORKS.values()])
    raise ProjectError(
        f"There is nothing to deploy: the project has no {titles} app that is recognised. Name "
        "what runs, as in --set python.entry=FILE or --set node.command=COMMAND, or add an app, "
        "for example with `spinbox add --fastapi`."
    )


def _shared(made: list[App]) -> list[App]:
    """The apps, where a variable that one of them requires is required of all that read it."""
    required = {v.name for app in made for v in app.variables if v.own and v.required}
    shared = []
    for app in made:
        names = [name for name in app.passed_on if name in required]
        left = tuple(name for name in app.passed_on if name not in required)
        more = tuple(Env(name, variable=name) for name in names)
        shared.append(replace(app, passed_on=left, environment=(*app.environment, *more)))
    return shared


def _addressed(made: list[App], *, with_proxy: bool) -> list[App]:
    """The apps, with what their entrypoints fill the names of addresses from."""
    told = []
    kept = addresses.settled([app.addresses for app in made])
    for app, own in zip(made, kept, strict=True):
        environment, variables = list(app.environment), list(app.variables)
        if any(address.holds != "api" for address in own):
            environment.append(Env(addresses.SITE_URLS, variable=addresses.SITE_URLS))
            variables.append(addresses.SETTING)
        if app.calls_api and not any(env.name == addresses.BACKEND_URL for env in environment):
            environment.append(Env(addresses.BACKEND_URL, variable=addresses.BACKEND_URL))
            variables.append(addresses.backend(made[0], with_proxy=with_proxy))
        given = {env.name for env in environment}
        told.append(
            replace(
                app,
                addresses=own,
                environment=tuple(environment),
                variables=tuple(variables),
                passed_on=tuple(name for name in app.passed_on if name not in given),
            )
        )
    return told


def _migrations(made: list[App], facts: Facts) -> Migrations | None:
    database = facts.get("postgres")
    if database is None:
        return None
    name = database.get("migrations", migrations.NONE)
    return migrations.define(name, postgres.extensions(database), made, facts)


def _giver(source: str, backing: tuple[BackingService, ...]) -> BackingService:
    """The backing service that names of apps are filled from."""
    return next(service for service in backing if source in {to for _, to in service.names})


# The names that the services of apps may have.
_SERVICES = "|".join(["APP", *(f.SERVICE.upper() for f in apps.FRAMEWORKS.values())])
_COMPOSE_SETTING = re.compile(
    r"DOMAIN|MORE_DOMAINS|SITE_ADDRESS|TRUSTED_PROXIES|TAG|REVISION"
    r"|DEPLOY_TIMEOUT|DRAIN_SECONDS|KEEP_VERSIONS|HTTPS?_PORT|MAX_REQUEST_BODY|BIND_ADDRESS"
    rf"|IMAGE_({_SERVICES})|({_SERVICES})_PORT|[A-Z]+_(MEMORY|CPUS|PIDS)"
    r"|UPLOAD_TIMEOUT|POSTGRES_VOLUME|SECRETS_DIR|BACKUP_MAX_AGE_DAYS"
    r"|BACKUP_(DIR|KEEP_DAYS|MIN_FREE_MB|RCLONE_REMOTE|RESTIC_REPOSITORY|RESTIC_PASSWORD_FILE)"
)


def _variables(made: list[App], backing: tuple[BackingService, ...]) -> tuple[Variable, ...]:
    variables: list[Variable] = []
    for app in made:
        known = {variable.name for variable in variables}
        variables += [variable for variable in app.variables if variable.name not in known]
    for service in backing:
        variables += service.variables
    for app in made:
        own = own_group(app.title, app.directory)
        filled = {name: _giver(source, backing).title for name, source in app.filled}
        filled |= {address.name: addresses.GROUP for address in app.addresses}
        for name in app.passed_on:
            group = filled.get(name, own)
            # One of Compose's own names is explained where Compose's are.
            if name not in {v.name for v in variables} and not _COMPOSE_SETTING.fullmatch(name):
                variables.append(Variable(name, group, ""))
    return tuple(variables)
