"""Copier's way into the derivation: adds `stack` and the detected facts to every context.

Design and traps: the hook reads the disk only to propose facts (`detected_project`); everything
that is rendered follows from stored answers, since `copier update` renders old and new states in
empty temporary folders.
"""

from __future__ import annotations

import json
import runpy
from functools import lru_cache
from importlib import import_module
from pathlib import Path
from typing import TYPE_CHECKING, Any

import yaml
from copier.errors import UserMessageError
from copier_template_extensions import ContextHook

if TYPE_CHECKING:
    from extensions import (
        apps,
        choices,
        deployment,
        env_example,
        errors,
        facts,
        layout,
        own_variables,
        pipeline,
        settings,
    )
else:
    # Copier runs this file by its path: its package has no name here.
    _PACKAGE = runpy.run_path(str(Path(__file__).with_name("loader.py")))["load"](
        Path(__file__).resolve().parent
    )
    (
        apps, choices, deployment, env_example, errors, facts, layout, own_variables, pipeline,
        settings,
    ) = (
        import_module(f"{_PACKAGE.__name__}.{name}")
        for name in (
            "apps", "choices", "deployment", "env_example", "errors", "facts", "layout",
            "own_variables", "pipeline", "settings",
        )
    )  # fmt: skip


# Bytes; no answers file has more.
_LARGEST = 2**20


class SpinboxContext(ContextHook):
    """Puts into the context what `Deployment.context` gives, and what the project's folder says.

    That is `detected_project`, `languages`, `check_project()`, `propose()` and `objection()`.
    """

    def hook(self, context: dict[str, Any]) -> None:
        """Extend the context in place.

        Raises:
            UserMessageError: While files are rendered: stored answers make no stack.
        """
        problem = None
        context["detected_project"] = None
        context["languages"] = ()
        destination = str(Path(context["_copier_conf"]["dst_path"]).absolute())
        output = str(context.get("output") or ".")
        answers_file = str(context["_copier_conf"]["answers_file"])
        try:
            overrides = json.dumps(context.get("overrides") or {}, sort_keys=True, default=str)
            context["detected_project"] = _detect(destination, output, overrides, answers_file)
            project = context.get("project") or context["detected_project"]
            context["languages"] = apps.languages(project or {})
            answers = {key: context.get(key) for key in choices.KEYS}
            context.update(deployment.derive({**answers, "project": project}).context)
        except errors.ProjectError as error:
            problem = str(error)

        def check_project() -> Any:
            """The detected facts, for the default of `project`; fails where no stack follows."""
            conf = context["_copier_conf"]
            if context["detected_project"] and _is_foreign(Path(destination, conf["answers_file"])):
                raise UserMessageError(
                    f"{conf['answers_file']} belongs to another template: choose another name with "
                    "--answers-file .copier-answers.spinbox.yml, now and at each update."
                )
            if problem is not None:
                raise UserMessageError(problem)
            return context["detected_project"]

        def propose(key: str) -> Any:
            """The default of a question: the project's folder or the answers before give it."""
            choice = choices.CHOICES[key]
            proposed = _propose(destination, output, answers_file) if choice.proposed else {}
            return proposed[key] if key in proposed else choice.default_for(context)

        def objection(key: str, value: Any) -> str:
            """What is wrong with an answer, as one sentence; empty for nothing."""
            try:
                choices.check(key, value)
            except errors.ProjectError as error:
                return str(error) if value != "" else ""
            return ""

        context["check_project"] = check_project
        context["objection"] = objection
        context["propose"] = propose
        # Anywhere else a problem may be of no account: a choice not made yet, a temporary folder.
        if problem is not None and context.get("_copier_phase") == "render":
            raise UserMessageError(problem)


def _is_foreign(answers: Path) -> bool:
    """Whether an answers file is there that this template did not write."""
    try:
        with answers.open("rb") as file:
            text = b"\n" + file.read(_LARGEST)
    except OSError:
        return False
    return not all(b"\n%s:" % key in text for key in (b"project", b"overrides", b"runtime"))


@lru_cache(maxsize=32)
def _detect(
    destination: str, output: str, overrides: str, answers_file: str
) -> dict[str, Any] | None:
    """The facts of the project that `destination` belongs to, or None in a temporary folder."""
    root = layout.project_root(Path(destination), output)
    if not facts.is_project(root):
        return None
    checked = settings.check_overrides(json.loads(overrides))
    found = facts.read_facts(root, settings.hints(checked))
    return own_variables.carry_over(found, _stored(Path(destination, answers_file)))


def _stored(answers_file: Path) -> dict[str, Any] | None:
    """The project's facts of the run before; None where there was none.

    Once this run has written the file, it holds what follows from them, and gives the same again.
    """
    try:
        document = yaml.safe_load(answers_file.read_text("utf-8"))
    except (OSError, UnicodeDecodeError, yaml.YAMLError):
        return None
    stored = document.get("project") if isinstance(document, dict) else None
    return stored if isinstance(stored, dict) else None


@lru_cache(maxsize=8)
def _propose(destination: str, output: str, answers_file: str) -> dict[str, Any]:
    """What the folder of a project says of what is generated; nothing in a temporary one."""
    root = layout.project_root(Path(destination), output)
    proposed: dict[str, Any] = {}
    try:
        if facts.is_project(root):
            proposed |= env_example.propose(Path(destination), answers_file)
            proposed |= pipeline.propose(root)
    except errors.ProjectError:
        pass
    return proposed
