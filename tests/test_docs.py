"""What the README says of options, keys and actions is what the code has."""

from __future__ import annotations

import re
from pathlib import Path

import click
import pytest


from spinbox_wrapper import boot, checks
from spinbox_wrapper.cli import build, deploy, generate
from spinbox_wrapper.plan import Action
from tests.sync.cases import CASES

README = Path(__file__).parents[1] / "README.md"


def settings_table() -> str:
    rows = ["| Key | Value | What it is |", "| --- | --- | --- |"]
    for setting in (*CHOICES, *SETTINGS):
        kind = setting.kind.replace("|", "\\|")
        rows.append(f"| `{setting.key}` | {kind} | {setting.help} |")
    return "\n".join(["", *rows, ""]) + "\n"


def cases_table() -> str:
    rows = ["| Since the last run | A generated file |", "| --- | --- |"]
    rows += [f"| {case.happened} | {case.then} |" for case in CASES]
    return "\n".join(["", *rows, ""]) + "\n"


def checks_table() -> str:
    rows = ["| Check | What has to hold |", "| --- | --- |"]
    rows += [f"| `{id_}` | {help_} |" for id_, help_ in {**checks.IDS, **boot.IDS}.items()]
    return "\n".join(["", *rows, ""]) + "\n"


@pytest.mark.parametrize(
    ("name", "table"),
    [("settings", settings_table()), ("cases", cases_table()), ("checks", checks_table())],
)
def test_tables_are_those_of_the_code(name: str, table: str, pytestconfig: pytest.Config) -> None:
    begin, end = f"<!-- {name}: begin -->\n", f"<!-- {name}: end -->"
    before, _, rest = README.read_text().partition(begin)
    found, _, after = rest.partition(end)
    if pytestconfig.getoption("--update-golden"):
        README.write_text(before + begin + table + end + after)
    assert found == table


def test_every_figure_is_filled_in() -> None:
    assert not re.search(r"\| *(?:[A-Z]{3,}|TODO|TBD|\?+) *\|", README.read_text())


@pytest.mark.parametrize(
    "command", [build, deploy, generate], ids=lambda command: str(command.name)
)
def test_every_option_is_explained(command: click.Command) -> None:
    text = README.read_text().split(f"### Options of `spinbox {command.name}")[1].split("\n#")[0]
    options = [p for p in command.params if isinstance(p, click.Option) and not p.hidden]
    for option in options:
        # Without --prod nothing is built: it stands in the heading.
        assert any(name in text for name in option.opts), option.name
        assert option.help, option.name


def test_every_action_is_named() -> None:
    section = README.read_text().split("### The JSON report")[1].split("##")[0]
    assert {action.value for action in Action} <= set(re.findall(r"`(\w+)`", section))
