"""What `deploy --target fly|railway|render --check` says of projects, files and programs."""

from __future__ import annotations

import os
import re
import shlex
import shutil
from dataclasses import replace
from pathlib import Path

import pytest

from spinbox_wrapper.checks import CHECKS, Check, Status
from tests.checks.support import commit, context, git
from tests.conftest import Project
from tests.lint.tools import TOOLS
from tests.projects.compose import compose
from tests.runs import build, edit

NAME = "profile-web-app"
FILES = {"fly": "fly.toml", "railway": ".railway/railway.ts", "render": "render.yaml"}
SAYS = {"fly": "fly v0.3.200 linux/amd64", "railway": "railway 5.42.1", "render": "render v2.7.0"}


@pytest.fixture
def programs(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Path:
    """The platforms' programs, in versions that do."""
    folder = tmp_path / "programs"
    folder.mkdir()
    for name, text in SAYS.items():
        install(folder, name, text)
    git = Path(shutil.which("git") or "").parent
    monkeypatch.setenv("PATH", f"{folder}:{git}:{os.defpath}")
    return folder


def install(folder: Path, name: str, text: str) -> None:
    (folder / name).write_text(f"#!/bin/sh\necho {text}\n")
    (folder / name).chmod(0o755)


@pytest.fixture(scope="module")
def made(tmp_path_factory: pytest.TempPathFactory) -> Path:
    root = compose(NAME, tmp_path_factory.mktemp("made") / NAME)
    targets = [word for target in FILES for word in ("--target", target)]
    build(root, "deploy", *targets, "--generate")
    git(root, "init", "--quiet")
    commit(root)
    git(root, "gc", "--quiet")
    return root


@pytest.fixture
def root(made: Path, tmp_path: Path) -> Path:
    """A copy that the test may break."""
    return Path(shutil.copytree(made, tmp_path / NAME))


def look(root: Path, target: str) -> dict[str, Check]:
    found = CHECKS[target].look(replace(context(root), target=target))
    return {check.id: check for check in found}


@pytest.mark.parametrize("target", FILES)
def test_a_generated_project_is_ready(target: str, root: Path, programs: Path) -> None:
    found = look(root, target)
    warned = {id_ for id_, check in found.items() if check.status is Status.WARN}
    assert not [check for check in found.values() if check.status is Status.FAIL]
    # Fly.io has no PostgreSQL 15.
    assert warned == ({"platform.offers"} if target == "fly" else set())
    assert found.keys() == CHECKS[target].IDS.keys()


@pytest.mark.parametrize("target", FILES)
def test_a_missing_file(target: str, root: Path) -> None:
    (root / FILES[target]).unlink()
    check = look(root, target)["platform.files"]
    assert (check.status, check.seen) == (Status.FAIL, f"{FILES[target]} is missing.")
    # What mends it does.
    words = shlex.split(check.mend)[3:]
    build(root, *words)
    assert (root / FILES[target]).exists()


@pytest.mark.parametrize("target", FILES)
@pytest.mark.parametrize("text", ["= [ {", "a: [", "services: [a]", "services: 5", "\x00"])
def test_a_broken_file(text: str, target: str, root: Path) -> None:
    (root / FILES[target]).write_text(text)
    check = look(root, target)["platform.files"]
    assert check.status is Status.FAIL
    assert check.seen.startswith(f"{FILES[target]} cannot be read")
    assert len(check.seen.splitlines()) == 1


@pytest.mark.parametrize(
    ("target", "before", "after"),
    [
        ("fly", 'app = "web-app"', 'app = "Web_App"'),
        ("railway", 'service("app"', 'service("the app"'),
        ("render", "name: web-app-frontend\n    plan", "name: web_app\n    plan"),
    ],
)
def test_a_name_that_no_platform_takes(target: str, before: str, after: str, root: Path) -> None:
    edit(root / FILES[target], before, after)
    assert look(root, target)["platform.names"].status is Status.FAIL


@pytest.mark.parametrize(
    ("target", "file", "before", "after"),
    [
        ("fly", "fly.toml", "  # Secrets, which are never in this file", "  # Set elsewhere"),
        ("fly", "fly.toml", '  WEB_CONCURRENCY = "auto"\n', ""),
        ("render", "render.yaml", '      - key: WEB_CONCURRENCY\n        value: "auto"\n', ""),
        ("railway", ".railway/railway.ts", 'service("app"', "service('shop'"),
        (
            "railway",
            ".railway/railway.ts",
            "      SECRET_KEY: preserve()",
            "      'SECRET_KEY': preserve()",
        ),
    ],
)
def test_what_an_owner_may_change(
    target: str, file: str, before: str, after: str, root: Path, programs: Path
) -> None:
    edit(root / file, before, after)
    commit(root)
    assert not [c for c in look(root, target).values() if c.status is Status.FAIL]


@pytest.mark.parametrize(
    ("target", "file", "before", "after", "seen"),
    [
        ("fly", "fly.toml", 'app = "web-app"', 'app = "shop"', "BACKEND_URL leads to web-app"),
        ("fly", "fly.toml", '"deploy/fly/app.Dockerfile"', '"Nope"', "there is no Nope"),
        ("fly", "fly.toml", "internal_port = 8000", "internal_port = 9", "port 8000, not on 9"),
        ("render", "render.yaml", "region: oregon", "region: mars", "mars is no region"),
        ("render", "render.yaml", "./deploy/render/app.Dockerfile", "./Nope", "there is no Nope"),
        (
            "render",
            "render.yaml",
            "fromDatabase:\n          name: web-app-postgres",
            "fromDatabase:\n          name: other",
            "POSTGRES_SERVER comes from other",
        ),
        (
            "railway",
            ".railway/railway.ts",
            "const postgresService",
            "const db",
            "postgresService is used, and not made",
        ),
        (
            "railway",
            ".railway/railway.ts",
            '"deploy/railway/app.Dockerfile"',
            '"Nope"',
            "there is no Nope",
        ),
    ],
)
def test_what_is_named_and_not_there(
    target: str, file: str, before: str, after: str, seen: str, root: Path
) -> None:
    edit(root / file, before, after)
    check = look(root, target)["platform.references"]
    assert check.status is Status.FAIL and seen in check.seen


def test_a_port_of_the_user_s(root: Path, programs: Path) -> None:
    edit(root / "fly.toml", "internal_port = 8000", "internal_port = 9")
    edit(root / "fly.toml", "[env]\n", '[env]\n  PORT = "9"\n')
    assert look(root, "fly")["platform.references"].status is Status.PASS


# The linters' Node.js knows TypeScript.
@pytest.mark.lint
def test_a_program_that_node_cannot_read(root: Path) -> None:
    edit(root / ".railway/railway.ts", "return project(", "retrn project((")
    path = os.environ["PATH"]
    try:
        os.environ["PATH"] = f"{TOOLS}:{path}"
        check = look(root, "railway")["platform.files"]
    finally:
        os.environ["PATH"] = path
    assert check.status is Status.FAIL and "SyntaxError" in check.seen


@pytest.mark.parametrize("state", ["changed", "new", "nowhere"])
def test_render_builds_what_is_committed(state: str, root: Path) -> None:
    if state == "changed":
        (root / "render.yaml").write_text((root / "render.yaml").read_text() + "# mine\n")
    elif state == "new":
        git(root, "rm", "--quiet", "--cached", "render.yaml")
        git(root, "commit", "--quiet", "--message", "without")
    else:
        shutil.rmtree(root / ".git")
    check = look(root, "render")["platform.committed"]
    assert check.status is (Status.WARN if state == "changed" else Status.FAIL)


def test_a_url_stands_for_its_parts(root: Path, programs: Path) -> None:
    """The image's entrypoint makes them of it."""
    text = (root / "render.yaml").read_text()
    parts = re.findall(r"      - key: POSTGRES_\w+\n        fromDatabase:\n.*\n.*\n", text)
    assert len(parts) == 5
    source = "{name: web-app-postgres, property: connectionString}"
    url = f"      - key: DATABASE_URL\n        fromDatabase: {source}\n"
    for part in parts:
        text = text.replace(part, url, 1)
        url = ""
    (root / "render.yaml").write_text(text)
    assert look(root, "render")["platform.variables"].status is Status.PASS


def test_one_name_for_two_services(root: Path) -> None:
    edit(root / "fly.frontend.toml", 'app = "web-app-frontend"', 'app = "web-app"')
    check = look(root, "fly")["platform.names"]
    assert (check.status, check.seen) == (Status.FAIL, "Two services are called web-app.")


@pytest.mark.parametrize(
    ("target", "before", "after", "name"),
    [
        ("fly", '  SQLALCHEMY_DRIVER = "psycopg2"\n', "", "SQLALCHEMY_DRIVER"),
        ("fly", "  SQLALCHEMY_DRIVER", "  # SQLALCHEMY_DRIVER", "SQLALCHEMY_DRIVER"),
        ("railway", "      SECRET_KEY: preserve(),\n", "", "SECRET_KEY"),
        (
            "railway",
            "      SECRET_KEY: preserve(),\n",
            "      // SECRET_KEY: preserve(),\n",
            "SECRET_KEY",
        ),
        ("render", "      - key: SECRET_KEY\n        generateValue: true\n", "", "SECRET_KEY"),
        (
            "render",
            "      - key: SECRET_KEY\n        generateValue: true\n",
            "      # - key: SECRET_KEY\n",
            "SECRET_KEY",
        ),
    ],
)
def test_a_variable_without_a_source(
    target: str, before: str, after: str, name: str, root: Path
) -> None:
    edit(root / FILES[target], before, after)
    check = look(root, target)["platform.variables"]
    assert (check.status, check.seen) == (
        Status.FAIL,
        f"{FILES[target]} does not say what {name} is for app.",
    )


@pytest.mark.parametrize(
    ("target", "before", "after"),
    [
        ("fly", "[env]\n", '[env]\n  SECRET_KEY = "hunter2"\n'),
        ("fly", "[env]\n", "[env]\n  \"SECRET_KEY\" = 'hunter2'\n"),
        ("fly", "[env]\n", '[env]\n  SECRET_KEY = "$hunter2"\n'),
        ("fly", "[env]\n", '[env]\n  DATABASE_URL = "postgres://SECRET_KEY:hunter2@h/d"\n'),
        ("fly", "[env]\n", '[env]\n  MY_SECRET_KEY = "hunter2"\n'),
        ("railway", "SECRET_KEY: preserve()", 'SECRET_KEY: "hunter2"'),
        ("railway", "SECRET_KEY: preserve()", '"SECRET_KEY": `hunter2`'),
        (
            "render",
            "- key: SECRET_KEY\n        generateValue: true",
            "- key: SECRET_KEY\n        # mine\n        value: hunter2",
        ),
        (
            "render",
            "- key: SECRET_KEY\n        generateValue: true",
            "- {value: hunter2, key: SECRET_KEY}",
        ),
    ],
)
def test_a_secret_in_a_file(target: str, before: str, after: str, root: Path) -> None:
    edit(root / FILES[target], before, after)
    check = look(root, target)["platform.secrets"]
    assert check.status is Status.FAIL
    assert re.search("SECRET_KEY|DATABASE_URL", check.seen)
    assert "hunter2" not in check.seen + check.mend


@pytest.mark.parametrize(
    ("before", "after", "reason"),
    [
        (
            "name: web-app\n    plan: starter",
            "name: web-app\n    plan: free",
            "pre-deploy",
        ),
        ("plan: basic-256mb", "plan: free", "30 days"),
    ],
)
def test_the_free_plan_of_render(before: str, after: str, reason: str, root: Path) -> None:
    edit(root / "render.yaml", before, after)
    check = look(root, "render")["platform.plan"]
    assert check.status is Status.FAIL and reason in check.seen


@pytest.mark.parametrize("target", FILES)
def test_no_program(target: str, root: Path, programs: Path) -> None:
    (programs / target).unlink()
    check = look(root, target)["platform.cli"]
    # Render builds from the repository; its program only checks the file beforehand.
    assert check.status is (Status.WARN if target == "render" else Status.FAIL)
    assert check.mend.startswith("Install it: https://")


def test_the_other_name_of_fly_s_program(root: Path, programs: Path) -> None:
    (programs / "fly").rename(programs / "flyctl")
    assert look(root, "fly")["platform.cli"].status is Status.PASS


@pytest.mark.parametrize(
    ("text", "seen"),
    [
        ("railway 5.42.0", "railway 5.42.0 is older than 5.42.1."),
        ("railway 4.100.3", "railway 4.100.3 is older than 5.42.1."),
        ("what?", "railway does not tell its version."),
    ],
)
def test_an_old_program(text: str, seen: str, root: Path, programs: Path) -> None:
    install(programs, "railway", f"'{text}'")
    check = look(root, "railway")["platform.cli"]
    assert (check.status, check.seen) == (Status.FAIL, seen)


def test_an_extension_that_is_not_offered(root: Path, programs: Path) -> None:
    build(root, "--set", "postgres.extensions=vector,dblink")
    check = look(root, "fly")["platform.offers"]
    assert check.status is Status.FAIL and "dblink" in check.seen
    assert "--set postgres=external" in check.mend
    assert look(root, "render")["platform.offers"].status is Status.PASS


def test_what_the_platform_cannot_give(root: Path, programs: Path) -> None:
    build(root, "--set", "gpu=true")
    check = look(root, "render")["platform.offers"]
    assert check.status is Status.WARN and "GPU" in check.seen


def test_a_worker_without_variables(root: Path) -> None:
    build(root, "--set", "fastapi.worker=celery --app app.worker worker")
    text = (root / "render.yaml").read_text()
    start = text.index("envVars:", text.index("- type: worker"))
    (root / "render.yaml").write_text(text[:start] + text[text.index("\ndatabases:") :])
    check = look(root, "render")["platform.variables"]
    assert check.status is Status.FAIL and check.seen.endswith("is for worker.")


def test_a_free_frontend_is_only_warned_of(root: Path) -> None:
    edit(
        root / "render.yaml",
        "name: web-app-frontend\n    plan: starter",
        "name: web-app-frontend\n    plan: free",
    )
    assert look(root, "render")["platform.plan"].status is Status.WARN


def test_more_volumes_than_a_plan_has(project: Project) -> None:
    root = project("everything--with-deps")
    build(root, "deploy", "--target", "railway", "--generate")
    check = look(root, "railway")["platform.plan"]
    assert check.seen == "The stack has 4 volumes; the plan Hobby is the first with so many."
