"""What templates see: a small surface of named, typed values, and nothing that is not there."""

from __future__ import annotations

import re
from collections.abc import Iterator, Mapping
from pathlib import Path
from types import ModuleType, SimpleNamespace
from typing import Any

import pytest
import yaml
from jinja2 import Environment, nodes

from tests.unit.support import deployment_of, facts_of

REPOSITORY = Path(__file__).parents[2]
TEMPLATES = sorted(path for path in (REPOSITORY / "template").rglob("*") if path.is_file())
# Loops over files, in names of the template's own files.
_YIELD = re.compile(r"\{% yield (\w+) from ([\w.]+) %\}|\{% endyield %\}")
# One or two lines that only lead to another template.
_FORWARDS = re.compile(r"(\{% (set|include|import) [^\n]*%\}\n){1,2}")


@pytest.fixture(scope="module")
def context(tmp_path_factory: pytest.TempPathFactory) -> Mapping[str, Any]:
    facts = facts_of("everything--with-deps", tmp_path_factory.mktemp("p") / "project")
    return deployment_of(facts, targets=["kubernetes"], ci=["github"]).context


def _parsed(path: Path) -> nodes.Template:
    options = yaml.safe_load((REPOSITORY / "copier.yml").read_text())["_envops"]
    del options["undefined"]
    return Environment(**options).parse(path.read_text())


def _asked(path: Path) -> Iterator[tuple[str, str]]:
    """What a template asks of names: `stack.apps` gives `stack` and `apps`."""
    for found in _parsed(path).find_all(nodes.Getattr):
        if isinstance(found.node, nodes.Name):
            yield found.node.name, found.attr
    for name in re.findall(r"\{[{%]([^}]*)[%}]\}", path.name):
        yield from re.findall(r"\b(\w+)\.(\w+)", name)


def test_no_module_is_handed_over_whole(context: dict[str, Any]) -> None:
    assert [name for name, value in context.items() if isinstance(value, ModuleType)] == []


def test_whatever_templates_ask_for_is_there(context: dict[str, Any]) -> None:
    """Also in branches that no test renders."""
    missing = set()
    for path in TEMPLATES:
        own = {name for name, _ in _YIELD.findall(path.name)}
        for name, attribute in _asked(path):
            value = context.get(name)
            if name in own or value is None or isinstance(value, str | tuple | dict):
                continue
            if attribute not in dir(value):
                missing.add((path.name, f"{name}.{attribute}"))
    assert missing == set()


def test_functions_have_a_use(context: dict[str, Any]) -> None:
    """The surface stays small: what no template asks for goes."""
    text = "".join(path.read_text() + path.name for path in TEMPLATES)
    text += (REPOSITORY / "copier.yml").read_text()
    unused = [name for name in context if not re.search(rf"\b{name}\b", text)]
    for name in ("q", "pins"):
        assert isinstance(context[name], SimpleNamespace)
        unused += [f"{name}.{f}" for f in vars(context[name]) if f"{name}.{f}(" not in text]
    assert unused == []


@pytest.mark.parametrize("path", TEMPLATES, ids=lambda path: path.name[:60])
def test_a_template_says_something_itself(path: Path) -> None:
    """Only one that makes several files may take all its text from elsewhere."""
    forwards = _FORWARDS.fullmatch(path.read_text()) is not None
    assert not forwards or "{% yield" in path.name


def test_paths_are_short() -> None:
    paths = [path.relative_to(REPOSITORY).as_posix() for path in TEMPLATES]
    assert [path for path in paths if len(path) > 100] == []
