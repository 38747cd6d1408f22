"""Pipelines of every shape and option under the tools of their platforms: no finding."""

from __future__ import annotations

import json
import os
import re
import subprocess
from collections.abc import Iterator
from pathlib import Path
from typing import Any

import pytest
import yaml

from tests.e2e.pipelines import evaluate
from tests.lint.pipelines import FEW, MANAGERS, PAIRS, Trees, gitlab_files, workflows
from tests.lint.tools import CONFIGURATION, REPOSITORY, run_tool

GITHUB_ALONE = len(FEW["github"]) + len(FEW["github-targets"])
# What a scalar of YAML holds of template syntax; GitHub's own expressions are `${{ }}`.
LEFT_OVER = re.compile(r"(?<!\$)\{\{|\{%|\{#-|Undefined|\bNone\b")


def test_every_tree_has_its_pipelines(trees: Trees) -> None:
    assert len(trees) == len(PAIRS) + len(MANAGERS)
    assert len(gitlab_files(trees)) == len(trees) - GITHUB_ALONE
    rollbacks = [path for path in workflows(trees) if path.stem.endswith("-rollback")]
    assert len(workflows(trees)) == len(trees) + len(rollbacks)
    assert rollbacks


@pytest.mark.parametrize(
    ("manager", "command"),
    [
        ("uv", "uv sync --locked"),
        ("poetry", "uvx poetry sync"),
        ("pdm", "uvx pdm sync"),
        ("pip", "--requirement requirements-dev.txt"),
        ("npm", "npm ci"),
        ("pnpm", "pnpm install --frozen-lockfile"),
        ("yarn", "yarn install --frozen-lockfile"),
        ("bun", "bun install --frozen-lockfile"),
    ],
)
def test_what_is_locked_is_tested(manager: str, command: str, trees: Trees) -> None:
    for path in (".github/workflows/ci.yml", ".gitlab-ci.yml"):
        document = yaml.safe_load((trees[manager] / path).read_text())
        assert command in str(document.get("jobs", document)["test-app"])


def test_actionlint(trees: Trees) -> None:
    """With shellcheck over every `run:`."""
    shellcheck = REPOSITORY / ".venv-lint/bin/shellcheck"
    assert run_tool("actionlint", "-shellcheck", shellcheck, *workflows(trees)) == ""


@pytest.mark.parametrize("persona", ["regular", "pedantic"])
def test_zizmor(persona: str, trees: Trees) -> None:
    # What the pedantic persona finds all the same is judged in its configuration.
    config = (
        ("--no-config",) if persona == "regular" else ("--config", CONFIGURATION / "zizmor.yml")
    )
    # With findings it fails; what it says otherwise is which files it has read.
    run_tool(
        *("zizmor", "--offline", "--no-progress", "--persona", persona),
        *config,
        *workflows(trees),
        *(
            tree / ".github/dependabot.yml"
            for tree in trees.values()
            if (tree / ".github/dependabot.yml").exists()
        ),
    )


def test_yamllint(trees: Trees) -> None:
    files = [*workflows(trees), *gitlab_files(trees)]
    files += [path for tree in trees.values() for path in tree.glob(".github/*.yml")]
    assert run_tool("yamllint", "--strict", "-c", CONFIGURATION / "yamllint.yml", *files) == ""


@pytest.mark.parametrize(
    ("schema", "pattern"),
    [
        ("vendor.github-workflows", "**/*github/**/*.yml"),
        ("vendor.gitlab-ci", "**/*gitlab*.yml"),
        ("vendor.dependabot", ".github/dependabot.yml"),
        ("vendor.renovate", "renovate.json"),
    ],
)
def test_schemas(schema: str, pattern: str, trees: Trees) -> None:
    files = [path for tree in trees.values() for path in tree.glob(pattern)]
    files = [path for path in files if path.name != "dependabot.yml" or "dependabot" in schema]
    assert files
    run_tool("check-jsonschema", "--builtin-schema", schema, *files)


def _scalars(node: Any) -> Iterator[str]:
    if isinstance(node, dict):
        for key, value in node.items():
            yield from _scalars(key)
            yield from _scalars(value)
    elif isinstance(node, list):
        for value in node:
            yield from _scalars(value)
    elif isinstance(node, str):
        yield node


def test_nothing_of_the_template_is_left(trees: Trees) -> None:
    for path in [*workflows(trees), *gitlab_files(trees)]:
        for scalar in _scalars(yaml.safe_load(path.read_text())):
            assert not LEFT_OVER.search(scalar.replace("{{.", "")), (path, scalar)
        assert not re.search(r"\n\n\n| +$", path.read_text(), re.MULTILINE), path


def test_no_expression_in_a_script(trees: Trees) -> None:
    for path in workflows(trees):
        for job in yaml.safe_load(path.read_text())["jobs"].values():
            for step in job["steps"]:
                assert "${{" not in step.get("run", ""), path


def test_only_what_is_pushed_has_rights_beyond_reading(trees: Trees) -> None:
    """A pull request builds with the right to read the code; nothing logs in for it."""
    for path in workflows(trees):
        jobs = yaml.safe_load(path.read_text())["jobs"]
        for name, job in jobs.items():
            writes = {right for right, level in job["permissions"].items() if level == "write"}
            if name == "push":
                # What it pushes is signed with the whole.
                assert writes <= {"packages"}, path
                assert job["if"] == jobs["publish"]["if"], path
                continue
            if name != "publish":
                assert not writes, (path, name)
                continue
            assert {"id-token", "attestations"} <= writes
            assert "github.event_name != 'schedule'" in job["if"], path
            # A ref of a pull request is refs/pull/NUMBER/merge.
            assert job["if"].count("github.ref") == 2, path
        if "build" in jobs:
            assert jobs["build"]["permissions"] == {"contents": "read"}, path
            assert not [s for s in jobs["build"]["steps"] if "login" in str(s.get("uses"))], path


@pytest.mark.parametrize(
    ("event", "ref", "expected"),
    [
        ("pull_request", "refs/pull/1/merge", "build"),
        ("push", "refs/heads/main", "publish"),
        ("push", "refs/tags/v1.2.3", "publish"),
        ("schedule", "refs/heads/main", "build"),
        ("workflow_dispatch", "refs/heads/main", "publish"),
        ("workflow_dispatch", "refs/heads/topic", "build"),
    ],
)
def test_every_run_builds_each_image_once(
    event: str, ref: str, expected: str, trees: Trees
) -> None:
    context = {"github.event_name": event, "github.ref": ref}
    jobs = yaml.safe_load((trees["fastapi-plain"] / ".github/workflows/ci.yml").read_text())["jobs"]
    assert [n for n in ("build", "publish") if evaluate(jobs[n]["if"], context)] == [expected]


def test_the_drift_job_runs_no_commit_of_a_fork(trees: Trees, tmp_path: Path) -> None:
    """GitHub gives out a fork's commits by the address of its parent; a clone has none of them."""
    workflow = trees["fastapi-plain"] / ".github/workflows/ci.yml"
    steps = yaml.safe_load(workflow.read_text())["jobs"]["files"]["steps"]
    (script,) = [s["run"] for s in steps if "spinbox-deploy build" in s.get("run", "")]
    official, fork = tmp_path / "official", tmp_path / "fork"
    for repository in (official, fork):
        repository.mkdir()
        git(repository, "init", "--quiet")
        git(repository, "commit", "--quiet", "--allow-empty", "--message", repository.name)
    own = git(official, "rev-parse", "HEAD")
    # As GitHub keeps it: there, and under no branch or tag.
    git(official, "fetch", "--quiet", str(fork), "HEAD:refs/pull/1/head")
    foreign = git(official, "rev-parse", "refs/pull/1/head")
    for commit, ran in ((own, [own]), (f"v0.2.0-1-g{own}", [own]), (foreign, []), ("-x", [])):
        assert _drift(script, commit, official, tmp_path) == ran


def _drift(script: str, commit: str, official: Path, folder: Path) -> list[str]:
    """Commits of the template that the job runs, with an `uvx` that notes what it is given."""
    tools, noted, project = (folder / name for name in ("tools", "noted", "project"))
    tools.mkdir(exist_ok=True)
    (tools / "uvx").write_text('#!/bin/sh\ngit -C "$2" rev-parse HEAD >>"$NOTED"\n')
    (tools / "uvx").chmod(0o755)
    noted.write_text("")
    project.mkdir(exist_ok=True)
    (project / ".copier-answers.yml").write_text(f"_commit: {commit}\n")
    subprocess.run(
        ["bash", "--noprofile", "--norc", "-eo", "pipefail", "-c", script],
        cwd=project,
        env=os.environ
        | {"PATH": f"{tools}:{os.environ['PATH']}", "NOTED": str(noted)}
        | {
            "GIT_CONFIG_COUNT": "1",
            "GIT_CONFIG_KEY_0": f"url.file://{official}.insteadOf",
            "GIT_CONFIG_VALUE_0": "https://github.com/Gonzillaaa/spinbox-deploy",
        },
        capture_output=True,
        check=False,
    )
    return noted.read_text().split()


def git(folder: Path, *arguments: str) -> str:
    author = ("-c", "user.name=T", "-c", "user.email=t@example.com")
    result = subprocess.run(
        ["git", *author, *arguments], cwd=folder, check=True, capture_output=True, text=True
    )
    return result.stdout.strip()


def test_one_bot_keeps_a_project_fresh(trees: Trees) -> None:
    """Dependabot knows GitHub alone; where both platforms are chosen, it is Renovate."""
    both = trees["fastapi-plain"]
    assert (both / "renovate.json").exists()
    assert not (both / ".github/dependabot.yml").exists()
    managers = json.loads((both / "renovate.json").read_text())["enabledManagers"]
    assert {"github-actions", "gitlabci"} <= {*managers}


def test_the_images_of_every_target_have_a_bot(trees: Trees) -> None:
    """Dependabot reads manifests by folder; Renovate, manifests and stack.yml by pattern."""
    of_dependabot = yaml.safe_load(
        (trees["profile-web-app-github-targets"] / ".github/dependabot.yml").read_text()
    )
    folders = {entry["directory"] for entry in of_dependabot["updates"]}
    assert folders == {"/", "/deploy/ci", "/deploy/kubernetes/base"}
    tree = trees["profile-web-app-targets"]
    settings = json.loads((tree / "renovate.json").read_text())
    assert {"kubernetes", "docker-compose"} <= {*settings["enabledManagers"]}
    files = {str(path.relative_to(tree)) for path in tree.glob("deploy/**/*") if path.is_file()}
    found = set()
    for manager in ("kubernetes", "docker-compose"):
        for pattern in settings[manager]["managerFilePatterns"]:
            found |= {file for file in files if re.search(pattern.strip("/"), file)}
    with_images = {
        file
        for file in files
        if file.startswith(("deploy/kubernetes/", "deploy/swarm/"))
        and file.endswith((".yaml", ".yml"))
        and re.search(r"^ +(- )?image: ", (tree / file).read_text(), re.MULTILINE)
    }
    assert with_images
    assert with_images <= found
    plain = json.loads((trees["profile-web-app-plain"] / "renovate.json").read_text())
    assert not {"kubernetes", "docker-compose"} & plain.keys()


def test_actions_are_pinned_by_commit(trees: Trees) -> None:
    for path in workflows(trees):
        for line in re.findall(r"uses: (.*)", path.read_text()):
            assert re.fullmatch(r"[\w-]+/[\w-]+@[0-9a-f]{40} # v\d+\.\d+\.\d+", line), line


def test_shellcheck_of_gitlab_s_scripts(trees: Trees, tmp_path: Path) -> None:
    """A job's lines run in one shell, the image's own: POSIX has to do."""
    scripts = set()
    for path in gitlab_files(trees):
        for job in yaml.safe_load(path.read_text()).values():
            if "script" in job:
                scripts.add("\n".join(job["script"]))
    files = []
    for number, script in enumerate(sorted(scripts)):
        file = tmp_path / f"{number}.sh"
        # OPTIONS and VERSION may be several words, or none; the other names are the platform's.
        disabled = "# shellcheck disable=SC1091,SC2046,SC2086,SC2154\n"
        file.write_text(f"#!/bin/sh\n{disabled}set -e\n{script}\n")
        files.append(file)
    assert files
    assert run_tool("shellcheck", *files) == ""


def test_production_waits_for_a_person(trees: Trees) -> None:
    """A reviewer approves on GitHub, or whoever starts the run by hand; on GitLab, the latter."""
    github = [yaml.safe_load(path.read_text())["jobs"] for path in workflows(trees)]
    production = [jobs["production"] for jobs in github if "production" in jobs]
    by_hand = "github.event_name == 'workflow_dispatch'"
    for job in production:
        assert "approval" in job["needs"]
        assert job.get("if") == f"needs.approval.outputs.reviewers == 'true' || {by_hand}"
    gitlab = [yaml.safe_load(path.read_text()) for path in gitlab_files(trees)]
    started = [
        job for jobs in gitlab for name, job in jobs.items() if name.endswith("deploy-production")
    ]
    assert {rule["when"] for job in started for rule in job["rules"]} == {"manual"}
    assert len(production) - len(FEW["github"]) == len(started) > 0


def test_a_vulnerability_or_a_secret_ends_the_build(trees: Trees) -> None:
    """What a scan finds fails its job, before anything is pushed."""
    found = 0
    for path in [*workflows(trees), *gitlab_files(trees)]:
        document = yaml.safe_load(path.read_text())
        for job in document.get("jobs", document).values():
            scripts = [*job.get("script", ()), *(s.get("run", "") for s in job.get("steps", ()))]
            scans = [i for i, s in enumerate(scripts) if "--scanners vuln" in s]
            pushes = [i for i, s in enumerate(scripts) if re.search(r"^ *docker .*--push", s, re.M)]
            # Whatever pushes has scanned before; GitHub's job for pull requests scans alone.
            assert len(pushes) <= len(scans) <= 1, path
            found += len(scans)
            for scan in scans:
                assert all(scan < push for push in pushes), path
                assert re.search(r"--exit-code 1 --no-progress \"\$@\"$", scripts[scan], re.M), path
                scanned = re.findall(r"^ *scan --scanners (\w+)", scripts[scan], re.M)
                assert scanned == ["vuln", "secret"], path
                assert not job.get("allow_failure"), path
    assert found == 2 * (len(trees) + len(gitlab_files(trees)))


def test_gitlab_logs_in_to_no_registry_for_merge_requests(trees: Trees) -> None:
    """Where it builds what anybody proposed, nothing is to be had that can push."""
    for path in gitlab_files(trees):
        document = yaml.safe_load(path.read_text())
        for name, job in document.items():
            if any("docker login" in line for line in job.get("script", ())):
                assert job["rules"], (path, name)
                assert "merge_request" not in str(job["rules"]), (path, name)
        (build,) = [job for name, job in document.items() if name.endswith("build-images")]
        assert [rule["if"] for rule in build["rules"]] == [
            '$CI_PIPELINE_SOURCE == "merge_request_event"'
        ]


def test_images_of_both_architectures_are_built_on_runners_of_their_own(trees: Trees) -> None:
    for name in (name for name in trees if name.endswith(("-both", "-both-apart"))):
        (workflow,) = [p for p in workflows({name: trees[name]}) if "rollback" not in p.stem]
        jobs = yaml.safe_load(workflow.read_text())["jobs"]
        for job in ("build", "push"):
            rows = jobs[job]["strategy"]["matrix"]["include"]
            assert jobs[job]["runs-on"] == "${{ matrix.runner }}"
            assert {(row["architecture"], row["runner"]) for row in rows} == {
                ("amd64", "ubuntu-24.04"),
                ("arm64", "ubuntu-24.04-arm"),
            }
        (file,) = gitlab_files({name: trees[name]})
        document = yaml.safe_load(file.read_text())
        (images,) = [
            job for key, job in document.items() if key.endswith("-images") and key[0] == "."
        ]
        assert images["tags"] == ["$RUNNER"]
        assert {(row["ARCHITECTURE"], row["RUNNER"]) for row in images["parallel"]["matrix"]} == {
            ("amd64", "saas-linux-small-amd64"),
            ("arm64", "saas-linux-small-arm64"),
        }


def test_gitlab_jobs_need_jobs_of_their_stage_or_before(trees: Trees) -> None:
    """GitLab takes no other (docs.gitlab.com, "needs"); these are its stages without `stages`."""
    stages = ("build", "test", "deploy")
    for path in gitlab_files(trees):
        document = yaml.safe_load(path.read_text())

        def stage(name: str, document: dict[str, Any] = document) -> int:
            job = document[name]
            return stages.index(job["stage"]) if "stage" in job else stage(job["extends"], document)

        for name, job in document.items():
            assert job.get("extends", name) in document, (path, name)
            for needed in job.get("needs", ()):
                assert stage(needed) <= stage(name), (path, name, needed)


def test_gitlab_jobs_of_an_included_pipeline_have_the_stack_s_name(trees: Trees) -> None:
    for name, tree in trees.items():
        if name.endswith("-apart"):
            document = yaml.safe_load((tree / "ops/production/deploy/ci/gitlab.yml").read_text())
            base = next(key for key in document if key.startswith("."))[1:]
            assert {key.lstrip(".").startswith(base) for key in document} == {True}
