"""The way in for files that were there before, and the way out."""

from __future__ import annotations

import os
import subprocess
from pathlib import Path

import pexpect
import pytest

from spinbox_wrapper.template import Template
from tests.conftest import REPOSITORY, SPINBOX, Project, files_below
from tests.runs import build, run, switch

pytestmark = pytest.mark.integration


@pytest.fixture
def by_hand(project: Project) -> Path:
    """A project with production files of its own."""
    root = project("fastapi")
    build(root)
    (root / ".copier-answers.yml").unlink()
    for name in ("Dockerfile.prod", "docker-compose.prod.yml", ".env.example"):
        path = root / name
        path.write_text("# Mine.\n" + path.read_text())
    return root


def test_adopting_is_refused_without_a_decision(by_hand: Path) -> None:
    before = files_below(by_hand)
    result = run(by_hand)
    assert result.code == 1
    assert "Dockerfile.prod" in result.stderr
    assert "--adopt" in result.stderr
    assert files_below(by_hand) == before


def test_each_file_is_shown_and_decided_on_a_terminal(by_hand: Path) -> None:
    command = [*SPINBOX, "build", "--prod", "--adopt"]
    environment = os.environ | {"PYTHONPATH": str(REPOSITORY)}
    child = pexpect.spawn(
        command[0], command[1:], cwd=by_hand, env=environment, timeout=300, encoding="utf-8"
    )
    for path, key in ((".env.example", "k"), ("Dockerfile.prod", "t"), ("docker-compose", "m")):
        child.expect(f"diff --git a/{path}")
        child.expect("-# Mine.")
        child.expect("Your choice")
        child.sendline(key)
    child.expect(pexpect.EOF)
    child.close()
    assert child.exitstatus == 1
    assert (by_hand / ".env.example").read_text().startswith("# Mine.\n")
    assert not (by_hand / "Dockerfile.prod").read_text().startswith("# Mine.\n")
    assert (by_hand / "Dockerfile.prod.orig").read_text().startswith("# Mine.\n")
    merged = (by_hand / "docker-compose.prod.yml").read_text()
    assert merged.startswith("<<<<<<< yours\n# Mine.\n=======\n>>>>>>> generated now\n")


@pytest.mark.parametrize("answer", ["q", "\x03"])
def test_quitting_writes_nothing(answer: str, by_hand: Path) -> None:
    before = files_below(by_hand)
    command = [*SPINBOX, "build", "--prod", "--adopt"]
    environment = os.environ | {"PYTHONPATH": str(REPOSITORY)}
    child = pexpect.spawn(
        command[0], command[1:], cwd=by_hand, env=environment, timeout=300, encoding="utf-8"
    )
    child.expect("Your choice")
    child.sendline("k")
    child.expect("Your choice")
    child.sendline(answer)
    child.expect(pexpect.EOF)
    child.close()
    assert child.exitstatus == 130
    assert files_below(by_hand) == before


def test_without_a_terminal_it_says_how(by_hand: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    with Path(os.devnull).open() as nothing:
        monkeypatch.setattr("sys.stdin", nothing)
        result = run(by_hand, "--adopt")
    assert result.code == 1
    assert "--adopt=keep" in result.stderr


def test_a_kept_file_gets_what_changes_later(by_hand: Path) -> None:
    build(by_hand, "--adopt=keep")
    switch(by_hand, "USE_REDIS", True)
    build(by_hand)
    compose = (by_hand / "docker-compose.prod.yml").read_text()
    assert compose.startswith("# Mine.\n")
    assert "redis:7" in compose


def test_files_of_an_earlier_version_without_an_answers_file(
    project: Project, oldest: Template, present: Template
) -> None:
    root = project("fastapi")
    build(root, template=oldest)
    (root / ".copier-answers.yml").unlink()
    assert run(root, template=present).code == 1
    build(root, "--adopt=take", template=present)
    assert "Everything is up to date." in build(root, template=present)


def test_merging_marks_only_what_differs(by_hand: Path) -> None:
    run(by_hand, "--adopt=merge")
    text = (by_hand / "Dockerfile.prod").read_text()
    marker = "<<<<<<< yours\n# Mine.\n=======\n>>>>>>> generated now\n"
    assert text.count("<<<<<<<") == 1
    (by_hand / "Dockerfile.prod").write_text(text.replace(marker, ""))
    for name in ("docker-compose.prod.yml", ".env.example"):
        path = by_hand / name
        path.write_text(path.read_text().replace(marker, ""))
    assert "Everything is up to date." in build(by_hand)


def test_no_settings_are_made_of_what_is_in_conflict(project: Project) -> None:
    root = project("fastapi")
    (root / ".env.example").write_text("GREETING=hello\n")
    result = run(root, "--adopt=merge", "--set", "env_example=.env.example")
    assert result.code == 1
    assert "Next" not in result.stdout
    made = subprocess.run(
        ["sh", "deploy/init-env.sh"], cwd=root, capture_output=True, text=True, check=False
    )
    assert made.returncode == 1
    assert "Resolve the conflict markers in " in made.stderr
    assert not (root / ".env").exists()


def test_the_settings_of_a_replaced_example_are_kept(project: Project) -> None:
    root = project("node")
    (root / ".env.example").write_text("STRIPE_KEY=\n")
    said = build(root, "--adopt=take", "--set", "env_example=.env.example")
    assert "from which the app's settings are read: commit it" in said
    assert "Everything is up to date." in build(root)
    assert "STRIPE_KEY" in (root / ".env.example").read_text()


def test_merging_an_empty_file_leaves_no_marker(project: Project) -> None:
    root = project("fastapi")
    (root / "Dockerfile.prod").write_text("")
    result = run(root, "--adopt=merge")
    assert ("<<<<<<<" in (root / "Dockerfile.prod").read_text()) == (result.code == 1)


def test_what_is_written_while_it_asks_is_kept(by_hand: Path) -> None:
    command = [*SPINBOX, "build", "--prod", "--adopt"]
    environment = os.environ | {"PYTHONPATH": str(REPOSITORY)}
    child = pexpect.spawn(
        command[0], command[1:], cwd=by_hand, env=environment, timeout=300, encoding="utf-8"
    )
    child.expect("Your choice")
    (by_hand / ".env.example").write_text("# precious\n")
    for _ in range(3):
        child.sendline("t")
        child.expect(["Your choice", pexpect.EOF])
    child.close()
    kept = [path.read_text() for path in by_hand.glob(".env.example.orig*")]
    assert any(text.startswith("# Mine.") for text in kept)
    assert "# precious\n" in kept


def test_the_way_out_is_to_remove_the_answers_file(project: Project) -> None:
    """Nothing that runs in production calls this program or reads its answers."""
    root = project("profile-web-app")
    build(root)
    for path in files_below(root):
        if path.endswith((".md", ".example")) or path == ".copier-answers.yml":
            continue
        if path.startswith("deploy/") or ".prod" in path:
            text = (root / path).read_text()
            assert "spinbox" not in text.lower().replace("spinbox build --prod`", ""), path
            assert ".copier-answers" not in text, path
