"""What Fly.io, Railway and Render need: their files, names, variables, plans, their program."""

from __future__ import annotations

import json
import re
import shutil
import tomllib
from collections.abc import Callable, Iterator, Mapping, Sequence
from dataclasses import dataclass
from typing import Any

import yaml
from packaging.version import Version

from ..derivation import programs
from ..plan import Action, Step
from ..template import installed
from .model import Check, Context, failed, passed, warned

IDS = {
    "platform.files": "The platform's files can be read",
    "platform.committed": "git holds the file that Render reads",
    "platform.names": "Names are ones that the platform takes",
    "platform.references": "What the files name is there: Dockerfiles, ports, services, regions",
    "platform.variables": "Every variable that an app does not start without has a source",
    "platform.secrets": "No secret has its value in a file",
    "platform.offers": "The platform has what the stack needs",
    "platform.plan": "No service is on a free plan that it cannot run on",
    "platform.deadline": "The platform still reads the file",
    "platform.cli": "The platform's program is installed",
}
# By target: the program, the oldest version that does, where to get it.
PROGRAMS: Mapping[str, tuple[str, Version, str]] = {
    # Any that knows Managed Postgres does; it updates itself.
    "fly": ("fly", Version("0.3.100"), "https://fly.io/docs/flyctl/install/"),
    "railway": ("railway", Version("5.42.1"), "https://docs.railway.com/cli"),
    "render": ("render", Version("2.7.0"), "https://render.com/docs/cli"),
}
_LABEL = re.compile(r"[a-z0-9]([a-z0-9-]{0,61}[a-z0-9])?")
_FILES = {
    "fly": re.compile(r"fly(\.[\w-]+)?\.toml"),
    "railway": re.compile(r"\.railway/railway\.ts|railway(\.[\w-]+)?\.json"),
    "render": re.compile(r"render\.yaml"),
}
# What the image's entrypoint makes the parts of.
_URLS = {"POSTGRES_": "DATABASE_URL", "REDIS_": "REDIS_URL"}
_QUOTED = r"""("(?:[^"\\\n]|\\.)*"|'(?:[^'\\\n]|\\.)*'|`[^`]*`)"""


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


def look(context: Context) -> list[Check]:
    """All checks of this module, for the platform that the context names."""
    found = {}
    for step in _steps(context):
        name = context.outcome.request.named(step.path)
        try:
            found[step.path] = _read(context, step.path)
        except FileNotFoundError:
            # A run keeps what was deleted away.
            kept = step.action is Action.KEEP
            mend = f"{context.build_command} --restore {name}" if kept else context.command
            return [failed("platform.files", f"{name} is missing.", mend), _cli(context.target)]
        except (OSError, ValueError, yaml.YAMLError) as error:
            seen = f"{name} cannot be read: {str(error).splitlines()[0]}."
            return [failed("platform.files", seen, f"Mend {name}."), _cli(context.target)]
    units = [unit for listed in found.values() for unit in listed]
    names = ", ".join(context.outcome.request.named(path) for path in found)
    return [
        passed("platform.files", f"{names} can be read."),
        *_committed(context, list(found)),
        _names(units),
        _references(context, found),
        _variables(context, found),
        _secrets(context, found),
        *_offers(context),
        *_plan(context, units),
        *_deadline(context),
        _cli(context.target),
    ]


def _steps(context: Context) -> list[Step]:
    """The generated files that the platform reads."""
    found = [s for s in context.outcome.steps if _FILES[context.target].fullmatch(s.path)]
    return [step for step in found if step.generated is not None]


def _read(context: Context, path: str) -> Sequence[Unit]:
    """The services that a file speaks of.

    Raises:
        OSError: It cannot be read.
        ValueError: It is not what it should be.
        yaml.YAMLError: The same.
    """
    read: Mapping[str, Callable[[str], Iterator[Unit]]] = {
        ".toml": _fly,
        ".yaml": _render,
        ".json": _railway_json,
        ".ts": _railway,
    }
    return list(read[path[path.rindex(".") :]]((context.root / path).read_text("utf-8")))


def _fly(text: str) -> Iterator[Unit]:
    document = tomllib.loads(text)
    environment = _mapping(document.get("env", {}))
    arguments = _mapping(_mapping(document.get("build", {})).get("args", {}))
    values = {str(k): str(v) for k, v in (*environment.items(), *arguments.items())}
    yield Unit(str(document.get("app", "")), values, document)


def _render(text: str) -> Iterator[Unit]:
    document = _mapping(yaml.safe_load(text))
    for part in (*_list(document.get("services")), *_list(document.get("databases"))):
        unit = _mapping(part)
        values: dict[str, str | None] = {}
        for one in map(_mapping, _list(unit.get("envVars"))):
            if "key" in one:
                values[str(one["key"])] = str(one["value"]) if "value" in one else None
        yield Unit(str(unit.get("name", "")), values, unit)


def _railway_json(text: str) -> Iterator[Unit]:
    _mapping(json.loads(text))
    yield from ()


def _railway(text: str) -> Iterator[Unit]:
    """By its text, which is a program: what stands in comments counts for nothing.

    Where Node.js is installed, it parses the text first (nodejs.org/api/module.html).
    """
    if problem := _syntax(text):
        raise ValueError(problem)
    bare = re.sub(rf"{_QUOTED}|//[^\n]*|/\*.*?\*/", lambda m: m[1] or "", text, flags=re.S)
    if "defineRailway(" not in bare:
        raise ValueError("it does not call defineRailway")
    calls = list(re.finditer(rf"\b(service|postgres|redis|mongo)\(\s*{_QUOTED}", bare))
    ends = [call.start() for call in calls[1:]] + [len(bare)]
    for call, end in zip(calls, ends, strict=True):
        body = bare[call.end() : end]
        values: dict[str, str | None] = {}
        match = re.search(r"\b(?:env|variables)\s*:\s*\{", body)
        for entry in re.finditer(rf"[{{,\n]\s*[\"']?(\w+)[\"']?\s*:\s*(?:{_QUOTED}|([\w.]+))",
                                 body[match.end() - 1 :] if match else ""):  # fmt: skip
            values[entry[1]] = entry[2][1:-1] if entry[2] else None
        document = {
            key: f"{value[1:-1]}" for key, value in re.findall(rf"(\w+):\s*{_QUOTED}", body)
        }
        yield Unit(call[2][1:-1], values, document)


def _syntax(text: str) -> str:
    """What Node.js says is wrong with a TypeScript text; empty where it says nothing."""
    script = (
        "const strip = require('node:module').stripTypeScriptTypes;"
        "if (strip) strip(require('node:fs').readFileSync(0, 'utf8'))"
    )
    result = programs.run(["node", "--no-warnings", "-e", script], stdin=text)
    if result.ok or result.ending is not programs.Ending.DONE:
        return ""
    errors = [line for line in result.error.splitlines() if "Error" in line]
    return errors[0].strip() if errors else ""


def _mapping(value: object) -> Mapping[str, Any]:
    if not isinstance(value, Mapping):
        raise ValueError("a part of it is no mapping")
    return value


def _list(value: object) -> Sequence[Any]:
    if value is None:
        return ()
    if not isinstance(value, list):
        raise ValueError("a part of it is no list")
    return value


def _module() -> Any:
    return installed().extension("platforms")


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


def _variables(context: Context, found: Mapping[str, Sequence[Unit]]) -> Check:
    """What the files have to say; a secret of Fly.io's is in none of them."""
    id_ = "platform.variables"
    target, module, stack = context.target, _module(), context.stack
    if any(path.endswith(".json") for path in found):
        seen = "railway.json holds no variables: this cannot be seen from here."
        mend = "Compare with the guide's list: railway variable list --kv --service NAME"
        return warned(id_, seen, mend)
    platforms = module.build_platforms(context.outcome.answers, stack)
    needed = {
        app.name: module.settings(target, stack, platforms, app) for app in module.apps(stack)
    }
    if module.worker(stack) and target != "fly":
        needed[stack.worker.name] = module.worker_settings(target, stack, platforms)
    for name, settings in needed.items():
        path = module.fly_file(stack, name) if target == "fly" else next(iter(found))
        wanted = module.name(target, stack, platforms, name)
        values = _unit(target, found[path], wanted, stack, name).values
        for setting in settings:
            if not setting.required or (target == "fly" and _is_secret(setting)):
                continue
            if setting.name in values or _url_of(setting.name) in values:
                continue
            file = context.outcome.request.named(path)
            seen = f"{file} does not say what {setting.name} is for {name}."
            return failed(id_, seen, f"Add it to {file}, or restore that.")
    said = "Every variable of the files has a source."
    if target == "fly":
        said += " Secrets: fly secrets list --app NAME."
    return passed(id_, said)


def _unit(target: str, units: Sequence[Unit], wanted: str, stack: Any, name: str) -> Unit:
    """What a file says of an app or the worker, which may have been given another name."""
    for unit in units:
        if target == "fly" or unit.name == wanted:
            return unit
    worker = stack.worker is not None and name == stack.worker.name
    app = stack.worker.app if worker else next(a for a in stack.apps if a.name == name)
    for unit in units:
        dockerfile = str(unit.document.get("dockerfilePath", "")).rpartition("/")[2]
        starts = "dockerCommand" in unit.document or "start" in unit.document
        if dockerfile == app.dockerfile and starts == worker:
            return unit
    return Unit(wanted, {}, {})


def _committed(context: Context, paths: Sequence[str]) -> list[Check]:
    """Render builds what is in the repository, and nothing else."""
    if context.target != "render":
        return []
    id_ = "platform.committed"
    if not context.in_git:
        return [failed(id_, "There is no git repository, which Render builds from.", "git init")]
    for path in paths:
        name = context.outcome.request.named(path)
        if not context.git("ls-tree", "--name-only", "HEAD", "--", name):
            mend = f"Commit {name} and what was generated with it, and push."
            return [failed(id_, f"No commit holds {name}.", mend)]
        if context.git("status", "--porcelain", "--", name):
            return [warned(id_, f"{name} has changes that no commit holds.", "Commit and push.")]
    return [passed(id_, "The file is committed.")]


def _references(context: Context, found: Mapping[str, Sequence[Unit]]) -> Check:
    id_ = "platform.references"
    look_at = {"fly": _of_fly, "render": _of_render, "railway": _of_railway}[context.target]
    for path, units in found.items():
        file = context.outcome.request.named(path)
        for problem in look_at(context, path, units, found):
            return failed(id_, f"{file}: {problem}.", f"Mend {file}.")
    return passed(id_, "What the files name is there.")


def _of_fly(
    context: Context, path: str, units: Sequence[Unit], found: Mapping[str, Sequence[Unit]]
) -> Iterator[str]:
    module, stack = _module(), context.stack
    (unit,) = units
    dockerfile = _mapping(unit.document.get("build", {})).get("dockerfile")
    if dockerfile is not None and not (context.root / path).parent.joinpath(dockerfile).is_file():
        yield f"there is no {dockerfile}"
    app = next((a for a in module.apps(stack) if module.fly_file(stack, a.name) == path), None)
    for service in _list(unit.document.get("services")) if app else ():
        port = str(unit.values.get("PORT") or getattr(app, "port", None))
        if str(service.get("internal_port")) != port:
            yield f"the app listens on port {port}, not on {service.get('internal_port')}"
    names = {other.name for listed in found.values() for other in listed}
    for name, value in unit.values.items():
        host = re.search(r"([\w-]+)\.flycast", value or "")
        if host and host[1] not in names:
            yield f"{name} leads to {host[1]}, which no file is the app of"


def _of_render(
    context: Context, path: str, units: Sequence[Unit], found: Mapping[str, Sequence[Unit]]
) -> Iterator[str]:
    module = _module()
    names = {unit.name for unit in units}
    for unit in units:
        region = unit.document.get("region")
        if region is not None and region not in module.RENDER_REGIONS:
            yield f"{region} is no region"
        dockerfile = str(unit.document.get("dockerfilePath") or "").removeprefix("./")
        folder = str(context.outcome.answers.get("ci_folder") or "")
        inside = dockerfile.removeprefix(f"{folder}/" if folder else "")
        if dockerfile and not (context.project / inside).is_file():
            yield f"there is no {dockerfile}"
        for one in map(_mapping, _list(unit.document.get("envVars"))):
            for kind in ("fromDatabase", "fromService"):
                name = _mapping(one.get(kind, {})).get("name")
                if name is not None and name not in names:
                    yield f"{one.get('key')} comes from {name}, which is not there"


def _of_railway(
    context: Context, path: str, units: Sequence[Unit], found: Mapping[str, Sequence[Unit]]
) -> Iterator[str]:
    text = (context.root / path).read_text("utf-8")
    if path.endswith(".json"):
        return
    constants = set(re.findall(r"\b(?:const|let|var)\s+(\w+)", text))
    for name in re.findall(r":\s*(\w+)\.env\.", text):
        if name not in constants:
            yield f"{name} is used, and not made"
    for unit in units:
        dockerfile = str(unit.document.get("dockerfilePath") or "")
        if dockerfile and not (context.project / dockerfile).is_file():
            yield f"there is no {dockerfile}"


def _is_secret(setting: Any) -> bool:
    return bool(setting.command) or (setting.by_hand and not setting.build)


def _url_of(name: str) -> str | None:
    return next((url for prefix, url in _URLS.items() if name.startswith(prefix)), None)


def _secrets(context: Context, found: Mapping[str, Sequence[Unit]]) -> Check:
    """A text where the model, or a variable's name, says that it is a secret."""
    id_ = "platform.secrets"
    stack, module = context.stack, _module()
    secret = {env.name for service in stack.services for env in service.secrets}
    for path, units in found.items():
        for unit in units:
            for name, value in unit.values.items():
                hidden = name in secret or module.is_secret(stack, name)
                # A reference of Railway's is no secret.
                if hidden and value and not re.fullmatch(r"\$\{\{[^{}]*\}\}", value):
                    file = context.outcome.request.named(path)
                    mend = f"Take it out of {file}, and set another one as the guide says."
                    return failed(id_, f"{file} holds the value of {name}.", mend)
    return passed(id_, "No secret stands in these files.")


def _offers(context: Context) -> list[Check]:
    id_ = "platform.offers"
    module, stack = _module(), context.stack
    title = module.TITLES[context.target]
    if missing := module.missing_extensions(context.target, stack):
        seen = f"{title} does not offer the PostgreSQL extension {missing[0]}."
        return [failed(id_, seen, f"{context.build_command} --set postgres=external")]
    guide = context.outcome.request.named(f"deploy/{context.target}/README.md")
    if lost := module.lost(context.target, stack):
        return [warned(id_, sentence, f"See {guide}.") for sentence in lost]
    return [passed(id_, f"{title} has what the stack needs.")]


def _plan(context: Context, units: Sequence[Unit]) -> list[Check]:
    id_ = "platform.plan"
    if context.target == "fly":
        return [passed(id_, "Fly.io has no free plan: everything here is paid for.")]
    if context.target == "railway":
        module = _module()
        volumes = module.railway_volumes(context.stack)
        enough = next((p for p, n in module.RAILWAY_VOLUMES.items() if n >= volumes), "Pro")
        if enough == "Free":
            return [passed(id_, "The stack's volumes are no more than the free plan has.")]
        seen = f"The stack has {volumes} volumes; the plan {enough} is the first with so many."
        return [warned(id_, seen, "See https://docs.railway.com/pricing/plans.")]
    called = set(_called(context))
    for unit in units:
        if unit.document.get("plan") == "free" and (reason := _free(unit, called)):
            seen = f"{unit.name} is on the free plan, which {reason}."
            return [failed(id_, seen, f"Set the plan of {unit.name} to a paid one.")]
    if any(unit.document.get("plan") == "free" for unit in units):
        seen = "A free service sleeps after 15 minutes without a visitor."
        return [warned(id_, seen, "See https://render.com/docs/free.")]
    return [passed(id_, "No service is on the free plan.")]


def _called(context: Context) -> Iterator[str]:
    """The names of services that others call over the private network."""
    module, stack = _module(), context.stack
    platforms = module.build_platforms(context.outcome.answers, stack)
    for app in module.apps(stack):
        if module.caller(stack, app):
            yield module.name("render", stack, platforms, app.name)


def _free(unit: Unit, called: set[str]) -> str:
    """What Render's free plan does not do for a service (render.com/docs/free)."""
    type_ = unit.document.get("type")
    if type_ is None:
        return "ends after 30 days"
    if type_ in {"worker", "pserv"}:
        return "has no workers and no private services"
    if unit.document.get("disk"):
        return "has no disk"
    if unit.document.get("preDeployCommand"):
        return "runs no pre-deploy command"
    if type_ == "keyvalue":
        return "forgets its data at every restart"
    return "takes no requests of the private network" if unit.name in called else ""


def _deadline(context: Context) -> list[Check]:
    if context.target != "railway" or context.outcome.answers.get("railway_config") != "json":
        return []
    ends = _module().RAILWAY_JSON_ENDS
    mend = f"{context.build_command} --set railway_config=ts"
    if context.today.isoformat() >= ends:
        return [failed("platform.deadline", f"Railway reads no railway.json since {ends}.", mend)]
    return [warned("platform.deadline", f"Railway reads railway.json until {ends} only.", mend)]


def _cli(target: str) -> Check:
    id_ = "platform.cli"
    program, oldest, url = PROGRAMS[target]
    # Render builds from the repository: its program only checks the file beforehand.
    report = warned if target == "render" else failed
    path = shutil.which(program) or (shutil.which("flyctl") if target == "fly" else None)
    if path is None:
        return report(id_, f"{program} is not installed here.", f"Install it: {url}")
    result = programs.run([path, "version" if target == "fly" else "--version"])
    if result.ending is not programs.Ending.DONE:
        return report(id_, f"{program} does not answer.", f"Install it again: {url}")
    match = re.search(r"\d+\.\d+\.\d+", result.text)
    if match is None:
        return report(id_, f"{program} does not tell its version.", f"Install it again: {url}")
    if Version(match[0]) < oldest:
        return report(id_, f"{program} {match[0]} is older than {oldest}.", f"Upgrade it: {url}")
    return passed(id_, f"{program} {match[0]} is there.")
