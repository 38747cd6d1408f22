"""The shell scripts of `deploy/swarm/`, run with a stand-in for docker."""

from __future__ import annotations

import itertools
import os
import re
import shlex
import shutil
import stat
import subprocess
from collections.abc import Callable
from dataclasses import dataclass
from pathlib import Path
from tempfile import TemporaryDirectory

import pytest

from tests.docker_swarm import FOLDERS, STAND_IN
from tests.projects.compose import compose
from tests.runs import build
from tests.settings_files import CASES

pytestmark = pytest.mark.integration

NAME = "e2e-fastapi-postgresql-redis"
PROJECT = f"{NAME}-prod"
LOCK = f"config/{PROJECT}_in-progress"
IMAGE = "ghcr.io/me/app"
DIGEST = f"sha256:{'0123456789abcdef' * 4}"
APPS = ("app", "worker")
OTHERS = ("caddy", "postgres", "redis")
SECRETS = {"SECRET_KEY": "the-key", "POSTGRES_PASSWORD": "the-one", "REDIS_PASSWORD": "the-other"}
SETTINGS = {**SECRETS, "IMAGE_APP": IMAGE, "DEPLOY_TIMEOUT": "2", "BACKUP_MIN_FREE_MB": "0"}

# What a call is for, in short; the others are left out.
STEPS = (
    (r"build .* --tag (\S+) .*", r"build \1"),
    (r"pu(sh|ll) --quiet (\S+)", r"pu\1 \2"),
    (r"stack deploy app=[^*]+:(\S+)\*(.) worker=\S+\*(.) caddy\*(.)", r"deploy \1 \2 \3 \4"),
    (r"exec \S+ (\w+)\.sh (backup|password|restore)", r"\2 \1"),
    (r"run (\w+)\.sh (restore)", r"\2 \1 beside"),
    (rf"service create .* --name {PROJECT}_migrate .*", "migrate"),
    (rf"service rollback --detach {PROJECT}_(\w+)", r"take back \1"),
    (rf"service scale --detach {PROJECT}_(\w+)=(\d)", r"scale \1 to \2"),
)  # fmt: skip
READS = re.compile(
    r"info|ps |(node|network|config|secret|service) ls |\w+ inspect |image |inspect |stack config "
    r"|service (ps|logs) |exec \S+ \S+ (size|count|extensions)$"
)


@dataclass(frozen=True)
class Swarm:
    """A project that can be deployed, and what stands in for the swarm."""

    project: Path
    state: Path

    @property
    def environment(self) -> dict[str, str]:
        path = f"{self.state / 'tools'}:{os.defpath}"
        state = {"DOCKER_STAND_IN": str(self.state), "TMPDIR": str(self.state / "tmp")}
        return {"PATH": path, "HOME": str(self.state), **state}

    def command(self, script: str, *arguments: str) -> list[str]:
        """The script's process id stands in a file, for the stand-in to end it."""
        pid = shlex.quote(str(self.state / "pid"))
        script = f"deploy/swarm/{script}.sh"
        return ["sh", "-c", f'echo $$ >{pid}; exec sh "$@"', "sh", script, *arguments]

    def run(self, script: str, *arguments: str) -> subprocess.CompletedProcess[str]:
        return subprocess.run(
            self.command(script, *arguments),
            cwd=self.project,
            env=self.environment,
            stdin=subprocess.DEVNULL,
            capture_output=True,
            text=True,
            check=False,
            timeout=300,
        )

    def write(self, name: str, *lines: str) -> None:
        (self.state / name).write_text("".join(f"{line}\n" for line in lines))

    def plan(self, **outcomes: str) -> None:
        """How the services' next update ends."""
        for service, outcome in outcomes.items():
            self.write(f"outcomes/{PROJECT}_{service}", outcome)

    def set(self, **settings: str) -> None:
        """Lines at the end of .env, where the last one counts."""
        with (self.project / ".env").open("a") as file:
            file.writelines(f"{name}={value}\n" for name, value in settings.items())

    @property
    def settings(self) -> bytes:
        return (self.project / ".env").read_bytes()

    @property
    def history(self) -> list[str]:
        log = self.project / f"deploy/state/{PROJECT}.log"
        return log.read_text().splitlines() if log.exists() else []

    def calls(self) -> list[str]:
        log = self.state / "calls"
        return log.read_text().splitlines() if log.exists() else []

    def steps(self) -> list[str]:
        """The calls that matter, in short; the same one again and again counts once."""
        found = [
            match.expand(short)
            for call in self.calls()
            for pattern, short in STEPS
            if (match := re.fullmatch(pattern, call))
        ]
        return [step for step, _ in itertools.groupby(found)]

    def changes(self) -> list[str]:
        return [call for call in self.calls() if not READS.match(call)]

    def service(self, name: str) -> tuple[str, int]:
        """Its image, without the registry, and its replicas."""
        spec = (self.state / f"services/{PROJECT}_{name}/spec").read_text().split()
        return spec[0].removeprefix(f"{IMAGE}@sha256:"), int(spec[1])

    def services(self) -> dict[str, tuple[str, int]]:
        return {name: self.service(name) for name in (*APPS, *OTHERS)}

    def secrets(self, kind: str) -> dict[str, str]:
        """Values by name, of one kind."""
        files = (self.state / "secret").glob(f"{NAME}_{kind}_*")
        return {file.name: file.read_text() for file in files}

    def secret(self, kind: str) -> str:
        (value,) = self.secrets(kind).values()
        return value

    @property
    def locked(self) -> bool:
        return (self.state / LOCK).exists()


def tool(folder: Path, name: str, text: str) -> None:
    folder.mkdir(exist_ok=True)
    (folder / name).write_text(text)
    (folder / name).chmod(0o755)


def contents(folder: Path) -> dict[str, bytes]:
    files = (path for path in folder.rglob("*") if path.is_file())
    return {str(path.relative_to(folder)): path.read_bytes() for path in files}


def is_one_sentence(result: subprocess.CompletedProcess[str], script: str) -> bool:
    return re.fullmatch(rf"{script}: [^\n]+\n", result.stderr) is not None


@pytest.fixture(scope="module")
def original(tmp_path_factory: pytest.TempPathFactory) -> Swarm:
    """Of one node that has both labels; nothing is deployed."""
    folder = tmp_path_factory.mktemp("original")
    generated = compose(NAME, folder / "generated")
    build(generated, "deploy", "--target", "docker-swarm", "--generate")
    swarm = Swarm(folder / "my project", folder / "the swarm")
    for part in ("deploy", "database/migrations"):
        shutil.copytree(generated / part, swarm.project / part)
    (swarm.project / ".env").write_text("# Ours\n")
    swarm.set(**SETTINGS)
    (swarm.project / ".env").chmod(0o640)
    for part in FOLDERS:
        (swarm.state / part).mkdir(parents=True)
    add_node(swarm, "node1", "data", "edge")
    tool(swarm.state / "tools", "docker", STAND_IN)
    for name in ("sleep", "sync"):
        tool(swarm.state / "tools", name, "#!/bin/sh\n")
    return swarm


@pytest.fixture(scope="module")
def original_later(original: Swarm, tmp_path_factory: pytest.TempPathFactory) -> Swarm:
    """The same, where version v1 is in service, and there is a backup."""
    swarm = copy(original, tmp_path_factory.mktemp("later"))
    check(swarm.run("deploy", "v1"))
    check(swarm.run("backup"))
    for log in ("calls", "arguments"):
        (swarm.state / log).unlink()
    return swarm


@pytest.fixture(scope="module")
def present(original_later: Swarm, tmp_path_factory: pytest.TempPathFactory) -> Swarm:
    """The same, for what changes nothing."""
    return copy(original_later, tmp_path_factory.mktemp("present"))


@pytest.fixture
def swarm(original: Swarm, tmp_path: Path) -> Swarm:
    return copy(original, tmp_path)


@pytest.fixture
def later(original_later: Swarm, tmp_path: Path) -> Swarm:
    return copy(original_later, tmp_path)


def copy(swarm: Swarm, folder: Path) -> Swarm:
    shutil.copytree(swarm.project, folder / swarm.project.name)
    shutil.copytree(swarm.state, folder / swarm.state.name)
    return Swarm(folder / swarm.project.name, folder / swarm.state.name)


def add_node(swarm: Swarm, node: str, *labels: str) -> None:
    (swarm.state / "nodes" / node).mkdir()
    for label in labels:
        swarm.write(f"nodes/{node}/{NAME}.{label}=true")


DATABASES = "deploy v1 0 0 0"
FIRST = [DATABASES, "migrate", "deploy v1 2 1 1"]
BACKUP = ["backup postgres", "backup redis"]
NEW = ["pull ghcr.io/me/app:v2", *BACKUP, "migrate", "deploy v2 2 1 1"]


def check(result: subprocess.CompletedProcess[str]) -> None:
    assert result.returncode == 0, result.stderr


def failed(swarm: Swarm, *arguments: str, script: str = "deploy") -> str:
    """What it says, when it fails and leaves the settings alone."""
    before = swarm.settings
    result = swarm.run(script, *arguments)
    assert result.returncode == 1, result.stderr
    assert swarm.settings == before
    assert not swarm.locked
    return result.stderr


def refused(swarm: Swarm, script: str, *arguments: str) -> str:
    """What it says, when it refuses before it has changed anything."""
    (swarm.state / "calls").unlink(missing_ok=True)
    before = kept(swarm)
    result = swarm.run(script, *arguments)
    assert result.returncode == 1
    assert is_one_sentence(result, script), result.stderr
    assert swarm.changes() == []
    assert kept(swarm) == before
    return result.stderr


def kept(swarm: Swarm) -> dict[str, bytes]:
    """The project's files, without empty ones, which are locks."""
    return {name: text for name, text in contents(swarm.project).items() if text}


# deploy.sh: the first deployment


def test_the_first_deployment(swarm: Swarm) -> None:
    check(swarm.run("deploy", "v1"))
    assert swarm.steps() == ["pull ghcr.io/me/app:v1", *FIRST]


def test_the_first_deployment_builds_what_is_there(swarm: Swarm) -> None:
    check(swarm.run("deploy"))
    built, pushed, *_ = swarm.steps()
    assert built.removeprefix("build ") == pushed.removeprefix("push ")
    assert swarm.settings.decode().endswith(f"\nTAG={built.rpartition(':')[2]}\n")


def test_a_proxy_that_reaches_no_app_takes_the_version_back(later: Swarm) -> None:
    later.write("status", "  HTTP/1.1 502 Bad Gateway")
    error = failed(later, "v2")
    assert "The proxy answers 502 for app" in error
    assert "Failed while asking the proxy for every app. In service is version v1." in error
    assert later.steps()[-2:] == ["take back app", "take back worker"]


def test_a_proxy_without_a_certificate_is_pointed_out(swarm: Swarm) -> None:
    swarm.write("status", "wget: error getting response")
    swarm.set(DOMAIN="app.example.com")
    done = swarm.run("deploy", "v1")
    check(done)
    assert "https://app.example.com does not answer yet" in done.stderr


def test_a_deployment_ends_with_the_address(swarm: Swarm) -> None:
    swarm.set(DOMAIN="app.example.com", HTTPS_PORT="8443")
    last = swarm.run("deploy", "v1").stdout.splitlines()[-1]
    address = "https://app.example.com:8443"
    assert re.fullmatch(rf"Version v1 is in service at {address} after \d+ s\.", last)
    asked = (swarm.state / "arguments").read_text()
    assert "--add-host app.example.com:127.0.0.1 " in asked
    assert " https://app.example.com:8443/health\n" in asked


def test_a_node_that_would_ask_outside_for_a_service_gets_no_first_version(swarm: Swarm) -> None:
    swarm.write("knows-every-name")
    assert '"dns-opts": ["ndots:1"]' in failed(swarm, "v1")
    assert DATABASES not in swarm.steps()


def test_a_version_in_service_is_followed_by_others_all_the_same(later: Swarm) -> None:
    later.write("knows-every-name")
    done = later.run("deploy", "v2")
    check(done)
    assert '"dns-opts": ["ndots:1"]' in done.stderr


def test_a_log_that_never_comes_is_not_waited_for(swarm: Swarm) -> None:
    """Docker waits for that of a container that never started."""
    tool(swarm.state / "tools", "timeout", '#!/bin/sh\nshift\nexec /usr/bin/timeout 1 "$@"\n')
    swarm.write("logless")
    swarm.plan(redis="stuck")
    assert "redis is not healthy" in failed(swarm, "v1")


def test_the_databases_run_before_the_migration(swarm: Swarm) -> None:
    swarm.plan(redis="stuck")
    assert "redis is not healthy" in failed(swarm, "v1")
    assert swarm.steps()[1:] == [DATABASES]


def test_the_tag_is_written_to_the_settings(swarm: Swarm) -> None:
    before = swarm.settings
    check(swarm.run("deploy", "v1"))
    assert swarm.settings == before + b"TAG=v1\n"
    assert stat.S_IMODE((swarm.project / ".env").stat().st_mode) == 0o640


def test_settings_that_lie_on_another_disk(later: Swarm) -> None:
    """A link in the project's folder; the file itself changes in one step, on its own disk."""
    elsewhere = Path("/dev/shm")
    if not elsewhere.is_dir() or elsewhere.stat().st_dev == later.project.stat().st_dev:
        pytest.skip("there is no other disk")
    with TemporaryDirectory(dir=elsewhere) as folder:
        target = Path(folder, "settings.env")
        target.write_bytes(later.settings)
        (later.project / ".env").unlink()
        (later.project / ".env").symlink_to(target)
        check(later.run("deploy", "v2"))
        assert (later.project / ".env").is_symlink()
        assert "TAG=v2\n" in target.read_text()
        assert [path.name for path in Path(folder).iterdir()] == ["settings.env"]


def test_drafts_of_the_settings_are_removed(later: Swarm) -> None:
    """Those of runs that were killed: in deploy/state/, and beside .env as versions before did."""
    state = later.project / "deploy/state"
    for draft in (state / f"{NAME}-prod.draft.abcdef", later.project / ".env.draft.abcdef"):
        draft.write_text("POSTGRES_PASSWORD=secret\n")
    check(later.run("deploy", "v2"))
    assert list(state.glob("*.draft.*")) == []
    assert {path.name for path in later.project.glob(".env*")} == {".env"}


def test_the_history_of_two_deployments(later: Swarm) -> None:
    check(later.run("deploy", "v2"))
    deployments = [line for line in later.history if " deploy " in line]
    patterns = (
        r'\S+ deploy version=v1 before=none seconds=\d+ result="ok" by=\S+',
        r'\S+ deploy version=v2 before=v1 seconds=\d+ result="ok" by=\S+',
    )
    for line, pattern in zip(deployments, patterns, strict=True):
        assert re.fullmatch(pattern, line)


def test_a_first_deployment_that_fails_has_nothing_to_go_back_to(swarm: Swarm) -> None:
    swarm.plan(worker="stuck")
    assert "worker did not become healthy" in failed(swarm, "v1")
    assert swarm.steps()[1:] == FIRST
    assert "before=none" in swarm.history[-1]


def test_a_single_node_gets_the_labels(swarm: Swarm) -> None:
    for label in (swarm.state / "nodes/node1").iterdir():
        label.unlink()
    check(swarm.run("deploy", "v1"))
    assert set(contents(swarm.state / "nodes/node1")) == {f"{NAME}.data=true", f"{NAME}.edge=true"}


def test_a_stack_that_was_removed_starts_again(later: Swarm) -> None:
    shutil.rmtree(later.state / "services")
    (later.state / "services").mkdir()
    check(later.run("deploy", "--switch", "v1"))
    assert later.steps()[1:] == [DATABASES, "deploy v1 2 1 1"]
    assert "before=none" in later.history[-1]


# deploy.sh: secrets


@pytest.mark.parametrize("name", SECRETS)
def test_a_secret_is_named_by_its_content(original_later: Swarm, name: str) -> None:
    ((named, value),) = original_later.secrets(name).items()
    assert value == SECRETS[name]
    assert re.fullmatch(rf"{NAME}_{name}_[0-9a-f]{{12}}", named)
    label = (original_later.state / "secret-labels" / named).read_text()
    assert label == f"label=com.docker.stack.namespace={PROJECT}\n"


@pytest.mark.parametrize("name", ["POSTGRES_PASSWORD", "SMTP_PASSWORD"])
def test_a_changed_secret_has_another_name_and_the_old_one_goes(later: Swarm, name: str) -> None:
    kind = name if name in SECRETS else "variables"
    before = later.secrets(kind)
    others = {other: later.secrets(other) for other in SECRETS if other != kind}
    later.set(**{name: "changed"})
    check(later.run("deploy", "v2"))
    after = later.secrets(kind)
    assert len(before) == len(after) == 1
    assert before.keys() != after.keys()
    assert "changed" in later.secret(kind)
    assert {other: later.secrets(other) for other in others} == others


def test_a_failed_deployment_keeps_the_old_secret(later: Swarm) -> None:
    before = later.secrets("SECRET_KEY")
    later.set(SECRET_KEY="changed")
    later.plan(app="back")
    failed(later, "v2")
    assert before.items() <= later.secrets("SECRET_KEY").items()


@pytest.mark.parametrize(
    ("file", "name"),
    [("deploy/swarm/Caddyfile", "_caddyfile_"), ("deploy/postgres-init.sql", "_postgres_init_")],
)
def test_a_changed_file_has_another_config_and_the_old_one_goes(
    later: Swarm, file: str, name: str
) -> None:
    (before,) = (config for config in contents(later.state / "config") if name in config)
    with (later.project / file).open("a") as text:
        text.write("\n")
    check(later.run("deploy", "v2"))
    (after,) = (config for config in contents(later.state / "config") if name in config)
    assert before != after


@pytest.mark.parametrize("script", ["deploy", "change-password"])
def test_no_secret_is_an_argument(later: Swarm, script: str) -> None:
    values = {**SECRETS, "SMTP_PASSWORD": "the-fourth"}
    later.set(**values)
    check(later.run(script, "v2" if script == "deploy" else "postgres"))
    assert "the-fourth" in later.secret("variables")
    given = (later.state / "arguments").read_text()
    known = {*values.values(), later.secret("POSTGRES_PASSWORD")}
    assert not [value for value in known if value in given]


def test_the_apps_get_what_compose_would_give_them(later: Swarm) -> None:
    """Of every case that Compose reads; `test_settings_files.py` has the reader itself."""
    script = (later.project / "deploy/swarm/deploy.sh").read_text()
    (listed,) = re.findall(r"^lines=.*?for name in (.*?); do", script, re.MULTILINE | re.DOTALL)
    names = listed.replace("\\\n", " ").split()
    expected = {}
    alone = [(text, values["A"]) for text, values in CASES.values() if values and len(values) == 1]
    # Python reads the secrets' files with other line ends.
    cases = [pair for pair in alone if len(re.findall("A", pair[0])) == 1 and "\r" not in pair[1]]
    with (later.project / ".env").open("a", newline="") as file:
        for name, (text, value) in zip(names, cases, strict=False):
            lines = text.removeprefix("\ufeff").removesuffix("\n")
            file.write(re.sub(r"\bA\b(?=\s*[=:])", name, lines, count=1) + "\n")
            expected[name] = value
    assert len(expected) > 20
    check(later.run("deploy", "v2"))
    whole = later.secret("variables").replace("\n ", "\0").split("\n")
    found = dict(line.replace("\0", "\n").split("=", 1) for line in whole)
    assert found == expected
    assert not list(later.project.rglob("pwned"))


def test_settings_with_carriage_returns(later: Swarm) -> None:
    (later.project / ".env").write_bytes(later.settings.replace(b"\n", b"\r\n"))
    before = contents(later.state / "secret")
    check(later.run("deploy", "v2"))
    assert contents(later.state / "secret") == before
    assert re.findall(rb"TAG=.*", later.settings) == [b"TAG=v2"]


# deploy.sh: later deployments


def test_a_later_deployment_makes_a_backup_first(later: Swarm) -> None:
    check(later.run("deploy", "v2"))
    assert later.steps() == NEW
    assert later.services()["app"] == ("v2", 2)


def test_a_deployment_without_a_backup(later: Swarm) -> None:
    check(later.run("deploy", "--no-backup", "v2"))
    assert later.steps() == [step for step in NEW if step not in BACKUP]


def test_switching_is_without_a_backup_and_a_migration(later: Swarm) -> None:
    check(later.run("deploy", "--switch", "v2"))
    assert later.steps() == ["pull ghcr.io/me/app:v2", "deploy v2 2 1 1"]


def test_exactly_the_image_that_is_given(later: Swarm) -> None:
    check(later.run("deploy", "v2", f"app={IMAGE}@{DIGEST}"))
    assert later.service("app") == (DIGEST.removeprefix("sha256:"), 2)


@pytest.mark.parametrize("database", ["postgres", "redis"])
def test_a_database_that_does_not_run_is_started_first(later: Swarm, database: str) -> None:
    """The apps stay what they are until it is their turn, whatever the settings say."""
    later.write(f"services/{PROJECT}_{database}/tasks", "none")
    later.set(APP_REPLICAS="4")
    check(later.run("deploy", "v2"))
    (pull, *_) = NEW
    assert later.steps() == [pull, "deploy v1 2 1 1", *BACKUP, "migrate", "deploy v2 4 1 1"]


def test_a_database_that_does_not_start_ends_a_deployment(later: Swarm) -> None:
    later.write(f"services/{PROJECT}_redis/tasks", "none")
    later.plan(redis="stuck")
    assert "redis is not healthy" in failed(later, "v2")
    assert later.steps()[1:] == ["deploy v1 2 1 1"]


def test_a_failed_backup_ends_a_deployment(later: Swarm) -> None:
    later.write("fails", "exec * redis.sh backup")
    assert "backing up (--no-backup goes without). In service is version v1." in failed(later, "v2")
    assert later.steps()[1:] == BACKUP


# deploy.sh: migrations


def test_extensions_are_made_before_migrations(later: Swarm) -> None:
    later.write("fails", "exec * extensions")
    failed(later, "v2")
    assert later.steps() == NEW[:-2]


@pytest.mark.parametrize("state", ["Failed", "Rejected"])
def test_a_failed_migration_ends_a_deployment(later: Swarm, state: str) -> None:
    before = later.services()
    later.write("states", "", "Preparing", "Running 1 second ago", f"{state} 1 second ago")
    said = failed(later, "v2")
    assert f"the log of {PROJECT}_migrate" in said
    assert said.endswith("In service is version v1.\n")
    assert later.steps() == NEW[:-1]
    assert later.services() == before
    assert not (later.state / f"services/{PROJECT}_migrate").exists()
    assert 'result="failed while bringing the database up to date"' in later.history[-1]


def test_a_migration_that_never_starts(later: Swarm) -> None:
    later.write("states", "Pending 1 second ago")
    said = failed(later, "v2")
    assert f"the tasks of {PROJECT}_migrate" in said
    assert "does not start" in said
    assert later.steps() == NEW[:-1]
    assert not (later.state / f"services/{PROJECT}_migrate").exists()


def test_the_job_of_a_run_that_was_killed_is_made_anew(later: Swarm) -> None:
    job = later.state / f"services/{PROJECT}_migrate"
    shutil.copytree(later.state / f"services/{PROJECT}_redis", job)
    check(later.run("deploy", "v2"))
    assert not job.exists()


# deploy.sh: what does not become healthy


@pytest.mark.parametrize(
    ("service", "outcome"),
    [
        *itertools.product((*APPS, *OTHERS), ["back"]),
        *itertools.product(("app", "postgres"), ["paused", "stuck"]),
    ],
)
def test_a_service_that_does_not_become_healthy(later: Swarm, service: str, outcome: str) -> None:
    before = later.services()
    memory = {f"{other.upper()}_MEMORY": "1G" for other in OTHERS}
    later.set(**memory)
    later.plan(**{service: outcome})
    said = failed(later, "--switch", "v2")
    assert said.endswith(f"{service} did not become healthy. In service is version v1.\n")
    assert f"the tasks of {PROJECT}_{service}" in said
    assert f"the log of {PROJECT}_{service}" in said
    assert later.services() == before
    assert (f"take back {service}" in later.steps()) == (outcome != "back")
    assert f"{service} did not become healthy" in later.history[-1]


def test_services_that_have_not_changed_are_left_alone(later: Swarm) -> None:
    later.set(REDIS_MEMORY="1G")
    later.plan(app="back")
    failed(later, "--switch", "v2")
    undone = [step for step in later.steps() if step.startswith("take back")]
    assert undone == ["take back worker", "take back redis"]


def test_a_service_that_cannot_go_back_does_not_stop_the_others(later: Swarm) -> None:
    later.plan(worker="stuck")
    later.write("fails", f"service rollback --detach {PROJECT}_app")
    failed(later, "--switch", "v2")
    assert [later.service(app)[0] for app in APPS] == ["v2", "v1"]


def test_a_stack_that_docker_refuses(later: Swarm) -> None:
    later.write("fails", "stack deploy *")
    assert "it fails" in failed(later, "--switch", "v2")


# deploy.sh, ended in the middle

ENDED = {
    "checking the settings": "stack config *",
    "pulling": "pull *",
    "backing up": "exec * backup",
    "making the job": "service create *",
    "waiting for the job": "service ps --format *",
    "starting": "stack deploy *v2*",
    "waiting for the app": f"service inspect * {PROJECT}_app",
    "waiting for the proxy": f"service ls * name={PROJECT}_caddy *",
}


@pytest.mark.parametrize(
    ("call", "sign"),
    [
        *((call, "TERM") for call in ENDED.values()),
        ("service create *", "INT"),
        ("stack deploy *v2*", "INT"),
        ("service create *", "killed"),
        (f"service ps --quiet * {PROJECT}_worker", "killed"),
    ],
)
def test_a_deployment_that_is_ended(later: Swarm, call: str, sign: str) -> None:
    before = later.services()
    later.set(CADDY_MEMORY="1G", REDIS_MEMORY="1G")
    later.write(sign, call)
    assert "Failed while" in failed(later, "v2")
    assert later.services() == before
    assert 'result="failed while' in later.history[-1]


# The lock

SCRIPTS = {
    "deploy": ("deploy", "v2"),
    "rollback": ("rollback", "v0"),
    "restore": ("restore", "--yes", "latest"),
    "change-password": ("change-password", "postgres"),
}


@pytest.mark.parametrize("arguments", SCRIPTS.values(), ids=SCRIPTS)
def test_the_lock_of_another_run(later: Swarm, arguments: tuple[str, ...]) -> None:
    later.write(LOCK, "another")
    before = (later.settings, later.services(), later.history)
    result = later.run(*arguments)
    assert result.returncode == 1
    assert "Another run has not ended" in result.stderr
    assert (later.state / LOCK).read_text() == "another\n"
    assert later.changes() == [f"config create {PROJECT}_in-progress -"]
    assert (later.settings, later.services(), later.history) == before


@pytest.mark.parametrize(
    ("script", "failing"),
    [
        *((script, "nothing") for script in SCRIPTS),
        ("deploy", "secret *"),
        ("deploy", "stack config *"),
        ("deploy", "pull *"),
        ("restore", "exec * restore"),
        ("restore", "exec * backup"),
        ("change-password", "exec * password"),
        ("change-password", "pull *"),
    ],
)
def test_a_run_gives_its_lock_back(later: Swarm, script: str, failing: str) -> None:
    later.write("fails", failing)
    later.run(*SCRIPTS[script])
    assert f"config create {PROJECT}_in-progress -" in later.calls()
    assert not later.locked


@pytest.mark.parametrize("script", ["deploy", "restore", "change-password"])
def test_a_run_that_is_ended_as_it_takes_the_lock_gives_it_back(later: Swarm, script: str) -> None:
    later.write("TERM", "config create *")
    later.run(*SCRIPTS[script])
    assert not later.locked


# What is refused


def labels(swarm: Swarm, *, edge: bool) -> None:
    """Two nodes; the label is on both, or on none."""
    if edge:
        add_node(swarm, "node2", "edge")
    else:
        add_node(swarm, "node2")
        (swarm.state / f"nodes/node1/{NAME}.edge=true").unlink()


def data_elsewhere(swarm: Swarm) -> None:
    (swarm.state / "nodes/node1").rename(swarm.state / "nodes/node2")
    add_node(swarm, "node1")


def empty(swarm: Swarm) -> None:
    shutil.rmtree(swarm.state / "services")
    (swarm.state / "services").mkdir()


def unset(swarm: Swarm, name: str) -> None:
    text = re.sub(rf"^{name}=.*\n", "", swarm.settings.decode(), flags=re.MULTILINE)
    (swarm.project / ".env").write_text(text)


def no_settings(swarm: Swarm) -> None:
    (swarm.project / ".env").unlink()


DEPLOY, RESTORE = ("deploy", "v2"), ("restore", "--yes", "latest")
REFUSED: dict[str, tuple[Callable[[Swarm], object], tuple[str, ...], str]] = {
    "a worker": (lambda x: x.write("worker"), DEPLOY, "no manager"),
    "a backup on a worker": (lambda x: x.write("worker"), ("backup",), "no manager"),
    "Compose": (
        lambda x: x.write("compose", "id"),
        DEPLOY,
        f"docker compose -f docker-compose.prod.yml -p {PROJECT} --env-file .env down",
    ),
    "no Docker": (lambda x: x.write("fails", "info"), DEPLOY, "Docker does not answer"),
    "no settings": (no_settings, DEPLOY, "sh deploy/init-env.sh\n"),
    "no such environment": (bool, ("deploy", "--env", "s"), "sh deploy/init-env.sh --env s\n"),
    "no secret": (lambda x: unset(x, "SECRET_KEY"), DEPLOY, "SECRET_KEY"),
    "an empty secret": (lambda x: x.set(REDIS_PASSWORD="''"), DEPLOY, "REDIS_PASSWORD"),
    "a secret in a comment": (lambda x: x.set(POSTGRES_PASSWORD=" # x"), DEPLOY, "POSTGRES_"),
    "two nodes with a label": (lambda x: labels(x, edge=True), DEPLOY, f"--label-rm {NAME}.edge"),
    "no node with a label": (lambda x: labels(x, edge=False), DEPLOY, f"-add {NAME}.edge=true"),
    "no number": (lambda x: x.set(DEPLOY_TIMEOUT="1m"), DEPLOY, "must be a whole number"),
    "present": (bool, ("rollback", "v1"), "v1 is in service already"),
    "none before": (bool, ("rollback",), "No version before v1 is on record"),
    "no history": (lambda x: record(x), ("rollback",), "No version before v1 is on record"),
    "a backup elsewhere": (data_elsewhere, ("backup",), "The data is on another node"),
    "a restore elsewhere": (data_elsewhere, RESTORE, "The data is on another node"),
    "a restore to nothing": (empty, RESTORE, "Nothing is deployed yet"),
    "an unknown database": (bool, ("change-password", "mysql"), "mysql is not one of"),
}


@pytest.mark.parametrize("case", REFUSED)
def test_what_is_refused(later: Swarm, case: str) -> None:
    prepare, arguments, said = REFUSED[case]
    prepare(later)
    assert said in refused(later, *arguments)


def test_a_path_with_a_comma_is_refused(later: Swarm) -> None:
    moved = later.project.rename(later.project.with_name("my,project"))
    assert "comma" in refused(Swarm(moved, later.state), "deploy", "v2")


@pytest.mark.parametrize(
    ("image", "failing", "said"),
    [
        (IMAGE, "pull *", "ghcr.io/me/app:v2 cannot be pulled"),
        ("my-app", "nothing", "There is no image my-app:v2"),
    ],
)
def test_an_image_that_is_not_there(later: Swarm, image: str, failing: str, said: str) -> None:
    later.set(IMAGE_APP=image)
    later.write("fails", failing)
    assert said in failed(later, "v2")
    assert set(later.steps()) <= {"pull ghcr.io/me/app:v2"}


@pytest.mark.parametrize(
    ("script", "arguments"),
    [("deploy", ("v2",)), ("deploy", ("--switch", "v2")), ("change-password", ("postgres",))],
)
def test_data_of_another_major_version_is_refused(
    later: Swarm, script: str, arguments: tuple[str, ...]
) -> None:
    later.write("versions", "13 15")
    before = later.services()
    said = failed(later, *arguments, script=script)
    assert "PostgreSQL 15, which does not read the data of 13" in said
    assert "deploy/swarm/README.md" in said
    assert later.services() == before


@pytest.mark.parametrize("versions", ["15 15", "none 15"])
def test_data_of_the_same_major_version_is_deployed(later: Swarm, versions: str) -> None:
    later.write("versions", versions)
    assert later.run("deploy", "v2").returncode == 0


def test_an_image_that_cannot_be_pushed(later: Swarm) -> None:
    later.write("fails", "push *")
    assert "cannot be pushed" in failed(later)
    assert [step.split()[0] for step in later.steps()] == ["build", "push"]


def test_an_image_without_a_registry_is_for_one_node(later: Swarm) -> None:
    later.set(IMAGE_APP="my-app")
    later.write("images/my-app:v2")
    add_node(later, "node2")
    assert "name a registry" in failed(later, "v2")
    assert later.steps() == []


@pytest.mark.parametrize(
    "name",
    [
        "SECRET_KEY",
        "IMAGE_APP",
        "SMTP_PASSWORD",
        "POSTGRES_USER",
        "MORE_DOMAINS",
        "DOMAIN",
        "TAG",
    ],
)
def test_a_quote_that_does_not_close(later: Swarm, name: str) -> None:
    later.set(**{name: "'x"})
    assert "has a quote that does not close" in refused(later, "deploy", "--switch", "v2")


@pytest.mark.parametrize(
    "given",
    [
        "app",
        "app=",
        f"app={IMAGE}",
        f"app={IMAGE}:v1",
        f"app={IMAGE}@",
        f"app={IMAGE}@sha256:",
        f"app={DIGEST}",
        f"app=@{DIGEST}",
        f"app={IMAGE}@{DIGEST.upper()}",
        f"app={IMAGE}@{DIGEST}@{DIGEST}",
        f"app={IMAGE}@{DIGEST} ",
        f"app={IMAGE}@sha512:{'a' * 128}",
        f"app=-x@{DIGEST}",
        f"app=$(touch pwned)@{DIGEST}",
        f"{IMAGE}@{DIGEST}",
        f"={IMAGE}@{DIGEST}",
        f"worker={IMAGE}@{DIGEST}",
        "--no-backup",
    ],
)
def test_an_image_of_another_form_is_refused(present: Swarm, given: str) -> None:
    refused(present, "deploy", "v2", given)


@pytest.mark.parametrize("tag", ["", "a b", "a/b", "$(touch pwned)", "-x", "a:b"])
def test_a_tag_of_another_form_is_refused(present: Swarm, tag: str) -> None:
    refused(present, "deploy", tag)


@pytest.mark.parametrize("name", ["prod", "", "A", "a b", "-x", "../x", "a_b", "$(touch pwned)"])
def test_an_unknown_environment_is_refused(present: Swarm, name: str) -> None:
    refused(present, "deploy", "--env", name, "v2")


def test_another_environment_is_a_stack_of_its_own(later: Swarm) -> None:
    (later.project / "deploy/env").mkdir()
    shutil.copy(later.project / ".env", later.project / "deploy/env/staging.env")
    before = later.settings, later.services()
    check(later.run("deploy", "--env", "staging", "v2"))
    assert (later.settings, later.services()) == before
    assert (later.state / f"services/{NAME}-staging_app").exists()
    assert "TAG=v2\n" in (later.project / "deploy/env/staging.env").read_text()


# rollback.sh


def test_a_rollback_goes_back_and_forward(later: Swarm) -> None:
    check(later.run("deploy", "--switch", "v2"))
    versions = []
    for _ in range(2):
        check(later.run("rollback"))
        versions.append(later.service("app")[0])
    assert versions == ["v1", "v2"]
    assert not {"migrate", *BACKUP} & set(later.steps())


def record(swarm: Swarm, *deployments: str) -> None:
    log = swarm.project / f"deploy/state/{PROJECT}.log"
    lines = (f'2025-01-02T03:04:05Z deploy {line} by="me"\n' for line in deployments)
    log.write_text("".join(lines))


OK = 'version=v1 before=v0 seconds=1 result="ok"'


@pytest.mark.parametrize(
    "last",
    [
        'version=v1 before=v1 seconds=1 result="ok"',
        'version=v1 before=none seconds=1 result="ok"',
        'version=v1 before=v3 seconds=1 result="failed while building"',
        'version=v1.1 before=v3 seconds=1 result="ok"',
    ],
)
def test_the_version_before(later: Swarm, last: str) -> None:
    record(later, OK, last)
    check(later.run("rollback"))
    assert later.service("app") == ("v0", 2)


# backup.sh, restore.sh


@pytest.mark.parametrize("folder", ["deploy/backups", "backups", "backend/my backups"])
def test_git_ignores_backups_anywhere(later: Swarm, folder: str) -> None:
    subprocess.run(["git", "init", "--quiet"], cwd=later.project, check=True)
    later.set(BACKUP_DIR=f"'{folder}'")
    check(later.run("backup"))
    assert list((later.project / folder / PROJECT).glob("*Z/postgres.backup"))
    listed = ["git", "ls-files", "--others", "--exclude-standard", "--", folder]
    said = subprocess.run(listed, cwd=later.project, check=True, capture_output=True, text=True)
    assert said.stdout == ""


def test_the_operator_s_shell_changes_nothing(
    later: Swarm, monkeypatch: pytest.MonkeyPatch
) -> None:
    before = contents(later.state / "secret")
    theirs = {"SECRET_KEY": "theirs", "SMTP_PASSWORD": "theirs", "TAG": "v9", "IMAGE_APP": "other"}
    mine = later.environment
    monkeypatch.setattr(Swarm, "environment", property(lambda _: mine | theirs))
    check(later.run("deploy", "v2"))
    assert contents(later.state / "secret") == before
    assert later.service("app")[0].endswith("v2")


def test_a_backup_of_a_database_that_does_not_run(later: Swarm) -> None:
    later.write(f"services/{PROJECT}_redis/tasks", "none")
    before = contents(later.project / "deploy/backups")
    assert "redis does not run" in failed(later, script="backup")
    assert contents(later.project / "deploy/backups") == before


def test_a_restore(later: Swarm) -> None:
    later.set(APP_REPLICAS="3")
    check(later.run("restore", "--yes", "latest"))
    stopped = ["scale app to 0", "scale worker to 0"]
    redis = ["scale redis to 0", "restore redis beside", "scale redis to 1"]
    started = ["scale app to 3", "scale worker to 1"]
    assert later.steps() == [*BACKUP, *stopped, "restore postgres", *redis, *started]
    assert (later.state / "restored-postgres.sh").read_text() == "data\n"


def test_apps_stay_stopped_after_a_failed_restore(later: Swarm) -> None:
    later.write("fails", "exec * restore")
    said = failed(later, "--yes", "latest", script="restore")
    assert [later.service(app)[1] for app in APPS] == [0, 0]
    restored, made = re.findall(r"restore\.sh --no-backup (\d{8}-\d{6}Z)\n", said)
    assert restored < made


def test_replicas_that_are_no_number_are_refused_before_a_restore(later: Swarm) -> None:
    later.set(APP_REPLICAS="two")
    failed(later, "--yes", "latest", script="restore")
    assert not [step for step in later.steps() if step.startswith("scale")]


# change-password.sh


@pytest.mark.parametrize(
    ("service", "name"), [("postgres", "POSTGRES_PASSWORD"), ("redis", "REDIS_PASSWORD")]
)
def test_a_new_password(later: Swarm, service: str, name: str) -> None:
    check(later.run("change-password", service))
    new = (later.state / f"password-{service}.sh").read_text().removesuffix("\n")
    assert re.fullmatch("[0-9a-f]{64}", new)
    assert re.findall(rf"^{name}=(.*)", later.settings.decode(), re.MULTILINE) == [new]
    assert later.secret(name) == new
    switch = ["pull ghcr.io/me/app:v1", "deploy v1 2 1 1"]
    assert later.steps() == [f"password {service}", *switch]


def test_a_database_that_does_not_take_the_password(later: Swarm) -> None:
    later.write("fails", "exec * password")
    said = failed(later, "postgres", script="change-password")
    assert said.endswith("The old password holds.\n")
    assert later.steps() == ["password postgres"]
    assert not list(later.project.glob(".env?*"))


def test_a_password_that_the_apps_do_not_get_is_in_the_settings(later: Swarm) -> None:
    later.write("fails", "pull *")
    result = later.run("change-password", "postgres")
    assert result.returncode == 1
    assert "have the new password" in result.stderr
    new = (later.state / "password-postgres.sh").read_text()
    assert f"POSTGRES_PASSWORD={new}" in later.settings.decode()


def test_a_password_is_not_given_to_the_apps_silently(later: Swarm) -> None:
    later.set(TAG="'v1")
    assert later.run("change-password", "postgres").returncode == 1


@pytest.mark.parametrize("sign", ["TERM", "INT"])
def test_nothing_comes_between_a_password_and_the_settings(later: Swarm, sign: str) -> None:
    later.write(sign, "exec * password")
    later.run("change-password", "postgres")
    new = (later.state / "password-postgres.sh").read_text()
    assert f"POSTGRES_PASSWORD={new}" in later.settings.decode()


def test_the_lock_of_a_killed_run_on_the_same_node_is_taken(later: Swarm) -> None:
    # A number that no process can have.
    later.write(LOCK, f"{os.uname().nodename} process 99999999 since 2026-01-01T00:00:00Z")
    check(later.run("deploy", "v2"))
    assert not later.locked


def test_the_lock_of_a_run_on_the_same_node_is_kept(later: Swarm) -> None:
    mark = f"{os.uname().nodename} process {os.getpid()} since 2026-01-01T00:00:00Z"
    later.write(LOCK, mark)
    result = later.run("deploy", "v2")
    assert (result.returncode, "Another run has not ended" in result.stderr) == (1, True)
    assert (later.state / LOCK).read_text() == f"{mark}\n"
