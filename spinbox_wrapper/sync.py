"""One run: facts and choices -> what is generated -> a plan for the project's files."""

from __future__ import annotations

import posixpath
import shlex
from collections.abc import Iterable, Iterator, Mapping, Sequence
from contextlib import contextmanager
from dataclasses import dataclass, field, replace
from functools import cached_property
from pathlib import Path, PurePosixPath
from typing import Any

from . import derivation, journal, missing_settings, shell, tracking, unheeded_settings
from .answers import (
    DEFAULT_NAME,
    Answers,
    load_yaml,
    parse_answers,
    read_answers,
)
from .errors import UsageError, UserError
from .merge import merge
from .plan import Action, Step, lf, make_plan
from .render import File, render
from .template import PUBLIC_URL, Template, installed

_COMPOSE = "docker-compose.prod.yml"


@dataclass(frozen=True)
class Request:
    """What a command asks for.

    Attributes:
        project: The Spinbox project's top folder.
        output: Where files go, relative to it.
        output_named: Whether the command says where.
        choices: Answers chosen by options; an absent one keeps what is stored.
        settings: `--set` pairs in their order; an empty value takes one back.
        answers_file: Name of the answers file.
        restore: Deleted files to bring back, by path.
        interactive: Ask for the choices.
        added: What is added to choices that are lists (`ci`, `targets`), by answer.
        dropped: What is taken off them.
    """

    project: Path
    output: str = "."
    output_named: bool = False
    choices: Mapping[str, Any] = field(default_factory=dict)
    settings: tuple[tuple[str, str], ...] = ()
    answers_file: str = DEFAULT_NAME
    restore: frozenset[str] = frozenset()
    interactive: bool = False
    added: Mapping[str, tuple[str, ...]] = field(default_factory=dict)
    dropped: Mapping[str, tuple[str, ...]] = field(default_factory=dict)

    @property
    def root(self) -> Path:
        """The folder that files go to."""
        return self.project / self.output

    @property
    def command(self) -> str:
        """The command line that writes to the same place."""
        return self._command("build", "--prod")

    def command_for(self, target: str) -> str:
        """The command line that writes the files of a target as well."""
        return self._command("deploy", "--target", target, "--generate")

    @property
    def guide_command(self) -> str:
        """The command line that shows how to deploy to one server."""
        return self._command("deploy")

    def guide_for(self, target: str) -> str:
        """The command line that shows how to deploy to a target."""
        return self._command("deploy", "--target", target)

    def _command(self, *command: str) -> str:
        words = [shell.program(), *command]
        if self.project != Path():
            words += ["-C", str(self.project)]
        if self.output != ".":
            words += ["--output", self.output]
        if self.answers_file != DEFAULT_NAME:
            words += ["--answers-file", self.answers_file]
        words += [word for path in sorted(self.restore) for word in ("--restore", path)]
        return shlex.join(words)

    def named(self, path: str) -> str:
        """A generated file as the user sees it, relative to the project."""
        return PurePosixPath(self.output, path).as_posix()


@dataclass(frozen=True)
class Outcome:
    """A planned run.

    Attributes:
        request: What was asked for.
        deployment: All that is generated (`extensions/deployment.py`).
        steps: What happens to each file.
        answers: What is stored now, by question.
        stored: What was stored before; None at a first run.
        version: The template's version.
        warnings: What the user should know, one sentence each.
        tree: The project's files as a clone would have them (`extensions/tree.py`).
        hidden: Folders of the apps' sources that a clone would lack.
        ignored: Generated files that git ignores, by path, each with the rule.
        needed: Missing files without which another one does not work, each with that one.
    """

    request: Request
    deployment: derivation.deployment.Deployment
    steps: tuple[Step, ...]
    answers: Mapping[str, Any]
    stored: Answers | None
    version: str
    warnings: tuple[str, ...]
    tree: derivation.tree.Tree
    hidden: tuple[str, ...]
    ignored: Mapping[str, str]
    needed: Mapping[str, str]

    @property
    def stack(self) -> derivation.model.Stack:
        """What runs."""
        return self.deployment.stack

    @cached_property
    def subject(self) -> derivation.subject.Subject:
        """The project and its stack, as rules look at them."""
        overrides = self.answers["overrides"]
        facts = derivation.settings.lay_over(self.answers["project"], overrides)
        return derivation.subject.Subject(self.tree, self.stack, facts, overrides)

    @cached_property
    def findings(self) -> tuple[derivation.finding.Finding, ...]:
        """What keeps the stack from starting, or may; what does for certain comes first."""
        try:
            return derivation.start.find(self.subject)
        except derivation.errors.ProjectError as error:
            raise UserError(str(error)) from None

    def having(self, *actions: Action) -> list[Step]:
        """The steps with one of these actions."""
        return [step for step in self.steps if step.action in actions]

    @property
    def in_sync(self) -> bool:
        """Whether nothing is to be done; a new version in the answers file alone is nothing."""
        return not any(
            step.action in {Action.UNRESOLVED, Action.FOREIGN}
            or (step.writes and not self._is_note(step))
            for step in self.steps
        )

    def _is_note(self, step: Step) -> bool:
        """Whether it only notes what no other file shows, such as the template's version."""
        return step.path == self.request.answers_file and step.action is Action.UPDATE


@contextmanager
def session(request: Request, *, writes: bool) -> Iterator[journal.Recovery]:
    """Where a run writes: hold the project, and first complete or drop one that was interrupted.

    Yields:
        What became of that one.

    Raises:
        UserError: Another run is at work, or the interrupted one cannot be completed.
    """
    if not writes:
        yield journal.Recovery()
        return
    with journal.lock(request.project):
        _check_output(request)
        yield journal.recover(request.root)


@dataclass(frozen=True)
class Reading:
    """What a run goes by, before anything is derived from it.

    Attributes:
        facts: As `extensions/facts.py` reads them in the project.
        origins: Where each comes from, by its `--set` key.
        overrides: What was set by hand, now or earlier, by `--set` key.
        choices: Answers chosen in this call.
        answers: Those stored earlier that still count, by question.
        stored: The answers file as it is; None before the first run.
        answers_file: Its name.
        tree: The project's files as a clone would have them.
    """

    facts: Mapping[str, Any]
    origins: Mapping[str, derivation.origins.Origin]
    overrides: Mapping[str, Any]
    choices: Mapping[str, Any]
    answers: Mapping[str, Any]
    stored: Answers | None
    answers_file: str
    tree: derivation.tree.Tree


def read(request: Request) -> Reading:
    """Read the project and its answers file.

    Raises:
        UserError: One of them, or the request, has to be mended first.
    """
    settings = derivation.settings
    _check_output(request)
    if journal.is_pending(request.root):
        with journal.lock(request.project):
            raise UserError(f"A run was interrupted: complete it with `{request.command}` first.")
    stored = read_answers(request.root / request.answers_file)
    answers = dict(stored.values) if stored else {}
    try:
        overrides = settings.check_overrides(answers.get("overrides") or {})
        choices = _apply_settings(request, answers, overrides)
        choices |= _lists(request, answers)
        choices = _proposed(request, answers, first=stored is None) | choices
        found = derivation.facts.read_project(request.project, settings.hints(overrides))
    except derivation.errors.ProjectError as error:
        raise UserError(str(error)) from None
    if stored is None and not request.output_named:
        _refuse_second_set(request, found.tree.outputs)
    facts = derivation.own_variables.carry_over(found.facts, answers.get("project"))
    return Reading(
        facts=facts,
        origins=found.origins,
        overrides=overrides,
        choices=choices,
        answers=answers,
        stored=stored,
        answers_file=request.answers_file,
        tree=found.tree,
    )


def plan(
    request: Request,
    template: Template | None = None,
    merged: Mapping[str, str] | None = None,
) -> Outcome:
    """Work out what a run would do. Nothing is written.

    Args:
        request: What is asked for.
        template: Its version is generated; the installed one if left out.
        merged: Of an interrupted run, as in `journal.Recovery`.

    Raises:
        UserError: Something in the project or the request has to be mended first.
    """
    template = template or installed()
    reading = read(request)
    _check_output_folder(request.output, reading.facts)
    answers = {
        **reading.answers,
        **reading.choices,
        "project": reading.facts,
        "overrides": reading.overrides,
        "output": request.output,
    }
    if reading.stored and reading.stored.commit:
        # Before its answers are judged: those of a newer version may hold what this one lacks.
        template.identity(reading.stored.commit)
    try:
        deployment = derivation.deployment.derive(answers)
        asked = derivation.choices.QUESTIONS if request.interactive else frozenset()
        new = render(
            template,
            template.version,
            answers,
            request.answers_file,
            asked=asked,
            source=_source(reading.stored),
        )
        answers = load_yaml(new[request.answers_file].content)
        deployment = derivation.deployment.derive(answers)
        hidden = derivation.facts.hidden_sources(reading.tree, reading.facts)
    except derivation.errors.ProjectError as error:
        raise UserError(str(error)) from None
    stored = reading.stored
    base = _base(template, stored, request.answers_file)
    disk = _read(request.root, base.keys() | new.keys())
    committed = tracking.Committed(request)
    before = _generated_at_commit(template, request, committed, base, disk)
    disk |= _read(request.root, before.keys() - disk.keys())
    steps = make_plan(
        {**base, **tracking.unedited(before, base, disk)},
        new,
        disk,
        merge,
        request.answers_file,
        restore=_restored(request, new),
        merged=_as_now(merged or {}, new),
        # Within a version, a choice may take files of one kind away and bring others.
        follow=stored is not None and stored.commit != template.version,
    )
    ignored = _ignored(request, new)
    steps = [_as_ignored(step) if step.path in ignored else step for step in steps]
    needed = tracking.needed(steps, request.output)
    warnings = [
        *deployment.stack.warnings,
        *_hidden_warnings(hidden),
        *tracking.ignored(request, ignored),
        *([tracking.lacking(request, needed)] if needed else []),
        *_hidden_secrets(deployment, reading.tree),
    ]
    if any(step.writes for step in steps):
        created = {step.path for step in steps if step.action is Action.CREATE}
        wanted = bool(answers.get("ci_deploy"))
        warnings += derivation.pipeline.notes(
            deployment.pipeline, deployment.stack, wanted, created
        )
        if stored and stored.fork:
            warnings.append(
                f"{request.answers_file} names {stored.fork}, where `copier update` goes on: it "
                f"has to have this version, {template.version}."
            )
    if stored:
        warnings += derivation.choices.retired(stored.values, deployment.targets)
        warnings += tracking.lost(before, base, steps, committed)
        warnings += _twins(deployment, steps)
        warnings += _dangers(base, new, deployment.stack)
        in_files = answers.get("kubernetes_secrets") != "external"
        required = _required(new) - _required(base)
        warnings += missing_settings.sentences(
            request.root, deployment, required, in_files=in_files
        )
    warnings += unheeded_settings.sentences(request.root, deployment, request.command)
    return Outcome(
        request,
        deployment,
        tuple(steps),
        answers,
        stored,
        template.version,
        tuple(warnings),
        reading.tree,
        tuple(hidden),
        ignored,
        needed,
    )


def _ignored(request: Request, new: Mapping[str, File]) -> dict[str, str]:
    """The generated files that git ignores, by path, each with the rule."""
    paths = {request.named(path): path for path in new}
    rules = derivation.tree.hidden_by(request.project, [".", *paths])
    if "." in rules:
        # The whole project is in nobody's commits, as an example below a repository's build/.
        return {}
    return {paths[name]: rule for name, rule in rules.items() if name in paths}


def _as_ignored(step: Step) -> Step:
    if step.action is Action.KEEP and step.before is None:
        return replace(step, reason="git ignores it; --restore brings it back")
    return step


def _generated_at_commit(
    template: Template,
    request: Request,
    committed: tracking.Committed,
    base: Mapping[str, File],
    disk: Mapping[str, File],
) -> Mapping[str, File]:
    """What the answers of the last commit generate, where the stored ones do not explain all."""
    if all(path in disk and lf(disk[path]).content == base[path].content for path in base):
        return {}
    text = committed(request.answers_file)
    try:
        if text is None or text == lf(disk[request.answers_file]).content:
            return {}
        before = parse_answers(text.decode(), request.answers_file)
        return _base(template, before, request.answers_file)
    except (UserError, UnicodeDecodeError):
        return {}


def _as_now(merged: Mapping[str, str], new: Mapping[str, File]) -> frozenset[str]:
    """The files that hold the change which this very run would make."""
    return frozenset(
        path
        for path, generated in merged.items()
        if path in new and journal.digest(new[path].content) == generated
    )


def _restored(request: Request, new: Mapping[str, File]) -> frozenset[str]:
    """The files to bring back, relative to the output folder, however they were named."""
    paths = set()
    for name in request.restore:
        path = posixpath.normpath(name)
        inside = posixpath.relpath(path, request.output)
        found = [there for candidate in (inside, path) if (there := _at(candidate, new))]
        if not found:
            raise UserError(f"{name} is not a generated file of this project: see --dry-run -v.")
        paths |= found[0]
    return frozenset(paths)


def _at(path: str, new: Mapping[str, File]) -> set[str]:
    """The file with that path, or those in the folder."""
    return {name for name in new if path in {name, "."} or name.startswith(f"{path}/")}


def folder_in_git(request: Request) -> str:
    """The folder of the generated files as git names it: from the repository's top folder on.

    Without a repository, or in one that git does not read, it is relative to the project.
    """
    try:
        prefix = derivation.git.git(request.project, "rev-parse", "--show-prefix")
    except derivation.errors.ProjectError:
        prefix = ""
    return posixpath.normpath(posixpath.join(prefix, request.output))


def _check_output(request: Request) -> None:
    """Images are built from the project's folder, so generated files have to lie in it."""
    if not derivation.tree.is_folder_inside(request.output):
        raise UsageError(
            "--output must name a folder inside the project, of letters, digits, dashes and dots."
        )
    _refuse_links(request.project, request.output)
    for folder in (PurePosixPath(request.output), *PurePosixPath(request.output).parents):
        if (request.project / folder).is_file():
            raise UserError(f"{folder} is a file: name a folder with --output.")


def _refuse_second_set(request: Request, folders: Sequence[str]) -> None:
    """Files that a run with `--output` made are meant by one without it, too."""
    for folder in folders:
        try:
            stored = read_answers(request.project / folder / request.answers_file)
        except UserError:
            continue
        if stored is not None and stored.values.get("output") == folder:
            raise UserError(
                f"The files of this project are in {folder}/: add --output {folder}, or "
                "--output . for a second set of them."
            )


def _check_output_folder(output: str, facts: Mapping[str, Any]) -> None:
    for fields in facts.values():
        folder = fields.get("dir") if isinstance(fields, dict) else None
        if folder not in {None, "."} and PurePosixPath(output).is_relative_to(folder):
            raise UserError(f"--output must not lie in {folder}/, which is an app of the project.")


def _required(tree: Mapping[str, File]) -> frozenset[str]:
    """The names that have to be set, as the example of a generated tree has them."""
    names = derivation.env_example.CHOICE.values
    example = next((tree[name] for name in names if name in tree), None)
    return missing_settings.required_in(example.content) if example else frozenset()


def _hidden_warnings(paths: list[str]) -> list[str]:
    return [
        f"git ignores {path}, so a clone lacks it: add !{path} to .gitignore"
        + (", or move it." if path.endswith("/") else ".")
        for path in paths
    ]


def _hidden_secrets(
    deployment: derivation.deployment.Deployment, tree: derivation.tree.Tree
) -> Iterator[str]:
    for app in deployment.stack.apps:
        left = derivation.secret_files.hidden(tree, app.directory, app.sources, app.keep)
        keep = [file for file in app.keep if file not in app.build.manifests]
        if left:
            yield derivation.secret_files.sentence(app.kind, app.directory, keep, left)


def _twins(deployment: derivation.deployment.Deployment, steps: Sequence[Step]) -> Iterator[str]:
    """Edits of a Dockerfile that a platform's own, which is new, does not have."""
    action = {step.path: step.action for step in steps}
    edited = {Action.KEEP, Action.MERGE, Action.CONFLICT}
    for platform in deployment.platforms:
        for file in platform.dockerfiles:
            usual = file.app.dockerfile
            if action.get(file.path) is Action.CREATE and action.get(usual) in edited:
                yield (
                    f"You edited {usual}: make the same edit in {file.path}, which "
                    f"{platform.title} builds from now on."
                )


def _dangers(
    base: Mapping[str, File], new: Mapping[str, File], stack: derivation.model.Stack
) -> list[str]:
    """What would leave the data of a running stack behind."""
    before, after = base.get(_COMPOSE), new.get(_COMPOSE)
    # As they were generated, since an older version's facts may have another form.
    if before is None or after is None or before == after:
        return []
    old, current = load_yaml(before.content), load_yaml(after.content)
    warnings = []
    if old["name"] != current["name"]:
        name = old["name"].removesuffix("-prod")
        warnings.append(
            f"The project's name was {name}: under the new one the stack starts with empty "
            f"volumes. Keep the old one with --set name={name}, or move the data first."
        )
    for service in stack.external:
        if service.name in old["services"]:
            warnings.append(
                f"{service.title} runs elsewhere from now on, and starts empty there: make a last "
                f"backup before the next deployment. The old data stays in the volume "
                f"{old['name']}_{service.volume.name}."
            )
    reference = derivation.image_reference.ImageReference.parse
    for service in stack.services:
        image = old["services"].get(service.name, {}).get("image", service.image)
        if reference(image).major != reference(service.image).major:
            warnings.append(
                f"{service.title} changes from {image} to {service.image}: back up before, and "
                "restore into the new version; it does not read the old one's files."
                if not service.upgrade
                else f"{service.title} changes from {image} to {service.image}, which does not "
                "read the old one's files: on the server, move them by a backup with "
                f"sh deploy/{service.upgrade}.sh, or follow the guide of another target."
            )
    return warnings


def _apply_settings(
    request: Request, answers: dict[str, Any], overrides: dict[str, Any]
) -> dict[str, Any]:
    """The chosen answers; `answers` and `overrides` lose or gain what `--set` names."""
    settings = derivation.settings
    choices = dict(request.choices)
    chosen_by_key = {setting.key for setting in settings.CHOICES}
    for key, text in request.settings:
        try:
            # What is gone can be taken back all the same.
            if text or key not in derivation.choices.RETIRED:
                settings.check_key(key)
            value = settings.parse_setting(key, text) if text else None
        except derivation.errors.ProjectError as error:
            raise UsageError(str(error)) from None
        if not text:
            overrides.pop(key, None)
            answers.pop(key, None)
            choices.pop(key, None)
        elif key in chosen_by_key:
            choices[key] = value
        else:
            overrides[key] = value
    return choices


def _lists(request: Request, answers: Mapping[str, Any]) -> dict[str, Any]:
    """The choices that are lists, where the request changes them."""
    chosen: dict[str, Any] = {}
    lists = [c for c in derivation.choices.CHOICES.values() if c.kind == "list"]
    for answer, names in ((choice.key, choice.values) for choice in lists):
        before = answers.get(answer) or ()
        wanted = {*before, *request.added.get(answer, ())} - {*request.dropped.get(answer, ())}
        if wanted != {*before}:
            chosen[answer] = [name for name in names if name in wanted]
    return chosen


def _proposed(request: Request, answers: Mapping[str, Any], *, first: bool) -> dict[str, Any]:
    """What the project's folder says of choices that are stored once, while they are not yet."""
    pipeline = derivation.pipeline
    if "ci_registry" in request.choices:
        try:
            pipeline.check_registry(request.choices["ci_registry"])
        except derivation.errors.ProjectError as error:
            raise UsageError(str(error)) from None
    asked = request.added.get("ci") or request.interactive
    known = derivation.targets.TARGETS
    targets = any(known[name].from_repository for name in request.added.get("targets", ()))
    proposed = pipeline.propose(request.project) if asked or targets else {}
    wanted = proposed if asked else {"ci_folder"}
    chosen = {k: value for k, value in proposed.items() if k in wanted}
    if first:
        # Files that were generated before keep the names they have.
        chosen |= derivation.env_example.propose(request.root, request.answers_file)
    return {key: value for key, value in chosen.items() if key not in answers}


def _base(template: Template, stored: Answers | None, answers_file: str) -> dict[str, File]:
    if stored is None:
        return {}
    if not stored.commit:
        raise UserError(
            f"{answers_file} does not say which version it was made with (_commit): "
            "remove it and run again with --adopt."
        )
    source = _source(stored)
    return render(template, stored.commit, stored.values, answers_file, source=source)


def _source(stored: Answers | None) -> str:
    """Where plain Copier goes on from: the fork that a project was generated from, if any."""
    return (stored.fork if stored else "") or PUBLIC_URL


def _read(root: Path, paths: Iterable[str]) -> dict[str, File]:
    files = {}
    for path in paths:
        target = root / path
        _refuse_links(root, path)
        try:
            if target.exists() and not target.is_file():
                raise UserError(
                    f"{path} is not a regular file, but one is to be written: move it away."
                )
            # Anyone's bit counts, as in git, not whether this user may run it.
            files[path] = File(target.read_bytes(), bool(target.stat().st_mode & 0o111))
        except FileNotFoundError:
            continue
        except NotADirectoryError:
            folder = next(p for p in target.parents if p.exists())
            raise UserError(
                f"{folder.relative_to(root)} is a file, but a folder is to be made: move it away."
            ) from None
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
