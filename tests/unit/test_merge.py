"""Three-way merges whose result must not hold a change twice, or break."""

from __future__ import annotations

from spinbox_wrapper.merge import merge

BASE = """\
services:
  app:
    image: app
    restart: always
volumes:
  data:
"""
REDIS = """\
  redis:
    image: redis
    restart: always
"""
NEW = BASE.replace("volumes:\n", f"{REDIS}volumes:\n")


def merged(base: str, yours: str, new: str, path: str = "compose.yml") -> tuple[str, bool]:
    content, conflict = merge(path, base.encode(), yours.encode(), new.encode())
    return content.decode(), conflict


def test_two_changes_come_together() -> None:
    yours = BASE.replace("image: app", "image: mine")
    assert merged(BASE, yours, NEW) == (NEW.replace("image: app", "image: mine"), False)


def test_a_change_that_is_there_already_comes_in_once() -> None:
    """Elsewhere in the file, as somebody moved it."""
    yours = BASE.replace("services:\n", f"services:\n{REDIS}")
    assert merged(BASE, yours, NEW) == (yours, False)


def test_a_key_that_would_stand_twice_is_a_conflict() -> None:
    yours = BASE.replace("services:\n", "services:\n  redis:\n    image: mine\n")
    content, conflict = merged(BASE, yours, NEW)
    assert conflict
    assert "<<<<<<< yours" in content


def test_what_did_not_parse_before_is_the_owner_s() -> None:
    yours = BASE.replace("image: app", "image: [")
    assert merged(BASE, yours, NEW) == (NEW.replace("image: app", "image: ["), False)


def test_tags_of_other_tools_are_no_error() -> None:
    yours = BASE.replace("image: app", "image: !reference [a, b]")
    content, conflict = merged(BASE, yours, NEW)
    assert not conflict
    assert content == NEW.replace("image: app", "image: !reference [a, b]")


def test_lines_of_a_script_come_in_once() -> None:
    base = "a\nb\nc\nd\ne\n"
    new = "a\nb\nc\nd\nlock\nkeep\ne\n"
    yours = "a\nlock\nkeep\nb\nc\nd\ne\n"
    assert merged(base, yours, new, "deploy.sh") == (yours, False)
