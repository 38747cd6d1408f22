"""The command line. Imports only click and the standard library; commands import the rest."""

from __future__ import annotations

import os
import sys
from pathlib import Path
from typing import Any

import click

from .errors import UserError

_SETTINGS = {"help_option_names": ["-h", "--help"], "max_content_width": 80}


@click.group(context_settings=_SETTINGS, no_args_is_help=True)
@click.version_option(package_name="spinbox-deploy", prog_name="spinbox-deploy")
def cli() -> None:
    """Production files for Spinbox projects.

    Every other command (create, add, start ...) is handed on to Spinbox.
    """


@cli.command()
@click.option("--prod", is_flag=True, required=True, help="Generate the production files.")
@click.option(
    "-C",
    "--directory",
    type=click.Path(exists=True, file_okay=False, path_type=Path),
    default=".",
    help="The project's top folder.  [default: .]",
)
@click.option("--output", metavar="DIR", help="Write to this folder of the project.")
@click.option("--compose/--no-compose", default=None, help="With docker-compose.prod.yml or not.")
@click.option(
    "--target",
    type=click.Choice(["auto", "python", "node"]),
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
@click.option("--force", is_flag=True, help="Replace foreign files; they are kept as FILE.orig.")
@click.option("--restore", metavar="PATH", multiple=True, help="Bring a deleted file back.")
@click.option(
    "--answers-file",
    metavar="NAME",
    default=".copier-answers.yml",
    help="Where answers are kept, if another template has the usual file.",
)
@click.option("-d", "--dry-run", is_flag=True, help="Say what would happen, write nothing.")
@click.option(
    "--format",
    "format_",
    type=click.Choice(["text", "json"]),
    default="text",
    help="Of the report.",
)
@click.option("-v", "--verbose", is_flag=True, help="Name unchanged files too.")
def build(
    directory: Path,
    output: str | None,
    compose: bool | None,
    target: str | None,
    settings: tuple[str, ...],
    interactive: bool,
    force: bool,
    restore: tuple[str, ...],
    answers_file: str,
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
      spinbox build --prod --dry-run
    """
    from . import journal, report
    from .plan import Action
    from .sync import Request, plan

    given = {"compose": compose, "runtime": target}
    outcome = plan(
        Request(
            project=directory,
            output=_output(directory, output),
            choices={key: value for key, value in given.items() if value is not None},
            settings=tuple(_pair(text) for text in settings),
            answers_file=answers_file,
            force=force,
            restore=frozenset(restore),
            interactive=interactive,
        ),
        recover=not dry_run,
    )
    foreign = [step.path for step in outcome.having(Action.FOREIGN)]
    if foreign:
        raise UserError(
            f"These files exist and were not generated: {', '.join(foreign)}. Nothing was written; "
            "move them away, or replace them with --force (they are kept as FILE.orig)."
        )
    if not dry_run:
        journal.write(outcome.root, outcome.steps)
    if format_ == "json":
        click.echo(report.as_json(outcome, dry_run=dry_run))
    else:
        click.echo(report.as_text(outcome, dry_run=dry_run, verbose=verbose))
    open_conflicts = outcome.having(Action.CONFLICT, Action.UNRESOLVED)
    if open_conflicts:
        paths = ", ".join(step.path for step in open_conflicts)
        raise UserError(f"Resolve the conflict markers in {paths}, then run again.")


def _output(project: Path, output: str | None) -> str:
    """The output folder relative to the project's, `.` for the same."""
    if output is None:
        return "."
    relative = os.path.relpath(project / output, project)
    if relative.startswith(".."):
        raise UserError("--output must name a folder inside the project: images are built from it.")
    return Path(relative).as_posix()


def _pair(text: str) -> tuple[str, str]:
    key, separator, value = text.partition("=")
    if not separator or not key:
        raise click.BadParameter(f"{text!r} is not of the form KEY=VALUE.", param_hint="--set")
    return key, value


def main() -> None:
    """Run the command line; exit codes as DESIGN.md has them."""
    arguments = sys.argv[1:]
    try:
        if arguments and not arguments[0].startswith("-") and arguments[0] not in cli.commands:
            from .handoff import hand_on

            hand_on(arguments)
        # no-color.org; whether this is a terminal, click finds out by itself.
        colour = False if os.environ.get("NO_COLOR") else None
        cli.main(arguments, prog_name="spinbox", standalone_mode=False, color=colour)
    except click.exceptions.NoArgsIsHelpError as error:
        click.echo(error.ctx.get_help())
    except click.ClickException as error:
        error.show()
        sys.exit(error.exit_code)
    except (KeyboardInterrupt, click.Abort):
        click.echo("Interrupted.", err=True)
        sys.exit(130)
    except UserError as error:
        click.echo(f"spinbox: {error}", err=True)
        sys.exit(1)
    except BrokenPipeError:
        # The reader, such as `head`, has gone; Python must not complain about it at exit.
        os.dup2(os.open(os.devnull, os.O_WRONLY), sys.stdout.fileno())
        sys.exit(1)
    except Exception as error:
        if os.environ.get("SPINBOX_DEBUG"):
            raise
        kind = type(error).__name__
        click.echo(
            f"spinbox: This should not happen ({kind}: {error}); please report it, with what "
            "SPINBOX_DEBUG=1 prints.",
            err=True,
        )
        sys.exit(1)
