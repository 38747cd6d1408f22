"""Ranges of versions as npm writes them (docs.npmjs.com, "semver"), by their major versions."""

from __future__ import annotations

import re


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
