"""An app's own `.env.example`: it stays as it is, and ours goes by another name for good."""

from __future__ import annotations

import json
import subprocess
from pathlib import Path

import pytest
from copier import run_copy

from spinbox_wrapper.template import Template
from tests.conftest import Project, files_below
from tests.projects.compose import compose
from tests.releases import commit
from tests.runs import build, run, switch
from tests.sync.test_plain_copier import content, copier

pytestmark = pytest.mark.integration

OWN = "# Ours\nSTRIPE_KEY=x\n"
# As at a version that knew one name alone.
KEPT = ("--set", "env_example=.env.example", "--adopt=keep")


@pytest.fixture
def with_own(project: Project) -> Path:
    """A project whose app has an example of its settings at the top."""
    root = project("profile-web-app")
    (root / ".env.example").write_text(OWN)
    return root


def examples(root: Path) -> set[str]:
    return {path.name for path in root.glob(".env*")}


def test_the_app_s_own_is_kept_and_ours_stands_beside_it(with_own: Path) -> None:
    build(with_own)
    assert (with_own / ".env.example").read_text() == OWN
    assert "POSTGRES_PASSWORD=\n" in (with_own / ".env.prod.example").read_text()
    build(with_own, "generate", "--ci", "github", "--deploy")
    build(with_own, "deploy", "--target", "docker-swarm", "--generate")
    generated = files_below(with_own).items()
    texts = {path: str(text) for path, text in generated if path != ".copier-answers.yml"}
    named = {path for path, text in texts.items() if ".env.prod.example" in text}
    assert named >= {"deploy/init-env.sh", "deploy/remote.sh", "deploy/README.md"}
    steps = run(with_own, "--dry-run", "-v").stdout
    ours = {path for path in texts if path in steps}
    assert not {path for path in ours if ".env.example" in texts[path]}


def test_settings_are_made_of_ours(with_own: Path) -> None:
    build(with_own)
    script = ["sh", "deploy/init-env.sh"]
    subprocess.run(script, cwd=with_own, stdin=subprocess.DEVNULL, check=True)
    made = (with_own / ".env").read_text()
    assert "POSTGRES_PASSWORD=" in made
    assert made.startswith("# Settings of web-app in production.")
    checked = run(with_own, "deploy", "--check", "--format", "json").stdout
    status = {check["id"]: check["status"] for check in json.loads(checked)["checks"]}
    assert status["settings.complete"] == status["files.in_sync"] == "pass"


@pytest.mark.parametrize("own", [None, OWN * 2])
def test_the_name_stays_whatever_becomes_of_theirs(own: str | None, with_own: Path) -> None:
    build(with_own)
    (with_own / ".env.example").unlink()
    if own is not None:
        (with_own / ".env.example").write_text(own)
    assert run(with_own, "--check").code == 0
    switch(with_own, "USE_REDIS", on=True)
    build(with_own)
    assert "REDIS_PASSWORD=\n" in (with_own / ".env.prod.example").read_text()
    assert (with_own / ".env.example").exists() is (own is not None)


def test_ours_keeps_its_name_when_it_was_there_first(project: Project) -> None:
    root = project("profile-web-app")
    build(root)
    example = root / ".env.example"
    example.write_text(OWN + example.read_text())
    switch(root, "USE_REDIS", on=True)
    build(root)
    assert "REDIS_PASSWORD=\n" in example.read_text()
    assert examples(root) == {".env.example"}


def test_one_that_was_kept_at_an_earlier_version_stays_as_it_was_decided(
    with_own: Path, oldest: Template, present: Template
) -> None:
    build(with_own, *KEPT, template=oldest)
    assert "env_example" not in (with_own / ".copier-answers.yml").read_text()
    build(with_own, template=present)
    assert examples(with_own) == {".env.example"}
    assert (with_own / ".env.example").read_text().startswith(OWN)


def test_the_other_name_can_be_chosen_later(project: Project) -> None:
    root = project("profile-web-app")
    build(root)
    build(root, "--set", "env_example=.env.prod.example")
    assert examples(root) == {".env.prod.example"}
    assert "Everything is up to date." in build(root)


def test_git_ignoring_ours_is_told(with_own: Path) -> None:
    ignore = with_own / ".gitignore"
    ignore.write_text(ignore.read_text() + "\n.env.*\n!.env.example\n")
    commit(with_own, "project")
    sentence = "git ignores .env.prod.example ("
    assert sentence in build(with_own)
    ignore.write_text(ignore.read_text() + "!.env.prod.example\n")
    assert sentence not in build(with_own)


def test_copier_copy_makes_the_same(with_own: Path, tmp_path: Path, template: Path) -> None:
    other = compose("profile-web-app", tmp_path / "other")
    (other / ".env.example").write_text(OWN)
    run_copy(str(template), other, defaults=True, quiet=True, unsafe=True)
    build(with_own)
    assert content(other) == content(with_own)


def test_copier_update_keeps_the_name(with_own: Path, published: str) -> None:
    copier("copy", "--trust", "--defaults", "--quiet", published, ".", cwd=with_own)
    (with_own / ".env.example").unlink()
    switch(with_own, "USE_REDIS", on=True)
    commit(with_own, "project")
    copier("update", "--trust", "--defaults", "--quiet", cwd=with_own)
    assert examples(with_own) == {".env.prod.example"}
    assert "REDIS_PASSWORD=\n" in (with_own / ".env.prod.example").read_text()


def test_copier_update_leaves_one_that_was_kept(
    with_own: Path,
    published: str,
    oldest: Template,
) -> None:
    """Of a version that had no other name: what the user kept is not taken for a new one."""
    build(with_own, *KEPT, template=oldest)
    commit(with_own, "project")
    copier("update", "--trust", "--defaults", "--quiet", cwd=with_own)
    assert examples(with_own) == {".env.example"}
    assert OWN in (with_own / ".env.example").read_text()
