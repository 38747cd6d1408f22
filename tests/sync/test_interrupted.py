"""Runs that are killed, then what people do: reset, stash, another branch, an edit; then a run.

Nothing comes in twice, no edit is lost, and what is left is what a run without a kill would leave.
"""

from __future__ import annotations

import os
import random
import shutil
import signal
import sys
from collections.abc import Callable
from pathlib import Path

import pytest

from spinbox_wrapper import journal
from spinbox_wrapper.merge import parses
from tests.conftest import files_below
from tests.projects.compose import compose
from tests.releases import commit, git
from tests.runs import build, run, switch

pytestmark = pytest.mark.integration

COMPOSE = "docker-compose.prod.yml"
EDIT = "# by hand"
# More than a run has of them.
OPERATIONS = 90


def _kill(root: Path, limit: int) -> None:
    """A run that is killed before the Nth operation on the project's folder."""
    child = os.fork()
    if child:
        os.waitpid(child, 0)
        return
    count = 0

    def hook(event: str, arguments: tuple[object, ...]) -> None:
        nonlocal count
        if event not in {"open", "os.rename", "os.mkdir", "os.remove", "os.rmdir", "os.chmod"}:
            return
        if event == "open" and not (
            isinstance(arguments[2], int) and arguments[2] & (os.O_WRONLY | os.O_RDWR | os.O_CREAT)
        ):
            return
        if any(str(argument).startswith(str(root)) for argument in arguments[:2]):
            count += 1
            if count == limit:
                os.kill(os.getpid(), signal.SIGKILL)

    sys.addaudithook(hook)
    run(root)
    os._exit(0)


def _nothing(root: Path, chance: random.Random) -> None:
    pass


def _reset(root: Path, chance: random.Random) -> None:
    git(root, "reset", "--quiet", "--hard")
    switch(root, "USE_REDIS", True)


def _stash(root: Path, chance: random.Random) -> None:
    git(root, "stash", "--quiet")
    switch(root, "USE_REDIS", True)


def _one_file_back(root: Path, chance: random.Random) -> None:
    git(root, "checkout", "--quiet", "--", chance.choice([COMPOSE, ".copier-answers.yml"]))


def _without_journal(root: Path, chance: random.Random) -> None:
    shutil.rmtree(root / journal.FOLDER, ignore_errors=True)


def _other_answers(root: Path, chance: random.Random) -> None:
    git(root, "checkout", "--quiet", "--force", "other")
    switch(root, "USE_REDIS", True)


def _edit(root: Path, chance: random.Random) -> None:
    _insert(root / COMPOSE, "# once more", chance)


# Each with whether the project is then as before the kill.
AFTERWARDS: tuple[tuple[Callable[[Path, random.Random], None], bool], ...] = (
    (_nothing, True),
    (_reset, True),
    (_stash, True),
    (_one_file_back, True),
    (_without_journal, True),
    (_other_answers, False),
    (_edit, False),
)


def _insert(path: Path, line: str, chance: random.Random) -> None:
    lines = path.read_text().splitlines()
    lines.insert(chance.randrange(len(lines) + 1), line)
    path.write_text("\n".join(lines) + "\n")


@pytest.fixture(scope="module")
def repository(tmp_path_factory: pytest.TempPathFactory) -> Path:
    root = compose("fastapi-postgresql--py312-pg16", tmp_path_factory.mktemp("interrupted") / "it")
    switch(root, "USE_REDIS", False)
    build(root)
    commit(root, "generated")
    git(root, "checkout", "--quiet", "-b", "other")
    build(root, "--set", "proxy=none")
    commit(root, "other")
    git(root, "checkout", "--quiet", "-")
    git(root, "gc", "--quiet")
    return root


def _history(start: Path, folder: Path, chance: random.Random) -> None:
    root, whole = folder / "project", folder / "whole"
    shutil.copytree(start, root)
    _insert(root / COMPOSE, EDIT, chance)
    # Inside a block of text, such a line ends it.
    by_hand = parses((root / COMPOSE).read_bytes())
    git(root, "commit", "--quiet", "--all", "--message", "edited")
    switch(root, "USE_REDIS", True)
    shutil.copytree(root, whole)
    expected = run(whole)
    _kill(root, chance.randrange(1, OPERATIONS))
    is_done = not journal.is_pending(root) and _files(root) == _files(whole)
    afterwards, same = chance.choice(AFTERWARDS)
    afterwards(root, chance)
    result = run(root)
    told = f"{afterwards.__name__}\n{result.stdout}\n{result.stderr}"
    text = (root / COMPOSE).read_text()
    if afterwards is _one_file_back and is_done and _files(root) != _files(whole):
        # It may be meant.
        assert "as in the last commit, without what the last run changed" in result.stdout, told
        return
    if same:
        assert result.code == expected.code, told
        assert _files(root) == _files(whole), told
    if result.code == 0:
        assert parses(text.encode()) or not by_hand or afterwards is _edit, told
        assert text.count("\n  redis:\n") == 1, told
        assert run(root, "--check").code == 0, told
    else:
        assert "<<<<<<< " in text, told
    if afterwards is not _other_answers:
        assert text.count(EDIT) == 1, told


def _files(root: Path) -> dict[str, bytes]:
    other = (".git/", f"{journal.FOLDER}/")
    return {name: text for name, text in files_below(root).items() if not name.startswith(other)}


def _histories(start: Path, folder: Path, seed: int, count: int) -> None:
    chance = random.Random(seed)
    for number in range(count):
        one = folder / str(number)
        one.mkdir()
        _history(start, one, chance)
        shutil.rmtree(one)


def test_nothing_comes_in_twice(repository: Path, tmp_path: Path) -> None:
    _histories(repository, tmp_path, 17, 40)


@pytest.mark.extended
@pytest.mark.parametrize("seed", range(20))
def test_nothing_comes_in_twice_in_many(repository: Path, tmp_path: Path, seed: int) -> None:
    _histories(repository, tmp_path, seed, 100)
