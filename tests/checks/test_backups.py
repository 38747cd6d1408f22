"""The age of the newest backup on this machine, and of the last proof."""

from __future__ import annotations

from datetime import UTC, datetime, timedelta
from pathlib import Path

import pytest

from spinbox_wrapper.checks import backups
from tests.checks.conftest import Ready
from tests.checks.support import by_id, context

SHAPE = "fastapi-postgresql--py312-pg16"
NOW = datetime(2026, 6, 10, 12, tzinfo=UTC)


def make(folder: Path, name: str, sequence: int | None) -> Path:
    """A backup of one file, as backup.sh leaves it."""
    backup = folder / name
    backup.mkdir(parents=True)
    (backup / "postgres.backup").touch()
    (backup / "manifest").write_text("" if sequence is None else f"sequence {sequence}\n")
    (backup / "SHA256SUMS").write_text(f"{'0' * 64}  manifest\n{'0' * 64}  postgres.backup\n")
    return backup


@pytest.fixture
def log(tmp_path: Path) -> Path:
    path = tmp_path / "log"
    path.write_text(
        '2026-06-08T06:00:00Z drill backup=20260608-020000Z result="ok" by=me\n'
        '2026-06-09T06:00:00Z drill backup=20260609-020000Z result="failed" by=me\n'
    )
    return path


def judged(folder: Path, log: Path, now: datetime = NOW) -> dict[str, tuple[str, str]]:
    found = backups.observe(folder, log)
    assert found is not None
    checks = backups.judge(found, now, timedelta(days=2), "back up", "prove")
    return {check.id: (check.status.value, check.seen) for check in checks}


def test_a_new_backup_and_a_proof_pass(tmp_path: Path, log: Path) -> None:
    make(tmp_path, "20260610-020000Z", 7)
    assert judged(tmp_path, log) == {
        "backups.age": ("pass", "The newest backup, 20260610-020000Z, is 10 hours old."),
        "backups.proven": ("pass", "A backup was proven 2 days ago."),
    }


def test_what_is_old_is_told(tmp_path: Path, log: Path) -> None:
    make(tmp_path, "20260610-020000Z", 7)
    assert judged(tmp_path, log, NOW + timedelta(days=15)) == {
        "backups.age": ("warn", "The newest backup, 20260610-020000Z, is 15 days old."),
        "backups.proven": ("warn", "A backup was proven 17 days ago."),
    }


def test_the_newest_is_the_last_that_was_made(tmp_path: Path, log: Path) -> None:
    make(tmp_path, "20360610-020000Z", 7)
    make(tmp_path, "20260610-020000Z", 8)
    make(tmp_path, "20260611-020000Z", None)
    assert "20260610-020000Z" in judged(tmp_path, log)["backups.age"][1]


def test_one_of_the_future_is_told(tmp_path: Path, log: Path) -> None:
    make(tmp_path, "20360610-020000Z", 7)
    status, seen = judged(tmp_path, log)["backups.age"]
    assert (status, "is of the future" in seen) == ("warn", True)


def test_one_that_is_not_whole_fails(tmp_path: Path, log: Path) -> None:
    (make(tmp_path, "20260610-020000Z", 7) / "postgres.backup").unlink()
    assert judged(tmp_path, log)["backups.age"] == (
        "fail",
        "The newest backup, 20260610-020000Z, lacks postgres.backup.",
    )


def test_no_backup_and_no_proof_are_told(tmp_path: Path, log: Path) -> None:
    assert judged(tmp_path / "none", log) == {
        "backups.age": ("warn", "There is no backup here yet.")
    }
    make(tmp_path, "20260610-020000Z", 7)
    log.write_text("")
    assert judged(tmp_path, log)["backups.proven"][0] == "warn"


def test_a_folder_that_is_no_backup_does_not_count(tmp_path: Path, log: Path) -> None:
    for name in ("99999999-999999Z", "notesZ", "20260610-030000Z"):
        (tmp_path / name).mkdir()
    assert judged(tmp_path, log) == {"backups.age": ("warn", "There is no backup here yet.")}


def test_it_looks_where_the_settings_say(ready: Ready, tmp_path: Path) -> None:
    root = ready(SHAPE)
    assert backups.look(context(root), "deploy") == []
    state = root / "deploy/state"
    state.mkdir()
    (state / "v312-prod.log").touch()
    with (root / ".env").open("a") as file:
        file.write(f"BACKUP_DIR={tmp_path / 'disk'}\n")
    make(tmp_path / "disk/v312-prod", "20200101-000000Z", 1)
    found = by_id(backups.look(context(root), "deploy"))
    assert "20200101-000000Z" in found["backups.age"].seen
    assert found["backups.age"].mend == "sh deploy/backup.sh"
    assert found["backups.proven"].mend == "sh deploy/backup-check.sh"
    assert list(by_id(backups.look(context(root), "deploy/swarm"))) == ["backups.age"]


def test_what_keeps_no_data_has_no_backups(ready: Ready) -> None:
    root = ready("fastapi")
    (root / "deploy/state").mkdir()
    (root / "deploy/state/fastapi-prod.log").touch()
    assert backups.look(context(root), "deploy") == []
