"""Settings that the server's own files lack, as after the project got a new service."""

from __future__ import annotations

import re
from collections.abc import Iterable, Iterator, Mapping
from pathlib import Path

from . import derivation
from .derivation import programs
from .dotenv import UnreadableError, contents, has_value, parse_env, parse_lines

# The first line of what `init-env.sh` makes; any other `.env` may be the development's.
_MADE = re.compile(rb"^# Settings of \S+ in production\.", re.MULTILINE)
_EMPTY = re.compile(rb"^([A-Za-z_]\w*)=\s*$", re.MULTILINE)
_OVERLAYS = "deploy/kubernetes/overlays"


def required_in(example: bytes) -> frozenset[str]:
    """The names that an example of `.env` leaves empty: those that have to be set."""
    return frozenset(name.decode() for name in _EMPTY.findall(example))


def open_findings(
    findings: Iterable[derivation.finding.Finding], settings: Mapping[str, str] | None
) -> tuple[derivation.finding.Finding, ...]:
    """The findings that no setting of the server's own mends."""
    return tuple(
        f for f in findings if not (f.variable and f.is_mended(_value(settings, f.variable)))
    )


def _value(settings: Mapping[str, str] | None, name: str) -> str:
    value = (settings or {}).get(name, "")
    return value if has_value(value) else ""


def settings_in(file: Path) -> Mapping[str, str] | None:
    """What a settings file sets; None where there is none that can be read."""
    try:
        return parse_env(contents(file), programs.for_docker()).values
    except (OSError, UnreadableError):
        return None


def asked(deployment: derivation.deployment.Deployment) -> list[str]:
    """The apps' own variables that have to be set, but that nobody can make up."""
    return [v.name for v in deployment.stack.variables if v.own and v.required and not v.generate]


def sentences(
    root: Path,
    deployment: derivation.deployment.Deployment,
    new: frozenset[str],
    *,
    in_files: bool,
) -> Iterator[str]:
    """One sentence for each settings file that is there and lacks something, with what mends it.

    Args:
        root: The folder of the generated files.
        deployment: All that is generated.
        new: Names that have to be set only since this run.
        in_files: Whether Kubernetes' secrets lie in files, and not in a store.
    """
    variables = [variable for variable in deployment.stack.variables if variable.required]
    wanted = {name for name, surface in deployment.surfaces.items() if surface.wanted}
    if wanted & {"docker", "docker-swarm"}:
        for path in (root / ".env", *sorted((root / "deploy/env").glob("*.env"))):
            names = [variable.name for variable in variables]
            option = "" if path.name == ".env" else f" --env {path.stem}"
            try:
                content = contents(path)
                values = parse_env(content, programs.for_docker()).values
            except (OSError, UnreadableError):
                continue
            if not option and not _MADE.search(content):
                names = [name for name in names if name in new]
            lacking = [name for name in names if not has_value(values.get(name))]
            yield from _sentence(path.relative_to(root), lacking, f"init-env.sh{option}")
    if "kubernetes" in wanted and in_files:
        secrets = [v.name for v in variables if v.secret and not v.build]
        for folder in sorted(p for p in (root / _OVERLAYS).glob("*") if p.is_dir()):
            files = [folder / "secrets.env", folder / "passwords.env"]
            try:
                text = "\n".join(file.read_text("utf-8") for file in files if file.is_file())
            except (OSError, UnicodeDecodeError):
                continue
            lacking = [name for name in secrets if not parse_lines(text).get(name)] if text else []
            script = f"kubernetes/init-secrets.sh {folder.name}"
            yield from _sentence(folder.relative_to(root), lacking, script)


def _sentence(file: Path, names: Iterable[str], script: str) -> Iterator[str]:
    if listed := ", ".join(names):
        yield f"{file} does not set {listed} yet; this adds what is missing: sh deploy/{script}"
