"""What an image's name tells."""

from __future__ import annotations

import pytest

from extensions.images import major_version


@pytest.mark.parametrize(
    ("image", "version"),
    [
        ("redis:7.4-alpine", "7"),
        ("pgvector/pgvector:pg15", "15"),
        ("pgvector/pgvector:0.8.0-pg17", "17"),
        ("localhost:5000/mongo:8.0@sha256:0123", "8"),
        ("postgres:alpine3.19", ""),
        ("localhost:5000/postgres", ""),
    ],
)
def test_the_major_version(image: str, version: str) -> None:
    assert major_version(image) == version
