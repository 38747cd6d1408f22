"""Django (docs.djangoproject.com, "How to deploy Django"): Gunicorn or Uvicorn serve it."""

from __future__ import annotations

from collections.abc import Collection, Mapping, Sequence
from pathlib import PurePosixPath
from typing import Any

from .. import (
    django_settings,
    django_urls,
    framework,
    own_variables,
    python_servers,
    python_web,
    route_prefixes,
)
from ..django_settings import Settings
from ..errors import ProjectError
from ..framework import Situation
from ..model import App, BackingService, BuildStep, Env, Variable, Volume, password
from ..origins import BY_HAND, Fields, Found
from ..project import Place, Project
from ..runtimes import python
from ..setting import Setting
from ..tree import Tree

TITLE = "Django"
RUNTIME = python.RUNTIME
RANK = 2
GENERIC = False
FLAG = "USE_DJANGO"
SERVICE = "django"
LEAVES_DATA = False
SETTINGS = (
    *python.settings("django", TITLE),
    Setting("django.entry", "text", "The WSGI or ASGI application, as module:name"),
    Setting("django.settings", "text", "The settings module"),
    Setting("django.asgi", "boolean", "The entry is an ASGI application"),
    Setting("django.static", "boolean", "The image gets what collectstatic collects"),
    Setting("django.media", "text", "Folder of the container for MEDIA_ROOT's files, or off"),
    Setting("django.paths", "list", "Path prefixes that the proxy sends to it"),
)
_PORT = Found(8000, "Gunicorn's usual port")
_LIBRARIES = python_servers.SERVERS | {"whitenoise", "channels"}
_ASYNC_SERVERS = frozenset({"uvicorn", "daphne", "hypercorn"})


def find(project: Project, taken: Mapping[str, str | None]) -> Place | None:
    """By `manage.py`."""
    return python_web.find(project, "django")


def read(project: Project, folder: str) -> Fields:
    """What its settings say.

    Raises:
        ProjectError: A file that has to be read is broken.
    """
    tree = project.tree
    modules = python.modules(project, folder)[0]
    found = django_settings.find(tree, folder)
    if found is None:
        reason = "no manage.py with DJANGO_SETTINGS_MODULE"
        nothing: Fields = {"entry": Found(None, reason), "source_root": Found(".", reason)}
        nothing |= {"port": _PORT, "health": Found(None, reason), "paths": Found(["/api"], reason)}
        return {**nothing, **python.read(project, folder, modules, _LIBRARIES)}
    libraries = python.read(project, folder, modules, _LIBRARIES)["libraries"].value
    served = _served(tree, found, libraries, project.hints.get("django.entry"))
    entry = served["entry"].value
    command = ("gunicorn", entry or "", found.module)
    more = list(found.reads())
    fields = python.read(project, folder, modules, _LIBRARIES, command=command, more=more)
    return {
        **served,
        **_settings(found),
        **_routes(tree, folder, found),
        "source_root": Found(_inside(folder, found.base), "holds manage.py", found.manage),
        "manage": Found(_inside(folder, found.manage), "Django's program", found.manage),
        "port": _PORT,
        **fields,
    }


def _inside(folder: str, path: str) -> str:
    return path if folder == "." else str(PurePosixPath(path).relative_to(folder))


def _served(tree: Tree, found: Settings, libraries: Collection[str], hint: str | None) -> Fields:
    """The application: ASGI's where the project has a server for it, and none for WSGI."""
    names = {"asgi": "asgi.py", "wsgi": "wsgi.py"}
    files = {kind: django_settings.servers(tree, found.base, name) for kind, name in names.items()}
    wanted = "ASGI_APPLICATION" in found.values or not files["wsgi"]
    own = _ASYNC_SERVERS.intersection(libraries) and not {"gunicorn", "uwsgi"} & {*libraries}
    is_asgi = bool(files["asgi"]) and (wanted or bool(own))
    if hint:
        is_asgi = "asgi" in hint
        return {"entry": Found(hint, BY_HAND), "asgi": Found(is_asgi, BY_HAND)}
    paths = files["asgi" if is_asgi else "wsgi"]
    if not paths:
        reason = "no wsgi.py or asgi.py that makes an application"
        return {"entry": Found(None, reason, found.manage), "asgi": Found(False, reason)}
    module = _inside(found.base, paths[0]).removesuffix(".py").replace("/", ".")
    reason = f"Django's {'ASGI' if is_asgi else 'WSGI'} application"
    return {
        "entry": Found(f"{module}:application", reason, paths[0]),
        "asgi": Found(is_asgi, reason, paths[0]),
    }


def _settings(found: Settings) -> Fields:
    values = found.values
    static = values.get("STATIC_ROOT")
    folder = found.folder("STATIC_ROOT")
    media = found.folder("MEDIA_ROOT")
    collects = found.mentions("django.contrib.staticfiles") and folder not in {None, "."}
    fields: Fields = {
        "settings": Found(found.module, "settings module", found.path),
        "static": Found(
            collects,
            "STATIC_ROOT" if static else "no STATIC_ROOT",
            static.path if static else found.path,
            static.line if static else None,
        ),
        "media": Found(None, "no MEDIA_ROOT in the app's folder", found.path),
        "debug": Found(None, "DEBUG is read from no variable", found.path),
        "secret_key": Found(None, "SECRET_KEY is read from no variable", found.path),
    }
    if media and media != ".":
        value = values["MEDIA_ROOT"]
        fields["media"] = Found(media, "MEDIA_ROOT", value.path, value.line)
    debug, key = values.get("DEBUG"), values.get("SECRET_KEY")
    if debug and debug.variable:
        setting = f"{debug.variable}={django_settings.off(debug)}"
        fields["debug"] = Found(setting, "turns DEBUG off", debug.path, debug.line)
    if key and key.variable:
        fields["secret_key"] = Found(key.variable, "SECRET_KEY", key.path, key.line)
    return fields


def _routes(tree: Tree, folder: str, found: Settings) -> Fields:
    routes = django_urls.read(tree, found)
    health = python_web.health(routes, found.path)
    own = [route.path for route in routes.listed if route.path != health.value]
    for name in ("STATIC_URL", "MEDIA_URL"):
        value = found.values.get(name)
        text = value.constant if value else None
        if isinstance(text, str) and text.strip("/") and "://" not in text:
            own.append("/" + text.strip("/"))
    prefixes = route_prefixes.choose(own, route_prefixes.pages(tree, folder))
    return {"health": health, "paths": Found(prefixes or ["/api"], "its URLconf", found.path)}


def is_api(facts: Mapping[str, Any]) -> bool:
    """Always."""
    return True


def define(facts: Mapping[str, Any], situation: Situation) -> App:
    """Served by Gunicorn, or by the project's ASGI server, unless another command was set.

    Raises:
        ProjectError: No application was found, and no command that would do without.
    """
    own = framework.command(facts)
    server = python_servers.Server(own) if own else _server(facts)
    environment, variables = _environment(facts)
    root = _root(facts)
    media = facts.get("media")
    volumes: tuple[Volume, ...] = ()
    if media:
        path = media if media.startswith("/") else f"{root}/{media}"
        volumes = (Volume("uploads", path, "Files that users upload"),)
    return python.define(
        facts,
        situation,
        server.command,
        environment=environment,
        serving=server.environment,
        variables=(*variables, *server.variables),
        web=python.Web(
            servers=server.packages,
            steps=_steps(facts, situation.backing),
            volumes=volumes,
            warnings=python_servers.told(facts, server.packages),
        ),
    )


def _root(facts: Mapping[str, Any]) -> str:
    root = facts.get("source_root") or "."
    return "/app" if root == "." else f"/app/{root}"


def _environment(facts: Mapping[str, Any]) -> tuple[tuple[Env, ...], tuple[Variable, ...]]:
    made: list[Env] = []
    variables: list[Variable] = []
    if facts.get("settings"):
        made.append(Env("DJANGO_SETTINGS_MODULE", facts["settings"]))
    if debug := facts.get("debug"):
        name, _, value = debug.partition("=")
        made.append(Env(name, value))
    if name := facts.get("secret_key"):
        made.append(Env(name, variable=name))
        help_text = "Signs sessions and tokens; a new one logs everybody out."
        variables.append(password(name, "Application", help_text))
    return tuple(made), tuple(variables)


def _server(facts: Mapping[str, Any]) -> python_servers.Server:
    entry = facts.get("entry")
    if entry is None:
        raise ProjectError(
            f"No wsgi.py or asgi.py of Django was found in {facts['dir']}: name its application "
            "with --set django.entry=MODULE:NAME."
        )
    if facts.get("asgi"):
        return python_servers.asgi(facts, entry)
    return python_servers.wsgi(facts, entry)


def _steps(facts: Mapping[str, Any], backing: Sequence[BackingService]) -> tuple[BuildStep, ...]:
    """`collectstatic`: it needs the settings, but no database, and no real secret."""
    if not facts.get("static"):
        return ()
    known: dict[str, str] = {}
    for service in backing:
        address = f"{service.schemes[0] if service.schemes else 'http'}://localhost/0"
        known |= dict.fromkeys(service.urls, address)
        known |= {e.name: e.value or "0" for e in service.app_environment}
    read = facts.get("variables") or ()
    given = {name: value for name, value in known.items() if name in read}
    for name in facts.get("required") or ():
        given.setdefault(name, own_variables.stand_in(name))
    if name := facts.get("secret_key"):
        given[name] = "only-while-the-image-is-built"
    if facts.get("settings"):
        given["DJANGO_SETTINGS_MODULE"] = facts["settings"]
    if debug := facts.get("debug"):
        name, _, value = debug.partition("=")
        given[name] = value
    command = ("python", facts.get("manage") or "manage.py", "collectstatic", "--noinput")
    reason = "Static files, which the app serves itself; the values are stand-ins"
    return (BuildStep(command, reason, tuple(given.items())),)
