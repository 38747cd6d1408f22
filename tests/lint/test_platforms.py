"""Files of the managed platforms, of every shape: valid, and what the stack model says."""

from __future__ import annotations

import json
import os
import re
import shlex
import shutil
import tomllib
from collections.abc import Iterator
from concurrent.futures import ProcessPoolExecutor
from dataclasses import dataclass
from fnmatch import fnmatch
from functools import cached_property
from pathlib import Path
from typing import Any

import pytest
import yaml

from extensions.deployment import derive
from tests import markdown
from tests.cases import SHAPES
from tests.lint.tools import CONFIGURATION, REPOSITORY, TOOLS, run_tool
from tests.projects.compose import compose
from tests.runs import run
from tests.trees import distinct

WORKER = "fastapi.worker=celery --app app.worker:celery_app worker --beat"
OPTIONS: dict[str, tuple[str, ...]] = {
    "plain": (),
    "worker": ("--set", WORKER, "--set", "fly_name=other", "--set", "fly_region=fra"),
    "uploads": ("--set", "uploads=/app/uploads", "--set", "gpu=true"),
    "elsewhere": ("--set", "postgres=external", "--set", "redis=external"),
    "alembic": ("--set", "postgres.migrations=alembic", "--set", "render_region=frankfurt"),
    "output": ("--output", "ops/production", "--set", "proxy=none"),
    "portless": ("--set", "python.mode=service", "--set", "python.health=/health"),
    "public": (
        *("--set", "proxy=none", "--set", "nextjs.variables=NEXT_PUBLIC_API_URL,NEXT_PUBLIC_X"),
        *("--set", "nextjs.env_production=true"),
    ),
    "github": ("--set", "postgres.image=timescale/timescaledb:2.14.2-pg16"),
}
NOTHING_TO_RUN = ("profile-data-science", "python", "python-postgresql")
# Shapes that show every option; without options, all of them are rendered.
SHOWN = {
    "worker": ("profile-api-only", "everything--with-deps"),
    "uploads": ("profile-api-only", "node"),
    "elsewhere": ("everything--with-deps",),
    "alembic": ("profile-api-only",),
    "output": ("profile-web-app", "node"),
    "portless": ("python-postgresql",),
    "public": ("nextjs",),
    "github": ("profile-api-only",),
}
PAIRS = [(s, "plain") for s in SHAPES if s not in NOTHING_TO_RUN] + [
    (shape, option) for option, shapes in SHOWN.items() for shape in shapes
]
TARGETS = ("fly", "railway", "render")
Document = dict[str, Any]


@dataclass(frozen=True)
class Tree:
    """A generated project; `folder` holds the generated files."""

    name: str
    project: Path
    folder: Path

    @cached_property
    def answers(self) -> Document:
        answers: Document = yaml.safe_load((self.folder / ".copier-answers.yml").read_text())
        return answers

    @property
    def stack(self) -> Any:
        return derive(self.answers).stack

    def view(self, target: str) -> Any:
        """What the platform's templates see."""
        return derive(self.answers).surfaces[target]

    @property
    def to_output(self) -> str:
        return "" if self.folder == self.project else "ops/production/"

    def dockerfiles(self) -> list[Path]:
        """The stack's own, and those of platforms that need others."""
        return [*self.folder.glob("Dockerfile*.prod"), *self.folder.rglob("deploy/*/*.Dockerfile")]

    def fly(self) -> dict[str, Document]:
        """Each file by its name."""
        return {p.name: tomllib.loads(p.read_text()) for p in self.folder.glob("fly*.toml")}

    def render(self) -> Document:
        document: Document = yaml.safe_load((self.folder / "render.yaml").read_text())
        return document

    def name_of(self, target: str, unit: str) -> str:
        name: str = self.view(target).name(unit)
        return name


@pytest.fixture(scope="module")
def trees(tmp_path_factory: pytest.TempPathFactory) -> list[Tree]:
    folder = tmp_path_factory.mktemp("platforms")
    wanted = [(compose(s, folder / f"{s}-{o}"), o) for s, o in PAIRS]
    with ProcessPoolExecutor() as pool:
        return list(pool.map(_generate, *zip(*wanted, strict=True)))


def _generate(project: Path, options: str) -> Tree:
    targets = [word for target in TARGETS for word in ("--target", target)]
    if options == "public":
        (project / ".env.production").write_text("NEXT_PUBLIC_X=1\n")
    result = run(project, "deploy", *targets, "--generate", *OPTIONS[options])
    assert result.code == 0, result.stderr
    if options == "github":
        assert run(project, "generate", "--ci", "github").code == 0
    (path,) = project.rglob("render.yaml")
    return Tree(project.name, project, path.parent)


@pytest.fixture(scope="module")
def graphs(trees: list[Tree], tmp_path_factory: pytest.TempPathFactory) -> dict[str, Document]:
    """What Railway's own package makes of each file, by the tree's name."""
    folder = tmp_path_factory.mktemp("railway")
    (folder / "node_modules").symlink_to(TOOLS.parent / "railway/node_modules")
    shutil.copy(CONFIGURATION / "railway.mjs", folder)
    files = {}
    for tree in trees:
        if (source := tree.folder / ".railway/railway.ts").exists():
            files[tree.name] = folder / f"{tree.name}.ts"
            shutil.copy(source, files[tree.name])
    options = ("--experimental-strip-types", "--disable-warning=ExperimentalWarning")
    said = run_tool("node", *options, folder / "railway.mjs", *files.values())
    found = json.loads(said)
    return {name: found[str(path)] for name, path in files.items()}


def resources(graph: Document) -> dict[str, Document]:
    return {resource["name"]: resource for resource in graph["resources"]}


# --- Valid ---------------------------------------------------------------------------------------


@pytest.mark.parametrize("shape", NOTHING_TO_RUN)
def test_a_job_alone_is_refused(shape: str, tmp_path: Path) -> None:
    root = compose(shape, tmp_path / "project")
    result = run(root, "deploy", "--target", "fly", "--generate")
    assert result.code == 1
    assert result.stderr.startswith("spinbox: Fly.io has nothing to keep running")


def test_fly_schema(trees: list[Tree], tmp_path: Path) -> None:
    files = []
    for tree in trees:
        for name, document in tree.fly().items():
            files.append(tmp_path / f"{tree.name}-{name}.json")
            files[-1].write_text(json.dumps(document))
    run_tool("check-jsonschema", "--schemafile", CONFIGURATION / "schemas/fly.json", *files)


def test_render_schema(trees: list[Tree]) -> None:
    usual = REPOSITORY.parent / "shared/schemas/render-blueprints.json"
    schema = Path(os.environ.get("RENDER_SCHEMA", usual))
    if not schema.exists():
        pytest.skip("Render's schema is not here: see tests/lint/schemas/README.md")
    files = [tree.folder / "render.yaml" for tree in trees]
    run_tool("check-jsonschema", "--schemafile", schema, *files)


def test_railway_graph(trees: list[Tree], graphs: dict[str, Document]) -> None:
    """Railway's package evaluates it, and finds no name twice and no reference into nothing."""
    assert len(graphs) == len(trees)
    for name, graph in graphs.items():
        assert graph["errors"] == [], name
        assert graph["size"] == len(graph["resources"]), name


def test_yaml_style(trees: list[Tree]) -> None:
    files = [tree.folder / "render.yaml" for tree in trees]
    assert run_tool("yamllint", "--strict", "-c", CONFIGURATION / "yamllint.yml", *files) == ""


def test_markdown(trees: list[Tree]) -> None:
    config = CONFIGURATION / "pymarkdown.json"
    guides = [tree.folder / f"deploy/{target}/README.md" for tree in trees for target in TARGETS]
    assert run_tool("pymarkdown", "--config", config, "scan", *distinct(guides)) == ""
    for guide in guides:
        sections = markdown.sections(guide.read_text())
        for section, following in zip(sections, [*sections[1:], None], strict=True):
            empty = not section.blocks and (not following or following.level <= section.level)
            assert not empty, (guide, section.title)


def test_dockerfiles(trees: list[Tree]) -> None:
    files = [path for tree in trees for path in tree.dockerfiles()]
    assert run_tool("hadolint", *distinct(files)) == ""


# --- What the model says -------------------------------------------------------------------------


def test_every_app_has_its_place(trees: list[Tree], graphs: dict[str, Document]) -> None:
    for tree in trees:
        stack = tree.stack
        rolled = [unit.name for unit in stack.rolled]
        apps = [app.name for app in stack.apps if not app.job]
        own = [service.name for service in tree.view("fly").own]
        assert {d["app"] for d in tree.fly().values()} == {
            tree.name_of("fly", name) for name in apps + own
        }, tree.name
        services = {s["name"] for s in tree.render()["services"]}
        services |= {d["name"] for d in tree.render().get("databases", ())}
        names = rolled + [service.name for service in stack.services]
        assert services == {tree.name_of("render", name) for name in names}, tree.name
        if tree.name in graphs:
            kinds = {"service", "database"}
            found = {n for n, r in resources(graphs[tree.name]).items() if r["type"] in kinds}
            volumes = {r["name"] for r in graphs[tree.name]["resources"] if r["type"] == "volume"}
            assert found == {*names}, tree.name
            kept = {f"{service.name}-data" for service in tree.view("railway").own}
            kept |= (
                {"uploads"} if any(tree.view("railway").uploads(a) for a in stack.apps) else set()
            )
            kept |= {volume.name for worker in stack.workers for volume in worker.volumes}
            assert volumes == kept, tree.name


def test_build_port_and_health(trees: list[Tree], graphs: dict[str, Document]) -> None:
    for tree in trees:
        prefix = tree.to_output
        rendered = {s["name"]: s for s in tree.render()["services"]}
        for app in tree.view("fly").apps:
            fly = tree.fly()[tree.view("fly").file(app.name)]
            assert fly["build"]["dockerfile"] == tree.view("fly").dockerfile(app).path
            assert (tree.folder / fly["build"]["dockerfile"]).exists()
            assert (tree.folder / fly["build"]["ignorefile"]).exists()
            health = app.health if app.port else None
            for service in fly.get("services", ()):
                assert service["internal_port"] == app.port
                checks = service.get("http_checks") or service["tcp_checks"]
                assert [check.get("path") for check in checks] == [health]
            assert len(fly.get("services", ())) == (1 if app.port else 0)
            # Relative to the repository's top folder, which is the context.
            render = rendered[tree.name_of("render", app.name)]
            own = tree.view("render").dockerfile(app).path
            assert render["dockerfilePath"] == f"./{prefix}{own}"
            assert render["dockerContext"] == "."
            assert render.get("healthCheckPath") == health
            assert render["type"] == ("web" if app.port else "worker")
            if tree.name in graphs:
                railway = resources(graphs[tree.name])[app.name]
                own = tree.view("railway").dockerfile(app).path
                assert railway["build"]["dockerfilePath"] == f"{prefix}{own}"
                assert railway["deploy"].get("healthcheckPath") == health
                if app.port:
                    assert railway["variables"]["PORT"]["value"] == str(app.port)


def test_no_cache_mounts_where_railway_builds(trees: list[Tree]) -> None:
    for tree in trees:
        view = tree.view("railway")
        for app in view.apps:
            text = (tree.folder / view.dockerfile(app).path).read_text()
            assert "--mount=type=cache" not in text


def test_the_stack_s_own_dockerfiles_know_no_platform(trees: list[Tree]) -> None:
    """A target never changes another target's files."""
    for tree in trees:
        for app in tree.stack.apps:
            text = (tree.folder / app.dockerfile).read_text()
            assert "postgresql-client" not in text
            assert ("--mount=type=cache" in text) == (app.build.manager is not None)


def test_migrations(trees: list[Tree], graphs: dict[str, Document]) -> None:
    """One service of each platform runs them, and its image has what they need."""
    for tree in trees:
        stack = tree.stack
        migrator = _migrator(stack)
        fly = [d["deploy"].get("release_command") for d in tree.fly().values()]
        render = [s.get("preDeployCommand") for s in tree.render()["services"]]
        railway = [
            r.get("deploy", {}).get("preDeployCommand")
            for r in graphs.get(tree.name, {"resources": ()})["resources"]
        ]
        if migrator is None:
            assert not any([*fly, *render, *railway]), tree.name
            continue
        (command,) = (one for one in fly if one)
        assert tree.fly()[tree.view("fly").file(migrator.name)]["deploy"]["release_command"]
        words = shlex.split(command)
        steps = " ".join(words[2:] if words[0] == "sh" else words).split(" && ")
        alembic = stack.migrations.kind == "alembic"
        # Where services start by themselves, the worker migrates as well; a lock makes it safe.
        number = 2 if stack.workers and not alembic else 1
        assert [s for s in render if s] == [f"entrypoint {command}"] * number
        if railway:
            assert [s for s in railway if s] == [[f"entrypoint {command}"]] * number
        assert ("alembic upgrade head" in steps) == alembic
        paths = {tree.view(target).dockerfile(migrator).path for target in TARGETS}
        for path in paths:
            _check_migrator(tree, path, steps)


def _check_migrator(tree: Tree, path: str, steps: list[str]) -> None:
    """Whether an image has what its migrations need."""
    stack = tree.stack
    dockerfile = (tree.folder / path).read_text()
    ignored = (tree.folder / f"{path}.dockerignore").read_text()
    assert stack.migrations
    in_database = stack.migrations.in_database_image
    assert in_database == steps[0].startswith("migrate")
    if in_database:
        assert steps[0].split()[1:] == list(stack.migrations.extensions)
        assert "postgresql-client" in dockerfile
        assert f"!{tree.to_output}deploy/migrate.sh\n" in ignored
    has_files = stack.migrations.kind == "sql"
    assert (" /migrations/" in dockerfile) == has_files
    assert (f"!{stack.migrations.folder}/\n" in ignored) == has_files


def _migrator(stack: Any) -> Any:
    """The app whose image can: Alembic's own, or the first that runs and uses PostgreSQL."""
    if stack.migrations is None:
        return None
    if stack.migrations.kind == "alembic":
        return stack.migrations.app
    return next(app for app in stack.apps if "postgres" in app.backing and not app.job)


def test_every_required_variable_has_a_source(
    trees: list[Tree], graphs: dict[str, Document]
) -> None:
    """Of the app and of the worker: a value, a reference, or a secret that the guide sets."""
    for tree in trees:
        stack = tree.stack
        rendered = {s["name"]: s for s in tree.render()["services"]}
        guides = {t: (tree.folder / f"deploy/{t}/README.md").read_text() for t in TARGETS}
        for app in tree.view("fly").apps:
            required = {env.name for env in app.environment if _required(env, stack)}
            document = tree.fly()[tree.view("fly").file(app.name)]
            name = tree.name_of("fly", app.name)
            secrets = _piped(guides["fly"], name)
            if re.search(rf"fly mpg attach CLUSTER-ID --app {name} ", guides["fly"]):
                secrets |= {"DATABASE_URL"}
            arguments = {*document["build"].get("args", {})}
            baked = {env.name for env in app.build_arguments if _required(env, stack)}
            for missing in baked - arguments:
                assert f"give `{missing}` its value" in guides["fly"], (tree.name, missing)
            fly = _with_parts({*document.get("env", {})} | secrets)
            assert required <= fly, (tree.name, required - fly)
            # The others pass the same variables to builds.
            required |= baked
            assert "${{.}}" not in guides["railway"]
            listed = rendered[tree.name_of("render", app.name)].get("envVars", ())
            render = _with_parts({one["key"] for one in listed})
            assert required <= render, (tree.name, required - render)
            if tree.name in graphs:
                variables = resources(graphs[tree.name])[app.name]["variables"]
                preserved = {n for n, v in variables.items() if v["type"] == "preserve"}
                set_by_hand = set(
                    re.findall(
                        rf"railway variable set (\w+) --stdin.* --service {app.name}\n",
                        guides["railway"],
                    )
                )
                assert required <= variables.keys(), (tree.name, required - variables.keys())
                # Where there is no other, the guide shows how with NAME.
                assert required & preserved == set_by_hand - {"NAME"}, tree.name
            else:
                set_by_hand = set(
                    re.findall(
                        rf"railway variable set '?(\w+)[ =].* --service {app.name}\n",
                        guides["railway"],
                    )
                )
                assert required <= set_by_hand, (tree.name, required - set_by_hand)


def _required(env: Any, stack: Any) -> bool:
    return env.variable is None or stack.variable(env.variable).required


def _piped(guide: str, app: str) -> set[str]:
    """The secrets that a guide sets for an app of Fly.io."""
    return set(re.findall(rf"^printf '(\w+)=.* --app {app}$", guide, re.MULTILINE))


def _with_parts(names: set[str]) -> set[str]:
    """What the image's entrypoint makes of a URL."""
    parts: set[str] = set()
    if "DATABASE_URL" in names:
        parts |= {f"POSTGRES_{part}" for part in ("SERVER", "PORT", "USER", "PASSWORD", "DB")}
    if "REDIS_URL" in names:
        parts |= {f"REDIS_{part}" for part in ("HOST", "PORT", "DB", "PASSWORD")}
    return names | parts


def test_workers_have_what_the_app_has(trees: list[Tree], graphs: dict[str, Document]) -> None:
    seen = []
    for tree, worker in ((one, worker) for one in trees for worker in one.stack.workers):
        seen.append(worker.name)
        command = shlex.join(worker.command)
        fly = tree.fly()["fly.toml"]
        assert fly["processes"]["app"] == shlex.join(worker.app.command)
        assert fly["processes"][worker.name] == command
        assert [service["processes"] for service in fly["services"]] == [["app"]]
        rendered = {s["name"]: s for s in tree.render()["services"]}
        app, jobs = (rendered[tree.name_of("render", name)] for name in ("app", worker.name))
        assert jobs["dockerCommand"] == f"entrypoint {command}"
        assert jobs["dockerfilePath"] == app["dockerfilePath"]
        # Render sets the address of a service that has one.
        keys, others = (
            [one["key"] for one in unit["envVars"] if one["key"] != "SITE_URLS"]
            for unit in (jobs, app)
        )
        assert keys == others
        # One secret, not two that differ.
        (secret,) = (one for one in jobs["envVars"] if one["key"] == "SECRET_KEY")
        assert secret["fromService"]["envVarKey"] == "SECRET_KEY"
        if tree.name in graphs:
            found = resources(graphs[tree.name])
            jobs = found[worker.name]
            assert jobs["deploy"]["startCommand"] == f"entrypoint {command}"
            assert jobs["variables"]["SECRET_KEY"]["resource"] == "service.app"
            assert jobs["variables"].keys() >= found["app"]["variables"].keys() - {"PORT"}
    assert sorted(seen) == ["scheduler", "scheduler", "worker", "worker"]


def test_no_secret_value_anywhere(trees: list[Tree], graphs: dict[str, Document]) -> None:
    for tree in trees:
        stack = tree.stack
        secret = {v.name for v in stack.variables if v.secret}
        secret |= {env.name for service in stack.services for env in service.secrets}
        secret |= {"DATABASE_URL", "REDIS_URL", "MONGODB_URL"}
        for document in tree.fly().values():
            assert not secret & {*document.get("env", {})}
            assert not secret & {*document["build"].get("args", {})}
        for service in tree.render()["services"]:
            for one in service.get("envVars", ()):
                assert "value" not in one or one["key"] not in secret, one
        for resource in graphs.get(tree.name, {"resources": ()})["resources"]:
            for name, variable in resource.get("variables", {}).items():
                assert variable["type"] != "literal" or name not in secret, name


def test_deployments_wait_for_checks_that_there_are(trees: list[Tree]) -> None:
    """Render never deploys a commit without checks that it waits for."""
    seen = set()
    for tree in trees:
        trigger = "checksPass" if tree.answers["ci"] else "commit"
        triggers = {s.get("autoDeployTrigger", trigger) for s in tree.render()["services"]}
        assert triggers == {trigger}, tree.name
        seen |= triggers
    assert seen == {"checksPass", "commit"}


def test_render_s_version_is_the_project_s(trees: list[Tree]) -> None:
    versions = {}
    for tree in trees:
        for database in tree.render().get("databases", ()):
            versions[tree.name] = database["postgresMajorVersion"]
    assert versions["profile-api-only-github"] == "16"
    assert versions["fastapi-postgresql--py312-pg16-plain"] == "16"
    assert versions["profile-api-only-plain"] == "15"


def test_the_package_is_the_one_that_is_tested(trees: list[Tree]) -> None:
    installed = json.loads((TOOLS.parent / "railway/node_modules/railway/package.json").read_text())
    for tree in trees:
        if (path := tree.folder / ".railway/package.json").exists():
            assert json.loads(path.read_text())["dependencies"] == {"railway": installed["version"]}


def test_references_lead_to_something(trees: list[Tree]) -> None:
    """Render's; those of Railway are in its graph."""
    for tree in trees:
        document = tree.render()
        services = {s["name"]: s for s in document["services"]}
        databases = {d["name"] for d in document.get("databases", ())}
        for service in document["services"]:
            for one in service.get("envVars", ()):
                if source := one.get("fromDatabase"):
                    assert source["name"] in databases
                if source := one.get("fromService"):
                    target = services[source["name"]]
                    assert target["type"] == source["type"]
                    key = source.get("envVarKey", "RENDER_EXTERNAL_URL")
                    keys = {other["key"] for other in target.get("envVars", ())}
                    assert key == "RENDER_EXTERNAL_URL" or key in keys


def test_the_frontend_calls_the_backend_privately(
    trees: list[Tree], graphs: dict[str, Document]
) -> None:
    seen = 0
    for tree in trees:
        stack = tree.stack
        if not stack.calls_api:
            continue
        seen += 1
        api, front = stack.apps[0], stack.apps[1]
        backend = tree.fly()["fly.toml"]
        address = f"http://{backend['app']}.flycast:{api.port}"
        frontend = tree.fly()["fly.frontend.toml"]
        assert frontend["build"]["args"]["BACKEND_URL"] == address
        assert frontend["env"]["BACKEND_URL"] == address
        ports = {p["port"]: p for p in backend["services"][0]["ports"]}
        assert not ports[api.port].get("force_https")
        assert ports[80]["force_https"]
        guide = (tree.folder / "deploy/fly/README.md").read_text()
        assert f"fly ips allocate-v6 --private --app {backend['app']}\n" in guide
        services = {s["name"]: s for s in tree.render()["services"]}
        variables = services[tree.name_of("render", front.name)]["envVars"]
        (url,) = (one for one in variables if one["key"] == "BACKEND_URL")
        assert url["fromService"] == {
            "type": "web",
            "name": tree.name_of("render", api.name),
            "property": "hostport",
        }
        if tree.name in graphs:
            found = resources(graphs[tree.name])[front.name]["variables"]["BACKEND_URL"]["value"]
            assert found == "http://${{app.RAILWAY_PRIVATE_DOMAIN}}:${{app.PORT}}"
    assert seen > 3


def test_machines_have_the_memory_of_the_limits(trees: list[Tree]) -> None:
    plans = {"starter": 512, "standard": 2048, "pro": 4096}
    for tree in trees:
        stack = tree.stack
        limits = {name: r.megabytes for name, r in stack.limits.items()}
        for name, document in tree.fly().items():
            unit = "app" if name == "fly.toml" else name.split(".")[1]
            unit = tree.view("fly").apps[0].name if name == "fly.toml" else unit
            for machine in document["vm"]:
                expected = limits[machine.get("processes", [unit])[0]]
                # A machine holds its kernel, too; the smallest is enough for a static site.
                least = 256 if expected <= 128 else 512
                assert machine["memory"] == f"{max(expected, least)}mb"
        names = {tree.name_of("render", name): name for name in limits}
        for service in tree.render()["services"]:
            if service["type"] != "keyvalue":
                assert plans[service["plan"]] >= limits[names[service["name"]]]


def test_strategies_fit_volumes_and_checks(trees: list[Tree]) -> None:
    """fly.io/docs/reference/configuration: bluegreen needs health checks, and no volume."""
    for tree in trees:
        for document in tree.fly().values():
            has_checks = all("http_checks" in s for s in document.get("services", ({},)))
            if document["deploy"]["strategy"] == "bluegreen":
                assert has_checks and "mounts" not in document and "processes" not in document
            else:
                assert "mounts" in document or "processes" in document or not has_checks


def test_what_is_watched_is_what_is_copied(trees: list[Tree], graphs: dict[str, Document]) -> None:
    """A file that enters an image without being watched would change it unseen."""
    for tree in trees:
        services = {s["name"]: s for s in tree.render()["services"]}
        for app in tree.view("fly").apps:
            patterns = services[tree.name_of("render", app.name)]["buildFilter"]["paths"]
            _check_watched(tree, tree.view("render").dockerfile(app).path, patterns)
            found = resources(graphs[tree.name])[app.name]["build"]["watchPatterns"]
            assert all(pattern.startswith("/") for pattern in found)
            watched = [pattern[1:] for pattern in found]
            _check_watched(tree, tree.view("railway").dockerfile(app).path, watched)


def _check_watched(tree: Tree, path: str, patterns: list[str]) -> None:
    prefix = tree.to_output
    for source in [*_copied((tree.folder / path).read_text()), f"{prefix}{path}"]:
        inside = f"{source}x" if source.endswith("/") else source
        assert any(fnmatch(inside, pattern) for pattern in patterns), (tree.name, source)


def _copied(dockerfile: str) -> Iterator[str]:
    for line in re.findall(r"^COPY (?!--from)(.*)$", dockerfile, re.MULTILINE):
        yield from shlex.split(re.sub(r"--chmod=\S+ ", "", line))[:-1]
