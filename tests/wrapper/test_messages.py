"""No message holds a value as Python writes it: whoever reads it wrote YAML, JSON or a word."""

from __future__ import annotations

import datetime
import itertools
import json
import re
from pathlib import Path
from typing import Any

import pytest
import yaml

from extensions import choices, settings
from extensions.errors import ProjectError, shown
from spinbox_wrapper.answers import parse_answers, read_answers
from spinbox_wrapper.errors import UserError
from tests.conftest import Project
from tests.runs import build, run

# Lists, tuples and mappings of texts, constants, classes, objects, errors.
PYTHON = re.compile(
    r"[\[({]'|\(\)|\b(?:None|True|False|NoneType|dict|str|int)\b|<class|object at 0x|datetime\."
    r"|PosixPath|\b[A-Z]\w+Error\b|\[Errno|This should not happen"
)
TEXTS = (
    *("", "x y", "-1", "0", "1e9", "null", "~", "on", "off", "true", "a,b,,", ",", ":", "#", "é"),
    *("/", "../..", "$(x)", "${{ x }}", "%s", "a\x07b", "x" * 5000),
)
VALUES: tuple[Any, ...] = (
    *(None, True, False, 1, 1.5, "", [], {}, ["x"], [None], [True, 1], [["a"]], {"a": None}),
    *({"a": {"b": [None]}}, {"x": True}, {1: 2}, datetime.date(2020, 1, 1), b"x"),
)
# Commits are texts, also where YAML takes them for numbers.
STORED = ("_commit", "_src_path", "project", "overrides", "output", *choices.CHOICES)


@pytest.mark.parametrize("value", VALUES, ids=repr)
def test_a_value_is_shown_as_its_owner_wrote_it(value: Any) -> None:
    nested = [value, [value], {"key": value}]
    for one in (value, *(n for n in nested if not isinstance(value, bytes))):
        assert not PYTHON.search(shown(one)), shown(one)


def test_a_long_or_odd_value_is_shown_in_short() -> None:
    loop: list[Any] = []
    loop.append(loop)
    assert shown("it's") == '"it\'s"'
    assert shown(None) == "null"
    assert shown(loop) == "what stands there"
    assert max(len(shown(value)) for value in ("x" * 5000, ["x" * 5000])) < 100


def test_no_message_of_a_wrong_setting_does() -> None:
    told = []
    keys = [setting.key for setting in (*settings.SETTINGS, *settings.CHOICES)]
    for key, text in itertools.product((*keys, "nothing", "fastapi.", "='"), TEXTS):
        try:
            settings.parse_setting(key, text)
        except ProjectError as error:
            told.append(str(error))
    assert len(told) > 1000
    assert [message for message in told if PYTHON.search(message)] == []


@pytest.mark.parametrize("key", STORED)
def test_no_message_of_a_wrong_answer_does(key: str) -> None:
    right = {"_commit": "1", "project": {"name": "x"}, "overrides": {}}
    right |= {"runtime": "auto", "proxy": "caddy"}
    for value in VALUES:
        try:
            stored = parse_answers(yaml.safe_dump({**right, key: value}), "answers.yml")
            choices.complete(stored.values)
        except (UserError, ProjectError) as error:
            assert key in str(error)
            assert not PYTHON.search(str(error)), error


def test_an_answers_file_that_cannot_be_read_is_told(tmp_path: Path) -> None:
    (tmp_path / "answers.yml").write_bytes(b"\xff")
    (tmp_path / "folder.yml").mkdir()
    for name in ("answers.yml", "folder.yml"):
        with pytest.raises(UserError) as told:
            read_answers(tmp_path / name)
        assert not PYTHON.search(str(told.value))


WRONG = {
    "frontend/package.json": (
        *("null", "[]", "1", "{", '{"scripts": null}', '{"scripts": {"start": 1, "test": []}}'),
        *('{"dependencies": ["x"]}', '{"dependencies": {"next": [1]}, "engines": {"node": 1}}'),
        '{"engines": [], "packageManager": 1, "name": null, "workspaces": true}',
    ),
    "backend/pyproject.toml": (
        *("x = ", "project = 1", "[project]\nname = 1\ndependencies = 1"),
        *("[project]\ndependencies = [1, true]\nrequires-python = 3", "[tool]\npoetry = 1"),
        *("[tool.poetry.dependencies]\npython = []", "[tool.uv]\nsources = 1\nindex = 1"),
    ),
    "backend/requirements.txt": ("fastapi==", "-r nowhere", "--index-url", "@@@"),
    ".config/project.conf": ("", "FOO", "USE_REDIS=maybe", "PROJECT_NAME=\"a'b", "A=$(x)"),
    ".config/versions.conf": ("PYTHON_VERSION=x", "POSTGRES_VERSION=abc", "="),
    "docker-compose.yml": (
        *("services: 1", "services: [a]", "services: {postgres: {image: 1}}", "a: ["),
        "services: {postgres: {environment: {A: null, B: [1], C: {}}, ports: 1}}",
    ),
    ".copier-answers.yml": ("", "null", "[]", "project: 1", json.dumps({"runtime": None})),
}


@pytest.mark.integration
@pytest.mark.parametrize("name", WRONG)
def test_no_message_of_a_broken_file_does(name: str, project: Project) -> None:
    root = project("profile-web-app")
    build(root)
    path = root / name
    before = path.read_bytes() if path.exists() else None
    for text in WRONG[name]:
        path.write_text(text)
        for command in (("--dry-run",), ("deploy", "--check")):
            result = run(root, *command)
            said = result.stdout + result.stderr
            assert not PYTHON.search(said), (text, said)
    if before is not None:
        path.write_bytes(before)
