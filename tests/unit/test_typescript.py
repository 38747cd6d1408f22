"""Lines of TypeScript as Prettier lays them out."""

from __future__ import annotations

from extensions.typescript import enclosed, member


def test_a_long_value_has_a_line_of_its_own() -> None:
    short, long = f'"{"x" * 65}"', f'"{"x" * 66}"'
    assert member(4, "name", short) == f"    name: {short},"
    assert len(member(4, "name", short)) < 80
    assert member(8, "names", long) == f"        names:\n          {long},"


def test_a_long_list_has_a_line_for_each() -> None:
    assert enclosed(2, "x: [", ["a", "b"], "],") == "  x: [a, b],"
    names = ["a" * 40, "b" * 40]
    assert enclosed(2, "x: [", names, "],") == f"  x: [\n    {names[0]},\n    {names[1]},\n  ],"


def test_braces_have_spaces() -> None:
    assert enclosed(0, "x {", ["a"], "}", spaces=True) == "x { a }"
    assert enclosed(0, "x {", [], "}", spaces=True) == "x {}"
