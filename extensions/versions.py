"""Versions in texts of others: what programs print, and the tags of images."""

from __future__ import annotations

import re

from packaging.version import Version

_LEADING = re.compile(r"\s*v?([0-9]+(?:\.[0-9]+)*)")


def leading_version(text: str) -> Version | None:
    """The numbers that a text begins with, as in `v2.26.1-4`, `26.1.5+dfsg1` or `3.13-slim`.

    What follows them is left away, since distributions and images each have their own form of it:
    a release candidate counts as its release.
    """
    match = _LEADING.match(text)
    return Version(match[1]) if match else None
