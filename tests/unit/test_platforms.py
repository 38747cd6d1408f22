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


def test_a_project_below_the_repository_s_top_folder(stack: Any) -> None:
    """Render and Railway watch paths of the repository."""
    chosen = build(stack, ci_folder="apps/shop")
    assert chosen.folder == "apps/shop/"
    patterns = platforms.watched(stack, chosen, stack.apps[0], "ops/")
    assert "apps/shop/backend/**" in patterns and "apps/shop/ops/Dockerfile.prod" in patterns


@pytest.mark.parametrize(
    ("name", "secret"),
    [("SECRET_KEY", True), ("DATABASE_URL", True), ("SENTRY_DSN", True), ("LOG_LEVEL", False)],
)
def test_what_is_a_secret(name: str, secret: bool, stack: Any) -> None:
    assert platforms.is_secret(stack, name) == secret


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
    assert found["DATABASE_URL"].optional
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
    ("image", "found"),
    [
        ("mongo:7.0", "docker.io/library/mongo:7.0"),
        ("chromadb/chroma:1.0.0", "docker.io/chromadb/chroma:1.0.0"),
        ("ghcr.io/x/y:1", "ghcr.io/x/y:1"),
        ("localhost/x", "localhost/x"),
        ("registry:5000/x", "registry:5000/x"),
    ],
)
def test_render_asks_for_a_registry(image: str, found: str) -> None:
    assert platforms.render_image(image) == found


@pytest.mark.parametrize(
    ("image", "version"), [("postgres:15", 16), ("pgvector/pgvector:pg17", 17), ("postgres:18", 17)]
)
def test_fly_s_nearest_version(image: str, version: int, facts: dict[str, Any]) -> None:
    assert platforms.fly_postgres(stack_of(facts, {"postgres.image": image})) == version


@pytest.mark.parametrize(
    ("variable", "is_address"),
    [
        ("BACKEND_CORS_ORIGINS", True),
        ("ALLOWED_ORIGINS", True),
        ("ORIGINS", True),
        ("CORS_ALLOW_CREDENTIALS", False),
        ("CORS_MAX_AGE", False),
    ],
)
def test_only_origins_are_addresses(variable: str, is_address: bool, facts: dict[str, Any]) -> None:
    found = by_name("fly", stack_of(facts, {"fastapi.variables": [variable]}))[variable]
    assert (found.value == "https://all-frontend.fly.dev") == is_address


def test_what_is_lost(facts: dict[str, Any]) -> None:
    stack = stack_of(
        facts,
        {"fastapi.worker": "celery --app x worker"},
        uploads="/app/uploads",
        gpu=True,
    )
    volume, gpu = platforms.lost("render", stack)
    assert "worker" in volume and "GPU" in gpu
    assert platforms.lost("render", stack_of(facts)) == ()


def test_other_versions(facts: dict[str, Any]) -> None:
    (fly,) = platforms.lost("fly", stack_of(facts))
    assert fly.startswith("PostgreSQL is version 16 there; the project was made with 15")
    said = platforms.lost("railway", stack_of(facts))
    assert [sentence.partition(" ")[0] for sentence in said] == ["MongoDB", "Redis"]


def test_a_worker_of_a_job_is_none(tmp_path: Path) -> None:
    facts = facts_of("python-node", tmp_path / "p")
    stack = stack_of(facts, {"python.worker": "celery --app x worker"})
    assert stack.worker and platforms.worker(stack) is None
    assert [unit.name for unit in platforms.units(stack)] == ["node"]
    alone = stack_of(facts, {"python.worker": "celery --app x worker", "node": "off"})
    with pytest.raises(ProjectError, match="nothing to keep running"):
        build(alone)


def test_alembic_runs_nowhere_else(tmp_path: Path) -> None:
    """Only the Python app's image has it, and a job is not deployed."""
    facts = facts_of("python-node", tmp_path / "p")
    stack = stack_of(facts, {"postgres": "on", "postgres.migrations": "alembic"})
    assert platforms.migrator(stack) is None
    assert any("Alembic" in sentence for sentence in platforms.lost("fly", stack))


def test_every_target_that_has_to_go_is_named(tmp_path: Path) -> None:
    stack = stack_of(facts_of("python", tmp_path / "p"))
    with pytest.raises(ProjectError, match="--remove-target fly --remove-target railway"):
        build(stack, targets=["railway", "fly"])


def test_uploads_belong_to_root_on_railway(facts: dict[str, Any]) -> None:
    stack = stack_of(facts, uploads="/app/uploads")
    assert by_name("railway", stack)["RAILWAY_RUN_UID"].value == "0"
    assert "RAILWAY_RUN_UID" not in by_name("railway", stack, 1)
    assert "RAILWAY_RUN_UID" not in by_name("fly", stack)
