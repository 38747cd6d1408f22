"""What `deploy/kubernetes/` needs before it can be applied: settings, secrets, images, a domain."""

from __future__ import annotations

import json
import re
import shlex
import stat
from collections.abc import Mapping
from pathlib import Path
from typing import Any

import yaml
from packaging.version import Version

from ...answers import load_yaml
from ...derivation import programs, versions
from ...dotenv import parse_lines
from ..model import Check, Context, Status, failed, passed, warned
from ..settings import superuser

IDS = {
    "kubernetes.overlay": "The environment has its folder below `overlays/`",
    "kubernetes.settings": "Its files set every variable that the apps do not start without",
    "kubernetes.superuser": "The apps do not log in as PostgreSQL's administrator",
    "kubernetes.untracked": "git does not track its secrets, and ignores them",
    "kubernetes.mode": "Nobody but their owner can read them",
    "kubernetes.images": "The images of the apps are named by their digests",
    "kubernetes.domain": "The domain is named",
    "kubernetes.kubectl": "kubectl is installed, in version 1.30 or newer",
    "kubernetes.builds": "kubectl can build the environment's manifests",
}
ENV_FILE = False
_FOLDER = "deploy/kubernetes"
_SECRETS = ("secrets.env", "passwords.env")
_OLDEST = Version("1.30")


def look(context: Context) -> list[Check]:
    """All checks of this module."""
    overlay = context.root / _FOLDER / "overlays" / context.environment
    environment = _environment(context, overlay)
    if environment.mend:
        return [environment]
    secrets = [overlay / name for name in _SECRETS if (overlay / name).exists()]
    document = _document(overlay)
    kubectl = _kubectl()
    checks = [environment, _settings(context, overlay), *_superuser(context, overlay)]
    checks += [_untracked(context, secrets), _mode(context, secrets)] if secrets else []
    checks += [_images(context, document), *_domain(context, document, overlay), kubectl]
    if not kubectl.mend:
        checks.append(_builds(context, overlay))
    return checks


def done(context: Context) -> Mapping[str, bool]:
    """The settings, the domain, the images."""
    found = {check.id: check.status for check in look(context)}
    steps = ("settings", "domain", "images")
    return {step: found.get(f"kubernetes.{step}") is Status.PASS for step in steps}


def _named(context: Context, path: Path) -> str:
    return context.outcome.request.named(path.relative_to(context.root).as_posix())


def _environment(context: Context, overlay: Path) -> Check:
    id_ = "kubernetes.overlay"
    name = _named(context, overlay)
    if (overlay / "kustomization.yaml").is_file():
        return passed(id_, f"{name} is there.")
    there = overlay.parent.is_dir() and sorted(
        p.name for p in overlay.parent.iterdir() if p.is_dir()
    )
    mend = f"Name one of: {', '.join(there)}." if there else f"{context.command}"
    return failed(id_, f"{name} is missing.", mend)


def _document(overlay: Path) -> Mapping[str, Any]:
    try:
        document = load_yaml((overlay / "kustomization.yaml").read_text("utf-8"))
    except (OSError, UnicodeDecodeError, yaml.YAMLError):
        return {}
    return document if isinstance(document, dict) else {}


def _settings(context: Context, overlay: Path) -> Check:
    id_ = "kubernetes.settings"
    answers = context.outcome.answers
    stack = context.stack
    script = f"sh {context.outcome.request.named(_FOLDER)}/init-secrets.sh {context.environment}"
    external = answers.get("kubernetes_secrets") == "external"
    needed = {v.name for v in stack.variables if v.required and not v.build}
    needed -= {v.name for v in stack.variables if v.secret} if external else set()
    values: dict[str, str] = {}
    for path in sorted(overlay.glob("*.env")):
        try:
            values |= parse_lines(path.read_text("utf-8"))
        except (OSError, UnicodeDecodeError):
            return failed(id_, f"{_named(context, path)} cannot be read.", f"ls -l {path}")
    secret = {v.name for v in stack.variables if v.secret and v.name in needed}
    if secret and not any((overlay / name).exists() for name in _SECRETS):
        return failed(id_, "The secrets are missing.", script)
    if empty := sorted(name for name in needed if not values.get(name)):
        verb = "is" if len(empty) == 1 else "are"
        seen = f"{', '.join(empty)} {verb} not set."
        if secret.intersection(empty):
            return failed(id_, seen, script)
        return failed(id_, seen, f"Set {empty[0]} in a file of {_named(context, overlay)}.")
    return passed(id_, "Every variable that has to be set is set.")


def _superuser(context: Context, overlay: Path) -> list[Check]:
    data = overlay / "data.env"
    try:
        values = parse_lines(data.read_text("utf-8"))
    except (OSError, UnicodeDecodeError):
        return []
    return superuser("kubernetes.superuser", values, context.stack, _named(context, data))


def _untracked(context: Context, secrets: list[Path]) -> Check:
    id_ = "kubernetes.untracked"
    for path in secrets:
        name = _named(context, path)
        if context.git("ls-files", "--", name):
            return failed(id_, f"git tracks {name}.", f"git rm --cached {shlex.quote(name)}")
        if context.in_git and not context.git("check-ignore", "--no-index", "--", name):
            seen = f"git does not ignore {name}."
            return failed(id_, seen, f"echo {shlex.quote(name)} >> .gitignore")
    return passed(id_, "git ignores the secrets." if context.in_git else "There is no git here.")


def _mode(context: Context, secrets: list[Path]) -> Check:
    id_ = "kubernetes.mode"
    for path in secrets:
        bits = stat.S_IMODE(path.stat().st_mode)
        if bits & 0o077:
            name = _named(context, path)
            seen = f"{name} has mode {bits:03o}: others can read it."
            return failed(id_, seen, f"chmod 600 {shlex.quote(name)}")
    return passed(id_, "The secrets are for their owner alone.")


def _images(context: Context, document: Mapping[str, Any]) -> Check:
    id_ = "kubernetes.images"
    images = {image.get("name"): image for image in document.get("images") or ()}
    folder = context.outcome.request.named(_FOLDER)
    for app in context.stack.apps:
        image = images.get(f"{context.stack.name}-{app.name}", {})
        mend = f"sh {folder}/set-images.sh {context.environment} {app.name}=IMAGE@sha256:DIGEST"
        if str(image.get("newName", "")).startswith("registry.example.com/") or not image:
            return failed(id_, f"The image of {app.name} is not named yet.", mend)
        if not str(image.get("digest", "")).startswith("sha256:"):
            return warned(id_, f"The image of {app.name} is named by a tag, which can move.", mend)
    return passed(id_, "The images are named by their digests.")


def _domain(context: Context, document: Mapping[str, Any], overlay: Path) -> list[Check]:
    if not context.stack.web_apps:
        return []
    id_ = "kubernetes.domain"
    file = f"{_FOLDER}/overlays/{context.environment}/kustomization.yaml"
    text = json.dumps(document.get("patches") or [])
    if re.search(r"\bexample\.com\b", text):
        name = context.outcome.request.named(file)
        return [failed(id_, "The domain is still example.com.", f"Name your domain in {name}.")]
    settings = overlay / "settings.env"
    told = settings.read_text("utf-8", "replace") if settings.is_file() else ""
    if re.search(r"(?m)^SITE_URLS=.*\bexample\.com\b", told):
        seen = "The apps are told that browsers find the site at example.com."
        mend = f"Name your domain in SITE_URLS of {_named(context, settings)}."
        return [failed(id_, seen, mend)]
    return [passed(id_, "The domain is named.")]


def _kubectl() -> Check:
    id_ = "kubernetes.kubectl"
    mend = "Install it: https://kubernetes.io/docs/tasks/tools/"
    said = programs.run(["kubectl", "version", "--client", "--output", "json"])
    if not said.started:
        return failed(id_, "kubectl is not installed here.", mend)
    match = re.search(r'"gitVersion":\s*"([^"]*)', said.text)
    version = versions.leading_version(match[1]) if match else None
    if version is None:
        return failed(id_, "kubectl does not tell its version.", mend)
    name = f"kubectl {version.major}.{version.minor}"
    if version < _OLDEST:
        return failed(id_, f"{name} is older than {_OLDEST}.", mend)
    return passed(id_, f"{name} is there.")


def _builds(context: Context, overlay: Path) -> Check:
    id_ = "kubernetes.builds"
    result = programs.run(["kubectl", "kustomize", str(overlay)])
    if result.ok:
        number = len(re.findall(r"^kind: ", result.text, re.MULTILINE))
        return passed(id_, f"The manifests make {number} objects.")
    lines = result.error.splitlines() or ["kubectl kustomize failed"]
    name = shlex.quote(_named(context, overlay))
    return failed(
        id_,
        f"{lines[-1].removeprefix('error: ').removesuffix('.')[:200]}.",
        f"kubectl kustomize {name}",
    )
