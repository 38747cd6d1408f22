"""What the README says of options, keys and actions is what the code has."""

from __future__ import annotations

import re
from pathlib import Path

import click
import pytest

from extensions.settings import CHOICES, SETTINGS
from spinbox_wrapper.cli import build
from spinbox_wrapper.plan import Action

README = Path(__file__).parents[1] / "README.md"
_BEGIN, _END = "<!-- settings: begin -->\n", "<!-- settings: end -->"


def settings_table() -> str:
    rows = ["| Key | Value | What it is |", "| --- | --- | --- |"]
    for setting in (*CHOICES, *SETTINGS):
        kind = setting.kind.replace("|", "\\|")
        rows.append(f"| `{setting.key}` | {kind} | {setting.help} |")
    return "\n".join(["", *rows, ""]) + "\n"


def test_every_key_of_set_is_listed(pytestconfig: pytest.Config) -> None:
    before, _, rest = README.read_text().partition(_BEGIN)
    found, _, after = rest.partition(_END)
    if pytestconfig.getoption("--update-golden"):
        README.write_text(before + _BEGIN + settings_table() + _END + after)
    assert found == settings_table()


def test_every_option_is_explained() -> None:
    text = README.read_text()
    options = [p for p in build.params if isinstance(p, click.Option) and not p.hidden]
    for option in options:
        assert any(name in text for name in option.opts), option.name
        assert option.help, option.name


def test_every_action_is_named() -> None:
    section = README.read_text().split("### The JSON report")[1].split("##")[0]
    # A run with foreign files ends before it reports.
    named = set(re.findall(r"`(\w+)`", section))
    assert {action.value for action in Action} - {"foreign"} <= named
