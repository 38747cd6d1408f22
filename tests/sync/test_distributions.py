"""Wheels and source distributions: they carry the template with its history, and work alone."""

from __future__ import annotations

import json
import os
import re
import shutil
import subprocess
import sys
import zipfile
from collections.abc import Mapping
from functools import partial
from pathlib import Path

import jsonschema
import pytest
import yaml

from spinbox_wrapper.template import PUBLIC_URL, Template
from tests.conftest import Project, files_below
from tests.downloads import patient
from tests.releases import PRESENT, RELEASES, commit, copy_working_tree, git
from tests.runs import build, edit, run, switch

pytestmark = pytest.mark.integration

Releases = Mapping[str, Template]
BUILD = [sys.executable, "-m", "build"]


def _build(source: Path, folder: Path, *options: str) -> list[Path]:
    """Build as a release is built: the wheel comes from the source distribution."""
    command = [*BUILD, "--outdir", str(folder), *options, str(source)]
    result = patient(partial(subprocess.run, command, capture_output=True, text=True))
    assert result.returncode == 0, result.stdout + result.stderr
    return sorted(folder.iterdir())


def _build_fails(source: Path) -> str:
    command = [*BUILD, "--wheel", str(source)]
    result = patient(partial(subprocess.run, command, capture_output=True, text=True))
    assert result.returncode != 0
    return result.stdout + result.stderr


def _install(distribution: Path, folder: Path) -> Path:
    install = [sys.executable, "-m", "pip", "install", "--quiet", "--no-deps"]
    subprocess.run([*install, "--target", str(folder), str(distribution)], check=True)
    return folder


def _spinbox(installed: Path, root: Path, *arguments: str) -> subprocess.CompletedProcess[str]:
    return _run(installed, root, "build", "--prod", *arguments)


def _run(installed: Path, root: Path, *arguments: str) -> subprocess.CompletedProcess[str]:
    return subprocess.run(
        [sys.executable, "-m", "spinbox_wrapper", *arguments],
        cwd=root,
        env=os.environ | {"PYTHONPATH": str(installed)},
        capture_output=True,
        text=True,
        check=False,
    )


def _stored(root: Path) -> dict[str, str]:
    answers: dict[str, str] = yaml.safe_load((root / ".copier-answers.yml").read_text())
    return answers


def _without_generated(root: Path, copy: Path) -> Path:
    """The project as it was before anything was generated."""
    shutil.copytree(root, copy)
    for path in files_below(copy):
        if path.startswith(("deploy/", ".env.", ".copier")) or ".prod" in path:
            (copy / path).unlink()
    return copy


def build_distributions(repository: Path, folder: Path) -> dict[str, Path]:
    """A wheel and a source distribution, by kind."""
    wheel, sdist = _build(repository, folder)
    return {"wheel": wheel, "sdist": sdist}


@pytest.fixture(scope="module")
def distributions(repository: Path) -> dict[str, Path]:
    return build_distributions(repository, repository.parent / "dist")


@pytest.fixture(scope="module")
def installed(distributions: Mapping[str, Path]) -> dict[str, Path]:
    """Each distribution installed into a folder of its own."""
    folder = distributions["wheel"].parent.parent
    return {kind: _install(path, folder / kind) for kind, path in distributions.items()}


@pytest.mark.parametrize("kind", ["wheel", "sdist"])
def test_it_generates_what_the_checkout_does(
    kind: str, installed: Mapping[str, Path], project: Project, present: Template, tmp_path: Path
) -> None:
    root = project("profile-web-app")
    result = _spinbox(installed[kind], root)
    assert result.returncode == 0, result.stderr
    assert _stored(root)["_commit"] == PRESENT
    assert _stored(root)["_src_path"] == PUBLIC_URL
    other = _without_generated(root, tmp_path / "other")
    build(other, template=present)
    assert files_below(root) == files_below(other)


@pytest.mark.parametrize("kind", ["wheel", "sdist"])
def test_it_checks_with_the_table_it_carries(
    kind: str, installed: Mapping[str, Path], project: Project
) -> None:
    root = project("profile-web-app")
    assert _spinbox(installed[kind], root).returncode == 0
    arguments = ("deploy", "--check", "--format", "json")
    result = _run(installed[kind], root, *arguments)
    ids = {check["id"] for check in json.loads(result.stdout)["checks"]}
    assert {"lifecycle.python", "lifecycle.nextjs"} <= ids
    schema = json.loads((installed[kind] / "spinbox_wrapper/check.schema.json").read_text())
    jsonschema.validate(json.loads(result.stdout), schema)


@pytest.mark.parametrize("kind", ["wheel", "sdist"])
@pytest.mark.parametrize("tag", RELEASES)
def test_it_updates_from_every_release(
    tag: str,
    kind: str,
    installed: Mapping[str, Path],
    project: Project,
    releases: Releases,
    tmp_path: Path,
) -> None:
    root = project("fastapi")
    build(root, template=releases[tag])
    edit(root / "docker-compose.prod.yml", "HTTP_PORT:-80", "HTTP_PORT:-8080")
    switch(root, "USE_REDIS", True)
    result = _spinbox(installed[kind], root)
    assert result.returncode == 0, result.stderr
    fresh = _without_generated(root, tmp_path / "fresh")
    build(fresh, template=releases[PRESENT])
    edit(fresh / "docker-compose.prod.yml", "HTTP_PORT:-80", "HTTP_PORT:-8080")
    assert files_below(root) == files_below(fresh)


@pytest.mark.parametrize("options", [(), ("--check",)])
def test_an_older_wheel_asks_to_be_upgraded(
    options: tuple[str, ...], repository: Path, project: Project, present: Template, tmp_path: Path
) -> None:
    git(tmp_path, "clone", "--quiet", "--branch", "v0.0.3", repository, "old")
    wheel = _build(tmp_path / "old", tmp_path / "dist", "--wheel")[0]
    older = _install(wheel, tmp_path / "older")
    root = project("fastapi")
    build(root, template=present)
    before = files_below(root)
    result = _spinbox(older, root, *options)
    assert result.returncode == 1
    assert result.stderr.count("\n") == 1
    assert all(word in result.stderr for word in (PRESENT, "v0.0.3", "upgrade"))
    assert files_below(root) == before


def test_an_older_checkout_asks_to_be_upgraded(project: Project, releases: Releases) -> None:
    """Its repository may hold newer versions; they are not its own history."""
    root = project("fastapi")
    build(root, template=releases[PRESENT])
    result = run(root, template=releases["v0.0.3"])
    assert result.code == 1
    assert "upgrade" in result.stderr


@pytest.mark.parametrize(
    "version", ["v9.9.9", "--output=/tmp/x", "v0.0.1:template", "main;id", "", "../..", "a b"]
)
def test_a_version_that_is_none(version: str, project: Project, present: Template) -> None:
    root = project("fastapi")
    build(root, template=present)
    answers = root / ".copier-answers.yml"
    answers.write_text(re.sub("_commit: .*", f"_commit: '{version}'", answers.read_text()))
    before = files_below(root)
    result = run(root, template=present)
    assert result.code == 1
    assert result.stderr.count("\n") == 1
    assert files_below(root) == before


@pytest.mark.parametrize(
    ("source", "kept"),
    [
        ("/somewhere/else", False),
        ("git@github.com:Gonzillaaa/spinbox-deploy.git", False),
        ("https://example.com/fork.git", True),
        ("gh:a/b", True),
    ],
)
def test_a_project_made_from_a_clone_or_a_fork(
    source: str, kept: bool, project: Project, oldest: Template, present: Template
) -> None:
    root = project("fastapi")
    build(root, template=oldest)
    answers = root / ".copier-answers.yml"
    answers.write_text(re.sub("_src_path: .*", f"_src_path: {source}", answers.read_text()))
    said = build(root, template=present)
    assert _stored(root)["_src_path"] == (source if kept else PUBLIC_URL)
    assert (f"names {source}, where `copier update` goes on" in said) == kept
    assert "Everything is up to date." in build(root, template=present)


def test_the_same_history_gives_the_same_wheel(
    repository: Path, distributions: Mapping[str, Path], tmp_path: Path
) -> None:
    git(tmp_path, "clone", "--quiet", repository, "again")
    again = _build(tmp_path / "again", tmp_path / "dist")
    assert again[0].read_bytes() == distributions["wheel"].read_bytes()


def test_a_shallow_clone_fetches_its_history(repository: Path, tmp_path: Path) -> None:
    """As pre-commit's is; without a way to fetch it, there is no wheel."""
    url = f"file://{repository}"
    git(tmp_path, "clone", "--quiet", "--depth=1", "--no-tags", url, "shallow")
    wheel = _build(tmp_path / "shallow", tmp_path / "dist", "--wheel")[0]
    version = zipfile.ZipFile(wheel).read("spinbox_wrapper/_template/version.txt")
    assert version.decode().strip() == PRESENT

    git(tmp_path, "clone", "--quiet", "--depth=1", url, "cut-off")
    git(tmp_path / "cut-off", "remote", "set-url", "origin", str(tmp_path / "none"))
    assert "This clone has no history" in _build_fails(tmp_path / "cut-off")


@pytest.mark.parametrize(("tag", "message"), [("v7.0.0", "The tag is v7.0.0"), ("", "git clone")])
def test_what_cannot_become_a_wheel(tag: str, message: str, tmp_path: Path) -> None:
    """A tag that contradicts the package, and a folder without history."""
    source = tmp_path / "source"
    source.mkdir()
    copy_working_tree(source)
    if tag:
        commit(source, "release", tag)
    assert message in _build_fails(source)


def test_pre_commit_runs_the_check(repository: Path, project: Project, tmp_path: Path) -> None:
    """The hook as a project names it, installed by pre-commit itself from this repository."""
    root = project("fastapi")
    hook = {
        "repo": f"file://{repository}",
        "rev": PRESENT,
        "hooks": [{"id": "spinbox-build-check"}],
    }
    (root / ".pre-commit-config.yaml").write_text(yaml.safe_dump({"repos": [hook]}))

    def check() -> subprocess.CompletedProcess[str]:
        commit(root, "project")
        return subprocess.run(
            [sys.executable, "-m", "pre_commit", "run", "--all-files"],
            cwd=root,
            env=os.environ | {"PRE_COMMIT_HOME": str(tmp_path / "pre-commit")},
            capture_output=True,
            text=True,
            check=False,
        )

    result = check()
    assert "out of date" in result.stdout, result.stdout + result.stderr
    spinbox = next((tmp_path / "pre-commit").glob("repo*/py_env-*/bin/spinbox-deploy"))
    subprocess.run([spinbox, "build", "--prod"], cwd=root, check=True, capture_output=True)
    assert check().returncode == 0
    switch(root, "USE_REDIS", True)
    assert "redis is new" in check().stdout
