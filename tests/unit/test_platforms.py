"""What managed platforms are told: names, variables, commands, plans."""

from dataclasses import replace
from pathlib import Path
from typing import Any

import pytest

from extensions.deployment import derive
from extensions.errors import ProjectError
from extensions.managed_platform import ManagedPlatform, Source
from extensions.targets.fly import APP_NAME

from .support import deployment_of, facts_of

EVERYTHING = "everything--with-deps"
NAMES = ("fly", "railway", "render")
Facts = dict[str, Any]


@pytest.fixture(scope="module")
def facts(tmp_path_factory: pytest.TempPathFactory) -> Facts:
    return facts_of(EVERYTHING, tmp_path_factory.mktemp("facts") / "all")


def platform(target: str, facts: Facts, overrides: Facts | None = None, **answers: Any) -> Any:
    """What the platform's templates see."""
    found = deployment_of(facts, overrides, **{"targets": [target], **answers}).surfaces[target]
    assert isinstance(found, ManagedPlatform)
    return found


def by_name(
    target: str, facts: Facts, overrides: Facts | None = None, *, app: int = 0, **answers: Any
) -> dict[str, Source]:
    view = platform(target, facts, overrides, **answers)
    found = view.settings(view.stack.apps[app])
    assert len({source.name for source in found}) == len(found)
    return {source.name: source for source in found}


@pytest.mark.parametrize("targets", [None, [], ["kubernetes"]])
def test_none_is_wanted(targets: list[str] | None, facts: Facts) -> None:
    assert deployment_of(facts, targets=targets).platforms == ()


def test_the_order_is_always_the_same(facts: Facts) -> None:
    found = deployment_of(facts, targets=["render", "fly"]).platforms
    assert [view.target for view in found] == ["fly", "render"]


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
        ("ci_folder", "../x"),
    ],
)
def test_what_a_platform_does_not_take(answer: str, value: str, facts: Facts) -> None:
    with pytest.raises(ProjectError, match=answer):
        derive({"project": facts, answer: value})


def test_a_stack_that_ends_by_itself(tmp_path: Path) -> None:
    job = facts_of("python", tmp_path / "p")
    with pytest.raises(ProjectError, match="--remove-target render"):
        deployment_of(job, targets=["render"])
    assert deployment_of(job, targets=[]).platforms == ()


@pytest.mark.parametrize(("project", "name"), [("1", "app-1"), ("a" * 50, "a" * 40), ("a-_-", "a")])
def test_the_project_s_name_as_one_of_fly_s(project: str, name: str, facts: Facts) -> None:
    assert platform("fly", {**facts, "name": project}).app_name == name
    assert APP_NAME.pattern.fullmatch(name)


@pytest.mark.parametrize("target", ["railway", "render"])
def test_a_project_below_the_repository_s_top_folder(target: str, facts: Facts) -> None:
    """They watch paths of the repository."""
    view = platform(target, facts, ci_folder="apps/shop", output="ops")
    patterns = view.watched(view.stack.apps[0])
    file = f"apps/shop/ops/deploy/{target}/app.Dockerfile"
    assert "apps/shop/backend/**" in patterns and file in patterns


@pytest.mark.parametrize(
    ("name", "secret"),
    [("SECRET_KEY", True), ("DATABASE_URL", True), ("SENTRY_DSN", True), ("LOG_LEVEL", False)],
)
def test_what_is_a_secret(name: str, secret: bool, facts: Facts) -> None:
    assert platform("fly", facts).is_secret(name) == secret


def test_names(facts: Facts) -> None:
    names = ("app", "frontend", "mongodb")
    fly = platform("fly", facts, fly_name="shop")
    assert [fly.name(n) for n in names] == ["shop", "shop-frontend", "shop-mongodb"]
    render = platform("render", facts)
    assert [render.name(n) for n in names] == ["all", "all-frontend", "all-mongodb"]
    assert [platform("railway", facts).name(n) for n in names] == list(names)


@pytest.mark.parametrize(
    ("target", "own"),
    [
        ("fly", {"mongodb", "chroma"}),
        ("render", {"mongodb", "chroma"}),
        # Its PostgreSQL has no pgvector.
        ("railway", {"chroma", "postgres"}),
    ],
)
def test_what_a_platform_does_not_offer(target: str, own: set[str], facts: Facts) -> None:
    view = platform(target, facts)
    names = {service.name for service in view.stack.services}
    assert {service.name for service in view.own} == own
    assert {service.name for service in view.managed} == names - own


def test_railway_s_own_postgresql_does_for_its_own_extensions(facts: Facts) -> None:
    plain = {"postgres.extensions": ["uuid-ossp"]}
    assert [service.name for service in platform("railway", facts, plain).own] == ["chroma"]
    found = by_name("railway", facts, plain)
    assert found["POSTGRES_SERVER"] == Source(
        "POSTGRES_SERVER", resource="postgres", output="PGHOST"
    )
    assert found["POSTGRES_PASSWORD"].output == "PGPASSWORD"


def test_extensions_that_fly_lacks(facts: Facts) -> None:
    wanted = {"postgres.extensions": ["vector", "dblink"]}
    assert platform("fly", facts, wanted).missing_extensions == ("dblink",)
    assert platform("render", facts, wanted).missing_extensions == ()
    elsewhere = {**wanted, "postgres": "external"}
    assert platform("fly", facts, elsewhere).missing_extensions == ()


def test_fly_s_variables(facts: Facts) -> None:
    found = by_name("fly", facts, fly_name="shop")
    assert found["DATABASE_URL"].command == "fly mpg attach"
    assert found["REDIS_URL"].command == "fly redis create"
    assert "POSTGRES_SERVER" not in found and "REDIS_HOST" not in found
    assert found["MONGODB_HOST"].value == "shop-mongodb.flycast"
    assert found["CHROMA_HOST"].value == "shop-chroma.flycast"
    assert found["MONGODB_PASSWORD"].by_hand and found["MONGODB_PASSWORD"].generate
    assert found["SECRET_KEY"].by_hand and found["SECRET_KEY"].required
    assert found["SITE_URLS"].value == "https://shop-frontend.fly.dev"
    assert found["BACKEND_CORS_ORIGINS"].optional
    assert found["LOG_LEVEL"] == Source("LOG_LEVEL", required=False)


def test_railway_s_variables(facts: Facts) -> None:
    found = by_name("railway", facts)
    assert found["POSTGRES_SERVER"] == Source(
        "POSTGRES_SERVER", resource="postgres", output="RAILWAY_PRIVATE_DOMAIN"
    )
    assert found["POSTGRES_PASSWORD"].output == "POSTGRES_PASSWORD"
    assert found["REDIS_PASSWORD"] == Source(
        "REDIS_PASSWORD", resource="redis", output="REDISPASSWORD"
    )
    assert found["MONGODB_USERNAME"].output == "MONGOUSER"
    assert found["REDIS_DB"].value == "0"
    assert found["PORT"].value == "8000"


def test_render_s_variables(facts: Facts) -> None:
    found = by_name("render", facts)
    assert found["POSTGRES_DB"] == Source("POSTGRES_DB", resource="all-postgres", output="database")
    assert found["REDIS_URL"] == Source(
        "REDIS_URL", resource="all-redis", output="connectionString"
    )
    assert found["MONGODB_HOST"] == Source("MONGODB_HOST", resource="all-mongodb", output="host")
    assert found["MONGODB_PASSWORD"].output == "MONGO_INITDB_ROOT_PASSWORD"
    assert "PORT" not in found


@pytest.mark.parametrize("target", NAMES)
def test_every_variable_of_the_model_is_there(target: str, facts: Facts) -> None:
    """Under its own name, or in a URL."""
    for number, app in enumerate(platform(target, facts).stack.apps):
        found = by_name(target, facts, app=number)
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
def test_the_backend_s_addresses(target: str, private: str, public: str, facts: Facts) -> None:
    found = by_name(target, facts, app=1)
    assert found["BACKEND_URL"] == Source("BACKEND_URL", private, build=True)
    assert found["NEXT_PUBLIC_API_URL"] == Source("NEXT_PUBLIC_API_URL", public, build=True)


def test_render_refers_to_the_backend(facts: Facts) -> None:
    found = by_name("render", facts, app=1)
    assert (found["BACKEND_URL"].resource, found["BACKEND_URL"].output) == ("all", "hostport")
    assert found["NEXT_PUBLIC_API_URL"].output == "RENDER_EXTERNAL_URL"


@pytest.mark.parametrize("target", NAMES)
def test_services_elsewhere_are_settings(target: str, facts: Facts) -> None:
    elsewhere = {"postgres": "external", "redis": "external"}
    found = by_name(target, facts, elsewhere)
    assert found["POSTGRES_SERVER"].by_hand and found["POSTGRES_SERVER"].required
    assert found["POSTGRES_PORT"].value == "5432"
    assert found["DATABASE_URL"].optional
    own = {service.name for service in platform(target, facts, elsewhere).own}
    assert not own & {"postgres", "redis"}


@pytest.mark.parametrize("target", ["railway", "render"])
def test_the_worker_takes_secrets_from_the_app(target: str, facts: Facts) -> None:
    view = platform(target, facts, {"fastapi.worker": "celery --app x worker"})
    found = {source.name: source for source in view.worker_settings(view.workers[0])}
    assert found["SECRET_KEY"].output == "SECRET_KEY"
    assert found["SECRET_KEY"].resource == view.name("app")
    assert "PORT" not in found
    # One that may not be set cannot be referred to: it would come through empty.
    assert found["LOG_LEVEL"] == Source("LOG_LEVEL", required=False)


@pytest.mark.parametrize(
    ("kind", "extensions", "command"),
    [
        ("none", ["vector"], "migrate vector"),
        ("sql", [], "migrate"),
        ("alembic", [], "alembic upgrade head"),
        ("alembic", ["vector"], "sh -c 'migrate vector && alembic upgrade head'"),
    ],
)
def test_migrations(kind: str, extensions: list[str], command: str, facts: Facts) -> None:
    chosen = {"postgres.migrations": kind, "postgres.extensions": extensions}
    view = platform("fly", facts, chosen)
    app, other = view.stack.apps
    assert view.migration == command
    assert view.migrator == app
    assert view.dockerfile(app).psql == ("migrate" in command)
    assert not view.dockerfile(other).psql
    # The stack's own Dockerfile is the same as without the platform.
    assert not deployment_of(facts, chosen, targets=[]).dockerfiles[0].psql
    assert not deployment_of(facts, chosen, targets=["fly"]).dockerfiles[0].psql


@pytest.mark.parametrize(
    ("target", "files"),
    [
        ("fly", ["deploy/fly/app.Dockerfile"]),
        ("railway", ["deploy/railway/app.Dockerfile", "deploy/railway/frontend.Dockerfile"]),
        ("render", ["deploy/render/app.Dockerfile", "deploy/render/frontend.Dockerfile"]),
    ],
)
def test_a_platform_s_own_dockerfiles(target: str, files: list[str], facts: Facts) -> None:
    """psql for all of them, no caches on Railway, an address without scheme on Render."""
    view = platform(target, facts, {"postgres.migrations": "sql"})
    assert [file.path for file in view.dockerfiles] == files
    assert [file.caches for file in view.dockerfiles] == [target != "railway"] * len(files)
    assert view.dockerfiles[-1].adds_scheme == (target == "render")


def test_nothing_to_migrate(facts: Facts) -> None:
    view = platform("fly", facts, {"postgres": "off"})
    assert view.migrator is None
    assert view.dockerfiles == ()


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
def test_render_s_plans(memory: str, plan: str, facts: Facts) -> None:
    view = platform("render", facts)
    app = view.stack.apps[0]
    sized = replace(app, resources=replace(app.resources, memory=memory))
    assert view.plan(sized) == plan


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
def test_render_asks_for_a_registry(image: str, found: str, facts: Facts) -> None:
    assert platform("render", facts).image(image) == found


@pytest.mark.parametrize(
    ("image", "version"), [("postgres:15", 16), ("pgvector/pgvector:pg17", 17), ("postgres:18", 17)]
)
def test_fly_s_nearest_version(image: str, version: int, facts: Facts) -> None:
    assert platform("fly", facts, {"postgres.image": image}).postgres_version == version


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
def test_only_origins_are_addresses(variable: str, is_address: bool, facts: Facts) -> None:
    """Of names that are not known to be filled."""
    facts = {**facts, "fastapi": {**facts["fastapi"], "addresses": []}}
    found = by_name("fly", facts, {"fastapi.variables": [variable]})[variable]
    assert (found.value == "https://all-frontend.fly.dev") == is_address


def test_what_is_lost(facts: Facts) -> None:
    chosen = {"fastapi.worker": "celery --app x worker"}
    volume, gpu = platform("render", facts, chosen, uploads="/app/uploads", gpu=True).lost
    assert "worker" in volume and "GPU" in gpu
    assert platform("render", facts).lost == ()


def test_a_second_volume_is_lost(facts: Facts) -> None:
    chosen = {"fastapi.volumes": ["/app/data", "/app/var"]}
    (said,) = platform("render", facts, chosen).lost
    assert "only /app/data is kept" in said


def test_other_versions(facts: Facts) -> None:
    (fly,) = platform("fly", facts).lost
    assert fly.startswith("PostgreSQL is version 16 there; the project was made with 15")
    said = platform("railway", facts).lost
    assert [sentence.partition(" ")[0] for sentence in said] == ["MongoDB", "Redis"]


def test_a_worker_of_a_job_is_none(tmp_path: Path) -> None:
    facts = facts_of("python-node", tmp_path / "p")
    chosen = {"python.worker": "celery --app x worker"}
    view = platform("fly", facts, chosen)
    assert view.stack.workers and view.workers == ()
    assert [app.name for app in view.apps] == ["node"]
    with pytest.raises(ProjectError, match="nothing to keep running"):
        platform("fly", facts, {**chosen, "node": "off"})


def test_a_redis_without_a_password_is_for_closed_networks(tmp_path: Path) -> None:
    facts = facts_of("fastapi-postgresql-redis--with-deps", tmp_path / "p")
    with pytest.raises(ProjectError, match=r"--set redis\.password=, or leave out Fly\.io"):
        platform("fly", facts, {"redis.password": "off"})


def test_alembic_runs_nowhere_else(tmp_path: Path) -> None:
    """Only the Python app's image has it, and a job is not deployed."""
    facts = facts_of("python-node", tmp_path / "p")
    view = platform("fly", facts, {"postgres": "on", "postgres.migrations": "alembic"})
    assert view.migrator is None
    assert any("Alembic" in sentence for sentence in view.lost)


def test_every_target_that_has_to_go_is_named(tmp_path: Path) -> None:
    job = facts_of("python", tmp_path / "p")
    with pytest.raises(ProjectError, match="--remove-target fly --remove-target railway"):
        deployment_of(job, targets=["railway", "fly"])


def test_uploads_belong_to_root_on_railway(facts: Facts) -> None:
    path = "/app/uploads"
    assert by_name("railway", facts, uploads=path)["RAILWAY_RUN_UID"].value == "0"
    assert "RAILWAY_RUN_UID" not in by_name("railway", facts, app=1, uploads=path)
    assert "RAILWAY_RUN_UID" not in by_name("fly", facts, uploads=path)
