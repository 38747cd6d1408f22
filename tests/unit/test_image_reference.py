"""What an image's name tells."""

from __future__ import annotations

import pytest
from hypothesis import example, given
from hypothesis import strategies as st
from packaging.version import Version

from extensions.image_reference import ImageReference

DIGEST = "sha256:" + "0" * 64
# The grammar of github.com/distribution/reference.
_COMPONENT = r"[a-z0-9]{1,8}(?:(?:[_.]|__|-{1,2})[a-z0-9]{1,8}){0,2}"
_HOST = r"[a-zA-Z0-9](?:[a-zA-Z0-9-]{0,6}[a-zA-Z0-9])?"
DOMAINS = st.one_of(
    st.from_regex(rf"{_HOST}(?:\.{_HOST}){{1,2}}(?::[0-9]{{1,5}})?", fullmatch=True),
    st.from_regex(rf"{_HOST}:[0-9]{{1,5}}", fullmatch=True),
    st.sampled_from(["localhost", "[2001:db8::1]:5000"]),
)
PATHS = st.from_regex(rf"{_COMPONENT}(?:/{_COMPONENT}){{0,2}}", fullmatch=True)
TAGS = st.from_regex(r"[A-Za-z0-9_][A-Za-z0-9_.-]{0,20}", fullmatch=True)
DIGESTS = st.from_regex(r"sha256:[0-9a-f]{64}", fullmatch=True)


@given(st.none() | DOMAINS, PATHS, st.none() | TAGS, st.none() | DIGESTS)
def test_every_part_is_found(
    domain: str | None, path: str, tag: str | None, digest: str | None
) -> None:
    reference = ImageReference(domain, path, tag, digest)
    # Without a registry, a path may begin with what looks like one: Docker takes it for one.
    first, slash, _ = path.partition("/")
    if domain is None and slash and ("." in first or first == "localhost"):
        reference = ImageReference(first, path.partition("/")[2], tag, digest)
    assert ImageReference.parse(str(reference)) == reference


@given(st.text(alphabet="aZ0.:/@-_") | st.text())
@example("localhost:5000/postgres")
@example("a:b:c@d@e")
@example(":@")
def test_any_text_is_put_together_again(text: str) -> None:
    reference = ImageReference.parse(text)
    assert str(reference) == text
    assert text.startswith(reference.without_digest)
    assert reference.without_digest.startswith(reference.name)


@given(st.none() | DOMAINS, PATHS, st.none() | TAGS)
def test_with_its_registry_it_has_one(domain: str | None, path: str, tag: str | None) -> None:
    found = ImageReference.parse(ImageReference(domain, path, tag).with_registry())
    assert found.domain is not None
    assert found.with_registry() == str(found)
    assert found.tag == tag


@pytest.mark.parametrize(
    ("text", "reference"),
    [
        ("postgres", ImageReference(None, "postgres")),
        ("chromadb/chroma:1.0.0", ImageReference(None, "chromadb/chroma", "1.0.0")),
        ("localhost:5000/db", ImageReference("localhost:5000", "db")),
        ("localhost/db:8", ImageReference("localhost", "db", "8")),
        (f"ghcr.io/x/y:1@{DIGEST}", ImageReference("ghcr.io", "x/y", "1", DIGEST)),
        (f"redis@{DIGEST}", ImageReference(None, "redis", None, DIGEST)),
        ("Registry/x", ImageReference("Registry", "x")),
    ],
)
def test_parts(text: str, reference: ImageReference) -> None:
    assert ImageReference.parse(text) == reference


@pytest.mark.parametrize(
    ("image", "version", "major"),
    [
        ("redis:7.4-alpine", "7.4", 7),
        ("python:3.13-slim", "3.13", 3),
        ("team/base:v1.2", "1.2", 1),
        ("postgres:17", "17", 17),
        ("pgvector/pgvector:pg15", "15", 15),
        ("pgvector/pgvector:0.8.0-pg17", "17", 17),
        ("timescale/timescaledb:2.14.2-pg16", "16", 16),
        ("postgis/postgis:16-3.4", "16", 16),
        ("localhost:5000/mongo:8.0@sha256:0123", "8.0", 8),
        ("postgres:alpine3.19", None, None),
        ("redis:latest", None, None),
        ("localhost:5000/postgres", None, None),
        (f"postgres@{DIGEST}", None, None),
    ],
)
def test_the_version(image: str, version: str | None, major: int | None) -> None:
    reference = ImageReference.parse(image)
    assert reference.version == (Version(version) if version else None)
    assert reference.major == major


@pytest.mark.parametrize(
    ("image", "fixed"),
    [
        ("redis:7", True),
        (f"redis@{DIGEST}", True),
        (f"redis:latest@{DIGEST}", True),
        ("redis:latest", False),
        ("redis", False),
        ("redis:7-alpine", True),
        ("redis:alpine", False),
        (f"redis:alpine@{DIGEST}", True),
        ("postgres:alpine3.22", False),
        ("docker.io/library/postgres:trixie", False),
        ("registry.local/postgres:production", True),
        ("chromadb/chroma:stable", True),
        ("localhost:5000/redis", False),
    ],
)
def test_what_names_one_version(image: str, fixed: bool) -> None:
    assert ImageReference.parse(image).is_fixed == fixed


@pytest.mark.parametrize(
    ("image", "official"),
    [
        ("postgres", True),
        ("postgres:17-alpine", True),
        (f"postgres@{DIGEST}", True),
        ("library/postgres:17", True),
        ("docker.io/postgres:17", True),
        ("docker.io/library/postgres:17", True),
        ("ghcr.io/library/postgres:17", False),
        ("team/postgres:17", False),
        ("postgresql:17", False),
    ],
)
def test_the_official_image(image: str, official: bool) -> None:
    assert ImageReference.parse(image).is_official("postgres") == official


def test_the_digest_and_the_folders_can_be_left_away() -> None:
    reference = ImageReference.parse(f"registry.test:5000/team/python:3.13-slim@{DIGEST}")
    assert reference.without_digest == "registry.test:5000/team/python:3.13-slim"
    assert reference.name == "registry.test:5000/team/python"
    assert reference.base_name == "python"
