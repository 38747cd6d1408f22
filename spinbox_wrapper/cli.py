"""The command line. Imports only click and the standard library; commands import the rest."""

from __future__ import annotations

import io
import os
import re
import sys
from collections.abc import Callable, Sequence
from pathlib import Path
from typing import TYPE_CHECKING, Any, TextIO

import click

from . import shell
from .errors import UsageError, UserError
from .terminal import printable, say

if TYPE_CHECKING:
    from .journal import Recovery
    from .sync import Request

# As `targets.DEFAULT`, which is not read for the sake of `--help` alone.
_DEFAULT_TARGET = "docker"
_SETTINGS = {"help_option_names": ["-h", "--help"], "max_content_width": 80}


class _Values(click.Choice[str]):
    """What can be chosen, by the derivation's table of choices; read when it is needed."""

    def __init__(self, choice: str, *more: str) -> None:
        self._choice, self._more = choice, more
        super().__init__(())

    @property
    def choices(self) -> tuple[str, ...]:
        """The words, those of this command line alone first."""
        from . import derivation

        return (*self._more, *derivation.choices.CHOICES[self._choice].values)

    @choices.setter
    def choices(self, value: tuple[str, ...]) -> None:
        """What click itself would keep."""


@click.group(context_settings=_SETTINGS)
@click.version_option(package_name="spinbox-deploy", prog_name="spinbox-deploy")
def cli() -> None:
    """Production files for Spinbox projects.

    Every other command (create, add, start ...) is handed on to Spinbox.
    """


def _project_options(command: Callable[..., None]) -> Callable[..., None]:
    """The options of every command that works on a project: where it is, where files go."""
    for option in (
        click.option(
            "--answers-file",
            metavar="NAME",
            default=".copier-answers.yml",
            help="Where answers are kept, if another template has the usual file.",
        ),
        click.option(
            "--output", metavar="DIR", help="The folder of the project that files are in."
        ),
        click.option(
            "-C",
            "--directory",
            type=click.Path(exists=True, file_okay=False, path_type=Path),
            default=".",
            help="The project's top folder.  [default: .]",
        ),
    ):
        command = option(command)
    return command


_format_option = click.option(
    "--format",
    "format_",
    type=click.Choice(["text", "json"]),
    default="text",
    help="Of the report.",
)

_adopt_option = click.option(
    "--adopt",
    type=click.Choice(["ask", "take", "keep", "merge"]),
    is_flag=False,
    flag_value="ask",
    help="Show files that were there before, and decide for each; or say for all.",
)
_diff_option = click.option(
    "--diff", "differences", is_flag=True, help="Show what would change, write nothing."
)
_dry_run_option = click.option(
    "-d", "--dry-run", is_flag=True, help="Say what would happen, write nothing."
)
_verbose_option = click.option("-v", "--verbose", is_flag=True, help="Name unchanged files too.")


@cli.command()
@click.option("--prod", is_flag=True, required=True, help="Generate the production files.")
@_project_options
@click.option("--compose/--no-compose", default=None, help="With docker-compose.prod.yml or not.")
@click.option(
    "--target",
    type=_Values("runtime"),
    help="Which apps: all that are found, or only one kind.",
)
@click.option(
    "--set",
    "settings",
    metavar="KEY=VALUE",
    multiple=True,
    help="Correct what was found, or choose; KEY= takes it back.",
)
@click.option("--interactive", is_flag=True, help="Ask for the choices.")
@_adopt_option
@click.option("--force", is_flag=True, help="As --adopt=take; yours are kept as FILE.orig.")
@click.option(
    "--restore", metavar="PATH", multiple=True, help="Bring a deleted file or folder back."
)
@click.option("--check", is_flag=True, help="Exit with 1 if anything is to be done; for CI.")
@_diff_option
@click.option("--explain", is_flag=True, help="Show where every fact and choice comes from.")
@_dry_run_option
@_format_option
@_verbose_option
def build(
    directory: Path,
    output: str | None,
    compose: bool | None,
    target: str | None,
    settings: tuple[str, ...],
    interactive: bool,
    adopt: str | None,
    force: bool,
    restore: tuple[str, ...],
    answers_file: str,
    check: bool,
    differences: bool,
    explain: bool,
    dry_run: bool,
    format_: str,
    verbose: bool,
    **_: Any,
) -> None:
    """Generate or update the production files of a project.

    \b
    Examples:
      spinbox build --prod
      spinbox build --prod --set fastapi.entry=app.web:api --set proxy=none
      spinbox build --prod --check --diff
    """
    given = {"compose": compose, "runtime": target}
    request = _request(
        directory,
        output,
        answers_file,
        choices={key: value for key, value in given.items() if value is not None},
        settings=tuple(_pair(text) for text in settings),
        restore=frozenset(restore),
        interactive=interactive,
    )
    preview = check or differences or explain or dry_run
    how = "take" if force else adopt
    _refuse_together(explain, "--explain", check, differences, dry_run, interactive, how, restore)
    _refuse_together(force, "--force", adopt)
    _refuse_together(preview, "--check, --diff or --dry-run", how == "ask")
    if interactive and not sys.stdin.isatty():
        raise UserError("--interactive asks on a terminal: elsewhere, use --set.")
    if explain:
        _explain(request, format_)
        return
    _generate(
        request,
        how=how,
        preview=preview,
        check=check,
        differences=differences,
        format_=format_,
        verbose=verbose,
    )


@cli.command()
@click.option(
    "--target",
    "targets",
    type=_Values("targets", _DEFAULT_TARGET),
    multiple=True,
    help="What to deploy to; with --generate, can be given more than once.  [default: docker]",
)
@click.option(
    "--remove-target",
    "dropped",
    type=_Values("targets"),
    multiple=True,
    help="Take the files of that target away again.",
)
@click.option(
    "--set",
    "settings",
    metavar="KEY=VALUE",
    multiple=True,
    help="With --generate: as of `build`.",
)
@click.option("--guide", is_flag=True, help="Show the steps for this project (the default).")
@click.option("--check", is_flag=True, help="Look at project, settings and machine.")
@click.option("--generate", is_flag=True, help="Write the files of the target, with all others.")
@_project_options
@click.option("--env", "environment", metavar="NAME", help="Settings in deploy/env/NAME.env.")
@_adopt_option
@click.option(
    "--restore", metavar="PATH", multiple=True, help="Bring a deleted file or folder back."
)
@_diff_option
@_dry_run_option
@click.option("--online", is_flag=True, help="With --check: look the domain up as well.")
@click.option("--boot", is_flag=True, help="With --check: build and start a copy, then remove it.")
@_format_option
@click.option("-v", "--verbose", is_flag=True, help="Name unchanged files; show Docker's output.")
def deploy(
    targets: tuple[str, ...],
    dropped: tuple[str, ...],
    settings: tuple[str, ...],
    directory: Path,
    output: str | None,
    answers_file: str,
    guide: bool,
    check: bool,
    generate: bool,
    environment: str | None,
    adopt: str | None,
    restore: tuple[str, ...],
    differences: bool,
    dry_run: bool,
    online: bool,
    boot: bool,
    format_: str,
    verbose: bool,
) -> None:
    """Show how to deploy a project, and check that it is ready.

    \b
    Examples:
      spinbox deploy
      spinbox deploy --check --online
      spinbox deploy --check --boot
      spinbox deploy --target kubernetes --generate
    """
    _refuse_together(guide, "--guide", check, generate)
    _refuse_together(check, "--check", generate)
    _refuse_together(generate, "--generate", environment)
    _refuse_together(bool(dropped), "--remove-target", guide, check)
    if (online or boot) and not check:
        raise UsageError("--online and --boot belong to --check: add it.")
    targets = tuple(dict.fromkeys(targets))
    target, *more = targets or (_DEFAULT_TARGET,)
    if more and not generate:
        raise UsageError("Several targets belong to --generate: else, name one.")
    if boot and target != _DEFAULT_TARGET:
        raise UsageError(f"--boot starts a copy with Compose: it does not go with {target}.")
    if environment and _is_managed(target):
        raise UsageError(f"--env does not go with {target}: its files are for one environment.")
    if both := {*targets} & {*dropped}:
        raise UsageError(f"--target and --remove-target name {both.pop()}: give one of them.")
    if targets and dropped and not generate:
        raise UsageError("--target beside --remove-target belongs to --generate: add it.")
    if settings and not generate:
        raise UsageError("--set belongs to --generate: add it.")
    preview = differences or dry_run
    if (adopt or restore or preview) and not (generate or dropped):
        raise UsageError("--adopt, --restore, --diff and --dry-run belong to --generate: add it.")
    _refuse_together(preview, "--diff or --dry-run", adopt == "ask")
    writes = generate or bool(dropped)
    added = tuple(name for name in targets if name != _DEFAULT_TARGET)
    request = _request(
        directory,
        output,
        answers_file,
        choices={"compose": True} if generate and _DEFAULT_TARGET in (*targets, target) else {},
        settings=tuple(_pair(text) for text in settings),
        added={"targets": added} if added else {},
        dropped={"targets": dropped},
        restore=frozenset(restore),
    )
    name = _environment(environment)
    if writes:
        _generate(
            request,
            how=adopt,
            preview=preview,
            differences=differences,
            format_=format_,
            verbose=verbose,
        )
    elif check:
        _check(request, target, name, online=online, boot=boot, format_=format_, verbose=verbose)
    else:
        _guide(request, target, name, format_)


@cli.command()
@click.option(
    "--ci",
    "platforms",
    type=_Values("ci"),
    multiple=True,
    help="Add the pipeline of GitHub Actions or GitLab CI/CD; can be given twice.",
)
@click.option(
    "--remove-ci",
    "dropped",
    type=_Values("ci"),
    multiple=True,
    help="Take it away again.",
)
@click.option(
    "--deploy/--no-deploy", "deploys", default=None, help="With deployment over SSH or not."
)
@click.option("--test/--no-test", "tests", default=None, help="With the apps' tests or not.")
@click.option(
    "--registry",
    metavar="REGISTRY",
    help='Where images are pushed, as in docker.io/NAME; "" for the platform\'s own.',
)
@click.option(
    "--set",
    "settings",
    metavar="KEY=VALUE",
    multiple=True,
    help="As of `build`; ci_staging=false leaves staging out.",
)
@_project_options
@_adopt_option
@_diff_option
@_dry_run_option
@_format_option
@_verbose_option
def generate(
    platforms: tuple[str, ...],
    dropped: tuple[str, ...],
    deploys: bool | None,
    tests: bool | None,
    registry: str | None,
    settings: tuple[str, ...],
    directory: Path,
    output: str | None,
    answers_file: str,
    adopt: str | None,
    differences: bool,
    dry_run: bool,
    format_: str,
    verbose: bool,
) -> None:
    """Generate the pipeline of a CI platform, with all other files of the project.

    \b
    Examples:
      spinbox generate --ci github
      spinbox generate --ci gitlab --deploy --registry registry.example.com:5000
    """
    if not platforms and not dropped:
        raise UsageError(
            f"Name a platform: {shell.program()} generate --ci github, or --ci gitlab."
        )
    if both := {*platforms} & {*dropped}:
        raise UsageError(f"--ci and --remove-ci name {both.pop()}: give one of them.")
    given = {"ci_deploy": deploys, "ci_test": tests, "ci_registry": registry}
    request = _request(
        directory,
        output,
        answers_file,
        choices={key: value for key, value in given.items() if value is not None},
        settings=tuple(_pair(text) for text in settings),
        added={"ci": platforms},
        dropped={"ci": dropped},
    )
    preview = differences or dry_run
    _refuse_together(preview, "--diff or --dry-run", adopt == "ask")
    _generate(
        request,
        how=adopt,
        preview=preview,
        differences=differences,
        format_=format_,
        verbose=verbose,
    )


def _request(project: Path, output: str | None, answers_file: str, **more: Any) -> Request:
    from . import sync

    return sync.Request(
        project=project,
        output=_output(project, output),
        output_named=output is not None,
        answers_file=_answers_name(answers_file),
        **more,
    )


def _generate(
    request: Request,
    *,
    how: str | None = None,
    preview: bool = False,
    check: bool = False,
    differences: bool = False,
    format_: str = "text",
    verbose: bool = False,
) -> None:
    """Plan a run, carry it out unless it is a preview, and report.

    Args:
        request: What is asked for.
        how: What becomes of files that were there before, as in `--adopt`.
        preview: Write nothing.
        check: Being out of date is an error.
        differences: Show them.
        format_: Of the report, `text` or `json`.
        verbose: Name unchanged files too.

    Raises:
        UserError: Something is to be mended first, or afterwards.
    """
    from . import diff, journal, report, sync
    from .adopt import decide
    from .plan import Action

    with sync.session(request, writes=not preview) as recovery:
        _note(request, recovery)
        outcome = sync.plan(request, merged=recovery.merged)
        outcome = decide(outcome, how, colour=_colour())
        problem = report.problem(outcome)
        written = not preview and problem is None
        if written:
            # Found in the files as they were read: some may go now.
            _ = outcome.findings
            _note(request, journal.write(request.root, outcome.steps, request.answers_file))
    if format_ == "json":
        click.echo(report.as_json(outcome, written=written, differences=differences))
    else:
        # A diff stands alone on standard output, so that `git apply` can read it.
        if differences:
            folder = sync.folder_in_git(request)
            click.echo(diff.unified(outcome.steps, folder, colour=_colour()), nl=False)
        if written or preview:
            text = report.as_text(outcome, written=written, verbose=verbose, check=check)
            say(text, err=differences)
    if problem:
        raise UserError(problem)
    if conflicts := outcome.having(Action.CONFLICT):
        paths = ", ".join(request.named(step.path) for step in conflicts)
        if written:
            raise UserError(f"Resolve the conflict markers in {paths}, then run again.")
        raise UserError(f"A run would leave conflict markers in {paths}.")
    if check and not outcome.in_sync:
        raise UserError(f"The production files are out of date: run `{request.command}`.")
    if check and (lacking := report.lacking(outcome)):
        raise UserError(lacking)


@cli.command("shell-init")
@click.argument(
    "shell_", metavar="[bash|zsh|sh|fish]", type=click.Choice(shell.SHELLS), required=False
)
def shell_init(shell_: str | None) -> None:
    """Print what makes `spinbox build` and the others work in a shell.

    Spinbox keeps its own name, and its commands. Without a shell named, it is for
    the one that you use.

    \b
    Example:
      spinbox-deploy shell-init bash >>~/.bashrc
    """
    from .handoff import COMMANDS

    click.echo(shell.function(shell_ or shell.usual(), COMMANDS))


def _check(
    request: Request,
    target: str,
    environment: str,
    *,
    online: bool,
    boot: bool,
    format_: str,
    verbose: bool,
) -> None:
    from . import boot as booting
    from . import checks, sync
    from .checks import report

    context = checks.Context(sync.plan(request), environment, target, online=online)
    results = checks.run(context)
    text = format_ == "text"
    if text:
        say(report.as_text(context, results))
    if boot:
        results += booting.boot(
            context,
            report=lambda check: say(report.line(check)) if text else None,
            say=lambda line: say(line, err=True),
            verbose=verbose,
        )
    say(report.counts(results) if text else report.as_json(context, results))
    if problem := report.problem(results):
        raise UserError(problem)


def _guide(request: Request, target: str, environment: str, format_: str) -> None:
    from . import checks, guide, sync

    context = checks.Context(sync.plan(request), environment, target)
    form = guide.as_json if format_ == "json" else guide.as_text
    say(form(context, guide.guide(context)))


def _refuse_together(given: bool, name: str, *others: object) -> None:
    if given and any(others):
        raise UsageError(f"{name} cannot be combined with the other options given.")


def _note(request: Request, recovery: Recovery) -> None:
    if recovery.note:
        say(f"Note: {recovery.note}", err=True)
    for path in recovery.rescued:
        name = request.named(path)
        say(f"Note: You edited a file while it was written; see {name}.", err=True)


def _is_managed(target: str) -> bool:
    """Whether it is a platform, whose files are for one environment."""
    from . import derivation

    return derivation.targets.TARGETS[target].managed


def _explain(request: Request, format_: str) -> None:
    from . import explain, sync

    lines = explain.explain(sync.read(request))
    form = explain.as_json if format_ == "json" else explain.as_text
    say(form(*lines))


def _colour() -> bool:
    """Whether standard output takes colours (no-color.org)."""
    return sys.stdout is not None and sys.stdout.isatty() and not os.environ.get("NO_COLOR")


def _output(project: Path, output: str | None) -> str:
    """The output folder relative to the project's, `.` for the same."""
    if output is None:
        return "."
    relative = Path(os.path.relpath(project / output, project))
    if relative.parts[:1] == ("..",):
        raise UsageError(
            "--output must name a folder inside the project: images are built from it."
        )
    return relative.as_posix()


def _environment(name: str | None) -> str:
    """The name of an environment: it becomes part of a file's name."""
    if name is None:
        return "production"
    # The name that production's containers have is no other environment's.
    if not re.fullmatch(r"[a-z0-9][a-z0-9-]*", name) or name == "prod":
        raise click.BadParameter(
            f"{name!r} is not a name such as staging, of small letters, digits and dashes.",
            param_hint="--env",
        )
    return name


def _answers_name(name: str) -> str:
    if not re.fullmatch(r"[\w.-]+\.ya?ml", name, re.ASCII):
        raise click.BadParameter(f"{name!r} is not a name such as .copier-answers.spinbox.yml.")
    return name


def _pair(text: str) -> tuple[str, str]:
    key, separator, value = text.partition("=")
    if not separator or not key:
        raise click.BadParameter(f"{text!r} is not of the form KEY=VALUE.", param_hint="--set")
    return key, value


def main(arguments: Sequence[str] | None = None) -> None:
    """Run the command line; exit codes as the README has them.

    Args:
        arguments: Those of this process if left out.
    """
    given = sys.argv[1:] if arguments is None else list(arguments)
    code, problem = _run(given or ["--help"])
    for text, stream in (("", sys.stdout), (problem, sys.stderr)):
        try:
            if stream is not None:
                click.echo(printable(text), file=stream, nl=bool(text))
        except OSError:
            code = code or 1
            _give_up(stream)
    sys.exit(code)


def _give_up(stream: TextIO) -> None:
    """Let what a stream could not take go, else Python would complain of it at exit, with 120."""
    os.dup2(os.open(os.devnull, os.O_WRONLY), stream.fileno())


def _run(arguments: list[str]) -> tuple[int, str]:
    """Run a command; its exit code, and what is left to say on standard error."""
    try:
        if arguments and not arguments[0].startswith("-") and arguments[0] not in cli.commands:
            from .handoff import hand_on

            hand_on(arguments, cli.commands)
        # no-color.org; whether this is a terminal, click finds out by itself.
        colour = False if os.environ.get("NO_COLOR") else None
        cli.main(arguments, prog_name=shell.program(), standalone_mode=False, color=colour)
    except click.ClickException as error:
        error.show(file=(shown := io.StringIO()))
        return error.exit_code, shown.getvalue().rstrip("\n")
    except (KeyboardInterrupt, click.Abort):
        return 130, "Interrupted."
    except UserError as error:
        return error.exit_code, f"{shell.program()}: {error}"
    except BrokenPipeError:
        # The reader, such as `head`, has gone; nothing is to be said of it.
        _give_up(sys.stdout)
        return 1, ""
    except OSError as error:
        place = f"{error.filename}: " if error.filename else ""
        return 1, f"{shell.program()}: {place}{error.strerror or error}; mend that and run again."
    except Exception as error:
        if os.environ.get("SPINBOX_DEBUG"):
            raise
        return 1, (
            f"{shell.program()}: This should not happen ({type(error).__name__}: {error}); "
            "please report it, with what SPINBOX_DEBUG=1 prints."
        )
    return 0, ""
