"""`spinbox build --prod` as a user meets it."""

from __future__ import annotations

import json
import os
import re
import shutil
import subprocess
from datetime import date
from pathlib import Path
from typing import Any

import pexpect
import pytest
import yaml

from tests.conftest import REPOSITORY, SPINBOX, Project, files_below, spinbox
from tests.runs import build, run

pytestmark = pytest.mark.integration


def answers(root: Path) -> dict[str, object]:
    stored: dict[str, object] = yaml.safe_load((root / ".copier-answers.yml").read_text())
    return stored


def test_first_run_writes_and_says_what_comes_next(project: Project) -> None:
    root = project("profile-web-app")
    output = spinbox("build", "--prod", cwd=root).stdout
    assert "FastAPI in backend/, Next.js in frontend/, PostgreSQL" in output
    assert "create  docker-compose.prod.yml" in output
    assert "sh deploy/deploy.sh" in output
    assert max(len(line) for line in output.splitlines()) <= 80


def test_second_run_writes_nothing(project: Project) -> None:
    root = project("profile-web-app")
    build(root)
    before = {path: path.stat().st_mtime_ns for path in root.rglob("*")}
    assert "Everything is up to date." in build(root)
    assert {path: path.stat().st_mtime_ns for path in root.rglob("*")} == before


def test_an_added_service_updates_and_creates(project: Project) -> None:
    root = project("fastapi")
    build(root)
    conf = root / ".config/project.conf"
    conf.write_text(conf.read_text().replace('USE_REDIS="false"', 'USE_REDIS="true"'))
    build(root)
    assert "redis:" in (root / "docker-compose.prod.yml").read_text()
    assert "REDIS_PASSWORD=" in (root / ".env.example").read_text()


def test_an_edit_is_merged_with_a_change_of_the_project(project: Project) -> None:
    root = project("fastapi")
    build(root)
    compose = root / "docker-compose.prod.yml"
    compose.write_text(compose.read_text().replace("max-size: 10m", "max-size: 90m"))
    conf = root / ".config/project.conf"
    conf.write_text(conf.read_text().replace('USE_REDIS="false"', 'USE_REDIS="true"'))
    assert "merge  docker-compose.prod.yml" in build(root)
    assert "max-size: 90m" in compose.read_text()
    assert "redis:" in compose.read_text()


def test_a_conflict_is_marked_and_stops_the_next_run(project: Project) -> None:
    root = project("fastapi")
    build(root)
    dockerfile = root / "Dockerfile.prod"
    image = "ARG PYTHON_IMAGE=python:3.11-slim"
    dockerfile.write_text(dockerfile.read_text().replace(image, "ARG PYTHON_IMAGE=mine:1"))
    versions = root / ".config/versions.conf"
    versions.write_text(versions.read_text().replace("python:3.11-slim", "python:3.13-slim"))
    result = run(root)
    assert result.code == 1
    assert "Dockerfile.prod" in result.stderr
    assert "<<<<<<< yours" in dockerfile.read_text()
    conflicted = dockerfile.read_bytes()
    assert run(root).code == 1
    assert dockerfile.read_bytes() == conflicted


def test_a_deleted_file_stays_deleted(project: Project) -> None:
    root = project("fastapi")
    build(root)
    (root / "deploy/Caddyfile").unlink()
    assert "deploy/Caddyfile  (you deleted it" in build(root)
    assert not (root / "deploy/Caddyfile").exists()


def test_a_file_without_reason_goes_unless_edited(project: Project) -> None:
    root = project("fastapi-postgresql--py312-pg16")
    build(root)
    (root / "deploy/Caddyfile").write_text("# mine\n")
    conf = root / ".config/project.conf"
    conf.write_text(conf.read_text().replace('USE_POSTGRESQL="true"', 'USE_POSTGRESQL="false"'))
    build(root, "--set", "proxy=none")
    assert not (root / "deploy/migrate.sh").exists()
    assert (root / "deploy/Caddyfile").read_text() == "# mine\n"


def test_foreign_files_stop_the_first_run(project: Project) -> None:
    root = project("fastapi")
    (root / "Dockerfile.prod").write_text("FROM scratch\n")
    before = files_below(root)
    result = run(root)
    assert result.code == 1
    assert "Dockerfile.prod" in result.stderr
    assert files_below(root) == before


def test_force_keeps_what_it_replaces(project: Project) -> None:
    root = project("fastapi")
    (root / "Dockerfile.prod").write_text("FROM scratch\n")
    build(root, "--force")
    assert (root / "Dockerfile.prod.orig").read_text() == "FROM scratch\n"
    assert "uvicorn" in (root / "Dockerfile.prod").read_text()


def test_a_value_set_by_hand_survives_and_can_be_taken_back(project: Project) -> None:
    root = project("fastapi")
    build(root, "--set", "fastapi.port=9000", "--set", "proxy=none")
    build(root)
    assert answers(root)["overrides"] == {"fastapi.port": 9000}
    assert answers(root)["proxy"] == "none"
    assert "PORT=9000" in (root / "Dockerfile.prod").read_text()
    build(root, "--set", "fastapi.port=", "--set", "proxy=")
    assert answers(root)["overrides"] == {}
    assert answers(root)["proxy"] == "caddy"


def test_the_same_key_twice_the_last_one_counts(project: Project) -> None:
    root = project("fastapi")
    build(root, "--set", "fastapi.port=9000", "--set", "fastapi.port=9001")
    assert answers(root)["overrides"] == {"fastapi.port": 9001}


@pytest.mark.parametrize(
    ("options", "sentence", "code"),
    [
        (("--set", "nonsense=1"), "is not a key of --set", 2),
        (("--set", "fastapi.port=99999"), "from 1 to 65535", 2),
        (("--set", "fastapi.dir=../elsewhere"), "inside the project", 2),
        (("--set", "proxy=nginx"), "caddy or none", 2),
        (("--output", "../elsewhere"), "inside the project", 2),
        (("--output", "README.md"), "is a file", 1),
        (("--target", "node"), "has no Node app", 1),
        (("--restore", "nope.txt"), "nope.txt is not a generated file", 1),
    ],
)
def test_a_wrong_value_gets_one_sentence(
    options: tuple[str, ...], sentence: str, code: int, project: Project
) -> None:
    root = project("fastapi")
    before = files_below(root)
    result = run(root, *options)
    assert result.code == code
    assert sentence in result.stderr
    assert result.stderr.count("\n") == 1
    assert files_below(root) == before


@pytest.mark.parametrize(
    "arguments",
    [("build",), ("build", "--prod", "--nonsense"), ("build", "--prod", "--set", "novalue"),
     ("build", "--prod", "-C", "missing"), ("build", "--prod", "--target", "ruby"),
     ("build", "--prod", "--check", "--explain"), ("build", "--prod", "--force", "--adopt=keep"),
     ("build", "--prod", "--check", "--adopt"), ("build", "--prod", "--answers-file", "Dockerfile"),
     ("build", "--prod", "--answers-file", "../x.yml"), ("build", "--prod", "--set", "=x")],
)  # fmt: skip
def test_wrong_usage_exits_with_2(arguments: tuple[str, ...], project: Project) -> None:
    result = spinbox(*arguments, cwd=project("fastapi"))
    assert result.returncode == 2
    assert "Traceback" not in result.stderr


def test_no_project(tmp_path: Path) -> None:
    result = run(tmp_path)
    assert result.code == 1
    assert "not a Spinbox project" in result.stderr


def test_below_a_project_s_top_folder_that_one_is_named(project: Project) -> None:
    root = project("fastapi")
    result = run(root / "backend/app")
    assert result.code == 1
    assert f"the one above is {root.resolve()}:" in result.stderr


@pytest.mark.parametrize(
    ("name", "text"),
    [
        (".config/project.conf", 'PROJECT_NAME="open\nUSE_FASTAPI=true\n'),
        (".config/project.conf", "rm -rf /\n"),
        ("docker-compose.yml", "services: [\n"),
        ("backend/app/main.py", "def broken(:\n"),
        (".copier-answers.yml", "<<<<<<< ours\na: 1\n"),
        (".copier-answers.yml", "_src_path: gh:else/where\nname: x\n"),
    ],
)
def test_a_broken_file_gets_one_sentence_that_names_it(
    name: str, text: str, project: Project
) -> None:
    root = project("fastapi-postgresql--py312-pg16")
    (root / name).write_text(text)
    before = files_below(root)
    result = run(root)
    assert result.code == 1
    assert name in result.stderr
    assert "Traceback" not in result.stderr
    assert files_below(root) == before


def test_dry_run_writes_nothing(project: Project) -> None:
    root = project("fastapi")
    before = files_below(root)
    assert "Nothing was written" in build(root, "--dry-run")
    assert files_below(root) == before


def test_json_report(project: Project) -> None:
    root = project("profile-web-app")
    report = json.loads(build(root, "--format", "json"))
    assert report["version"] == 1
    assert report["services"] == ["postgres"]
    assert {app["name"] for app in report["apps"]} == {"app", "frontend"}
    assert {"path": "Dockerfile.prod", "action": "create", "reason": ""} in report["files"]


def test_output_folder_has_everything_and_the_way_back(project: Project) -> None:
    root = project("profile-web-app")
    before = files_below(root).keys()
    build(root, "--output", "ops/production")
    assert all(p.startswith("ops/production/") for p in files_below(root).keys() - before)
    compose = yaml.safe_load((root / "ops/production/docker-compose.prod.yml").read_text())
    context = root / "ops/production" / compose["services"]["app"]["build"]["context"]
    assert context.resolve() == root
    assert (context / compose["services"]["app"]["build"]["dockerfile"]).is_file()
    assert "Everything is up to date." in build(root, "--output", "ops/production")


def test_interactive_asks_for_the_choices(project: Project) -> None:
    root = project("fastapi")
    command = [*SPINBOX, "build", "--prod", "--interactive"]
    environment = os.environ | {"PYTHONPATH": str(REPOSITORY)}
    child = pexpect.spawn(
        command[0], command[1:], cwd=root, env=environment, timeout=300, encoding="utf-8"
    )
    child.expect("docker-compose")
    child.send("y")
    child.expect("in front of the apps")
    child.send("\x1b[B\r")
    child.expect("get their secrets")
    child.send("\r")
    child.expect("uploaded files")
    child.send("\r")
    child.expect("GPUs")
    child.send("n")
    child.expect("Where else should it run")
    child.send(" \r")
    child.expect("CI platforms")
    child.send(" \r")
    child.expect("apps' tests")
    child.send("y")
    child.expect("images pushed")
    child.send("\r")
    child.expect("over SSH")
    child.send("y")
    child.expect("staging")
    child.send("n")
    child.expect("arm64")
    child.send("n")
    child.expect("Of which branch")
    child.send("\r")
    child.expect(pexpect.EOF)
    child.close()
    assert child.exitstatus == 0
    assert answers(root)["proxy"] == "none"
    assert answers(root)["targets"] == ["docker-swarm"]
    assert answers(root)["ci"] == ["github"]
    assert "staging" not in (root / ".github/workflows/ci.yml").read_text()


def test_ctrl_c_during_questions_writes_nothing(project: Project) -> None:
    root = project("fastapi")
    before = files_below(root)
    command = [*SPINBOX, "build", "--prod", "--interactive"]
    environment = os.environ | {"PYTHONPATH": str(REPOSITORY)}
    child = pexpect.spawn(
        command[0], command[1:], cwd=root, env=environment, timeout=300, encoding="utf-8"
    )
    child.expect("docker-compose")
    child.sendintr()
    child.expect(pexpect.EOF)
    child.close()
    assert child.exitstatus == 130
    assert files_below(root) == before


def test_full_disk_changes_nothing(project: Project, tmp_path: Path) -> None:
    root = project("fastapi")
    before = files_below(root)
    limited = "ulimit -f 1; trap '' XFSZ; exec " + " ".join(SPINBOX) + " build --prod"
    result = subprocess.run(
        ["bash", "-c", limited],
        cwd=root,
        env=os.environ | {"PYTHONPATH": str(REPOSITORY), "PYTHONDONTWRITEBYTECODE": "1"},
        capture_output=True,
        text=True,
        check=False,
    )
    assert result.returncode == 1
    assert "Traceback" not in result.stderr
    assert files_below(root) == before


def test_a_link_never_leads_out_of_the_project(project: Project, tmp_path: Path) -> None:
    root = project("fastapi")
    outside = tmp_path / "outside"
    outside.mkdir()
    (root / "deploy").symlink_to(outside)
    result = run(root)
    assert result.code == 1
    assert "symbolic link" in result.stderr
    assert list(outside.iterdir()) == []


def test_a_deleted_file_can_be_brought_back(project: Project) -> None:
    root = project("fastapi")
    build(root)
    (root / "deploy/Caddyfile").unlink()
    build(root, "--restore", "deploy/Caddyfile")
    assert (root / "deploy/Caddyfile").is_file()


def test_force_keeps_every_original(project: Project) -> None:
    root = project("fastapi")
    for text in ("one", "two"):
        (root / "Dockerfile.prod").write_text(text)
        (root / ".copier-answers.yml").unlink(missing_ok=True)
        build(root, "--force")
    assert (root / "Dockerfile.prod.orig").read_text() == "one"
    assert (root / "Dockerfile.prod.orig.1").read_text() == "two"


def _journal(root: Path, document: object) -> None:
    """A journal as an interrupted run leaves it, in the folder that it names."""
    folder = root / ".spinbox-journal"
    folder.mkdir()
    (folder / "0").write_text("escaped")
    if isinstance(document, list):
        document = {"folder": folder.stat().st_ino, "files": document}
    text = document if isinstance(document, str) else json.dumps(document)
    (folder / "files.json").write_text(text)


@pytest.mark.parametrize(
    "document",
    [
        [{"path": "../escaped", "content": "0"}],
        [{"path": "/tmp/escaped", "content": "0"}],
        [{"path": ".git/hooks/pre-commit", "content": "0"}],
        [{"path": "backend/.GIT/config", "content": "0"}],
        [{"path": "x\0", "content": "0"}],
        [{"path": "x", "content": "../0"}],
        [{"path": "x", "original": "../0"}],
        [{"path": 1, "content": "0"}],
        [1],
        {"path": 1},
        {"folder": 1, "files": [{"path": "x", "content": "0"}]},
        "no JSON",
        "[" * 100_000,
    ],
    ids=lambda document: str(document)[:30],
)
def test_a_journal_from_elsewhere_is_refused(document: object, project: Project) -> None:
    root = project("fastapi")
    _journal(root, document)
    result = run(root)
    assert result.code == 1
    assert "remove it" in result.stderr
    assert not (root.parent / "escaped").exists()


def test_a_journal_that_came_with_a_clone_is_refused(project: Project, tmp_path: Path) -> None:
    root = project("fastapi")
    _journal(root, [{"path": "run-me", "content": "0"}])
    clone = tmp_path / "clone"
    shutil.copytree(root, clone)
    result = run(clone)
    assert result.code == 1
    assert "remove it" in result.stderr
    assert not (clone / "run-me").exists()


def test_a_dry_run_leaves_an_interrupted_run_alone(project: Project) -> None:
    root = project("fastapi")
    _journal(root, [{"path": "late", "content": "0"}])
    before = files_below(root)
    result = run(root, "--dry-run")
    assert result.code == 1
    assert "A run was interrupted" in result.stderr
    assert files_below(root) == before


@pytest.mark.parametrize("name", [".env.example", ".copier-answers.yml", "Dockerfile.prod"])
def test_a_pipe_in_place_of_a_file_does_not_hang(name: str, project: Project) -> None:
    root = project("fastapi")
    os.mkfifo(root / name)
    result = run(root)
    assert result.code == 1
    assert name in result.stderr


@pytest.mark.parametrize(
    ("key", "value"),
    [
        ("project", 3),
        ("project", {}),
        ("project", {"name": "x", "fastapi": 3}),
        ("project", {"name": "x", "postgres": {"extensions": 3}}),
        ("overrides", [1]),
        ("runtime", {"a": 1}),
        ("proxy", "nginx"),
        ("gpu", "maybe"),
        ("output", [1]),
        ("output", "/tmp/elsewhere"),
        ("output", "../elsewhere"),
        ("output", ".git"),
        (5, "x"),
        ("project", {"name": "x", 1: 2}),
        ("extra", date(2026, 1, 1)),
    ],
)
def test_broken_answers_get_one_sentence(key: object, value: object, project: Project) -> None:
    root = project("fastapi")
    build(root)
    stored = answers(root) | {key: value}
    (root / ".copier-answers.yml").write_text(yaml.safe_dump(stored))
    result = run(root)
    assert result.code == 1
    assert result.stderr.count("\n") == 1
    assert "should not happen" not in result.stderr


@pytest.mark.parametrize("name", ["x\nRUN evil", "it's", "a b$(id)"])
def test_a_folder_with_a_hostile_name_is_quoted_or_refused(name: str, project: Project) -> None:
    root = project("fastapi")
    (root / "backend").rename(root / name)
    result = run(root)
    assert "Traceback" not in result.stderr
    assert "should not happen" not in result.stderr
    if result.code == 0:
        assert "\nRUN evil" not in (root / "Dockerfile.prod").read_text()


@pytest.mark.parametrize("image", ["python:3.11 slim", "python:3.11$(id)", "python:3\\nRUN x"])
def test_a_hostile_image_is_refused(image: str, project: Project) -> None:
    root = project("fastapi")
    (root / ".config/versions.conf").write_text(f"PYTHON_IMAGE='{image}'\n")
    result = run(root)
    assert result.code == 1
    assert "fastapi.image" in result.stderr


def test_a_new_name_warns_about_the_volumes(project: Project) -> None:
    root = project("fastapi-postgresql--py312-pg16")
    build(root)
    assert "empty volumes" in build(root, "--set", "name=other")


def test_a_new_major_version_of_the_database_is_warned_about(project: Project) -> None:
    root = project("fastapi-postgresql--py312-pg16")
    build(root)
    versions = root / ".config/versions.conf"
    versions.write_text(versions.read_text().replace("postgres:16", "postgres:17"))
    assert "sh deploy/upgrade-postgres.sh" in build(root)


def test_source_that_git_hides_is_named(project: Project) -> None:
    root = project("nextjs")
    (root / "src/lib").mkdir(exist_ok=True)
    (root / "src/lib/api.ts").write_text("export {}\n")
    assert "git ignores src/lib/" in build(root)


def test_a_forgotten_output_makes_no_second_set_of_files(project: Project) -> None:
    root = project("fastapi")
    build(root, "--output", "ops")
    before = files_below(root)
    result = run(root)
    assert result.code == 1
    assert "are in ops/: add --output ops" in result.stderr
    assert files_below(root) == before
    build(root, "--output", ".")
    assert "Everything is up to date." in build(root)


@pytest.mark.parametrize(
    ("folder", "code"),
    [("backend", 1), ("backend/deploy", 1), (".git", 2), ("a b", 2), ("a$(id)", 2), ("..", 2)],
)
def test_output_where_it_cannot_be(folder: str, code: int, project: Project) -> None:
    root = project("fastapi")
    result = run(root, "--output", folder)
    assert result.code == code
    assert "--output" in result.stderr


def test_colour_only_on_a_terminal(project: Project) -> None:
    assert "\x1b[" not in build(project("fastapi"))


@pytest.mark.parametrize(("variables", "coloured"), [({}, True), ({"NO_COLOR": "1"}, False)])
def test_no_color(variables: dict[str, str], coloured: bool, project: Project) -> None:
    environment = os.environ | {"PYTHONPATH": str(REPOSITORY), "TERM": "xterm"} | variables
    command = " ".join([*SPINBOX, "build", "--prod"])
    output = str(pexpect.run(command, cwd=str(project("fastapi")), env=environment))
    assert ("\\x1b[" in output) == coloured


def test_what_force_keeps_is_no_source_of_the_app(project: Project) -> None:
    """In a root-level app, whose image holds what the top folder holds."""
    root = project("python")
    (root / "docker-compose.prod.yml").write_text("x: 1\n")
    build(root, "--force")
    assert "Everything is up to date." in build(root)


def test_an_output_folder_under_another_answers_file_is_no_source_either(project: Project) -> None:
    root = project("python")
    options = ("--output", "prod", "--answers-file", "answers.yml")
    build(root, *options)
    assert "Everything is up to date." in build(root, *options)


@pytest.mark.parametrize("edited", ["# Einstellungen", "# Mine.\n# Settings of x in production."])
def test_an_edited_example_is_still_no_list_of_the_apps_variables(
    edited: str, project: Project
) -> None:
    root = project("python-postgresql")
    build(root)
    example = root / ".env.example"
    example.write_text(edited + "\n" + example.read_text().partition("\n")[2])
    build(root)
    assert "POSTGRES_PASSWORD" not in answers(root)["project"]["python"]["variables"]  # type: ignore[index]


def test_an_example_of_ones_own_with_headings_is_read(project: Project) -> None:
    root = project("node")
    (root / ".env.example").write_text("# --- Payments ---\nSTRIPE_KEY=x\n")
    build(root)
    project_facts: Any = answers(root)["project"]
    assert project_facts["node"]["variables"] == ["STRIPE_KEY"]


def test_variables_stay_when_the_example_is_merged(project: Project) -> None:
    root = project("node")
    example = root / ".env.example"
    example.write_text("# Payments\nSTRIPE_KEY=x\n")
    assert run(root, "--set", "env_example=.env.example", "--adopt=merge").code == 1
    text = re.sub(r"^(<{7} .*|={7}|>{7} .*)\n", "", example.read_text(), flags=re.MULTILINE)
    example.write_text(text)
    assert run(root, "--check").code == 0
    assert "Everything is up to date." in build(root)


def test_a_yaml_file_with_some_keys_of_ours_hides_nothing(project: Project) -> None:
    root = project("fastapi")
    build(root)
    text = "name: client\nproject: web\noutput: gen/\noverrides: {}\n"
    (root / "backend/codegen.yml").write_text(text)
    assert run(root, "--check").code == 0


def test_a_file_is_brought_back_however_it_is_named(project: Project) -> None:
    root = project("fastapi")
    build(root, "--output", "ops")
    for name in ("ops/Dockerfile.prod", "./ops/Dockerfile.prod", "Dockerfile.prod"):
        (root / "ops/Dockerfile.prod").unlink()
        build(root, "--output", "ops", "--restore", name)
        assert (root / "ops/Dockerfile.prod").is_file()


def test_advice_names_the_same_place(project: Project) -> None:
    root = project("fastapi")
    build(root, "--output", "ops")
    versions = root / ".config/versions.conf"
    versions.write_text(versions.read_text().replace("python:3.11", "python:3.13"))
    result = run(root, "--output", "ops", "--check")
    assert f"`spinbox build --prod -C {root} --output ops`" in result.stderr
    assert "update  ops/Dockerfile.prod" in result.stdout


def test_a_setting_that_is_taken_back_at_once(project: Project) -> None:
    root = project("fastapi")
    build(root, "--set", "proxy=none", "--set", "proxy=")
    assert answers(root)["proxy"] == "caddy"


@pytest.mark.parametrize("setting", ["core.ignoreCase=true", "core.excludesFile=everything"])
def test_the_users_git_configuration_changes_nothing(
    setting: str, project: Project, tmp_path: Path
) -> None:
    root = project("fastapi")
    (root / ".gitignore").write_text("BACKEND/APP/MAIN.PY\n")
    (tmp_path / "everything").write_text("*\n")
    key, value = setting.split("=")
    section, name = key.split(".")
    config = tmp_path / ".gitconfig"
    config.write_text(f"[{section}]\n\t{name} = {value.replace('every', f'{tmp_path}/every')}\n")
    assert spinbox("build", "--prod", cwd=root, HOME=str(tmp_path)).returncode == 0


@pytest.mark.parametrize("unbuffered", [True, False])
@pytest.mark.parametrize(
    ("command", "code"),
    [
        ("build --prod --dry-run", 1),
        ("build --prod --format json", 1),
        ("build --prod --check", 1),
        ("build --prod --explain", 1),
        ("deploy", 1),
        ("--help", 1),
        ("", 1),
        ("--version", 1),
        ("build --no-such-option", 2),
    ],
)
def test_full_standard_output_is_said(
    command: str, code: int, unbuffered: bool, project: Project
) -> None:
    """Whatever is written, and whether Python keeps it back or not."""
    result = _shell(f"{command} > /dev/full", project("fastapi"), unbuffered)
    assert result.returncode == code
    assert len(re.findall("No space left", result.stderr)) == (code == 1)
    assert "should not happen" not in result.stderr
    assert "Exception" not in result.stderr


def test_where_nothing_can_be_said_the_exit_code_still_tells(project: Project) -> None:
    root = project("fastapi")
    for redirected in ("> /dev/full 2>&1", "2> /dev/full", ">&- 2>&-"):
        assert _shell(f"build --prod --no-such-option {redirected}", root).returncode == 2
        assert _shell(f"deploy --target fly -C {root}/none {redirected}", root).returncode == 2
    assert _shell("build --prod --dry-run > /dev/full 2>&1", root).returncode == 1
    assert _shell("build --prod --dry-run >&- 2>&-", root).returncode == 0


def _shell(command: str, root: Path, unbuffered: bool = False) -> subprocess.CompletedProcess[str]:
    more = {"PYTHONUNBUFFERED": "1"} if unbuffered else {}
    return subprocess.run(
        ["sh", "-c", f"{' '.join(SPINBOX)} {command}"],
        cwd=root,
        env=os.environ | {"PYTHONPATH": str(REPOSITORY)} | more,
        capture_output=True,
        text=True,
        check=False,
    )
