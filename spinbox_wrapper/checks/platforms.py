"""What Fly.io, Railway and Render need: their files, their CLI, names, variables, what is free."""

from __future__ import annotations

import json
import re
import shutil
import subprocess
import tomllib
from collections.abc import Callable, Iterator, Mapping
from typing import Any

import yaml

from ..template import installed
from .model import Check, Context, failed, passed, warned

IDS = {
    "platform.files": "The platform's files can be read",
    "platform.names": "Names are ones that the platform takes",
    "platform.variables": "Every variable that an app does not start without has a source",
    "platform.secrets": "No secret has its value in a file",
    "platform.offers": "The platform has what the stack needs",
    "platform.plan": "No service is on a free plan that it cannot run on",
    "platform.deadline": "The platform still reads the file",
    "platform.cli": "The platform's program is installed",
}
# By target: the program, the oldest version that does, and where to get it.
PROGRAMS = {
    "fly": ("fly", (0, 3, 0), "https://fly.io/docs/flyctl/install/"),
    "railway": ("railway", (5, 42, 1), "https://docs.railway.com/cli"),
    "render": ("render", (2, 7, 0), "https://render.com/docs/cli"),
}
_LABEL = re.compile(r"[a-z0-9]([a-z0-9-]{0,61}[a-z0-9])?")


def look(context: Context) -> list[Check]:
    """All checks of this module, for the platform that the context names."""
    files = list(_files(context))
    broken = next((check for check in files if check.mend), None)
    if broken:
        return [broken, _cli(context.target)]
    names = [step.path for step in _steps(context)]
    checks = [passed("platform.files", f"{', '.join(names)} can be read.")]
    document = {name: (context.root / name).read_text("utf-8") for name in names}
    checks += [_names(context, document), _variables(context, document), _secrets(context)]
    checks += [*_offers(context), *_plan(context, document), *_deadline(context)]
    return [*checks, _cli(context.target)]


def _module() -> Any:
    return installed().extension("platforms")


def _steps(context: Context) -> list[Any]:
    """The generated files that the platform reads."""
    pattern = {
        "fly": r"fly(\.[\w-]+)?\.toml",
        "railway": r"\.railway/railway\.ts|railway(\.[\w-]+)?\.json",
        "render": r"render\.yaml",
    }[context.target]
    found = [s for s in context.outcome.steps if re.fullmatch(pattern, s.path)]
    return [step for step in found if step.generated is not None]


def _files(context: Context) -> Iterator[Check]:
    parse: Mapping[str, Callable[[str], Any]] = {
        ".toml": tomllib.loads,
        ".yaml": _blueprint,
        ".json": json.loads,
        ".ts": lambda text: text.index("defineRailway("),
    }
    for step in _steps(context):
        path = context.root / step.path
        name = context.outcome.request.named(step.path)
        try:
            parse[path.suffix](path.read_text("utf-8"))
        except FileNotFoundError:
            yield failed("platform.files", f"{name} is missing.", context.command)
        except (OSError, ValueError, yaml.YAMLError) as error:
            reason = str(error).splitlines()[0]
            yield failed("platform.files", f"{name} cannot be read: {reason}.", f"Mend {name}.")


def _blueprint(text: str) -> list[Mapping[str, Any]]:
    """The services and databases of a render.yaml.

    Raises:
        ValueError: It has another form.
    """
    document = yaml.safe_load(text)
    if not isinstance(document, Mapping):
        raise ValueError("it is no mapping")
    parts = [*(document.get("services") or ()), *(document.get("databases") or ())]
    if not all(isinstance(part, Mapping) for part in parts):
        raise ValueError("a service is no mapping")
    return parts


def _names(context: Context, documents: Mapping[str, str]) -> Check:
    id_ = "platform.names"
    names: list[str] = []
    for path, text in documents.items():
        if context.target == "fly":
            names.append(str(tomllib.loads(text).get("app", "")))
        elif context.target == "render":
            names += [str(part.get("name", "")) for part in _blueprint(text)]
        elif path.endswith(".ts"):
            names += re.findall(r"\b(?:service|postgres|redis|mongo)\(\"([^\"]*)\"", text)
    bad = [name for name in names if not _LABEL.fullmatch(name)]
    if bad:
        mend = "Use small letters, digits and dashes, at most 63."
        return failed(id_, f"{bad[0]!r} is no name for a service there.", mend)
    repeated = [name for name in names if names.count(name) > 1]
    if repeated:
        return failed(id_, f"Two services are called {repeated[0]}.", "Rename one of them.")
    return passed(id_, "Every name is one that the platform takes.")


def _variables(context: Context, documents: Mapping[str, str]) -> Check:
    id_ = "platform.variables"
    text = "\n".join(documents.values())
    if context.target == "railway" and not any(name.endswith(".ts") for name in documents):
        return warned(
            id_,
            "railway.json holds no variables: this cannot be seen from here.",
            "Compare with the guide's list: railway variable list --kv --service NAME",
        )
    module, stack = _module(), context.stack
    platforms = module.build_platforms(context.outcome.answers, stack)
    for app in module.apps(stack):
        for setting in module.settings(context.target, stack, platforms, app):
            if setting.required and not re.search(rf"\b{re.escape(setting.name)}\b", text):
                file = context.outcome.request.named(next(iter(documents)))
                seen = f"{app.name} needs {setting.name}, which no file has any more."
                return failed(id_, seen, f"Add it to {file}, or restore that.")
    return passed(id_, "Every variable that has to be set has a source.")


def _secrets(context: Context) -> Check:
    """Values as they stand in the files: a literal for what the model calls secret."""
    id_ = "platform.secrets"
    secret = {v.name for v in context.stack.variables if v.secret}
    secret |= {env.name for service in context.stack.services for env in service.secrets}
    for step in _steps(context):
        text = (context.root / step.path).read_text("utf-8")
        for name in secret:
            literal = rf"^\s*{name}\s*[=:]\s*[\"'][^\"'$]"
            block = rf"^\s*- key: {name}\n\s*value: *\S"
            if re.search(literal, text, re.M) or re.search(block, text, re.M):
                file = context.outcome.request.named(step.path)
                mend = f"Take it out of {file}, set another one as the guide says."
                return failed(id_, f"{file} holds the value of {name}.", mend)
    return passed(id_, "No secret stands in these files.")


def _offers(context: Context) -> list[Check]:
    id_ = "platform.offers"
    module, stack = _module(), context.stack
    title = module.TITLES[context.target]
    if missing := module.missing_extensions(context.target, stack):
        seen = f"{title} does not offer the PostgreSQL extension {missing[0]}."
        mend = f"{context.command} --set postgres=external"
        return [failed(id_, seen, mend)]
    guide = context.outcome.request.named(f"deploy/{context.target}/README.md")
    if lost := module.lost(stack):
        return [warned(id_, sentence, f"See {guide}.") for sentence in lost]
    return [passed(id_, f"{title} has what the stack needs.")]


def _plan(context: Context, documents: Mapping[str, str]) -> list[Check]:
    id_ = "platform.plan"
    if context.target == "fly":
        return [passed(id_, "Fly.io has no free plan: everything here is paid for.")]
    if context.target == "railway":
        seen = "Railway's free plan has little memory and few restarts; which you have is not seen."
        return [warned(id_, seen, "See https://docs.railway.com/pricing/plans.")]
    for part in _blueprint(next(iter(documents.values()))):
        if part.get("plan") == "free":
            reason = "ends after 30 days" if "type" not in part else _free(part)
            if reason:
                seen = f"{part['name']} is on the free plan, which {reason}."
                return [failed(id_, seen, f"Set the plan of {part['name']} to a paid one.")]
    return [passed(id_, "No service is on the free plan.")]


def _free(service: Mapping[str, Any]) -> str:
    """What Render's free plan does not do for a service (render.com/docs/free)."""
    if service["type"] in {"worker", "pserv"}:
        return "there is none of for such a service"
    if service.get("disk"):
        return "has no disk"
    if service.get("preDeployCommand"):
        return "runs no pre-deploy command"
    if service["type"] == "keyvalue":
        return "forgets its data at every restart"
    return "takes no requests of the private network, and sleeps"


def _deadline(context: Context) -> list[Check]:
    module = _module()
    if context.target != "railway" or context.outcome.answers.get("railway_config") != "json":
        return []
    ends = module.RAILWAY_JSON_ENDS
    mend = f"{context.command} --set railway_config=ts"
    if context.today.isoformat() >= ends:
        return [failed("platform.deadline", f"Railway reads no railway.json since {ends}.", mend)]
    return [warned("platform.deadline", f"Railway reads railway.json until {ends} only.", mend)]


def _cli(target: str) -> Check:
    id_ = "platform.cli"
    program, oldest, url = PROGRAMS[target]
    path = shutil.which(program) or (shutil.which("flyctl") if target == "fly" else None)
    if path is None:
        return failed(id_, f"{program} is not installed here.", f"Install it: {url}")
    try:
        result = subprocess.run(
            [path, "version" if target == "fly" else "--version"],
            capture_output=True,
            text=True,
            timeout=30,
            check=False,
        )
    except (OSError, subprocess.TimeoutExpired):
        return failed(id_, f"{program} does not answer.", f"Install it again: {url}")
    match = re.search(r"(\d+)\.(\d+)\.(\d+)", result.stdout)
    if match is None:
        return failed(id_, f"{program} does not tell its version.", f"Install it again: {url}")
    version = tuple(int(part) for part in match.groups())
    if version < oldest:
        needed = ".".join(map(str, oldest))
        return failed(id_, f"{program} {match[0]} is older than {needed}.", f"Upgrade it: {url}")
    return passed(id_, f"{program} {match[0]} is there.")
