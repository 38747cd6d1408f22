"""Backups of a running stack: made under load, lost, brought back, refused if damaged, proven."""

from __future__ import annotations

import gzip
import hashlib
import os
import re
import shutil
import signal
import subprocess
import threading
import time
from collections.abc import Callable, Iterator
from contextlib import contextmanager
from pathlib import Path

import pytest

from tests.e2e.stacks import HOSTILE_PASSWORD, Stack, eventually, free_port, need, run
from tests.projects.compose import compose
from tests.runs import build, switch

Completed = subprocess.CompletedProcess[str]
ROOT: list[str] = [] if os.geteuid() == 0 else ["sudo", "-n"]


def start(shape: str, folder: Path, name: str, *options: str) -> Stack:
    """A booted stack of that shape under a name of its own."""
    stack = Stack(compose(shape, folder / "project"))
    build(stack.folder, "--set", f"name={name}", *options)
    stack.write_env()
    try:
        stack.up()
        # Caddy makes its own certificate in the background.
        eventually(lambda: stack.request("/health").status == 200)
    except BaseException:
        stack.remove()
        raise
    return stack


def script(stack: Stack, name: str, *arguments: str, **environment: str) -> Completed:
    """One of the scripts in deploy/, run as the guide says."""
    return subprocess.run(
        ["sh", f"deploy/{name}.sh", *arguments],
        cwd=stack.folder,
        env=os.environ | environment,
        stdin=subprocess.DEVNULL,
        capture_output=True,
        text=True,
        timeout=600,
        check=False,
    )


def succeed(stack: Stack, name: str, *arguments: str) -> str:
    result = script(stack, name, *arguments)
    assert result.returncode == 0, result.stdout[-3000:] + result.stderr[-6000:]
    return result.stdout


def back_up(stack: Stack, *options: str) -> Path:
    """Make a backup; its folder."""
    output = succeed(stack, "backup", *options)
    found = re.search(r" to (\S+), \d+ KB", output)
    assert found, output
    return stack.folder / found[1]


def backups(stack: Stack) -> list[str]:
    return [line.split()[0] for line in succeed(stack, "restore", "--list").splitlines()]


@contextmanager
def settings(stack: Stack, **values: str) -> Iterator[None]:
    """The stack's settings with these beside them, for a while."""
    file = stack.folder / ".env"
    before = file.read_text()
    file.write_text(before + "".join(f"{name}={value}\n" for name, value in values.items()))
    try:
        yield
    finally:
        file.write_text(before)


def names(stack: Stack) -> set[str]:
    return {item["name"] for item in stack.get("/api/v1/items")}


def sql(stack: Stack, statement: str) -> str:
    command = f'psql -qAt -U "$POSTGRES_USER" -d "$POSTGRES_DB" -c "{statement}"'
    return stack.execute("postgres", command).strip()


def administer(stack: Stack, statement: str) -> str:
    """What PostgreSQL's administrator is told, who gets in from inside the container alone."""
    command = f'psql -qAt -U postgres -d "$POSTGRES_DB" -c "{statement}"'
    return stack.execute("postgres", command).strip()


def seal(backup: Path) -> None:
    """Checksums that agree with what the backup's files hold now."""
    files = sorted(file for file in backup.iterdir() if file.name != "SHA256SUMS")
    lines = [f"{hashlib.sha256(file.read_bytes()).hexdigest()}  {file.name}\n" for file in files]
    (backup / "SHA256SUMS").write_text("".join(lines))


def leftovers(project: str) -> str:
    """Containers, volumes and networks of a Compose project."""
    label = f"label=com.docker.compose.project={project}"
    kinds = (["ps", "--all"], ["volume", "ls"], ["network", "ls"])
    return "".join(run("docker", *kind, "--quiet", "--filter", label) for kind in kinds)


@pytest.fixture(scope="module")
def stack(tmp_path_factory: pytest.TempPathFactory) -> Iterator[Stack]:
    """PostgreSQL, Redis and uploads, with hostile passwords."""
    name = f"e2e-backup-{os.getpid()}"
    folder = tmp_path_factory.mktemp("backup")
    options = ("--set", "uploads=/app/uploads")
    stack = start("e2e-fastapi-postgresql-redis", folder, name, *options)
    stack.execute("app", "mkdir '/app/uploads/a b' && echo kept >'/app/uploads/a b/é.txt'")
    yield stack
    stack.remove()


class Writer(threading.Thread):
    """Posts items without a pause, and remembers which were acknowledged, and when."""

    def __init__(self, stack: Stack) -> None:
        super().__init__()
        self.stack = stack
        self.acknowledged: list[tuple[float, str]] = []
        self.done = threading.Event()

    def run(self) -> None:
        number = 0
        while not self.done.is_set():
            name = f"load {number}"
            self.stack.post("/api/v1/items", {"name": name})
            self.acknowledged.append((time.monotonic(), name))
            number += 1

    def before(self, moment: float) -> set[str]:
        return {name for when, name in self.acknowledged if when < moment}


def test_what_was_acknowledged_before_a_backup_outlives_the_loss_of_everything(
    stack: Stack,
) -> None:
    visits = stack.post("/api/v1/visits")["visits"]
    writer = Writer(stack)
    writer.start()
    eventually(lambda: len(writer.acknowledged) > 200)
    began = time.monotonic()
    backup = back_up(stack)
    ended = time.monotonic()
    writer.done.set()
    writer.join()
    assert len(writer.before(ended)) > len(writer.before(began))

    stack.compose("down", "--volumes")
    succeed(stack, "restore", "--yes", "latest")
    kept = names(stack)
    assert writer.before(began) <= kept
    assert f"count postgres public.items {len(kept)}\n" in (backup / "manifest").read_text()
    assert stack.post("/api/v1/visits")["visits"] == visits + 1
    assert stack.execute("app", "cat '/app/uploads/a b/é.txt'") == "kept\n"


def test_a_restore_of_one_service_leaves_the_others(stack: Stack) -> None:
    backup = back_up(stack)
    lost = stack.post("/api/v1/items", {"name": "after the backup"})
    visits = stack.post("/api/v1/visits")["visits"]
    said = succeed(stack, "restore", "--yes", backup.name, "postgres")
    assert lost not in stack.get("/api/v1/items")
    assert stack.post("/api/v1/visits")["visits"] == visits + 1
    # The state before is a backup of its own.
    (before,) = re.findall(r"What was there before is in the backup (\S+)\.", said)
    succeed(stack, "restore", "--yes", "--no-backup", before, "postgres")
    assert lost in stack.get("/api/v1/items")


def listed(stack: Stack) -> dict[str, str]:
    """What the list says of each backup, by name."""
    lines = succeed(stack, "restore", "--list").splitlines()
    return {line.split()[0]: line.split(maxsplit=5)[5] for line in lines}


def test_latest_is_none_that_a_restore_made(stack: Stack) -> None:
    backup = back_up(stack, "--reason", "nightly")
    accident = stack.post("/api/v1/items", {"name": "accident"})
    # The second would bring back what the first one replaced.
    for _ in range(2):
        succeed(stack, "restore", "--yes", "latest")
        assert accident not in stack.get("/api/v1/items")
    reasons = listed(stack)
    assert reasons[backup.name].startswith("nightly, version ")
    made = f"before restore of the backup {backup.name}, version "
    first, _ = (name for name, reason in reasons.items() if reason.startswith(made))
    succeed(stack, "restore", "--yes", "--no-backup", first)
    assert accident in stack.get("/api/v1/items")


def test_a_restore_that_fails_names_what_it_was_bringing_back(stack: Stack) -> None:
    backup = back_up(stack)
    accident = stack.post("/api/v1/items", {"name": "accident"})
    part = stack.folder / "deploy/data/redis.sh"
    whole = part.read_text()
    part.write_text('[ "$1" != restore ] || { echo "broken on purpose" >&2; exit 1; }\n' + whole)
    result = script(stack, "restore", "--yes", "latest")
    part.write_text(whole)
    assert result.returncode == 1
    go_on, back = re.findall(r"sh deploy/restore\.sh (--no-backup \S+)$", result.stderr, re.M)
    assert go_on == f"--no-backup {backup.name}"
    succeed(stack, "restore", "--yes", *go_on.split())
    assert accident not in stack.get("/api/v1/items")
    succeed(stack, "restore", "--yes", *back.split())
    assert accident in stack.get("/api/v1/items")


def test_redis_keeps_what_was_restored_over_a_restart(stack: Stack) -> None:
    stack.execute("redis", "redis-cli SET fleeting x EX 1000")
    visits = stack.post("/api/v1/visits")["visits"]
    backup = back_up(stack)
    stack.execute("redis", "redis-cli FLUSHALL")
    succeed(stack, "restore", "--yes", "--no-backup", backup.name, "redis")
    stack.compose("restart", "redis")
    eventually(lambda: stack.execute("redis", "redis-cli EXISTS fleeting").strip() == "1")
    assert stack.post("/api/v1/visits")["visits"] == visits + 1
    left = set(stack.execute("redis", "ls -A /data").split())
    assert left <= {"appendonlydir", "dump.rdb"}


def _truncate(backup: Path) -> None:
    file = backup / "postgres.backup"
    os.truncate(file, file.stat().st_size // 2)


def _flip(backup: Path) -> None:
    content = bytearray((backup / "redis.backup").read_bytes())
    content[len(content) // 2] ^= 1
    (backup / "redis.backup").write_bytes(content)


def _lose(backup: Path) -> None:
    (backup / "uploads.backup").unlink()


def _forget(backup: Path) -> None:
    sums = (backup / "SHA256SUMS").read_text().splitlines(keepends=True)
    (backup / "SHA256SUMS").write_text("".join(line for line in sums if "postgres" not in line))


def _rewrite(backup: Path) -> None:
    with (backup / "manifest").open("a") as manifest:
        manifest.write("count postgres public.more 1\n")


@pytest.mark.parametrize("damage", [_truncate, _flip, _lose, _forget, _rewrite])
def test_a_damaged_backup_is_refused_and_nothing_changes(
    stack: Stack, damage: Callable[[Path], None]
) -> None:
    backup = back_up(stack)
    damaged = backup.with_name("20990101-000000Z")
    shutil.copytree(backup, damaged)
    try:
        damage(damaged)
        item = stack.post("/api/v1/items", {"name": "still there"})
        before = {name: c["State"]["StartedAt"] for name, c in stack.containers().items()}
        for name, options in (("restore", ["--yes"]), ("backup-check", [])):
            result = script(stack, name, *options, damaged.name)
            assert result.returncode == 1
            assert "is damaged" in result.stderr
            assert "Nothing was changed" in result.stderr
        assert item in stack.get("/api/v1/items")
        after = {name: c["State"]["StartedAt"] for name, c in stack.containers().items()}
        assert after == before
    finally:
        shutil.rmtree(damaged)


def test_a_dump_that_is_not_whole_leaves_the_database_as_it_was(stack: Stack) -> None:
    """Where the checksums agree all the same."""
    item = stack.post("/api/v1/items", {"name": "not replaced"})
    backup = back_up(stack)
    cut = backup.with_name("20990101-000000Z")
    shutil.copytree(backup, cut)
    try:
        _truncate(cut)
        seal(cut)
        result = script(stack, "restore", "--yes", "--no-backup", cut.name, "postgres")
        assert result.returncode == 1
        assert "Failed while restoring postgres" in result.stderr
    finally:
        shutil.rmtree(cut)
    stack.compose("up", "-d", "--wait")
    assert item in stack.get("/api/v1/items")


def test_a_restore_asks_and_takes_no_silence_for_an_answer(stack: Stack) -> None:
    back_up(stack)
    result = script(stack, "restore", "latest")
    assert (result.returncode, result.stderr) == (
        1,
        "restore: Nobody is there to ask: add --yes.\n",
    )


@pytest.mark.parametrize(
    ("arguments", "message"),
    [
        ([], "Name the backup, or latest"),
        (["20000101-000000Z"], "There is no backup 20000101-000000Z"),
        (["--yes", "latest", "mysql"], "mysql is not one of: postgres redis uploads"),
        (["--import", "nothing.sql", "postgres"], "nothing.sql cannot be read"),
        (["--nonsense"], "--nonsense is no option"),
    ],
)
def test_wrong_use_of_restore_is_one_sentence(
    stack: Stack, arguments: list[str], message: str
) -> None:
    back_up(stack)
    result = script(stack, "restore", *arguments)
    assert result.returncode == 1
    assert message in result.stderr
    assert len(result.stderr.splitlines()) == 1


def test_the_drill_proves_a_good_backup_and_leaves_nothing(stack: Stack) -> None:
    stack.post("/api/v1/items", {"name": "for the drill"})
    backup = back_up(stack)
    before = stack.containers().keys()
    output = succeed(stack, "backup-check")
    assert f"{backup.name} can be restored" in output
    assert re.search(r"^postgres public\.items +(\d+) +\1$", output, re.MULTILINE), output
    assert leftovers(f"{_project(stack)}_drill") == ""
    assert stack.containers().keys() == before


def test_the_drill_fails_where_a_count_differs(stack: Stack) -> None:
    backup = back_up(stack)
    wrong = backup.with_name("20990101-000000Z")
    shutil.copytree(backup, wrong)
    try:
        manifest = (wrong / "manifest").read_text()
        (wrong / "manifest").write_text(re.sub(r"(public\.items) \d+", r"\1 987654", manifest))
        seal(wrong)
        result = script(stack, "backup-check", wrong.name)
    finally:
        shutil.rmtree(wrong)
    assert result.returncode == 1
    assert re.search(r"public\.items +987654 +\d+  DIFFERENT", result.stdout)
    assert leftovers(f"{_project(stack)}_drill") == ""


def test_an_interrupted_drill_leaves_nothing(stack: Stack) -> None:
    back_up(stack)
    drill = subprocess.Popen(
        ["sh", "deploy/backup-check.sh"],
        cwd=stack.folder,
        stdout=subprocess.DEVNULL,
        stderr=subprocess.DEVNULL,
        start_new_session=True,
    )
    eventually(lambda: leftovers(f"{_project(stack)}_drill") != "")
    os.killpg(drill.pid, signal.SIGINT)
    assert drill.wait(120) == 130
    assert leftovers(f"{_project(stack)}_drill") == ""


def _project(stack: Stack) -> str:
    name: str = stack.configuration()["name"]
    return name


def test_no_backup_is_made_where_the_disk_would_run_full(stack: Stack) -> None:
    before = backups(stack)
    with settings(stack, BACKUP_MIN_FREE_MB="99999999"):
        result = script(stack, "backup")
    assert result.returncode == 1
    assert "There is too little room" in result.stderr
    assert "99999999 MB must stay free" in result.stderr
    assert backups(stack) == before


def test_a_disk_that_runs_full_meanwhile_keeps_no_half_backup(stack: Stack, tmp_path: Path) -> None:
    sql(
        stack,
        "CREATE TABLE noise AS SELECT md5(random()::text) || md5(random()::text) AS x "
        "FROM generate_series(1, 100000)",
    )
    disk = tmp_path / "disk"
    disk.mkdir()
    run(*ROOT, "mount", "-t", "tmpfs", "-o", f"size=1m,mode=777,uid={os.geteuid()}", "none", disk)
    try:
        # A small backup from before makes the script expect another small one.
        small = disk / _project(stack) / "20200101-000000Z"
        small.mkdir(parents=True)
        (small / "manifest").write_text(f"project {_project(stack)}\n")
        seal(small)
        with settings(stack, BACKUP_DIR=str(disk), BACKUP_MIN_FREE_MB="0"):
            result = script(stack, "backup")
        assert result.returncode == 1
        assert f"the disk of {small.parent} is full" in result.stderr
        assert [folder.name for folder in small.parent.glob("2*")] == [small.name]
    finally:
        run(*ROOT, "umount", disk)
        sql(stack, "DROP TABLE noise")


def test_a_failing_dump_is_noticed(stack: Stack) -> None:
    before = backups(stack)
    locked = 'psql -U "$POSTGRES_USER" -d "$POSTGRES_DB" -c '
    locked += "'BEGIN; LOCK TABLE items; SELECT pg_sleep(600)'"
    holder = subprocess.Popen(
        ["docker", "exec", stack.containers()["postgres"]["Id"], "sh", "-c", locked],
        stdout=subprocess.DEVNULL,
        stderr=subprocess.DEVNULL,
    )
    kill = "SELECT pg_terminate_backend(pid) FROM pg_stat_activity WHERE "
    try:
        eventually(
            lambda: sql(stack, "SELECT 1 FROM pg_locks WHERE mode = 'AccessExclusiveLock'") != ""
        )
        process = subprocess.Popen(
            ["sh", "deploy/backup.sh"],
            cwd=stack.folder,
            stdout=subprocess.PIPE,
            stderr=subprocess.PIPE,
            text=True,
        )
        waiting = "application_name = 'pg_dump' AND wait_event_type = 'Lock'"
        eventually(lambda: "t" in administer(stack, f"{kill}{waiting}"))
        _, errors = process.communicate(timeout=120)
    finally:
        administer(stack, f"{kill}query LIKE '%pg_sleep(600)%' AND pid <> pg_backend_pid()")
        holder.wait(30)
    assert process.returncode == 1
    assert "pg_dump failed" in errors
    assert backups(stack) == before


def test_retention_keeps_the_newest_three_and_what_is_not_ours(stack: Stack) -> None:
    backup = back_up(stack)
    folder = backup.parent
    for name in backups(stack)[:-1]:
        shutil.rmtree(folder / name)
    for name in ("20200101-000000Z", "20200102-000000Z", "20200103-000000Z", "20200104-000000Z"):
        shutil.copytree(backup, folder / name)
    theirs = (folder / "notes", folder / "20200105-000000Z", folder / "20200106-000000Z.old")
    for foreign in theirs:
        foreign.mkdir()
    with settings(stack, BACKUP_KEEP_DAYS="1"):
        newest = back_up(stack)
    assert backups(stack) == ["20200104-000000Z", backup.name, newest.name]
    assert all(foreign.exists() for foreign in theirs)
    # A restore keeps what it is about to restore, though it is old and a backup is made first.
    succeed(stack, "restore", "--yes", "20200104-000000Z", "uploads")
    assert "20200104-000000Z" in backups(stack)
    for foreign in theirs:
        foreign.rmdir()


def test_a_killed_backup_leaves_none_that_counts(stack: Stack) -> None:
    before = back_up(stack)
    for delay in (0.3, 0.7, 1.2, 2.0):
        process = subprocess.Popen(
            ["sh", "deploy/backup.sh"],
            cwd=stack.folder,
            stdout=subprocess.DEVNULL,
            stderr=subprocess.DEVNULL,
            start_new_session=True,
        )
        time.sleep(delay)
        os.killpg(process.pid, signal.SIGKILL)
        process.wait()
    whole = backups(stack)
    assert whole[-1] == before.name
    after = back_up(stack)
    assert backups(stack) == [*whole, after.name]
    assert list(before.parent.glob("*.partial")) == []


class Watcher(threading.Thread):
    """Reads every command line of the machine, containers' too, again and again."""

    def __init__(self) -> None:
        super().__init__()
        self.seen: set[bytes] = set()
        self.done = threading.Event()

    def run(self) -> None:
        while not self.done.is_set():
            for entry in Path("/proc").glob("[0-9]*/cmdline"):
                try:
                    self.seen.add(entry.read_bytes())
                except OSError:
                    continue


def test_passwords_show_nowhere(stack: Stack) -> None:
    watcher = Watcher()
    watcher.start()
    try:
        outputs = [succeed(stack, "backup"), succeed(stack, "restore", "--yes", "latest")]
        outputs.append(succeed(stack, "backup-check"))
    finally:
        watcher.done.set()
        watcher.join()
    secret = HOSTILE_PASSWORD.encode()
    assert any(b"redis-cli" in line or b"pg_restore" in line for line in watcher.seen)
    assert not [line for line in watcher.seen if secret in line]
    written = [
        file.read_bytes()
        for folder in ("deploy/backups", "deploy/state")
        for file in (stack.folder / folder).rglob("*")
        if file.is_file()
    ]
    logs = stack.compose("logs", "--no-color")
    assert not [
        text for text in (*written, logs.encode(), *map(str.encode, outputs)) if secret in text
    ]


def test_backups_are_readable_for_their_owner_alone(stack: Stack) -> None:
    backup = back_up(stack)
    modes = {path.stat().st_mode & 0o777 for path in (backup, *backup.iterdir())}
    assert modes == {0o700, 0o600}
    assert run("git", "init", "-q", cwd=stack.folder) == ""
    assert "backups" not in run("git", "status", "--porcelain", "-uall", cwd=stack.folder)


def test_a_copy_goes_off_site_with_rclone_and_comes_back(stack: Stack, tmp_path: Path) -> None:
    need("rclone")
    with settings(stack, BACKUP_RCLONE_REMOTE=str(tmp_path / "away")):
        backup = back_up(stack)
    copy = tmp_path / "away" / _project(stack) / backup.name
    assert {f.name: f.read_bytes() for f in copy.iterdir()} == {
        f.name: f.read_bytes() for f in backup.iterdir()
    }
    shutil.rmtree(backup)
    succeed(stack, "restore", "--yes", str(copy), "uploads")


def test_a_copy_goes_off_site_with_restic_and_comes_back(stack: Stack, tmp_path: Path) -> None:
    need("restic")
    password = tmp_path / "password"
    password.write_text("of the repository\n")
    repository = str(tmp_path / "away")
    values = {"BACKUP_RESTIC_REPOSITORY": repository, "BACKUP_RESTIC_PASSWORD_FILE": str(password)}
    with settings(stack, **values):
        result = script(stack, "backup")
        assert result.returncode == 1
        assert "restic init" in result.stderr
        assert "is whole" in result.stderr
        restic = ["restic", "--repo", repository, "--password-file", str(password)]
        run(*restic, "init")
        backup = back_up(stack)
    run(*restic, "restore", "latest", "--target", tmp_path / "back")
    (copy,) = (tmp_path / "back").rglob(backup.name)
    shutil.rmtree(backup)
    succeed(stack, "restore", "--yes", str(copy), "uploads")


@pytest.mark.parametrize("tool", ["rclone", "restic"])
def test_a_missing_tool_is_said_and_the_local_backup_kept(
    stack: Stack, tmp_path: Path, tool: str
) -> None:
    for folder in os.environ["PATH"].split(os.pathsep):
        for program in Path(folder).iterdir() if Path(folder).is_dir() else ():
            if program.name != tool and not (tmp_path / program.name).is_symlink():
                (tmp_path / program.name).symlink_to(program)
    name = {"rclone": "BACKUP_RCLONE_REMOTE", "restic": "BACKUP_RESTIC_REPOSITORY"}[tool]
    before = backups(stack)
    with settings(stack, **{name: "elsewhere"}):
        result = script(stack, "backup", PATH=str(tmp_path))
    assert result.returncode == 1
    assert f"{tool} is missing: install it" in result.stderr
    assert len(backups(stack)) == len(before) + 1


def test_staging_is_backed_up_beside_production(stack: Stack) -> None:
    file = stack.folder / "deploy/env/staging.env"
    file.parent.mkdir(exist_ok=True)
    ports = {"HTTP_PORT": str(free_port()), "HTTPS_PORT": str(free_port())}
    text = re.sub(r"^HTTPS?_PORT=.*\n", "", (stack.folder / ".env").read_text(), flags=re.MULTILINE)
    file.write_text(text + "".join(f"{name}={port}\n" for name, port in ports.items()))
    project = _project(stack).removesuffix("-prod") + "-staging"
    files = ["-p", project, "--env-file", "deploy/env/staging.env"]
    try:
        stack.compose(*files, "up", "-d", "--wait", "app", "postgres", "redis")
        mine = stack.post("/api/v1/items", {"name": "of production"})
        backup = back_up(stack, "--env", "staging")
        assert backup.parent.name == project
        succeed(stack, "restore", "--env", "staging", "--yes", "latest")
        succeed(stack, "backup-check", "--env", "staging")
        assert mine in stack.get("/api/v1/items")
        assert leftovers(f"{project}_drill") == ""
    finally:
        stack.compose(*files, "down", "--volumes", "--timeout", "3")
        shutil.rmtree(file.parent)


@pytest.mark.parametrize("form", ["plain", "gzipped", "custom"])
def test_a_database_from_elsewhere_is_brought_in(stack: Stack, tmp_path: Path, form: str) -> None:
    item = stack.post("/api/v1/items", {"name": f"'{form}'; \\! $(x)"})
    dump = ["pg_dump", "--no-owner", "--no-privileges", "-U", "app"]
    dump += ["--format", "custom" if form == "custom" else "plain"]
    database = stack.execute("postgres", 'printf %s "$POSTGRES_DB"')
    postgres = stack.containers()["postgres"]["Id"]
    content = subprocess.run(
        ["docker", "exec", postgres, *dump, database], capture_output=True, check=True
    ).stdout
    file = tmp_path / "from elsewhere.sql"
    file.write_bytes(gzip.compress(content) if form == "gzipped" else content)
    lost = stack.post("/api/v1/items", {"name": "not in it"})
    succeed(stack, "restore", "--yes", "--import", str(file), "postgres")
    items = stack.get("/api/v1/items")
    assert item in items
    assert lost not in items


def test_sql_that_fails_changes_nothing(stack: Stack, tmp_path: Path) -> None:
    item = stack.post("/api/v1/items", {"name": "stays"})
    (tmp_path / "bad.sql").write_text("CREATE TABLE half (id int);\nSELECT nonsense();\n")
    file = str(tmp_path / "bad.sql")
    result = script(stack, "restore", "--yes", "--no-backup", "--import", file, "postgres")
    assert result.returncode == 1
    stack.compose("up", "-d", "--wait")
    assert item in stack.get("/api/v1/items")


def test_uploads_from_elsewhere_are_brought_in(stack: Stack, tmp_path: Path) -> None:
    (tmp_path / "files/deep").mkdir(parents=True)
    (tmp_path / "files/deep/new.txt").write_text("new")
    for form, option in (("tar", "-cf"), ("tar.gz", "-czf")):
        file = tmp_path / f"files.{form}"
        run("tar", "-C", tmp_path / "files", option, file, ".")
        succeed(stack, "restore", "--yes", "--no-backup", "--import", str(file), "uploads")
        assert stack.execute("app", "cd /app/uploads && find . -type f").split() == [
            "./deep/new.txt"
        ]


@pytest.mark.parametrize("service", ["postgres", "redis"])
def test_a_database_gets_another_password(stack: Stack, service: str) -> None:
    variable = f"{service.upper()}_PASSWORD"
    file = stack.folder / ".env"
    file.chmod(0o640)
    watcher = Watcher()
    watcher.start()
    try:
        output = succeed(stack, "change-password", service)
    finally:
        watcher.done.set()
        watcher.join()
    found = re.findall(rf"^{variable}=(.*)$", file.read_text(), re.MULTILINE)
    assert len(found) == 1
    assert re.fullmatch("[0-9a-f]{64}", found[0])
    assert file.stat().st_mode & 0o777 == 0o640
    assert found[0] not in output
    assert not [line for line in watcher.seen if found[0].encode() in line]
    stack.post("/api/v1/items", {"name": "with the new password"})
    stack.post("/api/v1/visits")
    login = {
        "postgres": 'PGPASSWORD=$OLD psql -h "$(hostname -i)" -U "$POSTGRES_USER" '
        '-d "$POSTGRES_DB" -c "SELECT 1"',
        "redis": "unset REDISCLI_AUTH; REDISCLI_AUTH=$OLD redis-cli PING | grep PONG",
    }[service]
    command = ["docker", "exec", "-e", f"OLD={HOSTILE_PASSWORD}"]
    container = stack.containers()[service]["Id"]
    assert subprocess.call([*command, container, "sh", "-c", login], stderr=subprocess.DEVNULL) != 0
    # A plain start takes nothing back, and backups go on.
    stack.up()
    back_up(stack)


def test_a_password_that_cannot_be_changed_stays(stack: Stack) -> None:
    before = (stack.folder / ".env").read_text()
    stack.compose("stop", "postgres")
    try:
        result = script(stack, "change-password", "postgres")
    finally:
        stack.compose("up", "-d", "--wait")
    assert result.returncode == 1
    assert "postgres does not run" in result.stderr
    assert (stack.folder / ".env").read_text() == before


def no_image(stack: Stack, tools: Path) -> str:
    """The version of the settings has no image any more."""
    with (stack.folder / ".env").open("a") as file:
        file.write("TAG=gone\n")
    return "giving the apps the new password"


def settings_stay(stack: Stack, tools: Path) -> str:
    """The new settings cannot take the place of the old ones."""
    (tools / "mv").write_text('#!/bin/sh\ncase $* in *draft*) exit 1 ;; esac\nexec /bin/mv "$@"\n')
    (tools / "mv").chmod(0o755)
    return "putting the settings in place"


@pytest.mark.parametrize("break_it", [no_image, settings_stay])
def test_what_is_said_after_a_failed_change_of_a_password_mends_it(
    stack: Stack, tmp_path: Path, break_it: Callable[[Stack, Path], str]
) -> None:
    before = re.findall(r"^POSTGRES_PASSWORD=.*$", settings_of(stack), re.MULTILINE)
    failing = break_it(stack, tmp_path)
    path = f"{tmp_path}:{os.environ['PATH']}"
    result = script(stack, "change-password", "postgres", PATH=path)
    assert result.returncode == 1
    said = result.stderr.splitlines()[-1]
    assert f"Failed while {failing}. " in said
    assert "The old password holds" not in said
    run("sh", "-c", said.rpartition(": ")[2], cwd=stack.folder)
    assert re.findall(r"^POSTGRES_PASSWORD=.*$", settings_of(stack), re.MULTILINE) != before
    stack.post("/api/v1/items", {"name": f"after {failing}"})
    back_up(stack)


def settings_of(stack: Stack) -> str:
    return (stack.folder / ".env").read_text()


def test_a_deployment_backs_up_first(stack: Stack) -> None:
    kept = backups(stack)
    succeed(stack, "deploy")
    made = [name for name in backups(stack) if name not in kept]
    assert len(made) == 1
    assert listed(stack)[made[0]].startswith("before deploy ")
    succeed(stack, "restore", "--yes", "--no-backup", made[0])
    assert stack.request("/health").status == 200


@pytest.fixture(scope="module")
def chroma(tmp_path_factory: pytest.TempPathFactory) -> Iterator[Stack]:
    """A stack with Chroma."""
    folder = tmp_path_factory.mktemp("chroma")
    stack = start("e2e-fastapi-chroma", folder, f"e2e-backup-chroma-{os.getpid()}")
    yield stack
    stack.remove()


def _add_document(stack: Stack, name: str) -> None:
    stack.post("/api/v1/documents", {"id": name, "embedding": [1.0, 0.5], "text": "hello"})


def test_a_collection_outlives_the_loss_of_everything(chroma: Stack) -> None:
    _add_document(chroma, "kept")
    backup = back_up(chroma)
    assert "count chroma collections 1\n" in (backup / "manifest").read_text()
    chroma.compose("down", "--volumes")
    succeed(chroma, "restore", "--yes", "latest")
    assert chroma.get("/api/v1/documents/count") == {"count": 1}
    succeed(chroma, "backup-check")


def test_no_request_to_chroma_fails_while_it_is_backed_up(chroma: Stack) -> None:
    _add_document(chroma, "first")
    results: list[object] = []
    done = threading.Event()

    def ask() -> None:
        while not done.is_set():
            results.append(chroma.request("/api/v1/documents/count").status)

    asking = threading.Thread(target=ask)
    asking.start()
    back_up(chroma)
    done.set()
    asking.join()
    assert set(results) == {200}


@pytest.mark.parametrize("signum", [signal.SIGTERM, signal.SIGKILL])
def test_chroma_goes_on_when_its_backup_is_ended(chroma: Stack, signum: signal.Signals) -> None:
    def paused() -> bool:
        state: bool = chroma.containers()["chroma"]["State"]["Paused"]
        return state

    process = subprocess.Popen(
        ["sh", "deploy/backup.sh"],
        cwd=chroma.folder,
        stdout=subprocess.DEVNULL,
        stderr=subprocess.DEVNULL,
    )
    while not paused():
        assert process.poll() is None, "it was never seen paused"
    process.send_signal(signum)
    process.wait(60)
    eventually(lambda: not paused())
    # Docker shows it as unhealthy until it has asked again.
    succeed(chroma, "deploy", "--no-backup")


# MongoDB's database tools come with its official image alone. In their place, so that all around
# them is tested: their arguments and messages (mongodb.com/docs/database-tools), another archive.
_LOGIN = """
const fs = require('fs'), words = {argv};
const user = words[words.indexOf('--username') + 1];
const yaml = fs.readFileSync(words[words.indexOf('--config') + 1], 'utf8');
const secret = yaml.match(/^password: '((?:[^']|'')*)'$/m)[1].replaceAll("''", "'");
const login = [user, secret].map(encodeURIComponent).join(':');
const server = new Mongo('mongodb://' + login + '@127.0.0.1:27017/?authSource=admin');
"""
_DUMP = """
for (const name of server.getDBNames()) for (const c of server.getDB(name).getCollectionNames()) {
    const all = server.getDB(name).getCollection(c).find().toArray();
    for (const d of all) fs.appendFileSync('/tmp/archive', EJSON.stringify([name, c, d]) + '\\n');
    fs.appendFileSync('/tmp/said', `now\\tdone dumping ${name}.${c} (${all.length} documents)\\n`);
}
"""
_RESTORE = """
for (const line of fs.readFileSync('/tmp/archive', 'utf8').split('\\n').filter(Boolean)) {
    const [name, c, d] = EJSON.parse(line);
    if (name !== 'admin') server.getDB(name).getCollection(c).insertOne(d);
}
"""


def _tool(body: str, before: str, after: str) -> str:
    return f"""#!/bin/sh
set -eu
rm -f /tmp/archive /tmp/said && touch /tmp/archive /tmp/said
{before}
words=$(printf '"%s",' "$@")
cat >/tmp/tool.js <<'JS'
{_LOGIN.replace("{argv}", "[WORDS]")}{body}
JS
sed -i "s|WORDS|$words|" /tmp/tool.js
mongosh --quiet --norc --nodb /tmp/tool.js </dev/null >&2
{after}
"""


@pytest.fixture(scope="module")
def mongodb(tmp_path_factory: pytest.TempPathFactory) -> Iterator[Stack]:
    """A stack with MongoDB, in an image that has stand-ins for the database tools."""
    image = f"e2e-backup-mongo:{os.getpid()}"
    folder = tmp_path_factory.mktemp("mongodb")
    (folder / "image").mkdir()
    tools = {
        "mongodump": _tool(_DUMP, "", "cat /tmp/said >&2; gzip -c /tmp/archive"),
        "mongorestore": _tool(_RESTORE, "gzip -dc >/tmp/archive", ""),
    }
    for name, text in tools.items():
        (folder / "image" / name).write_text(text)
        (folder / "image" / name).chmod(0o755)
    (folder / "image/Dockerfile").write_text(
        "FROM mongo:7.0\nCOPY mongodump mongorestore /usr/local/bin/\n"
    )
    run("docker", "build", "--quiet", "--tag", image, folder / "image")
    name = f"e2e-backup-mongodb-{os.getpid()}"
    stack = start("e2e-fastapi-mongodb", folder, name, "--set", f"mongodb.image={image}")
    yield stack
    stack.remove()
    run("docker", "image", "rm", image)


def test_documents_outlive_the_loss_of_everything(mongodb: Stack) -> None:
    mongodb.post("/api/v1/notes", {"text": "kept"})
    backup = back_up(mongodb)
    assert re.search(r"^count mongodb \S+\.notes 1$", (backup / "manifest").read_text(), re.M)
    mongodb.compose("down", "--volumes")
    succeed(mongodb, "restore", "--yes", "latest")
    assert mongodb.get("/api/v1/notes") == [{"text": "kept"}]
    mongodb.post("/api/v1/notes", {"text": "later"})
    succeed(mongodb, "restore", "--yes", backup.name)
    assert mongodb.get("/api/v1/notes") == [{"text": "kept"}]
    succeed(mongodb, "backup-check")


def test_an_image_without_the_tools_is_named(mongodb: Stack) -> None:
    kept = backups(mongodb) or [back_up(mongodb).name]
    notes = mongodb.get("/api/v1/notes")
    compose_file = mongodb.folder / "docker-compose.prod.yml"
    before = compose_file.read_text()
    compose_file.write_text(re.sub(r"image: e2e-backup-mongo:\d+", "image: mongo:7.0", before))
    try:
        mongodb.compose("up", "-d", "--wait")
        for name, options in (("backup", []), ("restore", ["--yes", "--no-backup", kept[0]])):
            result = script(mongodb, name, *options)
            assert result.returncode == 1
            assert "is not in this image" in result.stderr
        mongodb.compose("up", "-d", "--wait")
        assert mongodb.get("/api/v1/notes") == notes
    finally:
        compose_file.write_text(before)
        mongodb.compose("up", "-d", "--wait")
    assert backups(mongodb) == kept


# What is hidden where there are several services: each as the only one. MongoDB and Chroma are
# alone in their stacks above.
ALONE: dict[str, tuple[str, str, tuple[str, ...]]] = {
    "postgres": ("e2e-fastapi-postgresql-redis", "USE_REDIS", ()),
    "redis": ("e2e-fastapi-postgresql-redis", "USE_POSTGRESQL", ()),
    "uploads": ("e2e-fastapi", "USE_POSTGRESQL", ("--set", "uploads=/app/uploads")),
}


@pytest.fixture
def alone(request: pytest.FixtureRequest, tmp_path: Path) -> Iterator[Stack]:
    """A stack with that service and no other."""
    service = request.param
    if service not in ALONE:
        yield request.getfixturevalue(service)
        return
    shape, without, options = ALONE[service]
    stack = Stack(compose(shape, tmp_path / "project"))
    switch(stack.folder, without, False)
    name = f"e2e-backup-{service}-alone-{os.getpid()}"
    build(stack.folder, "--set", f"name={name}", "--set", "fastapi.worker=off", *options)
    stack.write_env()
    try:
        yield stack
    finally:
        stack.remove()


@pytest.mark.parametrize("alone", [*ALONE, "chroma", "mongodb"], indirect=True)
def test_a_service_alone_goes_through_everything(alone: Stack) -> None:
    succeed(alone, "deploy")
    succeed(alone, "deploy")
    backup = back_up(alone)
    # Over what runs, which is backed up first.
    succeed(alone, "restore", "--yes", "latest")
    succeed(alone, "restore", "--yes", backup.name)
    succeed(alone, "deploy")
    succeed(alone, "backup-check")
    assert alone.request("/health").status == 200
    states = {name: c["State"]["Health"]["Status"] for name, c in alone.containers().items()}
    assert set(states.values()) == {"healthy"}, states
