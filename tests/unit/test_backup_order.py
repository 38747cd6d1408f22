"""Which backup is the newest and which are removed, where a clock was wrong."""

from __future__ import annotations

import os
import shutil
import subprocess
from dataclasses import dataclass
from functools import cached_property
from pathlib import Path

import pytest

from tests.trees import generate

pytestmark = pytest.mark.integration

SHAPE = "fastapi-postgresql--py312-pg16"
# Days are told by a file; what is asked about another time, the real program answers.
DATE = """#!/bin/sh
case " $* " in *' -d '*) exec /bin/date "$@" ;; esac
exec /bin/date -d "2026-06-01 02:00:00 UTC $(cat "${0%/*}/day") days" "$@"
"""
DOCKER = """#!/bin/sh
case "$*" in
    ps*compose.service=*) echo id ;;
    exec*' size') echo 1000 ;;
    exec*' backup') echo dump && echo 'count public.items 3' >&2 ;;
esac
"""


@dataclass(frozen=True)
class Backups:
    """Generated files, with stand-ins for docker and the clock."""

    root: Path

    @cached_property
    def folder(self) -> Path:
        return self.root / "deploy/backups/v312-prod"

    @property
    def names(self) -> list[str]:
        return sorted(path.name for path in self.folder.glob("*Z"))

    def prepare(self) -> None:
        tools = self.root / "tools"
        tools.mkdir()
        for name, text in {"date": DATE, "docker": DOCKER}.items():
            (tools / name).write_text(text)
            (tools / name).chmod(0o755)
        (self.root / ".env").write_text("BACKUP_MIN_FREE_MB=0\n")

    def run(self, *command: str, **variables: str) -> str:
        result = subprocess.run(
            ["sh", *command],
            cwd=self.root,
            env={"PATH": f"{self.root / 'tools'}:{os.defpath}", "TZ": "UTC", **variables},
            stdin=subprocess.DEVNULL,
            stdout=subprocess.PIPE,
            stderr=subprocess.STDOUT,
            text=True,
            check=False,
        )
        assert result.returncode == 0, result.stdout
        return result.stdout

    def back_up(self, day: int) -> str:
        """A backup on a day, counted from the first of June 2026; what is said."""
        (self.root / "tools/day").write_text(str(day))
        return self._back_up()

    def _back_up(self) -> str:
        return self.run("deploy/backup.sh")

    @property
    def latest(self) -> str:
        (self.root / "deploy/latest.sh").write_text(
            ". deploy/common.sh && . deploy/data/common.sh && find_backup latest\n"
            'echo "${backup##*/}"\n'
        )
        return self.run("deploy/latest.sh").strip()


class Cluster(Backups):
    """The same where the job's pod runs the script."""

    @cached_property
    def folder(self) -> Path:
        return self.root / "backups"

    def prepare(self) -> None:
        super().prepare()
        self.folder.mkdir()
        (self.root / "tools/hostname").write_text("backup-29000000-abcde\n")

    def script(self, *arguments: str, **variables: str) -> str:
        path = self.root / "tools/backup.sh"
        text = (self.root / "deploy/kubernetes/base/scripts/backup.sh").read_text()
        text = text.replace("cd /backups", f"cd '{self.folder}'")
        path.write_text(text.replace("/etc/hostname", str(self.root / "tools/hostname")))
        return self.run(str(path), *arguments, **variables)

    def _back_up(self) -> str:
        partial = self.folder / ".partial-backup-29000000-abcde"
        partial.mkdir()
        names = ("postgres", "redis", "uploads")
        for name in names:
            (partial / f"{name}.backup").write_text("dump\n")
            (partial / f"{name}.count").write_text(f"count {name} public.items 3\n")
        return self.script("finish", *names)

    @property
    def latest(self) -> str:
        return self.script("list", BACKUP="latest").strip()


@pytest.fixture(scope="module", params=[SHAPE, "kubernetes"])
def nightly(request: pytest.FixtureRequest, tmp_path_factory: pytest.TempPathFactory) -> Backups:
    """Twenty nights; what is kept is 14 days older than the one before the last at most."""
    case = request.param
    made = empty(case, tmp_path_factory.mktemp(case))
    for day in range(-20, 0):
        made.back_up(day)
    return made


@pytest.fixture
def backups(nightly: Backups, tmp_path: Path) -> Backups:
    shutil.copytree(nightly.root, tmp_path / "copy")
    return type(nightly)(tmp_path / "copy")


def empty(case: str, folder: Path) -> Backups:
    generate([case], folder)
    made = (Cluster if case == "kubernetes" else Backups)(folder / case)
    made.prepare()
    return made


def test_those_of_the_days_that_are_kept_stay(backups: Backups) -> None:
    assert backups.names[0] == "20260516-020000Z"
    assert len(backups.names) == 16


def test_a_clock_that_jumped_ahead_removes_nothing(backups: Backups) -> None:
    # The oldest is due, by the clock of the night before.
    due, *before = backups.names
    said = backups.back_up(3650)
    assert backups.names == [*before, "20360529-020000Z"]
    assert due in said


def test_a_clock_that_stays_wrong_leaves_those_of_seven_days(backups: Backups) -> None:
    for day in range(3650, 3655):
        backups.back_up(day)
    right = [name for name in backups.names if name < "2027"]
    assert right == ["20260530-020000Z", "20260531-020000Z"]
    assert len(backups.names) == 7


def test_after_a_clock_that_jumped_the_newest_is_the_last_that_was_made(backups: Backups) -> None:
    backups.back_up(3650)
    assert backups.latest == "20360529-020000Z"
    backups.back_up(0)
    assert backups.latest == "20260601-020000Z"
    backups.back_up(1)
    assert backups.latest == "20260602-020000Z"


def test_a_clock_that_went_back_removes_nothing(backups: Backups) -> None:
    before = backups.names
    backups.back_up(-20000)
    assert backups.names == sorted([*before, "19710829-020000Z"])
    assert backups.latest == "19710829-020000Z"


def test_backups_without_a_number_are_older(backups: Backups) -> None:
    for name in backups.names:
        manifest = backups.folder / name / "manifest"
        lines = manifest.read_text().splitlines(keepends=True)
        manifest.write_text("".join(line for line in lines if not line.startswith("sequence ")))
    assert backups.names[-1] == "20260531-020000Z"
    backups.back_up(-30)
    assert backups.latest == "20260502-020000Z"


def test_those_who_back_up_seldom_keep_the_newest_of_seven_days(tmp_path: Path) -> None:
    seldom = empty(SHAPE, tmp_path)
    for day in range(0, 300, 30):
        seldom.back_up(day)
    assert len(seldom.names) == 7
