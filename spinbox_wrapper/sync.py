"""One run: facts and choices -> what is generated -> a plan for the project's files."""

from __future__ import annotations

import os
from collections.abc import Iterable, Mapping
from dataclasses import dataclass, field
from pathlib import Path, PurePosixPath
from typing import Any

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
        interactive: Ask for the choices.
    """

    project: Path
    output: str = "."
    choices: Mapping[str, Any] = field(default_factory=dict)
    settings: tuple[tuple[str, str], ...] = ()
    answers_file: str = DEFAULT_NAME
    force: bool = False
    interactive: bool = False


@dataclass(frozen=True)
class Outcome:
    """A planned run.

    Attributes:
        root: The folder that files go to.
        stack: The stack model (`extensions/model.py`).
        steps: What happens to each file.
        compose: Whether a Compose file belongs to it.
    """

    root: Path
    stack: Any
    steps: tuple[Step, ...]
    compose: bool

    def having(self, *actions: Action) -> list[Step]:
        """The steps with one of these actions."""
        return [step for step in self.steps if step.action in actions]


def plan(request: Request) -> Outcome:
    """Work out what a run would do. Writes nothing, but finishes an interrupted run first.

    Raises:
        UserError: Something in the project or the request has to be mended first.
    """
    facts_module, settings = template.extension("facts"), template.extension("settings")
    errors = template.extension("errors")
    root = request.project / request.output
    journal.recover(root)
    stored = read_answers(root / request.answers_file)
    try:
        answers = dict(stored.values) if stored else {}
        overrides = settings.check_overrides(answers.get("overrides") or {})
        choices = _apply_settings(request, answers, overrides, settings)
        facts = facts_module.read_facts(request.project, settings.hints(overrides))
        answers |= choices | {"project": facts, "overrides": overrides, "output": request.output}
        stack = template.extension("stack").build_stack(facts, overrides, answers)
    except errors.ProjectError as error:
        raise UserError(str(error)) from None

    new = render(template.version(), answers, request.answers_file, interactive=request.interactive)
    base = _base(stored, request.answers_file)
    steps = make_plan(
        base,
        new,
        _read(root, base.keys() | new.keys()),
        merge,
        request.answers_file,
        force=request.force,
    )
    return Outcome(root, stack, tuple(steps), bool(answers.get("compose", True)))


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
        if target.is_dir():
            raise UserError(f"{path} is a folder, where a file is to be written: move it away.")
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
