"""What `deploy --target kubernetes --check` says of a project, before and after it is mended."""

from __future__ import annotations

import shutil
import subprocess
from dataclasses import replace
from pathlib import Path

import pytest

from spinbox_wrapper.checks import Check, Status
from spinbox_wrapper.checks.targets import kubernetes
from tests.checks.support import by_id, commit, context, git
from tests.projects.compose import compose
from tests.runs import build

DIGEST = f"sha256:{'0' * 64}"
FOLDER = "deploy/kubernetes"
OVERLAY = f"{FOLDER}/overlays/production"


@pytest.fixture(scope="module")
def made(tmp_path_factory: pytest.TempPathFactory) -> Path:
    root = compose(
        "fastapi-postgresql-redis--with-deps", tmp_path_factory.mktemp("k8s") / "project"
    )
    build(root, "deploy", "--target", "kubernetes", "--generate")
    git(root, "init", "--quiet")
    commit(root)
    subprocess.run(["sh", root / FOLDER / "init-secrets.sh", "production"], check=True)
    image = f"app=registry.test/app@{DIGEST}"
    subprocess.run(["sh", root / FOLDER / "set-images.sh", "production", image], check=True)
    edit(root, "kustomization.yaml", "example.com", "shop.test")
    edit(root, "settings.env", "example.com", "shop.test")
    return root


@pytest.fixture
def root(made: Path, tmp_path: Path) -> Path:
    return shutil.copytree(made, tmp_path / "project")


def edit(root: Path, name: str, before: str, after: str) -> None:
    path = root / OVERLAY / name
    text = path.read_text()
    assert before in text
    path.write_text(text.replace(before, after))


def look(root: Path, environment: str = "production") -> dict[str, Check]:
    found = kubernetes.look(replace(context(root, environment), target="kubernetes"))
    return by_id(found)


def test_a_ready_project_passes(root: Path) -> None:
    found = look(root)
    if shutil.which("kubectl") is None:
        found.pop("kubernetes.kubectl")
    assert {check.status for check in found.values()} == {Status.PASS}


def test_an_environment_that_is_not_there(root: Path) -> None:
    (check,) = look(root, "preview").values()
    assert (check.id, check.status) == ("kubernetes.overlay", Status.FAIL)
    assert "production, staging" in check.mend


def test_secrets_that_are_missing(root: Path) -> None:
    found = look(root, "staging")["kubernetes.settings"]
    assert found.status is Status.FAIL
    assert found.mend == f"sh {FOLDER}/init-secrets.sh staging"
    subprocess.run(["sh", *found.mend.split()[1:]], cwd=root, check=True)
    assert look(root, "staging")["kubernetes.settings"].status is Status.PASS


def test_a_value_that_is_missing_is_named(root: Path) -> None:
    edit(root, "passwords.env", "REDIS_PASSWORD=", "#REDIS_PASSWORD=")
    found = look(root)["kubernetes.settings"]
    assert (found.status, found.seen) == (Status.FAIL, "REDIS_PASSWORD is not set.")


def test_secrets_that_git_tracks(root: Path) -> None:
    git(root, "add", "--force", f"{OVERLAY}/secrets.env")
    found = look(root)["kubernetes.untracked"]
    assert found.status is Status.FAIL
    git(root, *found.mend.split()[1:])
    assert look(root)["kubernetes.untracked"].status is Status.PASS


def test_secrets_that_others_can_read(root: Path) -> None:
    (root / OVERLAY / "passwords.env").chmod(0o644)
    found = look(root)["kubernetes.mode"]
    assert (found.status, "mode 644" in found.seen) == (Status.FAIL, True)


@pytest.mark.parametrize(
    ("before", "after", "status"),
    [
        (f"digest: {DIGEST}", "newTag: v1", Status.WARN),
        ("registry.test/", "registry.example.com/", Status.FAIL),
    ],
)
def test_images(before: str, after: str, status: Status, root: Path) -> None:
    edit(root, "kustomization.yaml", before, after)
    assert look(root)["kubernetes.images"].status is status


def test_a_domain_that_is_an_example_s(root: Path) -> None:
    edit(root, "kustomization.yaml", "shop.test", "example.com")
    assert look(root)["kubernetes.domain"].status is Status.FAIL


def test_a_domain_that_the_apps_are_not_told(root: Path) -> None:
    edit(root, "settings.env", "shop.test", "example.com")
    found = look(root)["kubernetes.domain"]
    assert found.status is Status.FAIL and "SITE_URLS" in found.mend
