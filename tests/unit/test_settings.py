"""`--set KEY=VALUE`: what is taken, what is refused, and how it is laid over the facts."""

import copy
import json
import re
from typing import Any

import pytest
import yaml
from hypothesis import given
from hypothesis import strategies as st

from extensions.errors import ProjectError
from extensions.settings import (
    COMPONENTS,
    SETTINGS,
    check_facts,
    check_key,
    check_overrides,
    hints,
    lay_over,
    parse_setting,
)

from .support import many

FACTS: dict[str, Any] = {
    "name": "demo",
    "fastapi": {"dir": "backend", "port": 8000, "libraries": ["uvicorn"], "worker": "celery x"},
    "postgres": {"image": "postgres:15", "extensions": ["vector"]},
}


@pytest.mark.parametrize(
    ("key", "text", "value"),
    [
        ("name", "shop", "shop"),
        ("fastapi.port", "8080", 8080),
        ("node.port", "65535", 65535),
        ("fastapi.factory", "true", True),
        ("node.build", "false", False),
        ("fastapi.paths", "/api, /docs ,", ["/api", "/docs"]),
        ("postgres.extensions", "", []),
        ("postgres.migrations", "none", "none"),
        ("python.mode", "service", "service"),
        ("fastapi.manager", "poetry", "poetry"),
        ("nextjs.manager", "pnpm", "pnpm"),
        ("redis", "off", "off"),
        ("mongodb", "on", "on"),
        ("fastapi.dir", "services/api", "services/api"),
        ("fastapi.dir", ".", "."),
        ("fastapi.dir", "..hidden/x", "..hidden/x"),
        ("fastapi.health", "/health?full=1", "/health?full=1"),
        ("fastapi.entry", "app.main:create_app", "app.main:create_app"),
        ("python.entry", "jobs/nightly.py", "jobs/nightly.py"),
        ("fastapi.image", "python:3.13-slim", "python:3.13-slim"),
        (
            "fastapi.image",
            "registry.local:5000/a/b@sha256:ab12",
            "registry.local:5000/a/b@sha256:ab12",
        ),
        ("fastapi.command", "gunicorn 'a b' --x=$Y", "gunicorn 'a b' --x=$Y"),
        ("fastapi.worker", "off", "off"),
    ],
)
def test_values_of_each_kind(key: str, text: str, value: object) -> None:
    """Text becomes a value of the key's type."""
    assert parse_setting(key, text) == value


@pytest.mark.parametrize(
    ("key", "text"),
    [
        ("fastapi.port", "0"),
        ("fastapi.port", "65536"),
        ("fastapi.port", "-1"),
        ("fastapi.port", "80a"),
        ("fastapi.port", ""),
        ("fastapi.port", "\u0661"),
        ("fastapi.factory", "yes"),
        ("redis", "true"),
        ("postgres.migrations", "flyway"),
        ("fastapi.manager", "npm"),
        ("python.mode", "daemon"),
        ("fastapi.dir", "/etc"),
        ("fastapi.dir", ".."),
        ("fastapi.dir", "../other"),
        ("fastapi.dir", "a/../../b"),
        ("fastapi.dir", ""),
        ("fastapi.dir", "-rf"),
        ("fastapi.dir", "a\\b"),
        ("fastapi.dir", " a"),
        ("fastapi.dir", "a*b"),
        ("node.sources", "a?.js"),
        ("fastapi.manifests", "-r"),
        ("fastapi.health", "health"),
        ("fastapi.health", "/a b"),
        ("fastapi.health", "/`id`"),
        ("fastapi.health", "/{env.HOME}"),
        ("fastapi.health", '/"'),
        ("fastapi.entry", "app.main"),
        ("fastapi.entry", "app main:app"),
        ("fastapi.image", ""),
        ("fastapi.image", "python:3 && id"),
        ("fastapi.image", "$IMAGE"),
        ("fastapi.variables", "A B"),
        ("fastapi.variables", "A: 1"),
        ("fastapi.variables", "1A"),
        ("fastapi.variables", "$(id)"),
        ("fastapi.paths", "api"),
        ("fastapi.command", "run 'unclosed"),
        ("fastapi.worker", 'run "unclosed'),
        ("node.command", "node \\"),
    ],
)
def test_wrong_values_are_refused_with_their_key(key: str, text: str) -> None:
    """The error names the key."""
    with pytest.raises(ProjectError, match=re.escape(key)):
        parse_setting(key, text)


@pytest.mark.parametrize(
    "key", ["", "fastapi.", ".port", "fastapi.nothing", "rails", "fastapi.port.x", "Name", "name "]
)
def test_unknown_keys_are_named(key: str) -> None:
    """The error repeats the key as it was given."""
    with pytest.raises(ProjectError, match=re.escape(repr(key))):
        parse_setting(key, "x")


@pytest.mark.parametrize(
    ("field", "value", "said"),
    [
        ("keep", ["certs/ca.pem "], "fastapi.keep must be files of the app, not 'certs/ca.pem '"),
        ("secret_files", ["caf\udce9.env"], "not UTF-8: rename that file"),
        ("logins", ["a\x1b"], "control characters, or is not UTF-8: rename that file"),
    ],
)
def test_facts_are_as_strict_as_settings(field: str, value: list[str], said: str) -> None:
    """Also those that nobody can set, and as they are: `--set` takes spaces off."""
    with pytest.raises(ProjectError, match=re.escape(said)):
        check_facts({"name": "demo", "fastapi": {"dir": "backend", field: value}})


@pytest.mark.parametrize("character", ["\n", "\r", "\0", "\t", "\x1b", "\x7f", "\x85", "\u2028"])
@pytest.mark.parametrize("key", ["name", "fastapi.command", "fastapi.sources"])
def test_values_are_one_line(key: str, character: str) -> None:
    """Nothing can start a line of its own in a generated file."""
    with pytest.raises(ProjectError, match=re.escape(key)):
        parse_setting(key, f"a{character}b")


@many
@given(st.sampled_from(sorted(s.key for s in SETTINGS)), st.text(max_size=20))
def test_any_text_is_taken_or_refused_plainly(key: str, text: str) -> None:
    """No text crashes, and what is taken is JSON and passes its own check."""
    try:
        value = parse_setting(key, text)
    except ProjectError:
        return
    stored = json.loads(json.dumps({key: value}))
    assert check_overrides(stored) == {key: value}


@many
@given(st.text(max_size=12), st.text(max_size=5))
def test_any_unknown_key_is_refused(key: str, text: str) -> None:
    """Whatever is not in the table is no key."""
    if key not in {setting.key for setting in SETTINGS}:
        with pytest.raises(ProjectError):
            parse_setting(key, text)


def test_every_key_has_help() -> None:
    """The README's table says what each is."""
    assert all(setting.help for setting in SETTINGS)


def test_keys_are_unique() -> None:
    """Two settings never share a key."""
    keys = [setting.key for setting in SETTINGS]
    assert len(keys) == len(set(keys))


@pytest.mark.parametrize(
    "overrides",
    [
        {
            "fastapi.port": 8080,
            "fastapi.factory": True,
            "fastapi.paths": ["/a", "/b"],
            "redis": "off",
        },
        {},
    ],
)
def test_stored_overrides_pass_their_check(overrides: dict[str, Any]) -> None:
    """What was stored comes back as it was, also through YAML."""
    assert check_overrides(yaml.safe_load(yaml.safe_dump(overrides))) == overrides


def test_overrides_written_as_text_get_their_type() -> None:
    """As somebody writes them with `copier copy -d overrides=…`."""
    given_by_hand = {"fastapi.port": "8080", "fastapi.factory": "true", "fastapi.paths": "/a,/b"}
    assert check_overrides(given_by_hand) == {
        "fastapi.port": 8080,
        "fastapi.factory": True,
        "fastapi.paths": ["/a", "/b"],
    }


@pytest.mark.parametrize("overrides", ["x", 1, None, ["name=x"], {"no.such": 1}, {1: 2}])
def test_overrides_of_another_form_are_refused(overrides: object) -> None:
    """A plain error instead of a crash."""
    with pytest.raises(ProjectError):
        check_overrides(overrides)


def test_lay_over_replaces_a_field() -> None:
    """And leaves its neighbours alone."""
    result = lay_over(FACTS, {"fastapi.port": 9000})
    assert result["fastapi"] == {**FACTS["fastapi"], "port": 9000}


def test_lay_over_replaces_the_name() -> None:
    """The project's name is a key of its own."""
    assert lay_over(FACTS, {"name": "shop"})["name"] == "shop"


def test_lay_over_takes_a_component_away() -> None:
    """`off` removes it and all its fields."""
    result = lay_over(FACTS, {"postgres": "off", "postgres.image": "postgres:17"})
    assert "postgres" not in result


def test_lay_over_adds_a_component() -> None:
    """`on` adds one, with the fields set by hand."""
    result = lay_over(FACTS, {"redis.image": "redis:8", "redis": "on"})
    assert result["redis"] == {"image": "redis:8"}


def test_lay_over_on_keeps_what_was_found() -> None:
    """`on` for something that is there changes nothing."""
    assert lay_over(FACTS, {"postgres": "on"}) == FACTS


def test_lay_over_off_empties_a_field() -> None:
    """A worker or a lockfile can be switched off."""
    assert lay_over(FACTS, {"fastapi.worker": "off"})["fastapi"]["worker"] is None


def test_lay_over_ignores_fields_of_absent_components() -> None:
    """A setting for something the project no longer has does nothing."""
    assert lay_over(FACTS, {"node.port": 3000}) == FACTS


def test_lay_over_changes_neither_argument() -> None:
    """Facts stay pure detection."""
    facts, overrides = copy.deepcopy(FACTS), {"fastapi.libraries": ["x"], "postgres": "off"}
    result = lay_over(facts, overrides)
    result["fastapi"]["libraries"].append("y")
    result["fastapi"]["dir"] = "elsewhere"
    assert facts == FACTS
    assert overrides["postgres"] == "off"


@many
@given(st.permutations(["redis", "redis.image", "fastapi.port", "postgres", "name"]))
def test_lay_over_does_not_depend_on_the_order(keys: list[str]) -> None:
    """Stored answers may come back in any order."""
    values: dict[str, Any] = {
        "redis": "on",
        "redis.image": "redis:8",
        "fastapi.port": 1,
        "postgres": "off",
        "name": "x",
    }
    assert lay_over(FACTS, {key: values[key] for key in keys}) == lay_over(FACTS, values)


def test_hints() -> None:
    """Folders of apps, and the entry that was chosen."""
    given = {"fastapi.dir": "api", "fastapi.entry": "web:app", "name": "x", "redis": "off"}
    assert hints(given) == {"fastapi.dir": "api", "fastapi.entry": "web:app"}


def test_every_component_can_be_switched_off() -> None:
    """The way out of anything that was detected wrongly."""
    assert all(parse_setting(component, "off") == "off" for component in COMPONENTS)


def test_a_key_that_is_none_names_the_nearest() -> None:
    with pytest.raises(ProjectError, match=r"did you mean postgres\.image\?"):
        check_key("postgress.image")
