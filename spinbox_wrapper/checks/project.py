"""The project itself: what a build needs, and what the apps make of what they are given."""

from __future__ import annotations

import posixpath
import re
import shlex
from collections.abc import Callable, Collection, Iterator, Sequence
from typing import Any

import yaml

from .. import derivation
from ..answers import load_yaml
from ..derivation import source_text
from ..plan import Step
from . import migrations
from .model import Check, Context, failed, passed, warned

IDS = {
    "project.lockfiles": "Dependencies are locked, and the lockfile is committed",
    "project.tracked": "git tracks every file that the build needs, and hides none (`lib/`)",
    "project.public": "What pages show of Next.js' `public/` is there",
    "project.fonts": "The build fetches no fonts from the internet (`next/font/google`)",
    "project.health": "Every app that serves HTTP has a health endpoint",
    **migrations.IDS,
    "project.init_data": "Development data of `database/init` is not mounted",
    "project.connections": "The apps read what the stack passes, and no address is fixed",
}
_COMPOSE = "docker-compose.prod.yml"
# In `public/`'s place Next.js makes these itself, from files of the same names in `app/`.
_MADE_BY_NEXT = re.compile(r"(favicon\.ico|robots\.txt|sitemap\.xml|manifest\.json|icon\d*\..*)")


def look(context: Context) -> list[Check]:
    """All checks of this module."""
    return [
        *_found(context, lockfiles, tracked, public, fonts, health),
        *migrations.look(context),
        *_found(context, init_data),
        *connections(context),
    ]


def _found(context: Context, *checks: Callable[[Context], Check | None]) -> list[Check]:
    return [found for check in checks if (found := check(context))]


def lockfiles(context: Context) -> Check | None:
    """Whether every app's dependencies are locked by a file that a clone has."""
    id_ = "project.lockfiles"
    locked = []
    missing: list[tuple[str, str, str]] = []
    for app in context.stack.apps:
        if not app.build.manager:
            continue
        paths = [
            posixpath.normpath(posixpath.join(app.base, name))
            for name in app.build.locking.names
            if (context.project / app.base / name).is_file()
        ]
        for path in paths:
            if not context.outcome.tree.has(path):
                return failed(id_, f"git ignores {path}.", _shown(context, path))
            if context.in_git and not context.git("ls-files", "--", path):
                return failed(id_, f"{path} is not in git.", f"git add {shlex.quote(path)}")
        if paths:
            locked += paths
        else:
            missing += _unlocked(context, app)
    if missing:
        things = ", and ".join(thing for thing, _, _ in missing)
        commands, here = [], "."
        for _, folder, command in missing:
            if folder != here:
                commands.append(f"cd {shlex.quote(posixpath.relpath(folder, here))}")
            commands.append(command)
            here = folder
        seen = f"Every build may get other versions: {things}."
        return warned(id_, seen, " && ".join(commands))
    return passed(id_, f"Dependencies are locked: {', '.join(locked)}.") if locked else None


def _unlocked(context: Context, app: derivation.model.App) -> Iterator[tuple[str, str, str]]:
    """What an app lacks, its folder, and the command that makes it there."""
    build = app.build
    where = app.base if app.base != "." else "the top folder"
    if build.locking.command:
        yield f"no {build.locking.makes} is in {where}", app.base, build.locking.command
        return
    manifests = build.manifests or ("requirements.txt",)
    texts = [context.read(posixpath.join(app.directory, name)) for name in build.manifests]
    if manifests[0].endswith(".txt") and is_pinned("\n".join(texts)):
        return
    version = derivation.pipeline.language_version(app)
    cpu = isinstance(build, derivation.model.PythonBuild) and build.cpu_torch
    command = derivation.package_managers.get("pip").fix_versions(
        manifests, "".join(texts[:1]), version, cpu_torch=cpu
    )
    yield f"{manifests[0]} in {where} pins none", app.directory, command


def is_pinned(text: str) -> bool:
    """Whether every requirement names one version, or one file."""
    lines = [re.sub(r"(^|\s)#.*", "", line).strip() for line in text.splitlines()]
    return all("==" in line or "@" in line for line in lines if line and line[0] not in "-\\")


def tracked(context: Context) -> Check | None:
    """Whether a clone has what the build needs."""
    id_ = "project.tracked"
    if hidden := context.outcome.hidden:
        seen = f"git ignores {_listed(hidden)}, so a clone lacks it."
        return failed(id_, seen, _shown(context, hidden[0]))
    if not context.in_git:
        mend = "git init && git add . && git commit -m 'First version'"
        return warned(id_, "The project is not in a git repository.", mend)
    request = context.outcome.request
    paths = [*context.stack.build_paths, *(request.named(step.path) for step in _files(context))]
    if context.stack.migrations and context.stack.migrations.folder:
        paths.append(context.stack.migrations.folder)
    there = [path for path in paths if (context.project / path).exists()]
    # A folder counts as ignored also where its files are tracked.
    ignored = [p for p in context.git("check-ignore", "--", *there) if not _is_known(context, p)]
    if ignored:
        seen = f"git ignores {_listed(ignored)}, so a clone lacks it."
        return failed(id_, seen, _shown(context, ignored[0]))
    untracked = context.git("ls-files", "--others", "--exclude-standard", "-z", "--", *there)
    if untracked:
        adds = [p for p in there if any(f"{file}/".startswith(f"{p}/") for file in untracked)]
        more = f" and {len(untracked) - 1} more are" if len(untracked) > 1 else " is"
        mend = "git add " + shlex.join(adds) if len(adds) <= 4 else "git add ."
        return warned(id_, f"{untracked[0]}{more} not in git yet.", mend)
    return passed(id_, "git tracks every file that the build needs.")


def _is_known(context: Context, path: str) -> bool:
    """Whether git tracks a file, or any in a folder."""
    return bool(context.git("ls-files", "--", path))


def _shown(context: Context, path: str) -> str:
    """The command that keeps git from ignoring a path."""
    # Nothing in an ignored folder can be taken out again, so it is the folder that has to be.
    parts = path.rstrip("/").split("/")
    ancestors = ["/".join(parts[:depth]) for depth in range(1, len(parts))]
    first = next((f for f in ancestors if context.git("check-ignore", "--no-index", "--", f)), None)
    line = shlex.quote(f"!/{first}/" if first else f"!/{path}")
    return f"echo {line} >> .gitignore"


def _files(context: Context) -> Iterator[Step]:
    return (step for step in context.outcome.steps if step.generated is not None)


def public(context: Context) -> Check | None:
    """Whether the files that pages name are there; a missing folder is no fault by itself."""
    id_ = "project.public"
    for app in _next_apps(context):
        wanted = {
            p for _, text in _sources(context, app) for p in source_text.public_references(text)
        }
        for name in sorted(wanted):
            path = posixpath.normpath(posixpath.join(app.directory, "public", name))
            if context.outcome.tree.has(path) or _MADE_BY_NEXT.fullmatch(name):
                continue
            if (context.project / path).is_file():
                seen = f"git ignores {path}, which a page shows."
                return failed(id_, seen, _shown(context, path))
            return warned(id_, f"A page shows /{name}, but {path} is missing.", f"Add {path}.")
    if any(_next_apps(context)):
        return passed(id_, "What pages show of public/ is there.")
    return None


def fonts(context: Context) -> Check | None:
    """Whether the build works without the internet."""
    id_ = "project.fonts"
    for app in _next_apps(context):
        for path, text in _sources(context, app):
            if source_text.downloads_fonts(text):
                seen = f"{path} fetches fonts from Google while the image is built."
                return warned(id_, seen, "Keep the font in the project: next/font/local")
    return passed(id_, "The build fetches no fonts.") if any(_next_apps(context)) else None


def health(context: Context) -> Check | None:
    """Whether more than an open port can be looked at."""
    id_ = "project.health"
    web = context.stack.web_apps
    for app in web:
        if not app.health:
            seen = f"{app.title} has no health endpoint: only its port is looked at."
            command = context.command
            mend = f"Add GET /health, then {command} (or --set {app.kind}.health=/PATH)"
            return warned(id_, seen, mend)
    paths = ", ".join(f"{app.name} {app.health}" for app in web)
    return passed(id_, f"Health endpoints: {paths}.") if web else None


def init_data(context: Context) -> Check | None:
    """Whether data for development stays out of production, whoever edited the Compose file."""
    id_ = "project.init_data"
    if not any(service.name == "postgres" for service in context.stack.services):
        return None
    try:
        document = load_yaml((context.root / _COMPOSE).read_text("utf-8"))
        services = document["services"]
    except (OSError, UnicodeDecodeError, yaml.YAMLError, KeyError, TypeError):
        return None
    own = [f"deploy/{service.setup_file}" for service in context.stack.set_up]
    for name, service in services.items() if isinstance(services, dict) else ():
        for volume in (service.get("volumes") or []) if isinstance(service, dict) else []:
            if _mounts_init(volume, own):
                seen = f"{name} mounts what is only for development into the database."
                mend = f"Take {_text_of(volume)} out of {context.outcome.request.named(_COMPOSE)}."
                return failed(id_, seen, mend)
    return passed(id_, "No container sees database/init.")


def _text_of(volume: Any) -> str:
    return str(volume.get("source")) if isinstance(volume, dict) else str(volume)


def _mounts_init(volume: Any, own: Collection[str]) -> bool:
    if isinstance(volume, dict) and str(volume.get("source")).removeprefix("./") in own:
        return False
    parts = (
        [str(volume.get("source", "")), str(volume.get("target", ""))]
        if isinstance(volume, dict)
        else str(volume).split(":")
    )
    return any(
        posixpath.normpath(part).endswith("database/init")
        or part.startswith("/docker-entrypoint-initdb.d")
        for part in parts
    )


# Settings with parts of their own, whose names no code spells out (docs.pydantic.dev, "Settings").
_NESTED = re.compile(r"""env_nested_delimiter["']?\s*[=:]\s*["']([^"']+)["']""")


def connections(context: Context) -> list[Check]:
    """Whether every app that is given a backing service looks at what it is given."""
    id_ = "project.connections"
    checked, wrong = [], []
    for app in context.stack.apps:
        text = "\n".join(text for _, text in _sources(context, app))
        for name in app.backing:
            service = context.stack.service(name)
            # What only names a user or a number is no address.
            names = [env.name for env in service.app_environment] + list(service.urls)
            filled = [own for own, source in app.filled if source in names]
            nested = _NESTED.search(text)
            parts = nested is not None and any(nested[1] in own for own in filled)
            if parts or source_text.names_read(text, [*names, *filled]):
                checked.append(service.title)
                continue
            listed = f"{names[0]} or {service.urls[0]}" if service.urls else names[0]
            if source_text.local_urls(text, service.schemes):
                seen = f"{app.title} connects to {service.title} on localhost, whatever is set."
                wrong.append(failed(id_, seen, f"Let {app.title} read {listed}."))
                continue
            seen = f"{app.title} reads no setting of {service.title}."
            mend = f"Let it read {listed}, or leave it out with --set {name}=off."
            wrong.append(warned(id_, seen, mend))
    if wrong or not checked:
        return wrong
    return [passed(id_, f"The apps read the settings of {', '.join(dict.fromkeys(checked))}.")]


def _next_apps(context: Context) -> Iterator[derivation.model.App]:
    return (app for app in context.stack.apps if app.kind == "nextjs")


def _sources(context: Context, app: derivation.model.App) -> Iterator[tuple[str, str]]:
    """The app's source files with those of its workspace, but no tests: path and text."""
    tops = {path.rstrip("/") for path in app.sources}
    member = app.build.member if isinstance(app.build, derivation.model.NodeBuild) else None
    runs = member.runs if member and member.folder != "." else ()
    packages = [posixpath.join(member.top, folder) for folder in runs] if member else []
    folders = dict.fromkeys((app.directory, *map(posixpath.normpath, packages)))
    for path in (path for folder in folders for path in context.outcome.tree.below(folder)):
        if not path.endswith(source_text.ENDINGS) or re.search(
            r"(^|/)(tests?|__tests__|examples)/|\.(test|spec)\.", path
        ):
            continue
        if app.directory == "." and path.split("/")[0] not in tops:
            continue
        yield path, source_text.code_of(path, context.read(path))


def _listed(names: Sequence[str]) -> str:
    return ", ".join(names[:3]) + (f" and {len(names) - 3} more" if len(names) > 3 else "")
