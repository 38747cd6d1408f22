"""Facts and choices -> all that runs in production."""

import copy
import json
import re
import shutil
from collections import Counter
from pathlib import Path
from typing import Any

import pytest
from copier import run_copy
from hypothesis import given
from hypothesis import strategies as st

from extensions.errors import ProjectError
from extensions.facts import read_facts
from extensions.model import NodeBuild
from extensions.settings import check_overrides, hints, parse_setting
from tests.projects.compose import SHAPES, compose

from .support import facts_of, many, stack_of, write_files, write_project

REPOSITORY = Path(__file__).resolve().parents[2]
BUILDABLE = [shape for shape in SHAPES if shape != "profile-node"]
DNS_LABEL = re.compile(r"[a-z0-9]([a-z0-9-]{0,61}[a-z0-9])?")
SCRIPT: dict[str, Any] = {
    "name": "demo",
    "python": {"dir": ".", "entry": "main.py", "mode": "job", "sources": ["main.py"]},
}
NODE: dict[str, Any] = {
    "name": "demo",
    "node": {"dir": ".", "command": "node index.js", "port": 3000, "sources": ["index.js"]},
}
FASTAPI: dict[str, Any] = {
    "name": "demo",
    "fastapi": {
        "dir": "backend",
        "entry": "app.main:app",
        "port": 8000,
        "health": "/health",
        "paths": ["/api/v1", "/docs"],
        "libraries": ["uvicorn"],
        "manager": "pip",
        "manifests": ["requirements.txt"],
    },
}
NEXT: dict[str, Any] = {"nextjs": {"dir": "frontend", "port": 3000, "health": "/api/health"}}


def fastapi(**fields: Any) -> dict[str, Any]:
    """The facts of a FastAPI project, with some of the app's fields replaced."""
    return {**FASTAPI, "fastapi": {**FASTAPI["fastapi"], **fields}}


def postgres(**fields: Any) -> Any:
    """The PostgreSQL service for some facts."""
    return stack_of({**SCRIPT, "postgres": fields}).service("postgres")


def answered(root: Path, **settings_by_hand: str) -> Any:
    """The stack after `--set` for each setting, `__` standing for the dot."""
    texts = {key.replace("__", "."): text for key, text in settings_by_hand.items()}
    overrides = check_overrides({key: parse_setting(key, text) for key, text in texts.items()})
    return stack_of(read_facts(root, hints(overrides)), overrides)


def rendered_example(root: Path) -> str:
    """The `.env.example` of a project, rendered by Copier from these very sources."""
    source = root.parent / "template"
    for folder in ("extensions", "template"):
        shutil.copytree(REPOSITORY / folder, source / folder)
    shutil.copy(REPOSITORY / "copier.yml", source)
    run_copy(str(source), root, defaults=True, quiet=True, unsafe=True)
    return (root / ".env.example").read_text()


class TestName:
    """The project's name in all the places that restrict it."""

    @pytest.mark.parametrize(
        ("name", "expected"),
        [
            ("shop", "shop"),
            ("1", "1"),
            ("a-_-", "a"),
            ("web_app", "web-app"),
            ("Web App", "web-app"),
            ("a--b", "a-b"),
            ("a" * 50, "a" * 50),
        ],
    )
    def test_is_valid_everywhere(self, name: str, expected: str) -> None:
        """Compose, images and host names take it."""
        assert stack_of({**SCRIPT, "name": name}).name == expected

    @many
    @given(st.text(max_size=70))
    def test_of_any_text(self, name: str) -> None:
        """Either a DNS label, or a question to the user."""
        try:
            assert DNS_LABEL.fullmatch(stack_of({**SCRIPT, "name": name}).name)
        except ProjectError as error:
            assert "--set name=" in str(error)

    @many
    @given(st.from_regex(r"[a-z0-9][a-z0-9_-]{0,49}", fullmatch=True))
    def test_of_every_spinbox_project(self, name: str) -> None:
        """No name that Spinbox allows is refused."""
        assert DNS_LABEL.fullmatch(stack_of({**SCRIPT, "name": name}).name)

    @many
    @given(st.from_regex(r"[a-z0-9][a-z0-9_-]{0,49}", fullmatch=True))
    def test_of_the_database_needs_no_quotes(self, name: str) -> None:
        """It starts with a letter and fits PostgreSQL's length."""
        stack = stack_of({**SCRIPT, "name": name, "postgres": {}})
        assert re.fullmatch(r"[a-z][a-z0-9_]{0,62}", stack.variable("POSTGRES_DB").default)

    @pytest.mark.parametrize("name", ["", "___", "世界", "!"])
    def test_without_letters_is_asked_for(self, name: str) -> None:
        """The error says how to give one."""
        with pytest.raises(ProjectError, match="--set name="):
            stack_of({**SCRIPT, "name": name})

    def test_given_by_hand(self) -> None:
        """It wins over the project's."""
        assert stack_of(SCRIPT, {"name": "other"}).name == "other"


@pytest.mark.parametrize(
    ("shape", "apps"),
    [
        ("fastapi", [("app", "fastapi", "Dockerfile.prod")]),
        ("nextjs", [("app", "nextjs", "Dockerfile.prod")]),
        ("python", [("app", "python", "Dockerfile.prod")]),
        ("node", [("app", "node", "Dockerfile.prod")]),
        (
            "profile-web-app",
            [
                ("app", "fastapi", "Dockerfile.prod"),
                ("frontend", "nextjs", "Dockerfile.frontend.prod"),
            ],
        ),
        (
            "python-node",
            [("app", "python", "Dockerfile.prod"), ("node", "node", "Dockerfile.node.prod")],
        ),
    ],
)
def test_names_of_apps(shape: str, apps: list[tuple[str, str, str]], tmp_path: Path) -> None:
    """The primary app is always `app`."""
    stack = stack_of(facts_of(shape, tmp_path))
    assert [(app.name, app.kind, app.dockerfile) for app in stack.apps] == apps


def test_adding_an_app_renames_nothing() -> None:
    """The first app keeps its name and its Dockerfile."""
    alone, both = stack_of(FASTAPI), stack_of({**FASTAPI, **NEXT})
    assert (both.apps[0].name, both.apps[0].dockerfile) == (
        alone.apps[0].name,
        alone.apps[0].dockerfile,
    )


@pytest.mark.parametrize(
    ("runtime", "kinds"),
    [("auto", ["fastapi", "nextjs"]), ("python", ["fastapi"]), ("node", ["nextjs"])],
)
def test_runtime_filters_the_apps(runtime: str, kinds: list[str]) -> None:
    """And what is left is `app`."""
    stack = stack_of({**FASTAPI, **NEXT}, runtime=runtime)
    assert [app.kind for app in stack.apps] == kinds
    assert stack.apps[0].name == "app"


@pytest.mark.parametrize("shape", BUILDABLE)
def test_the_stack_of_stored_facts_is_the_same(shape: str, tmp_path: Path) -> None:
    """Facts from an answers file give what fresh facts give."""
    facts = facts_of(shape, tmp_path)
    assert stack_of(json.loads(json.dumps(facts, sort_keys=True))) == stack_of(facts)


@pytest.mark.parametrize("shape", BUILDABLE)
def test_building_changes_no_argument(shape: str, tmp_path: Path) -> None:
    """Derivation is pure."""
    facts = facts_of(shape, tmp_path)
    before = copy.deepcopy(facts)
    stack_of(facts, {"name": "other"})
    assert facts == before


class TestQuestions:
    """What only the user can decide is asked with the `--set` that answers it."""

    def test_nothing_to_deploy(self, tmp_path: Path) -> None:
        """The empty `node` profile."""
        with pytest.raises(ProjectError, match="nothing to deploy"):
            stack_of(facts_of("profile-node", tmp_path))

    @pytest.mark.parametrize("runtime", ["python", "node"])
    def test_no_app_of_that_runtime(self, runtime: str) -> None:
        """The error names the choice that fits."""
        facts = NODE if runtime == "python" else SCRIPT
        with pytest.raises(ProjectError, match="--target auto"):
            stack_of(facts, runtime=runtime)

    def test_several_entries(self, tmp_path: Path) -> None:
        """All are named, and the answer is taken."""
        compose("fastapi", tmp_path)
        source = "from fastapi import FastAPI\nadmin = FastAPI()\n"
        write_files(tmp_path, {"backend/app/admin.py": source})
        with pytest.raises(ProjectError) as error:
            stack_of(read_facts(tmp_path))
        assert "app.admin:admin" in str(error.value) and "app.main:app" in str(error.value)
        assert "--set fastapi.entry=" in str(error.value)
        stack = answered(tmp_path, fastapi__entry="app.admin:admin")
        assert "app.admin:admin" in stack.apps[0].command

    def test_no_entry(self, tmp_path: Path) -> None:
        """The answer is taken."""
        compose("fastapi", tmp_path)
        write_files(tmp_path, {"backend/app/main.py": "app = make()\n"})
        with pytest.raises(ProjectError, match=r"--set fastapi\.entry="):
            stack_of(read_facts(tmp_path))
        stack = answered(tmp_path, fastapi__entry="app.main:app")
        assert "app.main:app" in stack.apps[0].command

    def test_no_folder(self, tmp_path: Path) -> None:
        """Both answers are taken: its folder, and that there is none."""
        compose("profile-web-app", tmp_path)
        (tmp_path / "frontend").rename(tmp_path / "a")
        write_files(tmp_path, {"b/package.json": '{"dependencies": {"next": "14"}}'})
        with pytest.raises(ProjectError) as error:
            stack_of(read_facts(tmp_path))
        assert "--set nextjs.dir=" in str(error.value)
        assert "--set nextjs=off" in str(error.value)
        assert answered(tmp_path, nextjs__dir="a").apps[1].directory == "a"
        assert len(answered(tmp_path, nextjs="off").apps) == 1

    def test_no_server(self) -> None:
        """Without an ASGI server in the requirements, or with another one."""
        facts = fastapi(libraries=[])
        with pytest.raises(ProjectError, match=r"uvicorn.*--set fastapi\.command="):
            stack_of(facts)
        stack = stack_of(facts, {"fastapi.command": "hypercorn app.main:app --bind 'a b'"})
        assert stack.apps[0].command == ("hypercorn", "app.main:app", "--bind", "a b")

    def test_no_script(self) -> None:
        """The answer is taken."""
        facts = {**SCRIPT, "python": {**SCRIPT["python"], "entry": None}}
        with pytest.raises(ProjectError, match=r"--set python\.entry="):
            stack_of(facts)
        stack = stack_of(facts, {"python.entry": "jobs/run.py"})
        assert stack.apps[0].command == ("python", "jobs/run.py")

    def test_no_start_script(self) -> None:
        """The answer is taken."""
        facts = {**NODE, "node": {**NODE["node"], "command": None}}
        with pytest.raises(ProjectError, match=r"--set node\.command="):
            stack_of(facts)
        stack = stack_of(facts, {"node.command": "node run.js"})
        assert stack.apps[0].command == ("node", "run.js")

    def test_no_sources(self) -> None:
        """The answer is taken."""
        facts = {**SCRIPT, "python": {**SCRIPT["python"], "sources": []}}
        with pytest.raises(ProjectError, match=r"--set python\.sources="):
            stack_of(facts)
        assert stack_of(facts, {"python.sources": "a.py,b/"}).apps[0].sources == ("a.py", "b/")

    def test_static_export(self) -> None:
        """What is not served is said."""
        facts = {"name": "x", "nextjs": {**NEXT["nextjs"], "output": "export"}}
        with pytest.raises(ProjectError, match="static site"):
            stack_of(facts)

    def test_unknown_extension(self) -> None:
        """The official image has it not; another image may."""
        facts = {**SCRIPT, "postgres": {"image": "postgres:16", "extensions": ["postgis"]}}
        with pytest.raises(ProjectError, match=r"postgis.*--set postgres\.image="):
            stack_of(facts)
        stack = stack_of(facts, {"postgres.image": "postgis/postgis:16-3.4"})
        assert stack.service("postgres").image == "postgis/postgis:16-3.4"

    @pytest.mark.parametrize("key", ["fastapi.command", "fastapi.worker"])
    def test_an_unclosed_quote(self, key: str) -> None:
        """It is named with its key."""
        with pytest.raises(ProjectError, match=re.escape(key)):
            stack_of(FASTAPI, {key: "run 'open"})

    def test_unknown_override(self) -> None:
        """Stored answers may have been edited by hand."""
        with pytest.raises(ProjectError, match=r"no\.such"):
            stack_of(FASTAPI, {"no.such": "x"})


class TestCommands:
    """What runs, without a shell."""

    def test_fastapi(self) -> None:
        """On every address, behind a proxy, and with time to finish its requests."""
        command = stack_of(FASTAPI).apps[0].command
        assert command[:2] == ("uvicorn", "app.main:app")
        assert {"--proxy-headers", "0.0.0.0"} <= set(command)
        assert "--factory" not in command

    def test_factory(self) -> None:
        """Uvicorn has to be told."""
        stack = stack_of(fastapi(entry="app.main:create_app", factory=True))
        assert "--factory" in stack.apps[0].command

    def test_given_by_hand(self) -> None:
        """It replaces the whole command."""
        assert stack_of(FASTAPI, {"fastapi.command": "a 'b c'"}).apps[0].command == ("a", "b c")

    def test_next(self) -> None:
        """The standalone server."""
        assert stack_of({"name": "x", **NEXT}).apps[0].command == ("node", "server.js")


class TestJobs:
    """Scripts that end, and those that do not."""

    def test_a_script_is_a_job(self) -> None:
        """It has no port and is no web app."""
        (app,) = stack_of(SCRIPT).apps
        assert app.job and app.port is None

    def test_a_job_needs_no_proxy(self) -> None:
        """There is nothing to forward to."""
        stack = stack_of(SCRIPT)
        assert not stack.with_proxy and stack.web_apps == () and stack.jobs == stack.apps

    def test_a_service(self) -> None:
        """`--set python.mode=service` keeps it running."""
        (app,) = stack_of(SCRIPT, {"python.mode": "service"}).apps
        assert not app.job and app.port is None

    def test_a_service_that_serves(self) -> None:
        """With a port it stands behind the proxy."""
        stack = stack_of(SCRIPT, {"python.mode": "service", "python.port": 8080})
        assert stack.web_apps == stack.apps and stack.with_proxy

    def test_a_job_beside_an_app(self, tmp_path: Path) -> None:
        """Only the app serves HTTP."""
        stack = stack_of(facts_of("python-node", tmp_path))
        assert [app.kind for app in stack.jobs] == ["python"]
        assert [app.kind for app in stack.web_apps] == ["node"]


class TestWorker:
    """Background workers."""

    def test_uses_the_image_of_the_app(self) -> None:
        """With a command of its own."""
        stack = stack_of(fastapi(worker="celery --app app.worker:c worker"))
        assert stack.workers[0].name == "worker" and stack.workers[0].app == stack.apps[0]
        assert stack.workers[0].command == ("celery", "--app", "app.worker:c", "worker")

    def test_of_a_real_project(self, tmp_path: Path) -> None:
        """Found in the source."""
        worker = stack_of(facts_of("e2e-fastapi-postgresql-redis", tmp_path)).workers[0]
        assert "app.worker:celery_app" in worker.command

    @pytest.mark.parametrize("overrides", [{}, {"fastapi.worker": "off"}])
    def test_may_be_absent(self, overrides: dict[str, str]) -> None:
        """Where there is none, or it was switched off."""
        facts = fastapi(worker="arq x.WorkerSettings" if overrides else None)
        assert stack_of(facts, overrides).workers == ()

    def test_given_by_hand(self) -> None:
        """Any command."""
        assert stack_of(FASTAPI, {"fastapi.worker": "rq worker"}).workers[0].command == (
            "rq",
            "worker",
        )

    def test_has_limits(self) -> None:
        """Like every container."""
        assert "worker" in stack_of(fastapi(worker="rq worker")).limits


class TestMigrations:
    """How the schema comes about."""

    @pytest.mark.parametrize("kind", ["alembic", "sql"])
    def test_kinds(self, kind: str) -> None:
        """Alembic runs in the app's image, SQL in the database's."""
        stack = stack_of({**FASTAPI, "postgres": {"migrations": kind}})
        assert stack.migrations.kind == kind
        assert (stack.migrations.app is stack.apps[0]) is (kind == "alembic")

    def test_none(self) -> None:
        """Without anything to do there is no such step."""
        assert stack_of({**FASTAPI, "postgres": {"migrations": "none"}}).migrations is None

    def test_without_postgresql(self) -> None:
        """Nor without a database."""
        assert stack_of(FASTAPI).migrations is None

    def test_extensions_alone(self) -> None:
        """Needed extensions come first, also where nothing migrates."""
        facts = {**FASTAPI, "postgres": {"migrations": "none", "extensions": ["vector"]}}
        migrations = stack_of(facts).migrations
        assert (migrations.kind, migrations.extensions) == ("none", ("vector",))

    def test_extensions_for_tuning_are_left_out(self) -> None:
        """pg_stat_statements needs a setting of the server."""
        facts = {**FASTAPI, "postgres": {"extensions": ["pg_stat_statements", "pgcrypto"]}}
        assert stack_of(facts).migrations.extensions == ("pgcrypto",)

    def test_switched_off(self) -> None:
        """By hand."""
        facts = {**FASTAPI, "postgres": {"migrations": "sql"}}
        assert stack_of(facts, {"postgres.migrations": "none"}).migrations is None

    def test_alembic_without_its_app(self) -> None:
        """The error says which choice left it out."""
        with pytest.raises(ProjectError, match="--target auto"):
            stack_of({**FASTAPI, **NEXT, "postgres": {"migrations": "alembic"}}, runtime="node")


class TestPostgres:
    """The database's image, its data and its user."""

    @pytest.mark.parametrize(
        ("image", "extensions", "expected"),
        [
            ("postgres:15", ["vector"], "pgvector/pgvector:pg15"),
            ("postgres:16.2", ["vector", "pgcrypto"], "pgvector/pgvector:pg16"),
            ("docker.io/library/postgres:17", ["vector"], "pgvector/pgvector:pg17"),
            ("postgres:15-alpine", ["vector"], "pgvector/pgvector:pg15"),
            ("postgres:15", ["pgcrypto", "uuid-ossp"], "postgres:15"),
            ("postgres:15", [], "postgres:15"),
            ("registry.local/own:16", ["vector"], "registry.local/own:16"),
            ("timescale/timescaledb:2.14-pg15", ["timescaledb"], "timescale/timescaledb:2.14-pg15"),
        ],
    )
    def test_image(self, image: str, extensions: list[str], expected: str) -> None:
        """pgvector's where `vector` is needed; a foreign image is the user's choice."""
        assert postgres(image=image, extensions=extensions).image == expected

    @pytest.mark.parametrize(
        ("image", "path"),
        [
            ("postgres:15", "/var/lib/postgresql/data"),
            ("postgres:17.5-alpine", "/var/lib/postgresql/data"),
            ("postgres:18", "/var/lib/postgresql"),
            ("postgres:18.1-trixie", "/var/lib/postgresql"),
            ("postgres:19beta1", "/var/lib/postgresql"),
            ("pgvector/pgvector:pg17", "/var/lib/postgresql/data"),
            ("pgvector/pgvector:pg18", "/var/lib/postgresql"),
            ("pgvector/pgvector:0.8.1-pg18", "/var/lib/postgresql"),
            ("pgvector/pgvector:0.8.1-pg17-trixie", "/var/lib/postgresql/data"),
            ("registry.local:5000/postgres:16", "/var/lib/postgresql/data"),
            ("registry.local:5000/postgres:18", "/var/lib/postgresql"),
            ("postgres:16@sha256:99aa", "/var/lib/postgresql/data"),
            ("timescale/timescaledb:2.24.0-pg16", "/var/lib/postgresql/data"),
        ],
    )
    def test_volume_path(self, image: str, path: str) -> None:
        """From version 18 on the data lies elsewhere; a wrong path loses it."""
        assert postgres(image=image).volume.path == path

    @pytest.mark.parametrize(
        ("image", "user"), [("postgres:16", "999:999"), ("postgres:16-alpine", "70:70")]
    )
    def test_user(self, image: str, user: str) -> None:
        """The image's own, by number."""
        assert postgres(image=image).user == user

    def test_user_of_pgvector(self) -> None:
        """pgvector's image is no Alpine one, whatever it replaces."""
        assert postgres(image="postgres:16-alpine", extensions=["vector"]).user == "999:999"

    def test_default_image_is_pinned(self) -> None:
        """To a major version: data has to survive a pull."""
        assert re.search(r":\d+", postgres().image)


@pytest.mark.parametrize(
    ("image", "user"), [("redis:7-alpine", "999:1000"), ("redis:7", "999:999")]
)
def test_user_of_redis(image: str, user: str) -> None:
    """The image's own, by number."""
    assert stack_of({**SCRIPT, "redis": {"image": image}}).service("redis").user == user


@pytest.mark.parametrize(
    ("image", "path"),
    [
        ("chromadb/chroma:0.5.23", "/chroma/chroma"),
        ("chromadb/chroma:1.0.0", "/data"),
        ("chromadb/chroma:1.0.15", "/data"),
    ],
)
def test_volume_path_of_chroma(image: str, path: str) -> None:
    """It moved with version 1."""
    assert stack_of({**SCRIPT, "chroma": {"image": image}}).service("chroma").volume.path == path


@pytest.mark.parametrize("service", ["postgres", "redis", "mongodb", "chroma"])
def test_services_without_an_image_get_a_pinned_one(service: str) -> None:
    """Older projects say no version."""
    image = stack_of({**SCRIPT, service: {"image": None}}).service(service).image
    assert re.search(r":[^:]*\d", image)


@pytest.mark.parametrize("service", ["postgres", "redis", "mongodb", "chroma"])
def test_services_can_be_switched_off(service: str) -> None:
    """With all that they bring."""
    stack = stack_of({**SCRIPT, service: {}}, {service: "off"})
    assert stack.services == () and stack.variables == () and stack.volume_names == ()


@pytest.mark.parametrize("service", ["postgres", "redis", "mongodb", "chroma"])
def test_services_can_be_switched_on(service: str) -> None:
    """Also where the project's configuration has none."""
    assert [s.name for s in stack_of(SCRIPT, {service: "on"}).services] == [service]


@pytest.mark.parametrize("shape", BUILDABLE)
def test_every_container_has_limits(shape: str, tmp_path: Path) -> None:
    """Apps, services and the proxy."""
    stack = stack_of(facts_of(shape, tmp_path))
    names = {app.name for app in stack.apps} | {service.name for service in stack.services}
    assert names <= set(stack.limits)
    assert ("caddy" in stack.limits) is stack.with_proxy


class TestRoutes:
    """What the proxy sends where."""

    def test_one_app_gets_everything(self) -> None:
        """No path is special."""
        assert stack_of(FASTAPI).apps[0].routes == ()

    def test_two_apps_share_one_origin(self) -> None:
        """The backend's paths and its health check, the rest to the frontend."""
        app, frontend = stack_of({**FASTAPI, **NEXT}).apps
        assert set(app.routes) == {"/api/v1", "/docs", "/health"}
        assert frontend.routes == ()

    def test_the_frontends_own_route_stays_its_own(self, tmp_path: Path) -> None:
        """`/api/health` is Next.js' health check, not the backend's."""
        app = stack_of(facts_of("profile-web-app", tmp_path)).apps[0]
        assert not any("/api/health".startswith(route) for route in app.routes)

    def test_a_covered_health_path_is_not_repeated(self) -> None:
        """`/api` covers `/api/health`, and not `/apiary`."""
        stack = stack_of({**fastapi(paths=["/api"], health="/api/health"), **NEXT})
        assert stack.apps[0].routes == ("/api",)
        stack = stack_of({**fastapi(paths=["/api"], health="/apiary"), **NEXT})
        assert stack.apps[0].routes == ("/api", "/apiary")

    def test_given_by_hand(self) -> None:
        """They replace those found."""
        stack = stack_of({**FASTAPI, **NEXT}, {"fastapi.paths": "/backend"})
        assert set(stack.apps[0].routes) == {"/backend", "/health"}

    def test_the_rest_comes_last(self) -> None:
        """Web apps with paths of their own come first."""
        assert [app.name for app in stack_of({**FASTAPI, **NEXT}).web_apps] == ["app", "frontend"]

    def test_without_a_proxy(self) -> None:
        """By choice."""
        assert not stack_of(FASTAPI, proxy="none").with_proxy


class TestVariables:
    """The one list of environment variables."""

    @pytest.mark.parametrize("shape", BUILDABLE)
    def test_each_stands_once(self, shape: str, tmp_path: Path) -> None:
        """Whoever needs it."""
        names = [variable.name for variable in stack_of(facts_of(shape, tmp_path)).variables]
        assert [name for name, count in Counter(names).items() if count > 1] == []

    @pytest.mark.parametrize("shape", BUILDABLE)
    def test_secrets_have_no_default(self, shape: str, tmp_path: Path) -> None:
        """They are required, and a command makes them."""
        for variable in stack_of(facts_of(shape, tmp_path)).variables:
            if variable.secret:
                assert variable.default is None and variable.required and variable.generate

    @pytest.mark.parametrize("shape", BUILDABLE)
    def test_everything_used_is_listed(self, shape: str, tmp_path: Path) -> None:
        """No container reads a variable that the list does not have."""
        stack = stack_of(facts_of(shape, tmp_path))
        listed = {variable.name for variable in stack.variables}
        containers = [*stack.apps, *stack.services]
        environment = [env for container in containers for env in container.environment]
        arguments = [env for app in stack.apps for env in app.build_arguments]
        used = {env.variable for env in environment + arguments if env.variable}
        assert used <= listed
        assert {name for app in stack.apps for name in app.passed_on} <= listed

    @pytest.mark.parametrize("shape", BUILDABLE)
    def test_own_ones_do_not_repeat_the_stacks(self, shape: str, tmp_path: Path) -> None:
        """What the stack sets is not passed on from `.env` as well."""
        for app in stack_of(facts_of(shape, tmp_path)).apps:
            names = [env.name for env in app.environment] + list(app.passed_on)
            assert len(names) == len(set(names))

    @pytest.mark.parametrize("shape", BUILDABLE)
    def test_groups_hold_all_of_them(self, shape: str, tmp_path: Path) -> None:
        """Nothing is lost by grouping."""
        stack = stack_of(facts_of(shape, tmp_path))
        grouped = [variable for group in stack.variable_groups.values() for variable in group]
        assert sorted(v.name for v in grouped) == sorted(v.name for v in stack.variables)

    @pytest.mark.parametrize("name", ["DEBUG_TOOLBAR", "SMTP_HOST", "MY_TOKEN"])
    def test_own_ones_are_passed_on(self, name: str) -> None:
        """Without a value of any kind, and not required."""
        stack = stack_of(fastapi(variables=[name]))
        assert stack.apps[0].passed_on == (name,)
        assert not stack.variable(name).default and not stack.variable(name).required

    def test_own_ones_of_both_apps_stand_once(self) -> None:
        """One `.env` serves both."""
        facts = {**fastapi(variables=["SENTRY_DSN"]), **copy.deepcopy(NEXT)}
        facts["nextjs"]["variables"] = ["SENTRY_DSN"]
        stack = stack_of(facts)
        assert [v.name for v in stack.variables].count("SENTRY_DSN") == 1
        assert all("SENTRY_DSN" in app.passed_on for app in stack.apps)

    @pytest.mark.parametrize(
        ("service", "names"),
        [
            ("postgres", {"POSTGRES_SERVER", "POSTGRES_PASSWORD", "POSTGRES_DB", "DATABASE_URL"}),
            ("redis", {"REDIS_HOST", "REDIS_PASSWORD", "REDIS_DB", "REDIS_URL"}),
            ("mongodb", {"MONGODB_HOST", "MONGODB_PASSWORD", "MONGODB_URL"}),
            ("chroma", {"CHROMA_HOST", "CHROMA_PORT"}),
        ],
    )
    def test_of_a_service_are_the_stacks(self, service: str, names: set[str]) -> None:
        """Where the stack has the service, the app's examples for it are not repeated."""
        stack = stack_of({**fastapi(variables=sorted(names)), service: {}})
        assert stack.apps[0].passed_on == ()

    @pytest.mark.parametrize("name", ["DATABASE_URL", "REDIS_URL", "MONGODB_URL"])
    def test_of_a_service_elsewhere_are_the_apps_own(self, name: str) -> None:
        """An app that uses a managed database can still be told where."""
        assert name in stack_of(fastapi(variables=[name])).apps[0].passed_on

    @pytest.mark.parametrize("name", ["DOMAIN", "TAG", "HTTP_PORT", "APP_MEMORY", "POSTGRES_CPUS"])
    def test_own_ones_named_like_settings_of_the_files(self, name: str, tmp_path: Path) -> None:
        """`.env.example` has every variable once, also where an app has the same name for one."""
        root = compose("e2e-web-app", tmp_path / "project")
        write_files(root, {"backend/.env.example": f"{name}=\n"})
        lines = rendered_example(root).splitlines()
        assert len([line for line in lines if re.match(rf"#?{name}=", line)]) == 1

    def test_of_another_framework_are_the_apps_own(self) -> None:
        """The stack sets SECRET_KEY for FastAPI only."""
        facts = {**NODE, "node": {**NODE["node"], "variables": ["SECRET_KEY"]}}
        assert "SECRET_KEY" in stack_of(facts).apps[0].passed_on

    def test_public_ones_are_built_in(self) -> None:
        """`NEXT_PUBLIC_*` are build arguments, and no run-time settings."""
        facts = {"name": "x", "nextjs": {**NEXT["nextjs"], "variables": ["NEXT_PUBLIC_A", "B"]}}
        (app,) = stack_of(facts).apps
        assert [env.name for env in app.build_arguments] == ["NEXT_PUBLIC_A"]
        assert app.passed_on == ("B",)
        assert stack_of(facts).variable("NEXT_PUBLIC_A").build

    def test_the_backends_address_is_built_in(self) -> None:
        """`rewrites()` reads it while the frontend is built."""
        stack = stack_of({**fastapi(port=9000), **NEXT})
        assert "BACKEND_URL" in {env.name for env in stack.apps[1].build_arguments}
        assert stack.variable("BACKEND_URL").default == "http://api:8000"
        stack = stack_of({**fastapi(port=9000), **NEXT}, proxy="none")
        assert stack.variable("BACKEND_URL").default == "http://app:9000"

    def test_no_backend_no_address(self) -> None:
        """Next.js alone has none."""
        assert stack_of({"name": "x", **NEXT}).apps[0].build_arguments == ()

    def test_fastapi_needs_a_secret_key(self) -> None:
        """By default each process would make its own."""
        variable = stack_of(FASTAPI).variable("SECRET_KEY")
        assert variable.required and variable.secret

    def test_workers_can_be_set(self) -> None:
        """`WEB_CONCURRENCY` comes of the container's limits, unless it is set."""
        assert stack_of(FASTAPI).variable("WEB_CONCURRENCY").default == "auto"


class TestConnections:
    """Who connects to what."""

    def test_the_app_connects_to_every_service(self, tmp_path: Path) -> None:
        """All that the project has."""
        stack = stack_of(facts_of("everything--with-deps", tmp_path))
        assert set(stack.apps[0].services) == {"postgres", "redis", "mongodb", "chroma"}

    def test_the_frontend_connects_to_none(self, tmp_path: Path) -> None:
        """And has no password of any."""
        frontend = stack_of(facts_of("everything--with-deps", tmp_path)).apps[1]
        assert frontend.services == ()
        assert not [env for env in frontend.environment if "PASSWORD" in env.name]

    def test_next_alone_connects_itself(self, tmp_path: Path) -> None:
        """It is the app then."""
        assert stack_of(facts_of("nextjs-postgresql", tmp_path)).apps[0].services == ("postgres",)

    @pytest.mark.parametrize(
        ("libraries", "driver"),
        [
            (["psycopg2-binary"], "psycopg2"),
            (["psycopg2"], "psycopg2"),
            (["psycopg", "psycopg-binary"], "psycopg"),
            (["asyncpg"], "asyncpg"),
        ],
    )
    def test_sqlalchemys_driver_is_named(self, libraries: list[str], driver: str) -> None:
        """A bare postgresql:// means different drivers in different versions."""
        facts = {**fastapi(libraries=["uvicorn", *libraries]), "postgres": {}}
        environment = {env.name: env.value for env in stack_of(facts).apps[0].environment}
        assert environment["SQLALCHEMY_DRIVER"] == driver


class TestChoices:
    """What is wanted beside what is."""

    def test_uploads(self) -> None:
        """A named volume at that path, in the first app."""
        stack = stack_of({**FASTAPI, **NEXT}, uploads="/app/uploads")
        assert [volume.path for volume in stack.apps[0].volumes] == ["/app/uploads"]
        assert stack.apps[1].volumes == ()
        assert stack.volume_names == ("uploads",)

    def test_folders_become_volumes(self) -> None:
        """Each has a name of its path; of another app than the first, of that app, too."""
        overrides = {"fastapi.volumes": ["/app/data", "/var/x_y"], "nextjs.volumes": ["/app/data"]}
        first, second = stack_of({**FASTAPI, **NEXT}, overrides).apps
        assert [v.name for v in first.volumes] == ["files-data", "files-var-x-y"]
        assert [v.name for v in second.volumes] == ["files-frontend-data"]
        assert all(volume.kept for app in (first, second) for volume in app.volumes)

    def test_a_folder_of_uploads_is_one_volume(self) -> None:
        overrides = {"fastapi.volumes": ["/app/uploads"]}
        stack = stack_of(FASTAPI, overrides, uploads="/app/uploads")
        assert stack.volume_names == ("uploads",)

    @pytest.mark.parametrize(
        ("volumes", "said"),
        [
            (["/app"], "can be no volume"),
            (["/etc/x"], "can be no volume"),
            (["/data/../etc"], "can be no volume"),
            (["/app/data", "/app/data/x"], "lie in each other"),
            (["/app/data/x", "/app/data"], "lie in each other"),
            (["/app/data", "/data"], "name of another volume"),
        ],
    )
    def test_folders_that_can_be_none(self, volumes: list[str], said: str) -> None:
        with pytest.raises(ProjectError, match=said):
            stack_of(FASTAPI, {"fastapi.volumes": volumes})

    def test_their_form(self) -> None:
        assert parse_setting("fastapi.volumes", "/app/data, /x") == ["/app/data", "/x"]
        with pytest.raises(ProjectError, match="absolute paths"):
            parse_setting("fastapi.volumes", "data")

    def test_gpu(self) -> None:
        """Python apps get it."""
        assert stack_of(FASTAPI, gpu=True).apps[0].gpu
        assert not stack_of(FASTAPI).apps[0].gpu

    def test_models_have_room(self) -> None:
        """Libraries that download models get a volume for them."""
        assert stack_of(fastapi(libraries=["uvicorn", "transformers"])).apps[0].volumes


class TestBackups:
    """What is backed up, and what has a password."""

    def test_services_and_uploads_are_kept(self) -> None:
        stack = stack_of({**FASTAPI, "postgres": {}, "redis": {}}, uploads="/app/uploads")
        assert set(stack.kept) == {"postgres", "redis", "uploads"}
        assert stack.has_data

    def test_folders_are_kept_with_their_app(self) -> None:
        overrides = {"nextjs.volumes": ["/data"]}
        stack = stack_of({**FASTAPI, **NEXT}, overrides, uploads="/app/uploads")
        assert stack.kept == ("uploads", "files-frontend-data")
        assert [folder.app.name for folder in stack.kept_folders] == ["app", "frontend"]

    def test_without_any_there_is_no_data(self) -> None:
        stack = stack_of(FASTAPI)
        assert (stack.kept, stack.has_data) == ((), False)

    def test_every_service_but_chroma_has_a_password(self) -> None:
        services: dict[str, Any] = {name: {} for name in ("chroma", "mongodb", "postgres", "redis")}
        names = {s.name: s.password.name for s in stack_of({**FASTAPI, **services}).protected}
        assert names == {
            "mongodb": "MONGODB_PASSWORD",
            "postgres": "POSTGRES_PASSWORD",
            "redis": "REDIS_PASSWORD",
        }


class TestNodeBuild:
    """How Node apps are installed and built."""

    @pytest.mark.parametrize(
        ("manager", "version", "lockfile", "install"),
        [
            ("npm", "", "package-lock.json", "npm ci"),
            ("npm", "", None, "npm install"),
            ("pnpm", "9", "pnpm-lock.yaml", "--frozen-lockfile"),
            ("yarn", "1", "yarn.lock", "--frozen-lockfile"),
            ("yarn", "4.1.0", "yarn.lock", "--immutable"),
            ("bun", "1", "bun.lock", "--frozen-lockfile"),
        ],
    )
    def test_install(self, manager: str, version: str, lockfile: str | None, install: str) -> None:
        """Exactly as locked, or the fallback without a lockfile."""
        fields = {"manager": manager, "manager_version": version, "lockfile": lockfile}
        stack = stack_of({**NODE, "node": {**NODE["node"], **fields}})
        assert install in stack.apps[0].build.tool.install

    @pytest.mark.parametrize(
        ("manager", "version", "command"),
        [
            ("npm", "", None),
            ("npm", "10.2.0", "npm install --global npm@10.2.0"),
            ("pnpm", "9", "npm install --global pnpm@9"),
            ("yarn", "1", "npm install --global --force yarn@1"),
            ("yarn", "1.22.19", "npm install --global --force yarn@1.22.19"),
            ("yarn", "3.8.7", "npm install --global --force @yarnpkg/cli-dist@3.8.7"),
            ("yarn", "^4", "npm install --global --force '@yarnpkg/cli-dist@^4'"),
        ],
    )
    def test_the_manager_itself(self, manager: str, version: str, command: str | None) -> None:
        """Node images have a Yarn of their own, which npm replaces only when it is forced to."""
        fields = {"manager": manager, "manager_version": version}
        build = stack_of({**NODE, "node": {**NODE["node"], **fields}}).apps[0].build
        assert isinstance(build, NodeBuild)
        assert build.tool.own_install == command

    @pytest.mark.parametrize("manager", ["npm", "pnpm", "yarn", "bun"])
    def test_install_without_a_lockfile(self, manager: str) -> None:
        """Nothing demands a lockfile that is not there."""
        stack = stack_of({**NODE, "node": {**NODE["node"], "manager": manager, "lockfile": None}})
        assert not re.search(r"\bci\b|frozen|immutable", stack.apps[0].build.tool.install)

    @pytest.mark.parametrize(("output", "standalone"), [("standalone", False), (None, True)])
    def test_standalone(self, output: str | None, standalone: bool) -> None:
        """Asked for where the project's own configuration does not."""
        stack = stack_of({"name": "x", "nextjs": {**NEXT["nextjs"], "output": output}})
        told = dict(stack.apps[0].build.build_environment)
        assert ("NEXT_PRIVATE_STANDALONE" in told) is standalone

    @pytest.mark.parametrize("build", [True, False])
    def test_build_script(self, build: bool) -> None:
        """Run only where there is one."""
        stack = stack_of({**NODE, "node": {**NODE["node"], "build": build}})
        assert bool(stack.apps[0].build.build) is build

    def test_next_is_always_built(self) -> None:
        """It does not run from its sources."""
        assert stack_of({"name": "x", **NEXT}).apps[0].build.build


def test_env_production_is_warned_about() -> None:
    """A committed .env.production enters the image."""
    facts = {"name": "x", "nextjs": {**NEXT["nextjs"], "env_production": True}}
    assert any(".env.production" in warning for warning in stack_of(facts).warnings)


def test_a_minimal_script(tmp_path: Path) -> None:
    """A project with nothing but a script is enough."""
    write_project(tmp_path, {"main.py": "print(1)\n"}, USE_PYTHON="true")
    stack = stack_of(read_facts(tmp_path))
    assert stack.apps[0].sources == ("main.py",)
    assert stack.apps[0].build.manager is None


def test_settings_for_browsers_are_those_of_every_framework() -> None:
    node = {
        **{"dir": ".", "command": "node build/index.js", "port": 3000, "sources": ["src/"]},
        **{"server": "sveltekit", "public": ["PUBLIC_"], "build": True},
        "variables": ["PUBLIC_TITLE", "SECRET"],
    }
    stack = stack_of({"name": "x", "node": node})
    assert stack.public_names == ("PUBLIC_TITLE",)
    assert stack.public_arguments == ("PUBLIC_TITLE",)
