"""The catalogue of backing services: what each module has to say."""

from __future__ import annotations

import re
from pathlib import Path

import pytest

from extensions.model import BackingService, Managed
from extensions.services import KINDS, NAMES, define

PARTIALS = Path(__file__).resolve().parents[2] / "template/_partials"


@pytest.fixture(params=NAMES)
def service(request: pytest.FixtureRequest) -> BackingService:
    return define(request.param, {}, "project")


def test_services_are_called_as_their_modules() -> None:
    assert tuple(define(name, {}, "project").name for name in NAMES) == NAMES
    assert set(KINDS) == set(NAMES)


def test_flags_folders_and_images_are_nobody_elses() -> None:
    kinds = KINDS.values()
    assert len({kind.flag for kind in kinds}) == len(NAMES)
    assert len({kind.folder for kind in kinds}) == len(NAMES)
    images = [image for kind in kinds for image in kind.images]
    assert len(set(images)) == len(images)


def test_its_own_image_is_one_of_those_named(service: BackingService) -> None:
    assert service.image.partition(":")[0] in KINDS[service.name].images


def test_every_service_has_a_script() -> None:
    """Named as the service, in one folder."""
    names = {path.stem for path in (PARTIALS / "data").iterdir()}
    assert names == {*NAMES, "files"}


@pytest.mark.parametrize("folder", ["services", "entrypoint"])
def test_no_partial_is_left_over(folder: str) -> None:
    assert {path.stem for path in (PARTIALS / folder).iterdir()} <= set(NAMES)


def test_its_script_is_told_where_it_is(service: BackingService) -> None:
    """In Kubernetes backups run beside it, but of what would have to be paused."""
    script = (PARTIALS / f"data/{service.name}.sh").read_text()
    assert service.paused_backup or f"${{{service.host_variable}" in script.replace("env.", "${")


def test_macros_are_those_of_its_partial(service: BackingService) -> None:
    partial = PARTIALS / f"services/{service.name}.jinja"
    text = partial.read_text() if partial.is_file() else ""
    assert set(re.findall(r"{% macro (\w+)", text)) == service.macros


def test_guides_say_how_it_is_saved_and_what_comes_in(service: BackingService) -> None:
    assert service.backup.endswith(".")
    assert ("import_form" in service.macros) != bool(service.import_form)


def test_it_can_run_elsewhere(service: BackingService) -> None:
    """Every part of its address is explained, and only its secrets are secrets."""
    elsewhere = define(service.name, {"external": True}, "project")
    assert elsewhere.external
    assert all(variable.help for variable in elsewhere.variables)
    parts = {env.name for env in service.app_environment}
    assert parts <= {variable.name for variable in elsewhere.variables}


def test_only_redis_may_have_no_password_elsewhere() -> None:
    needed = {name: define(name, {"external": True}, "project").password for name in NAMES}
    required = {name: variable.required for name, variable in needed.items() if variable}
    assert {name for name, value in required.items() if not value} == {"redis"}


def test_platforms_name_what_apps_are_given(service: BackingService) -> None:
    parts = {env.name for env in service.app_environment} | set(service.urls)
    for target, offer in service.managed.items():
        assert set(offer.outputs) <= parts
        assert bool(offer.command) == (target == "fly")
        assert bool(offer.kind) == (target == "render")
        assert bool(offer.constructor) == (target == "railway")


@pytest.mark.parametrize(
    ("versions", "wanted", "found"),
    [
        ((16, 17), 12, 16),
        ((16, 17), 16, 16),
        ((16, 17), 18, 17),
        ((16, 17), None, 17),
        ((8,), 7, 8),
        ((), 7, None),
    ],
)
def test_the_nearest_version(
    versions: tuple[int, ...], wanted: int | None, found: int | None
) -> None:
    assert Managed(versions=versions).nearest(wanted) == found


def test_a_platform_may_stand_in_for_one_image_only() -> None:
    offer = define("postgres", {}, "project").managed["railway"]
    assert offer.replaces("docker.io/library/postgres:17")
    assert not offer.replaces("pgvector/pgvector:pg17")
    assert Managed().replaces("anything")


@pytest.mark.parametrize(
    ("facts", "path"),
    [
        ({"image": "postgres:17"}, "/var/lib/postgresql/data"),
        ({"image": "postgres:18"}, "/var/lib/postgresql"),
        ({"image": "pgvector/pgvector:0.8.1-pg18-trixie"}, "/var/lib/postgresql"),
        ({"image": "postgres@sha256:0", "version": 18}, "/var/lib/postgresql"),
        ({"image": "postgres@sha256:0", "version": 17}, "/var/lib/postgresql/data"),
    ],
)
def test_where_the_data_of_a_version_lies(facts: dict[str, object], path: str) -> None:
    service = define("postgres", facts, "project")
    assert service.volume.path == path
    assert service.warnings == ()


@pytest.mark.parametrize("image", ["postgres@sha256:0", "registry.example.com/pg:newest"])
def test_a_version_that_cannot_be_told_is_said(image: str) -> None:
    service = define("postgres", {"image": image}, "project")
    (warning,) = service.warnings
    assert "--set postgres.version=" in warning
    assert service.version is None


@pytest.mark.parametrize(
    ("service", "name", "source"),
    [
        *(("postgres", name, "POSTGRES_SERVER") for name in ("POSTGRES_HOST", "DB_HOST", "PGHOST")),
        ("postgres", "DATABASE__HOSTNAME", "POSTGRES_SERVER"),
        ("postgres", "DATABASE_PORT", "POSTGRES_PORT"),
        ("postgres", "DB_USER", "POSTGRES_USER"),
        ("postgres", "PGPASSWORD", "POSTGRES_PASSWORD"),
        ("postgres", "DB_NAME", "POSTGRES_DB"),
        *(
            ("postgres", name, "DATABASE_URL")
            for name in ("POSTGRES_URL", "DB_URL", "DATABASE_URI")
        ),
        ("postgres", "SQLALCHEMY_DATABASE_URL", "DATABASE_URL"),
        *(("mongodb", name, "MONGODB_URL") for name in ("MONGO_URI", "MONGODB_URI", "MONGO_URL")),
        ("mongodb", "DATABASE_URL", "MONGODB_URL"),
        ("mongodb", "MONGO_DB", "MONGODB_DATABASE"),
        *(("redis", name, "REDIS_URL") for name in ("CELERY_BROKER_URL", "REDIS_URI", "CACHE_URL")),
        ("redis", "CELERY_RESULT_BACKEND", "REDIS_URL"),
        ("redis", "CELERY_BACKEND", "REDIS_URL"),
        ("redis", "SOCKETIO_MESSAGE_QUEUE", "REDIS_URL"),
        ("redis", "LIMITER_STORAGE_URI", "REDIS_URL"),
        ("mongodb", "MONGO_DETAILS", "MONGODB_URL"),
        ("chroma", "CHROMA_API_URL", "CHROMA_URL"),
        ("redis", "BACKEND_URL", None),
        ("redis", "REDIS_CACHE_HOST", "REDIS_HOST"),
        ("redis", "REDIS_QUEUE_PORT", "REDIS_PORT"),
        ("chroma", "CHROMA_SERVER_HOST", "CHROMA_HOST"),
        ("chroma", "CHROMA_URL", "CHROMA_URL"),
        ("postgres", "MONGO_URI", None),
        ("redis", "DATABASE_URL", None),
        ("postgres", "ANALYTICS_DB_HOST", None),
        ("redis", "REDIS_MAX_CONNECTIONS", None),
        ("postgres", "DB_POOL_SIZE", None),
    ],
)
def test_what_apps_call_it(service: str, name: str, source: str | None) -> None:
    assert define(service, {}, "project").source_of(name) == source


def test_redis_may_be_without_a_password() -> None:
    """Then nothing is asked for, given to apps or told its scripts."""
    opened = define("redis", {"password": None}, "project")
    assert opened.is_open and opened.password is None
    everything = (*opened.environment, *opened.app_environment)
    assert not [env.name for env in everything if "PASSWORD" in f"{env.name}{env.variable}"]
    assert opened.lacks("REDIS_PASSWORD") and not opened.lacks("REDIS_URL")
    assert "requirepass" not in opened.command[-1] and "protected-mode no" in opened.command[-1]


def test_that_changes_nothing_of_a_redis_elsewhere() -> None:
    elsewhere = define("redis", {"external": True}, "project")
    assert define("redis", {"external": True, "password": None}, "project") == elsewhere
