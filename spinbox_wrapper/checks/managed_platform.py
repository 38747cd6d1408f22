"""What the checks of managed platforms share: files, names, variables, secrets, a program."""

from __future__ import annotations

import re
import shutil
from collections.abc import Callable, Iterator, Mapping, Sequence
from dataclasses import dataclass
from typing import Any

import yaml
from packaging.version import Version

from .. import derivation
from ..derivation import programs
from ..plan import Action, Step
from .model import Check, Context, failed, passed, warned

IDS = {
    "platform.files": "The platform's files can be read",
    "platform.names": "Names are ones that the platform takes",
    "platform.references": "What the files name is there: Dockerfiles, ports, services, regions",
    "platform.variables": "Every variable that an app does not start without has a source",
    "platform.secrets": "No secret has its value in a file",
    "platform.offers": "The platform has what the stack needs",
    "platform.plan": "No service is on a free plan that it cannot run on",
    "platform.dockerfiles": "What was edited in a Dockerfile was in the platform's own of it, too",
    "platform.cli": "The platform's program is installed",
}
_LABEL = re.compile(r"[a-z0-9]([a-z0-9-]{0,61}[a-z0-9])?")

# The services by the path of the file that speaks of them.
Found = Mapping[str, "Sequence[Unit]"]


_EDITED = {Action.KEEP, Action.MERGE, Action.CONFLICT}


@dataclass(frozen=True)
class Unit:
    """What a file says of one service.

    Attributes:
        name: Its name there.
        values: Its variables that have a source: the text, or None where that is elsewhere.
        document: The rest, as it was read.
    """

    name: str
    values: Mapping[str, str | None]
    document: Mapping[str, Any]


@dataclass(frozen=True)
class Platform:
    """What is peculiar to a platform.

    Attributes:
        program: Its program.
        oldest: The oldest version of that which does.
        url: Where to get it.
        files: A pattern of the generated files that it reads.
        read: The text of one -> its services. Raises ValueError, or yaml.YAMLError.
        references: A file with its services, and those of all files -> what they name in vain.
        plan: Whether its plans do.
        in_files: Whether the files hold the variables that are secrets of the platform, too.
        more: Checks of its own, which come behind that of the files; they get these by path.
        version_command: What makes the program tell its version.
        needed: The program is needed to deploy.
    """

    program: str
    oldest: Version
    url: str
    files: re.Pattern[str]
    read: Callable[[str], Iterator[Unit]]
    references: Callable[[Context, str, Found], Iterator[str]]
    plan: Callable[[Context, Sequence[Unit]], Check]
    in_files: bool = True
    more: Callable[[Context, Sequence[str]], list[Check]] = lambda context, paths: []
    version_command: str = "--version"
    needed: bool = True


def look(context: Context, platform: Platform) -> list[Check]:
    """All checks of a platform."""
    found: dict[str, Sequence[Unit]] = {}
    for step in _steps(context, platform):
        name = context.outcome.request.named(step.path)
        try:
            found[step.path] = list(platform.read((context.root / step.path).read_text("utf-8")))
        except FileNotFoundError:
            # A run keeps what was deleted away.
            kept = step.action is Action.KEEP
            mend = f"{context.build_command} --restore {name}" if kept else context.command
            return [failed("platform.files", f"{name} is missing.", mend), _cli(platform)]
        except (OSError, ValueError, yaml.YAMLError) as error:
            seen = f"{name} cannot be read: {str(error).splitlines()[0]}."
            return [failed("platform.files", seen, f"Mend {name}."), _cli(platform)]
    units = [unit for listed in found.values() for unit in listed]
    names = ", ".join(context.outcome.request.named(path) for path in found)
    return [
        passed("platform.files", f"{names} can be read."),
        *platform.more(context, list(found)),
        _names(units),
        _references(context, platform, found),
        _variables(context, platform, found),
        _secrets(context, found),
        *_offers(context),
        *_dockerfiles(context),
        platform.plan(context, units),
        _cli(platform),
    ]


def surface(context: Context) -> derivation.managed_platform.ManagedPlatform:
    """What the templates see of the platform that the context names."""
    found = context.outcome.deployment.surfaces[context.target]
    assert isinstance(found, derivation.managed_platform.ManagedPlatform)
    return found


def _steps(context: Context, platform: Platform) -> list[Step]:
    """The generated files that the platform reads."""
    found = [step for step in context.outcome.steps if platform.files.fullmatch(step.path)]
    return [step for step in found if step.generated is not None]


def mapping(value: object) -> Mapping[str, Any]:
    """A part of a document that has to be a mapping.

    Raises:
        ValueError: It is none.
    """
    if not isinstance(value, Mapping):
        raise ValueError("a part of it is no mapping")
    return value


def listed(value: object) -> Sequence[Any]:
    """A part of a document that has to be a list; nothing is an empty one.

    Raises:
        ValueError: It is none.
    """
    if value is None:
        return ()
    if not isinstance(value, list):
        raise ValueError("a part of it is no list")
    return value


def _names(units: Sequence[Unit]) -> Check:
    id_ = "platform.names"
    names = [unit.name for unit in units]
    bad = [name for name in names if not _LABEL.fullmatch(name)]
    if bad:
        mend = "Use small letters, digits and dashes, at most 63."
        return failed(id_, f"{bad[0]!r} is no name for a service there.", mend)
    repeated = [name for name in names if names.count(name) > 1]
    if repeated:
        return failed(id_, f"Two services are called {repeated[0]}.", "Rename one of them.")
    return passed(id_, "Every name is one that the platform takes.")


def _variables(context: Context, platform: Platform, found: Found) -> Check:
    """What the files have to say."""
    id_ = "platform.variables"
    view = surface(context)
    needed = {app.name: view.settings(app) for app in view.apps}
    if platform.in_files:
        needed |= {worker.name: view.worker_settings(worker) for worker in view.workers}
    for name, sources in needed.items():
        path = view.file(name)
        values = _unit(context, found[path], name).values
        for source in sources:
            if not source.required or (not platform.in_files and _is_secret(source)):
                continue
            if {source.name, *_urls_of(context.stack, source.name)} & values.keys():
                continue
            file = context.outcome.request.named(path)
            seen = f"{file} does not say what {source.name} is for {name}."
            return failed(id_, seen, f"Add it to {file}, or restore that.")
    said = "Every variable of the files has a source."
    if not platform.in_files:
        said += f" Secrets: {platform.program} secrets list --app NAME."
    return passed(id_, said)


def _unit(context: Context, units: Sequence[Unit], name: str) -> Unit:
    """What a file says of an app or a worker, which may have been given another name."""
    view = surface(context)
    wanted = view.name(name)
    for unit in units:
        if len(units) == 1 or unit.name == wanted:
            return unit
    worker = next((worker for worker in view.workers if worker.name == name), None)
    app = worker.app if worker else next(a for a in view.apps if a.name == name)
    file = view.dockerfile(app).path.rpartition("/")[2]
    for unit in units:
        dockerfile = str(unit.document.get("dockerfilePath", "")).rpartition("/")[2]
        starts = "dockerCommand" in unit.document or "start" in unit.document
        if dockerfile == file and starts == bool(worker):
            return unit
    return Unit(wanted, {}, {})


def _references(context: Context, platform: Platform, found: Found) -> Check:
    id_ = "platform.references"
    for path in found:
        file = context.outcome.request.named(path)
        for problem in platform.references(context, path, found):
            return failed(id_, f"{file}: {problem}.", f"Mend {file}.")
    return passed(id_, "What the files name is there.")


def _dockerfiles(context: Context) -> list[Check]:
    """A platform's own Dockerfile is another file: an edit of the usual one is not in it."""
    id_ = "platform.dockerfiles"
    edited = {step.path for step in context.outcome.steps if step.action in _EDITED}
    own = surface(context).dockerfiles
    for file in own:
        usual, path = (context.outcome.request.named(p) for p in (file.app.dockerfile, file.path))
        if file.app.dockerfile in edited and file.path not in edited:
            seen = f"You edited {usual}, and not {path}, which is built there."
            return [warned(id_, seen, f"Make the same edit in {path}, if it is meant for both.")]
    return [passed(id_, "No edit of a Dockerfile is missing in the platform's own.")] if own else []


def _is_secret(source: derivation.managed_platform.Source) -> bool:
    return bool(source.command) or (source.by_hand and not source.build)


def _urls_of(stack: derivation.model.Stack, variable: str) -> set[str]:
    """The URLs of which the image's entrypoint makes a variable."""
    return {
        url
        for service in stack.services
        if variable in {env.name for env in service.app_environment}
        for url in service.urls
    }


def _secrets(context: Context, found: Found) -> Check:
    """A text where the model, or a variable's name, says that it is a secret."""
    id_ = "platform.secrets"
    view = surface(context)
    secret = {env.name for service in context.stack.services for env in service.secrets}
    for path, units in found.items():
        for unit in units:
            for name, value in unit.values.items():
                hidden = name in secret or view.is_secret(name)
                # A reference of Railway's is no secret.
                if hidden and value and not re.fullmatch(r"\$\{\{[^{}]*\}\}", value):
                    file = context.outcome.request.named(path)
                    mend = f"Take it out of {file}, and set another one as the guide says."
                    return failed(id_, f"{file} holds the value of {name}.", mend)
    return passed(id_, "No secret stands in these files.")


def _offers(context: Context) -> list[Check]:
    id_ = "platform.offers"
    view = surface(context)
    title = view.title
    if missing := view.missing_extensions:
        seen = f"{title} does not offer the PostgreSQL extension {missing[0]}."
        return [failed(id_, seen, f"{context.build_command} --set postgres=external")]
    guide = context.outcome.request.named(f"deploy/{context.target}/README.md")
    if view.lost:
        return [warned(id_, sentence, f"See {guide}.") for sentence in view.lost]
    return [passed(id_, f"{title} has what the stack needs.")]


def _cli(platform: Platform) -> Check:
    id_ = "platform.cli"
    program, oldest, url = platform.program, platform.oldest, platform.url
    report = failed if platform.needed else warned
    path = shutil.which(program) or shutil.which(f"{program}ctl")
    if path is None:
        return report(id_, f"{program} is not installed here.", f"Install it: {url}")
    result = programs.run([path, platform.version_command])
    if result.ending is not programs.Ending.DONE:
        return report(id_, f"{program} does not answer.", f"Install it again: {url}")
    match = re.search(r"\d+\.\d+\.\d+", result.text)
    if match is None:
        return report(id_, f"{program} does not tell its version.", f"Install it again: {url}")
    if Version(match[0]) < oldest:
        return report(id_, f"{program} {match[0]} is older than {oldest}.", f"Upgrade it: {url}")
    return passed(id_, f"{program} {match[0]} is there.")
