"""What managed platforms are told: names, variables, commands, plans."""

from dataclasses import replace
from pathlib import Path
from typing import Any

import pytest

from extensions import platforms
from extensions.errors import ProjectError
from extensions.platforms import Setting

from .support import facts_of, stack_of

EVERYTHING = "everything--with-deps"


@pytest.fixture(scope="module")
def facts(tmp_path_factory: pytest.TempPathFactory) -> dict[str, Any]:
    return facts_of(EVERYTHING, tmp_path_factory.mktemp("facts") / "all")


@pytest.fixture(scope="module")
def stack(facts: dict[str, Any]) -> Any:
    return stack_of(facts)


def build(stack: Any, **answers: Any) -> platforms.Platforms:
    return platforms.build_platforms({"targets": list(platforms.NAMES), **answers}, stack)


def by_name(target: str, stack: Any, app: int = 0, **answers: Any) -> dict[str, Setting]:
    found = platforms.settings(target, stack, build(stack, **answers), stack.apps[app])
    assert len({setting.name for setting in found}) == len(found)
    return {setting.name: setting for setting in found}


@pytest.mark.parametrize("targets", [None, [], ["kubernetes"]])
def test_none_is_wanted(targets: list[str] | None, stack: Any) -> None:
    assert build(stack, targets=targets).wanted == ()


def test_the_order_is_always_the_same(stack: Any) -> None:
    assert build(stack, targets=["render", "fly"]).wanted == ("fly", "render")


@pytest.mark.parametrize(
    ("answer", "value"),
    [
        ("fly_name", "My App"),
        ("fly_name", "$(x)"),
        ("fly_name", "a" * 41),
        ("fly_name", "1a"),
        ("fly_region", "europe"),
        ("fly_region", "{{}}"),
        ("render_region", "mars"),
    ],
)
def test_what_a_platform_does_not_take(answer: str, value: str, stack: Any) -> None:
    with pytest.raises(ProjectError, match=answer):
        build(stack, **{answer: value})


def test_a_stack_that_ends_by_itself(tmp_path: Path) -> None:
    stack = stack_of(facts_of("python", tmp_path / "p"))
    with pytest.raises(ProjectError, match="--remove-target render"):
        build(stack, targets=["render"])
    assert build(stack, targets=[]).wanted == ()


@pytest.mark.parametrize(("project", "name"), [("1", "app-1"), ("a" * 50, "a" * 40), ("a-_-", "a")])
def test_the_project_s_name_as_one_of_fly_s(project: str, name: str, facts: dict[str, Any]) -> None:
    found = build(stack_of({**facts, "name": project}))
    assert found.fly_name == name
    assert platforms.FLY_NAME.fullmatch(name)


def test_names(stack: Any) -> None:
    chosen = build(stack, fly_name="shop")
    names = ("app", "frontend", "mongodb")
    assert [platforms.name("fly", stack, chosen, n) for n in names] == [
        *("shop", "shop-frontend", "shop-mongodb")
    ]
    assert [platforms.name("render", stack, chosen, n) for n in names] == [
        *("all", "all-frontend", "all-mongodb")
    ]
    assert [platforms.name("railway", stack, chosen, n) for n in names] == list(names)


@pytest.mark.parametrize(
    ("target", "own"),
    [
        ("fly", {"mongodb", "chroma"}),
        ("render", {"mongodb", "chroma"}),
        # Its PostgreSQL has no pgvector.
        ("railway", {"chroma", "postgres"}),
    ],
)
def test_what_a_platform_does_not_offer(target: str, own: set[str], stack: Any) -> None:
    names = {service.name for service in stack.services}
    assert {service.name for service in platforms.own(target, stack)} == own
    assert {service.name for service in platforms.managed(target, stack)} == names - own


def test_railway_s_own_postgresql_does_for_its_own_extensions(facts: dict[str, Any]) -> None:
    plain = stack_of(facts, {"postgres.extensions": ["uuid-ossp"]})
    assert [service.name for service in platforms.own("railway", plain)] == ["chroma"]
    found = by_name("railway", plain)
    assert found["POSTGRES_SERVER"] == Setting(
        "POSTGRES_SERVER", resource="postgres", output="PGHOST"
    )
    assert found["POSTGRES_PASSWORD"].output == "PGPASSWORD"


def test_extensions_that_fly_lacks(facts: dict[str, Any]) -> None:
    stack = stack_of(facts, {"postgres.extensions": ["vector", "dblink"]})
    assert platforms.missing_extensions("fly", stack) == ("dblink",)
    assert platforms.missing_extensions("render", stack) == ()
    elsewhere = stack_of(
        facts, {"postgres.extensions": ["vector", "dblink"], "postgres": "external"}
    )
    assert platforms.missing_extensions("fly", elsewhere) == ()


def test_fly_s_variables(stack: Any) -> None:
    found = by_name("fly", stack, fly_name="shop")
    assert found["DATABASE_URL"].command == "fly mpg attach"
    assert found["REDIS_URL"].command == "fly redis create"
    assert "POSTGRES_SERVER" not in found and "REDIS_HOST" not in found
    assert found["MONGODB_HOST"].value == "shop-mongodb.flycast"
    assert found["CHROMA_HOST"].value == "shop-chroma.flycast"
    assert found["MONGODB_PASSWORD"].by_hand and found["MONGODB_PASSWORD"].generate
    assert found["SECRET_KEY"].by_hand and found["SECRET_KEY"].required
    assert found["BACKEND_CORS_ORIGINS"].value == "https://shop-frontend.fly.dev"
    assert found["LOG_LEVEL"] == Setting("LOG_LEVEL", required=False)


def test_railway_s_variables(stack: Any) -> None:
    found = by_name("railway", stack)
    assert found["POSTGRES_SERVER"] == Setting(
        "POSTGRES_SERVER", resource="postgres", output="RAILWAY_PRIVATE_DOMAIN"
    )
    assert found["POSTGRES_PASSWORD"].output == "POSTGRES_PASSWORD"
    assert found["REDIS_PASSWORD"] == Setting(
        "REDIS_PASSWORD", resource="redis", output="REDISPASSWORD"
    )
    assert found["MONGODB_USERNAME"].output == "MONGOUSER"
    assert found["REDIS_DB"].value == "0"
    assert found["PORT"].value == "8000"


def test_render_s_variables(stack: Any) -> None:
    found = by_name("render", stack)
    assert found["POSTGRES_DB"] == Setting(
        "POSTGRES_DB", resource="all-postgres", output="database"
    )
    assert found["REDIS_URL"] == Setting(
        "REDIS_URL", resource="all-redis", output="connectionString"
    )
    assert found["MONGODB_HOST"] == Setting("MONGODB_HOST", resource="all-mongodb", output="host")
    assert found["MONGODB_PASSWORD"].output == "MONGO_INITDB_ROOT_PASSWORD"
    assert "PORT" not in found


@pytest.mark.parametrize("target", platforms.NAMES)
def test_every_variable_of_the_model_is_there(target: str, stack: Any) -> None:
    """Under its own name, or in a URL."""
    for number, app in enumerate(stack.apps):
        found = by_name(target, stack, number)
        wanted = {env.name for env in (*app.environment, *app.build_arguments)} | {*app.passed_on}
        if "DATABASE_URL" in found:
            wanted = {name for name in wanted if not name.startswith("POSTGRES_")}
        if "REDIS_URL" in found:
            wanted = {name for name in wanted if not name.startswith("REDIS_")}
        assert wanted <= found.keys()


@pytest.mark.parametrize(
    ("target", "private", "public"),
    [
        ("fly", "http://all.flycast:8000", "https://all.fly.dev"),
        (
            "railway",
            "http://${{app.RAILWAY_PRIVATE_DOMAIN}}:${{app.PORT}}",
            "https://${{app.RAILWAY_PUBLIC_DOMAIN}}",
        ),
    ],
)
def test_the_backend_s_addresses(target: str, private: str, public: str, stack: Any) -> None:
    found = by_name(target, stack, 1)
    assert found["BACKEND_URL"] == Setting("BACKEND_URL", private, build=True)
    assert found["NEXT_PUBLIC_API_URL"] == Setting("NEXT_PUBLIC_API_URL", public, build=True)


def test_render_refers_to_the_backend(stack: Any) -> None:
    found = by_name("render", stack, 1)
    assert (found["BACKEND_URL"].resource, found["BACKEND_URL"].output) == ("all", "hostport")
    assert found["NEXT_PUBLIC_API_URL"].output == "RENDER_EXTERNAL_URL"


@pytest.mark.parametrize("target", platforms.NAMES)
def test_services_elsewhere_are_settings(target: str, facts: dict[str, Any]) -> None:
    stack = stack_of(facts, {"postgres": "external", "redis": "external"})
    found = by_name(target, stack)
    assert found["POSTGRES_SERVER"].by_hand and found["POSTGRES_SERVER"].required
    assert found["POSTGRES_PORT"].value == "5432"
    assert found["DATABASE_URL"].by_hand and not found["DATABASE_URL"].required
    assert not {s.name for s in platforms.own(target, stack)} & {"postgres", "redis"}


@pytest.mark.parametrize("target", ["railway", "render"])
def test_the_worker_takes_secrets_from_the_app(target: str, facts: dict[str, Any]) -> None:
    stack = stack_of(facts, {"fastapi.worker": "celery --app x worker"})
    found = {s.name: s for s in platforms.worker_settings(target, stack, build(stack))}
    assert found["SECRET_KEY"].output == "SECRET_KEY"
    assert found["SECRET_KEY"].resource == platforms.name(target, stack, build(stack), "app")
    assert "PORT" not in found
    # One that may not be set cannot be referred to: it would come through empty.
    assert found["LOG_LEVEL"] == Setting("LOG_LEVEL", required=False)


@pytest.mark.parametrize(
    ("kind", "extensions", "command"),
    [
        ("none", ["vector"], "migrate vector"),
        ("sql", [], "migrate"),
        ("alembic", [], "alembic upgrade head"),
        ("alembic", ["vector"], "sh -c 'migrate vector && alembic upgrade head'"),
    ],
)
def test_migrations(kind: str, extensions: list[str], command: str, facts: dict[str, Any]) -> None:
    stack = stack_of(facts, {"postgres.migrations": kind, "postgres.extensions": extensions})
    assert platforms.migration(stack) == command
    assert platforms.migrator(stack) == stack.apps[0]
    in_image = platforms.has_psql(stack, build(stack), stack.apps[0])
    assert in_image == ("migrate" in command)
    assert not platforms.has_psql(stack, build(stack), stack.apps[1])
    assert not platforms.has_psql(stack, build(stack, targets=[]), stack.apps[0])


def test_nothing_to_migrate(facts: dict[str, Any]) -> None:
    stack = stack_of(facts, {"postgres": "off"})
    assert platforms.migrator(stack) is None
    assert not platforms.has_psql(stack, build(stack), stack.apps[0])


@pytest.mark.parametrize(
    ("memory", "plan"),
    [
        ("256M", "starter"),
        ("512M", "starter"),
        ("1G", "standard"),
        ("3G", "pro"),
        ("8G", "pro plus"),
    ],
)
def test_render_s_plans(memory: str, plan: str, stack: Any) -> None:
    app = stack.apps[0]
    sized = replace(app, resources=replace(app.resources, memory=memory))
    assert platforms.render_plan(sized) == plan


@pytest.mark.parametrize(
    ("image", "major"),
    [("postgres:16", 16), ("pgvector/pgvector:pg15", 15), ("postgres:17-alpine", 17)],
)
def test_postgresql_s_version(image: str, major: int, stack: Any) -> None:
    service = next(s for s in stack.services if s.name == "postgres")
    assert platforms.postgres_major(replace(service, image=image)) == major


def test_what_is_lost(facts: dict[str, Any]) -> None:
    stack = stack_of(
        facts,
        {"fastapi.worker": "celery --app x worker"},
        uploads="/app/uploads",
        gpu=True,
    )
    volume, gpu = platforms.lost(stack)
    assert "worker" in volume and "GPU" in gpu
    assert platforms.lost(stack_of(facts)) == ()


def test_uploads_belong_to_root_on_railway(facts: dict[str, Any]) -> None:
    stack = stack_of(facts, uploads="/app/uploads")
    assert by_name("railway", stack)["RAILWAY_RUN_UID"].value == "0"
    assert "RAILWAY_RUN_UID" not in by_name("railway", stack, 1)
    assert "RAILWAY_RUN_UID" not in by_name("fly", stack)
