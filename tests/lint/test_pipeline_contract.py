"""Every job of every shape's pipelines: its programs are there, its lines are run or named."""

from __future__ import annotations

import re
from collections.abc import Iterator, Mapping
from dataclasses import dataclass
from pathlib import Path
from typing import Any

import pytest
import yaml

from tests.lint.pipelines import Trees, gitlab_files, workflows
from tests.lint.shell_commands import commands
from tests.projects.compose import compose
from tests.runs import build

BUILTINS = """. : [ break cd command continue echo env exit export mapfile printf read set shift
test trap true unset wait"""
UTILITIES = (
    "cat cp cut diff grep head mkdir mktemp mv rm sed seq sh sha256sum sleep sort tail tar tr"
)
COMMON = {*BUILTINS.split(), *UTILITIES.split()}
# What is in the images, as their Dockerfiles have it; of large ones only what scripts call.
DEBIAN = COMMON | {"apt-get", "bash", "install"}
ALPINE = (COMMON | {"apk"}) - {"mapfile"}
PYTHON = {"python", "pip"}
NODE = {"node", "npm", "npx", "yarn"}
IMAGES: tuple[tuple[str, frozenset[str]], ...] = (
    (r"python:[\w.-]*alpine", frozenset(ALPINE | PYTHON)),
    (r"python:", frozenset(DEBIAN | PYTHON)),
    (r"node:[\w.-]*alpine", frozenset(ALPINE | NODE)),
    (r"node:", frozenset(DEBIAN | NODE)),
    (r"docker:[\w.-]*cli", frozenset(ALPINE | {"docker", "git", "ssh"})),
)
# actions/runner-images, "Ubuntu 24.04"; psql is of its PostgreSQL.
RUNNER = frozenset(DEBIAN | NODE | {"docker", "gh", "git", "psql", "ssh", "sudo"})
SET_UP = {"astral-sh/setup-uv": {"uv", "uvx", "python"}, "actions/setup-node": NODE}
# What the project's own requirements install for its tests and migrations.
OF_THE_PROJECT = {"alembic", "python"}
INSTALLED = {
    r"pip install .*\buv==": {"uv", "uvx"},
    r"(apt-get install|apk add) .*\bgit\b": {"git"},
    r"(apt-get install|apk add) .*\bpostgresql-client\b": {"psql"},
    r"npm install --global (--force )?'?pnpm@": {"pnpm"},
    r"npm install --global (--force )?'?yarn@": {"yarn"},
    r"npm install --global (--force )?'?@yarnpkg/cli-dist@": {"yarn"},
    r"npm install --global (--force )?'?bun@": {"bun"},
    r"\. \.venv/bin/activate": OF_THE_PROJECT,
}
# What no test of `tests/e2e/test_pipelines.py` runs, and what shows it meanwhile.
NOT_RUN = {
    "actions/attest": "GitHub's own, for public repositories; nothing after it depends on it",
    "actions/checkout": "the runner's own work: each run has a fresh clone",
    "actions/download-artifact": "the files stay on the one machine that runs all jobs",
    "actions/setup-node": "Node is on the machine; a package manager installs as in the images",
    "actions/upload-artifact": "the files stay on the one machine that runs all jobs",
    "docker/setup-buildx-action": "the engine's own builder, which can attest as well",
}
RUN_ACTIONS = {"astral-sh/setup-uv", "docker/login-action"}
LINES_NOT_RUN = {
    r"for file in .*deploy/ci/github/\*\.yml; do|diff \"\$file\" .*": "copied workflows: a diff",
    r"(sudo )?apt-get (update|install) .*|if command -v apk .*": "packages of Debian and Alpine",
    r"pip install .* uv==.*": "run on GitLab with the version of the tests",
    r"npm install --global .*": "a package manager; as in images (e2e/test_package_managers.py)",
    r"(npm|pnpm|yarn|bun) .*|node .*": "Node's package managers; as in images, the same file",
    r"uv (sync|pip install|venv).*|uvx .*(poetry|pdm) .*": "as in images, the same file",
    r"sh .*entrypoint\.sh .*": "the project's own tests and migrations, by the same entrypoint",
    r"PGPASSWORD=.*|--quiet --file .*postgres-init\.sql|psql \"\$DATABASE_URL\" .*|done'": (
        "the database's setup: run where the shape has one"
    ),
    r"sh .*remote\.sh deploy --env staging .*|sh .*remote\.sh rollback .*|options=\(\)"
    r"|\[ \"\$ENVIRONMENT\" = production \] .*": "remote.sh, by unit/test_operations.py",
    r"\[ -n \"\$(NEXT_PUBLIC|VITE).*|echo .*(NEXT_PUBLIC|VITE)_API_URL.*|exit 1|\}": (
        "what is said where a setting is missing"
    ),
    r"for name in \$\(env .*VITE_.*": "settings of a static site; run for those of Next.js",
    r"(unset|export) [\w ]+(=.*)?": "settings of the tests, by service",
    r"cd .*": "folders",
    r"for file in DOCKERFILE( DOCKERFILE)*; do|docker run .* hadolint - <\"\$file\"": (
        "several Dockerfiles: for one it is run"
    ),
    r"--secret .*": "logins of private registries, by e2e/test_registries.py",
    r"echo \"IMAGE=ghcr\.io/.*|echo \"\$CI_REGISTRY_PASSWORD\" .*": "the platform's own registry",
}


@dataclass(frozen=True)
class Job:
    """A job of either platform: what there is before its scripts, and these in their order."""

    where: str
    programs: frozenset[str]
    scripts: tuple[str, ...]
    actions: tuple[str, ...] = ()


def _jobs_of_github(path: Path) -> Iterator[Job]:
    for name, job in yaml.safe_load(path.read_text())["jobs"].items():
        actions = [s["uses"].partition("@")[0] for s in job["steps"] if "uses" in s]
        there = RUNNER.union(*(SET_UP.get(action, set()) for action in actions))
        scripts = tuple(s["run"] for s in job["steps"] if "run" in s)
        yield Job(f"{path}: {name}", there, scripts, tuple(actions))


def _jobs_of_gitlab(path: Path) -> Iterator[Job]:
    document = yaml.safe_load(path.read_text())
    for name in document:
        job = _extended(document, name)
        if not name.startswith(".") and "script" in job:
            there = next(known for form, known in IMAGES if re.match(form, job["image"]))
            yield Job(f"{path}: {name}", there, tuple(job["script"]))


def _extended(document: Mapping[str, Any], name: str) -> dict[str, Any]:
    job = document[name]
    return {**_extended(document, job["extends"]), **job} if "extends" in job else dict(job)


def _all(trees: Trees) -> list[Job]:
    github = [job for path in workflows(trees) for job in _jobs_of_github(path)]
    return github + [job for path in gitlab_files(trees) for job in _jobs_of_gitlab(path)]


def _called(script: str) -> set[str]:
    """The programs of a script, and those that its commands start in their turn."""
    read = commands(script)
    found = set(read.programs)
    for words in read.found:
        rest = words[1:]
        if words[0] == "sudo":
            found |= {rest[0]}
        if words[0] == "sh" and rest and rest[0].endswith("entrypoint.sh"):
            found |= {rest[1]}
            rest = rest[2:]
        if rest and rest[0] == "-ec":
            found |= _called(rest[1])
    return found


def _missing(jobs: list[Job]) -> set[tuple[str, str]]:
    """Programs that a job calls before anything has brought them, with the job."""
    missing = set()
    for job in jobs:
        there = set(job.programs)
        for script in job.scripts:
            for form, programs in INSTALLED.items():
                if re.search(form, script):
                    there |= programs
            missing |= {(job.where, name) for name in _called(script) - there}
    return missing


def test_every_program_is_there_before_it_is_called(trees: Trees) -> None:
    jobs = _all(trees)
    assert len(jobs) > 1000
    assert _missing(jobs) == set()


def test_a_program_that_comes_too_late_is_told() -> None:
    debian = frozenset(DEBIAN)
    late = Job("late", debian, ("git log", "apt-get install --yes git", "git log"))
    assert _missing([late]) == {("late", "git")}
    assert _missing([Job("there", debian, late.scripts[1:])]) == set()


def test_what_a_script_calls() -> None:
    script = 'set -e\nif ! A=1 git x | sort; then\n  echo "$(whoami; ls)"\nfi\nf() { jq; }\nf'
    assert _called(script) == {"set", "git", "sort", "echo", "whoami", "ls", "jq"}
    script = "case $a in x | y) one ;; *) two ;; esac\nfor i in a b; do three >out 2>&1; done"
    assert _called(script) == {"one", "two", "three"}
    assert _called("sh ../deploy/entrypoint.sh sh -ec 'psql x'") == {"sh", "psql"}


@pytest.fixture(scope="module")
def run_lines(tmp_path_factory: pytest.TempPathFactory) -> set[str]:
    """The lines of the jobs that the tests of pipelines run on an engine."""
    found = set()
    for platform, shape, options in (
        ("github", "e2e-fastapi-postgresql-redis", ()),
        ("gitlab", "e2e-web-app", ()),
        ("github", "e2e-fastapi", ("--set", "ci_multiarch=true")),
        ("gitlab", "e2e-fastapi", ("--set", "ci_multiarch=true")),
    ):
        folder = compose(shape, tmp_path_factory.mktemp(platform) / "p")
        build(
            folder,
            *("generate", "--ci", platform, "--deploy", "--registry", "registry.example.com"),
            *("--set", "name=x", "--set", "ci_staging=false", *options),
        )
        for path in folder.glob(".github/workflows/*.yml"):
            found |= {line for job in _jobs_of_github(path) for line in _lines(job)}
        if platform == "gitlab":
            jobs = _jobs_of_gitlab(folder / ".gitlab-ci.yml")
            run = ("test-app", "generated-files", "-images", "deploy-production")
            found |= {line for job in jobs if job.where.endswith(run) for line in _lines(job)}
    return found


def _lines(job: Job) -> Iterator[str]:
    """The lines of its scripts, without what a project's paths and names change in them."""
    for script in job.scripts:
        for line in script.splitlines():
            plain = line.strip().removesuffix(" \\")
            plain = re.sub(r"(?:\.\./)*(?:ops/production/)?(?=deploy/|\.copier)", "", plain)
            plain = re.sub(r" --output \S+", "", plain)
            plain = re.sub(r"Dockerfile[\w.]*prod|deploy/\w+/\w+\.Dockerfile", "DOCKERFILE", plain)
            plain = re.sub(r"(ops/production/)?DOCKERFILE( DOCKERFILE)*", "DOCKERFILE", plain)
            plain = re.sub(r"--password-stdin \S+", "--password-stdin HOST", plain)
            if plain and not plain.startswith("#"):
                yield plain


def test_every_line_is_run_or_named_as_not(trees: Trees, run_lines: set[str]) -> None:
    named = re.compile("|".join(f"(?:{form})" for form in LINES_NOT_RUN))
    lines = {line for job in _all(trees) for line in _lines(job)}
    assert run_lines & lines
    assert {line for line in lines - run_lines if not named.fullmatch(line)} == set()


def test_every_action_is_done_or_named_as_not(trees: Trees) -> None:
    used = {action for job in _all(trees) for action in job.actions}
    assert used == NOT_RUN.keys() | RUN_ACTIONS


def test_nothing_is_named_that_no_pipeline_has(trees: Trees) -> None:
    lines = {line for job in _all(trees) for line in _lines(job)}
    unused = [form for form in LINES_NOT_RUN if not any(re.fullmatch(form, x) for x in lines)]
    assert unused == []
