"""One run: facts and choices -> what is generated -> a plan for the project's files."""

from __future__ import annotations

import os
import re
from collections.abc import Iterable, Mapping
from dataclasses import dataclass, field
from pathlib import Path, PurePosixPath
from typing import Any

import yaml

from . import journal, template
from .answers import DEFAULT_NAME, Answers, read_answers
from .errors import UserError
from .merge import merge
from .plan import Action, Step, make_plan
from .render import File, render


@dataclass(frozen=True)
class Request:
    """What a command asks for.

    Attributes:
        project: The Spinbox project's top folder.
        output: Where files go, relative to it.
        choices: Answers chosen by options; an absent one keeps what is stored.
        settings: `--set` pairs in their order; an empty value takes one back.
        answers_file: Name of the answers file.
        force: Replace files that were not generated.
        restore: Deleted files to bring back, by path.
        interactive: Ask for the choices.
    """

    project: Path
    output: str = "."
    choices: Mapping[str, Any] = field(default_factory=dict)
    settings: tuple[tuple[str, str], ...] = ()
    answers_file: str = DEFAULT_NAME
    force: bool = False
    restore: frozenset[str] = frozenset()
    interactive: bool = False


@dataclass(frozen=True)
class Outcome:
    """A planned run.

    Attributes:
        project: The project's top folder.
        root: The folder that files go to.
        stack: The stack model (`extensions/model.py`).
        steps: What happens to each file.
        compose: Whether a Compose file belongs to it.
        warnings: What the user should know, one sentence each.
    """

    project: Path
    root: Path
    stack: Any
    steps: tuple[Step, ...]
    compose: bool
    warnings: tuple[str, ...]

    def having(self, *actions: Action) -> list[Step]:
        """The steps with one of these actions."""
        return [step for step in self.steps if step.action in actions]


def plan(request: Request, *, recover: bool = True) -> Outcome:
    """Work out what a run would do.

    Args:
        request: What is asked for.
        recover: Finish an interrupted run first; else nothing at all is written.

    Raises:
        UserError: Something in the project or the request has to be mended first.
    """
    facts_module, settings = template.extension("facts"), template.extension("settings")
    errors = template.extension("errors")
    root = request.project / request.output
    _check_output(request)
    if recover:
        journal.recover(root)
    stored = read_answers(root / request.answers_file)
    try:
        answers = dict(stored.values) if stored else {}
        overrides = settings.check_overrides(answers.get("overrides") or {})
        choices = _apply_settings(request, answers, overrides, settings)
        facts = facts_module.read_facts(request.project, settings.hints(overrides))
        _check_output_folder(request.output, facts)
        answers |= choices | {"project": facts, "overrides": overrides, "output": request.output}
        _build_stack(answers)
        new = render(
            template.version(),
            answers,
            request.answers_file,
            asked=settings.QUESTIONS if request.interactive else (),
        )
        answers = yaml.safe_load(new[request.answers_file].content)
        stack = _build_stack(answers)
        hidden = facts_module.hidden_sources(request.project, facts)
    except errors.ProjectError as error:
        raise UserError(str(error)) from None
    base = _base(stored, request.answers_file)
    steps = make_plan(
        base,
        new,
        _read(root, base.keys() | new.keys()),
        merge,
        request.answers_file,
        force=request.force,
        restore=request.restore,
    )
    warnings = [*stack.warnings, *_hidden_warnings(hidden)]
    if stored:
        warnings += _dangers(_build_stack(stored.values), stack)
    return Outcome(
        request.project, root, stack, tuple(steps), bool(answers["compose"]), tuple(warnings)
    )


def _build_stack(answers: Mapping[str, Any]) -> Any:
    build = template.extension("stack").build_stack
    return build(answers["project"], answers["overrides"], answers)


def _check_output(request: Request) -> None:
    """Images are built from the project's folder, so generated files have to lie in it."""
    parts = PurePosixPath(request.output).parts
    if not re.fullmatch(r"[\w./-]+", request.output) or ".git" in parts:
        raise UserError("--output must name a folder of plain letters, digits, dashes and dots.")
    _refuse_links(request.project, request.output)


def _check_output_folder(output: str, facts: Mapping[str, Any]) -> None:
    for fields in facts.values():
        folder = fields.get("dir") if isinstance(fields, dict) else None
        if folder not in {None, "."} and PurePosixPath(output).is_relative_to(folder):
            raise UserError(f"--output must not lie in {folder}/, which is an app of the project.")


def _hidden_warnings(folders: list[str]) -> list[str]:
    return [
        f"git ignores {folder}, so a clone lacks it: add !{folder} to .gitignore, or move it."
        for folder in folders
    ]


def _dangers(before: Any, after: Any) -> list[str]:
    """What would leave the data of a running stack behind."""
    warnings = []
    if before.name != after.name:
        warnings.append(
            f"The project's name was {before.name}: under the new one the stack starts with empty "
            f"volumes. Keep the old one with --set name={before.name}, or move the data first."
        )
    images = {service.name: service.image for service in before.services}
    for service in after.services:
        old = images.get(service.name, service.image)
        if _major(old) != _major(service.image):
            warnings.append(
                f"{service.title} changes from {old} to {service.image}: back up before, and "
                "restore into the new version; it does not read the old one's files."
            )
    return warnings


def _major(image: str) -> str:
    match = re.search(r":\D*(\d+)", image.rpartition("/")[2])
    return match[1] if match else ""


def _apply_settings(
    request: Request, answers: dict[str, Any], overrides: dict[str, Any], settings: Any
) -> dict[str, Any]:
    """The chosen answers; `answers` and `overrides` lose or gain what `--set` names."""
    choices = dict(request.choices)
    chosen_by_key = {setting.key for setting in settings.CHOICES}
    for key, text in request.settings:
        settings.check_key(key)
        if not text:
            overrides.pop(key, None)
            answers.pop(key, None)
        elif key in chosen_by_key:
            choices[key] = settings.parse_setting(key, text)
        else:
            overrides[key] = settings.parse_setting(key, text)
    return choices


def _base(stored: Answers | None, answers_file: str) -> dict[str, File]:
    if stored is None:
        return {}
    if not stored.commit:
        raise UserError(
            f"{answers_file} does not say which version it was made with (_commit): "
            "generate anew with --force after removing it."
        )
    return render(stored.commit, stored.values, answers_file)


def _read(root: Path, paths: Iterable[str]) -> dict[str, File]:
    files = {}
    for path in paths:
        target = root / path
        _refuse_links(root, path)
        if target.exists() and not target.is_file():
            raise UserError(
                f"{path} is not a regular file, but one is to be written: move it away."
            )
        try:
            files[path] = File(target.read_bytes(), os.access(target, os.X_OK))
        except (FileNotFoundError, NotADirectoryError):
            continue
        except OSError as error:
            raise UserError(f"{path} cannot be read ({error.strerror}): mend that first.") from None
    return files


def _refuse_links(root: Path, path: str) -> None:
    """A link could lead a generated file out of the project."""
    parts = PurePosixPath(path).parts
    for depth in range(1, len(parts) + 1):
        if root.joinpath(*parts[:depth]).is_symlink():
            link = "/".join(parts[:depth])
            raise UserError(
                f"{link} is a symbolic link: replace it by a file or folder of its own."
            )
