"""What the README says of options, keys and actions is what the code has."""

from __future__ import annotations

import re
from pathlib import Path

import click
import pytest

from spinbox_wrapper.cli import build, deploy, generate
from spinbox_wrapper.plan import Action
from tests import generated

README = Path(__file__).parents[1] / "README.md"


LISTED = [(file, name) for file, lists in generated.LISTS.items() for name in lists]


@pytest.mark.parametrize(("file", "name"), LISTED, ids=lambda part: str(part))
def test_lists_are_those_of_the_code(file: str, name: str) -> None:
    """Where this fails: `make generate`."""
    _, make = generated.LISTS[file][name]
    _, text, _ = generated.parts(file, name)
    assert text == f"{make()}\n"


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
