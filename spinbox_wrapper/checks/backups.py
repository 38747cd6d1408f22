"""Backups on this machine: how old the newest is, and when one was last proven."""

from __future__ import annotations

import re
from collections.abc import Collection, Iterable
from contextlib import suppress
from dataclasses import dataclass
from datetime import UTC, datetime, timedelta
from pathlib import Path

from .model import Check, Context, failed, passed, warned

IDS = {
    "backups.age": "The newest backup here is whole, and no older than `BACKUP_MAX_AGE_DAYS`",
    "backups.proven": "A backup was proven within the last two weeks, by `deploy/backup-check.sh`",
}
_NAME = "%Y%m%d-%H%M%SZ"
_NOTED = "%Y-%m-%dT%H:%M:%SZ"
_DRILL = re.compile(r'^(\S+) drill backup=(\S+) result="ok"', re.MULTILINE)
_CHECKSUM = re.compile(r"^[0-9a-f]{64}  (.+)$", re.MULTILINE)


@dataclass(frozen=True)
class Backups:
    """What a machine tells: its newest backup by name, what that lacks, and the last proof."""

    newest: str | None
    missing: tuple[str, ...] = ()
    proven: datetime | None = None


def observe(folder: Path, log: Path) -> Backups | None:
    """Look at a stack's backups, in the order of the numbers in their manifests.

    Args:
        folder: Where the stack's backups lie.
        log: The scripts' notes on it, one line a run.

    Returns:
        None where the scripts never ran: the stack runs elsewhere.
    """
    notes = _read(log)
    if notes is None:
        return None
    found = [(_sequence(path), path.name) for path in _whole(folder)]
    proofs = [datetime.strptime(at, _NOTED).replace(tzinfo=UTC) for at, _ in _DRILL.findall(notes)]
    proven = proofs[-1] if proofs else None
    if not found:
        return Backups(None, (), proven)
    name = max(found)[1]
    listed = _CHECKSUM.findall(_read(folder / name / "SHA256SUMS") or "")
    missing = tuple(file for file in listed if not (folder / name / file).is_file())
    return Backups(name, missing, proven)


def _whole(folder: Path) -> Iterable[Path]:
    for path in folder.glob("*Z"):
        with suppress(ValueError):
            datetime.strptime(path.name, _NAME)
            if (path / "SHA256SUMS").is_file():
                yield path


def _sequence(backup: Path) -> int:
    match = re.search(r"^sequence (\d{1,9})$", _read(backup / "manifest") or "", re.MULTILINE)
    return int(match[1]) if match else 0


def _read(path: Path) -> str | None:
    try:
        return path.read_text("utf-8", "replace")
    except OSError:
        return None


def look(context: Context, scripts: str) -> list[Check]:
    """The checks, where there are data and the stack runs on this machine.

    Args:
        context: What the checks look at.
        scripts: The folder of the target's scripts, relative to the generated files.
    """
    if not context.stack.has_data:
        return []
    name = context.compose_project
    settings = context.settings or {}
    place = settings.get("BACKUP_DIR") or "deploy/backups"
    backups = observe(context.root / place / name, context.root / f"deploy/state/{name}.log")
    if backups is None:
        return []
    option = context.names.option
    back_up = f"sh {context.outcome.request.named(f'{scripts}/backup.sh')}{option}"
    prove = f"sh {context.outcome.request.named('deploy/backup-check.sh')}{option}"
    days = settings.get("BACKUP_MAX_AGE_DAYS") or ""
    longest = timedelta(days=int(days) if re.fullmatch("[0-9]{1,4}", days) else 2)
    checks = judge(backups, datetime.now(UTC), longest, back_up, prove)
    # The drill needs Compose.
    return checks if scripts == "deploy" else checks[:1]


def judge(
    backups: Backups, now: datetime, longest: timedelta, back_up: str, prove: str
) -> list[Check]:
    """Whether the newest backup would do, and whether one was proven.

    Args:
        backups: What the machine tells.
        now: The time that ages are counted to.
        longest: How old the newest backup may be.
        back_up: The command that makes a backup.
        prove: The command that proves one.
    """
    if backups.newest is None:
        return [warned("backups.age", "There is no backup here yet.", back_up)]
    newest = _newest(backups.newest, backups.missing, now, longest, back_up)
    return [newest, _proven(backups, now, prove)]


def _newest(
    name: str, missing: Collection[str], now: datetime, longest: timedelta, back_up: str
) -> Check:
    id_, named = "backups.age", f"The newest backup, {name},"
    age = now - datetime.strptime(name, _NAME).replace(tzinfo=UTC)
    if missing:
        return failed(id_, f"{named} lacks {', '.join(missing)}.", back_up)
    if age < timedelta(minutes=-5):
        seen = f"{named} is of the future: a clock is or was wrong."
        return warned(id_, seen, "Set the clock, then make a backup.")
    seen = f"{named} is {_told(age)} old."
    return warned(id_, seen, back_up) if age > longest else passed(id_, seen)


def _proven(backups: Backups, now: datetime, prove: str) -> Check:
    id_ = "backups.proven"
    if backups.proven is None:
        return warned(id_, "It was never tried whether a backup can be restored.", prove)
    age = now - backups.proven
    seen = f"A backup was proven {_told(age)} ago."
    return warned(id_, seen, prove) if age > timedelta(days=14) else passed(id_, seen)


def _told(age: timedelta) -> str:
    hours = max(0, int(age.total_seconds() // 3600))
    return f"{hours} hours" if hours < 48 else f"{hours // 24} days"
