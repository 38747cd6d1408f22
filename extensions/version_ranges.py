"""Ranges of versions as npm writes them (github.com/npm/node-semver)."""

from __future__ import annotations

import re
from collections.abc import Iterator, Sequence


def takes(wanted: str, major: int) -> bool:
    """Whether a range of versions has one of a major version."""
    return any(_has_major(part, major) for part in wanted.split("||"))


def _has_major(part: str, major: int) -> bool:
    span = re.fullmatch(r"\s*v?(\d+)[\w.]*\s+-\s+v?(\d+)[\w.]*\s*", part)
    if span:
        return int(span[1]) <= major <= int(span[2])
    for sign, number, rest in re.findall(r"(>=|<=|>|<|\^|~|=)?\s*v?(\d+)((?:\.[\dxX*]+)*)", part):
        low = int(number)
        zero = not re.search(r"[1-9]", rest)
        good = {
            ">=": major >= low,
            ">": major > low or (major == low and bool(rest)),
            "<": major < low or (major == low and not zero),
            "<=": major <= low,
        }.get(sign, major == low)
        if not good:
            return False
    return True


_Version = tuple[int, int, int]
_NUMBERS = r"v?(\d+|[xX*])(?:\.(\d+|[xX*]))?(?:\.(\d+|[xX*]))?"
_COMPARATOR = re.compile(rf"(>=|<=|>|<|\^|~>?|=)?\s*{_NUMBERS}")


def satisfies(wanted: str, version: str) -> bool | None:
    """Whether a range takes a version; None where either is more than numbers.

    Tags, addresses and versions before a release are such: what they mean is not said here.
    """
    exact = re.fullmatch(r"v?(\d+)\.(\d+)\.(\d+)", version)
    if exact is None:
        return None
    found = (int(exact[1]), int(exact[2]), int(exact[3]))
    for part in wanted.split("||"):
        bounds = list(_bounds(part.strip()))
        if None in bounds:
            return None
        if all(low <= found < high for low, high in filter(None, bounds)):
            return True
    return False


_END: _Version = (10**9, 0, 0)


def _bounds(part: str) -> Iterator[tuple[_Version, _Version] | None]:
    """What every one of has to hold a version: its least one, and the first that is too high."""
    if span := re.fullmatch(rf"{_NUMBERS}\s+-\s+{_NUMBERS}", part):
        yield _least(span.groups()[:3]), _after(span.groups()[3:])
        return
    if re.sub(r"\s", "", _COMPARATOR.sub("", part)):
        yield None
        return
    for sign, *numbers in _COMPARATOR.findall(part):
        low, after = _least(numbers), _after(numbers)
        if sign == ">=":
            yield low, _END
        elif sign == ">":
            yield after, _END
        elif sign == "<":
            yield (0, 0, 0), low
        elif sign == "<=":
            yield (0, 0, 0), after
        elif sign == "^" and after != _END:
            # The first number that is not zero stays; where it is left out, what is there does.
            given = 1 + sum(number.isdigit() for number in numbers[1:])
            keep = next((n for n in range(given) if low[n]), given - 1)
            yield low, _after(numbers[: keep + 1])
        elif sign.startswith("~"):
            yield low, _after(numbers[:2])
        else:
            yield low, after


def _least(numbers: Sequence[str]) -> _Version:
    padded = [int(n) if n and n.isdigit() else 0 for n in (*numbers, "", "")]
    return padded[0], padded[1], padded[2]


def _after(numbers: Sequence[str]) -> _Version:
    """The first version that is above all that begin with these numbers."""
    given = [int(n) for n in numbers if n and n.isdigit()]
    if not given:
        return _END
    given[-1] += 1
    padded = [*given, 0, 0]
    return padded[0], padded[1], padded[2]
