"""The answers file: what was found and chosen at the last run."""

from __future__ import annotations

import re
from dataclasses import dataclass
from pathlib import Path
from typing import Any

import yaml

from . import derivation
from .errors import UserError
from .template import PUBLIC_URL

DEFAULT_NAME = ".copier-answers.yml"
_PUBLIC = re.compile(
    rf"(?:gh:|.*github\.com[:/]){PUBLIC_URL.removeprefix('gh:')}(?:\.git)?/?", re.IGNORECASE
)
# A repository that others reach, too: Copier's short forms, a URL, or ssh's form.
_ADDRESS = re.compile(r"g[hl]:|git\+|(?:https?|ssh|git)://|[\w.-]+@[\w.-]+:")
_MARKERS = re.compile(r"^(?:<{7} |>{7} )", re.MULTILINE)
# More than any YAML file of a project has.
_VALUES = 1_000_000
_OURS = frozenset({"project", "overrides", "runtime", "proxy"})


@dataclass(frozen=True)
class Answers:
    """Stored answers.

    Attributes:
        values: Answers by question.
        commit: The template's version that the files were generated with.
        fork: The address of the repository that they came from, where it is not the public one;
            empty for that, and for a folder of somebody's machine.
    """

    values: dict[str, Any]
    commit: str
    fork: str = ""


def _is_json(value: Any) -> bool:
    """Whether a value is of the types that answers are made of."""
    if isinstance(value, dict):
        return all(isinstance(key, str) and _is_json(item) for key, item in value.items())
    if isinstance(value, list):
        return all(map(_is_json, value))
    return value is None or isinstance(value, str | int | float)


def _is_answer(key: str, value: Any) -> bool:
    """Whether it is none of Copier's own; an empty text is no choice where there are values."""
    choice = derivation.choices.CHOICES.get(key)
    return not key.startswith("_") and not (value == "" and choice and choice.values)


def load_yaml(text: str | bytes) -> Any:
    """Parse YAML by libyaml where PyYAML has it: it is ten times as fast.

    Raises:
        yaml.YAMLError: It is not valid, nested too deeply, or larger than any file of a project,
            its aliases put in.
    """
    try:
        document = yaml.load(text, getattr(yaml, "CSafeLoader", yaml.SafeLoader))
    except RecursionError:
        raise yaml.YAMLError("nested too deeply") from None
    left, waiting = _VALUES, [document]
    while waiting:
        value = waiting.pop()
        if isinstance(value, dict | list):
            waiting += value.values() if isinstance(value, dict) else value
        left -= 1
        if left < 0:
            raise yaml.YAMLError("too large")
    return document


def read_answers(path: Path) -> Answers | None:
    """Read an answers file, or return None where there is none.

    Raises:
        UserError: It cannot be read, is broken, or belongs to another template.
    """
    try:
        if path.exists() and not path.is_file():
            raise UserError(f"{path.name} is not a regular file: remove it.")
        text = path.read_text("utf-8")
    except FileNotFoundError:
        return None
    except UnicodeDecodeError:
        raise UserError(f"{path.name} is not UTF-8: restore it from git.") from None
    except OSError as error:
        problem = error.strerror or "no reason is known"
        raise UserError(f"{path.name} cannot be read ({problem}): mend or remove it.") from None
    return parse_answers(text, path.name)


def parse_answers(text: str, name: str) -> Answers:
    """The answers that a file of this name holds.

    Raises:
        UserError: It is broken, or belongs to another template.
    """
    if _MARKERS.search(text):
        raise UserError(
            f"{name} holds conflict markers of git: take either side, as with `git checkout "
            f"--ours {name}`, resolve the other files, and run again; facts are read anew."
        )
    try:
        document = load_yaml(text)
    except yaml.YAMLError:
        raise UserError(f"{name} is not valid YAML: restore it from git.") from None
    if not isinstance(document, dict) or not document.keys() >= _OURS:
        raise UserError(
            f"{name} belongs to another template: choose another name with --answers-file."
        )
    for key, value in document.items():
        if not isinstance(key, str) or not _is_json(value):
            raise UserError(f"{name} was edited by hand ({key}): restore it from git.")
    for key in ("_commit", "_src_path"):
        # YAML takes some commits for numbers.
        if type(document.get(key, "")) not in {str, int, float}:
            raise UserError(f"{name} was edited by hand ({key}): restore it from git.")
    values = {key: value for key, value in document.items() if _is_answer(key, value)}
    for key, value in values.items():
        try:
            derivation.choices.check_type(key, value)
        except derivation.errors.ProjectError as error:
            problem = str(error).rstrip(".")
            raise UserError(
                f"{name} was edited by hand ({problem}): restore it from git."
            ) from None
    if not derivation.tree.is_folder_inside(values.get("output") or "."):
        raise UserError(f"{name} was edited by hand (output): restore it from git.")
    source = str(document.get("_src_path", ""))
    fork = source if _ADDRESS.match(source) and not _PUBLIC.fullmatch(source) else ""
    return Answers(values, str(document.get("_commit", "")), fork)


def with_origin(rendered: bytes, url: str, commit: str) -> bytes:
    """A rendered answers file that names the public template and its version, as Copier's does."""
    header, _, body = rendered.decode().partition("\n")
    values = load_yaml(body)
    values.pop("_src_path", None)
    origin = {"_commit": commit, "_src_path": url}
    text = yaml.safe_dump(
        origin | values, indent=4, default_flow_style=False, allow_unicode=True, sort_keys=True
    )
    return f"{header}\n{text}".encode()
