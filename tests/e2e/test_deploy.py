"""deploy.sh and rollback.sh under load: a version comes, fails, is killed, goes back."""

from __future__ import annotations

import base64
import os
import re
import shutil
import signal
import socket
import subprocess
import threading
import time
from collections.abc import Iterator
from pathlib import Path

import pytest

from tests.downloads import patient
from tests.e2e.load import Load
from tests.e2e.stacks import HOSTILE_PASSWORD, Stack, eventually, run
from tests.projects.compose import compose
from tests.runs import build

ENDPOINTS = """
import asyncio

from fastapi import APIRouter, Request, WebSocket
from fastapi.responses import StreamingResponse

router = APIRouter()


@router.api_route("/version", methods=["GET", "POST"])
async def version() -> str:
    return "{version}"


@router.get("/client")
async def client(request: Request) -> dict[str, str]:
    return {{"host": request.client.host, "scheme": request.url.scheme}}


async def ticks(count: int):
    for number in range(count):
        yield f"{{number}}\\n"
        await asyncio.sleep(0.5)


@router.get("/stream/{{count}}")
async def stream(count: int) -> StreamingResponse:
    return StreamingResponse(ticks(count), media_type="text/plain")


@router.websocket("/socket/{{count}}")
async def sock(socket: WebSocket, count: int) -> None:
    await socket.accept()
    async for tick in ticks(count):
        await socket.send_text(tick)
    await socket.close()
"""


def write_version(stack: Stack, version: str, more: str = "") -> None:
    """Change the app's code so that it answers with another version."""
    endpoints = stack.folder / "backend/app/api/api_v1/endpoints"
    (endpoints / "version.py").write_text(ENDPOINTS.format(version=version) + more)


def deploy(stack: Stack, *arguments: str, script: str = "deploy.sh") -> tuple[int, str]:
    """Run a script of `deploy/`; its exit code and all it said."""
    result = _deploy(stack, script, *arguments)
    return result.returncode, result.stdout


def deployed(stack: Stack, *arguments: str, script: str = "deploy.sh") -> str:
    """The same, which has to succeed."""
    result = patient(lambda: _deploy(stack, script, *arguments))
    assert result.returncode == 0, result.stdout
    return result.stdout


def _deploy(stack: Stack, script: str, *arguments: str) -> subprocess.CompletedProcess[str]:
    return subprocess.run(
        ["sh", f"deploy/{script}", *arguments],
        cwd=stack.folder,
        stdout=subprocess.PIPE,
        stderr=subprocess.STDOUT,
        text=True,
        check=False,
    )


def load(stack: Stack, clients: int = 1) -> Load:
    path = "/api/v1/version"
    return Load(stack.http_port, stack.https_port, path, kept=clients, fresh=clients)


def serving(stack: Stack) -> str:
    version: str = stack.get("/api/v1/version")
    return version


def in_service(stack: Stack, version: str) -> None:
    """Deploy a version unless it is in service."""
    write_version(stack, version)
    if serving(stack) != version:
        deployed(stack, "--no-backup")


def history(stack: Stack) -> list[str]:
    (file,) = (stack.folder / "deploy/state").glob("*.log")
    return [line for line in file.read_text().splitlines() if " deploy " in line]


def settings(stack: Stack) -> str:
    return (stack.folder / ".env").read_text()


@pytest.fixture(scope="module")
def stack(tmp_path_factory: pytest.TempPathFactory) -> Iterator[Stack]:
    """A stack whose first version deploy.sh has put into service."""
    folder = compose("e2e-fastapi-postgresql-redis", tmp_path_factory.mktemp("deploy") / "project")
    build(folder, "--set", "name=e2e-deploy", "--set", "fastapi.worker=off")
    stack = Stack(folder)
    try:
        stack.write_env(DEPLOY_TIMEOUT="180", DRAIN_SECONDS="10")
        write_version(stack, "first")
        deployed(stack)
        yield stack
    finally:
        stack.remove()
        images = run("docker", "image", "ls", "-q", "e2e-deploy-app").split()
        if images:
            subprocess.run(["docker", "image", "rm", "-f", *set(images)], check=False)


@pytest.mark.parametrize("deployments", [2, 10])
def test_deployments_fail_no_request(stack: Stack, deployments: int) -> None:
    with load(stack, clients=4) as requests:
        for number in range(deployments):
            write_version(stack, f"number-{number}")
            deployed(stack)
        eventually(lambda: f'"number-{deployments - 1}"' in requests.answers)
    assert requests.failures == []
    assert requests.total >= 2_000 * deployments
    assert {f'"number-{number}"' for number in range(deployments)} <= requests.answers.keys()
    # One container of each is left, and no more versions than the rule keeps.
    assert len(stack.compose("ps", "--quiet", "app").split()) == 1
    tags = run("docker", "image", "ls", "--format", "{{.Tag}}", "e2e-deploy-app").split()
    assert len(tags) == min(deployments + 1, 5)


def test_compose_has_nothing_to_do_after_a_deployment(stack: Stack) -> None:
    before = {name: c["Id"] for name, c in stack.containers().items()}
    stack.compose("up", "-d", "--wait")
    assert {name: c["Id"] for name, c in stack.containers().items()} == before
    policies = {c["HostConfig"]["RestartPolicy"]["Name"] for c in stack.containers().values()}
    assert policies == {"unless-stopped"}


def test_the_shell_of_whoever_deploys_reaches_no_container(
    stack: Stack, monkeypatch: pytest.MonkeyPatch
) -> None:
    own = ("SECRET_KEY", "POSTGRES_PASSWORD", "SMTP_PASSWORD", "AWS_SECRET_ACCESS_KEY")
    others = ("TAG", "IMAGE_APP", "COMPOSE_FILE", "COMPOSE_PROJECT_NAME", "HTTPS_PORT", "LANG")
    for name in (*own, *others):
        monkeypatch.setenv(name, "theirs")
    deployed(stack, "--no-backup")
    monkeypatch.undo()
    containers = stack.containers()
    assert containers.keys() >= {"app", "caddy", "postgres", "redis"}
    for container in containers.values():
        assert not [line for line in container["Config"]["Env"] if "theirs" in line]
    assert f"SECRET_KEY={HOSTILE_PASSWORD}" in containers["app"]["Config"]["Env"]
    assert "theirs" not in settings(stack)


def test_a_missing_setting_stops_the_deployment_and_is_added(stack: Stack) -> None:
    before, runs = settings(stack), history(stack)
    env = stack.folder / ".env"
    env.write_text(re.sub(r"(?m)^SECRET_KEY=.*\n", "", before))
    try:
        code, output = deploy(stack)
        said = "Not set in .env: SECRET_KEY. This adds what is missing: sh deploy/init-env.sh"
        assert (code, output) == (1, f"deploy: {said}\n")
        assert history(stack) == runs
        deployed(stack, script="init-env.sh")
        deployed(stack, "--no-backup")
    finally:
        kept = re.findall(r"(?m)^TAG=.*$", settings(stack))
        env.write_text(re.sub(r"(?m)^TAG=.*$", kept[-1], before))


BROKEN = {
    "does not start": "raise RuntimeError('broken on purpose')\n",
    "is unhealthy": (
        "@app.middleware('http')\n"
        "async def broken(request, call_next):\n"
        "    from fastapi.responses import PlainTextResponse\n"
        "    return PlainTextResponse('broken on purpose', 500)\n"
    ),
}


@pytest.mark.parametrize("how", BROKEN)
def test_a_broken_version_never_gets_a_request(stack: Stack, how: str) -> None:
    in_service(stack, "good")
    before = settings(stack)
    main = stack.folder / "backend/app/main.py"
    source = main.read_text()
    try:
        with load(stack) as requests:
            write_version(stack, "broken")
            main.write_text(source + "\n" + BROKEN[how])
            with stack.limited(seconds=40):
                code, output = deploy(stack)
            time.sleep(1)
    finally:
        main.write_text(source)
    assert code == 1
    assert "Failed while starting the new version" in output
    assert requests.failures == []
    assert requests.answers.keys() == {'"good"'}
    assert settings(stack) == before
    assert 'result="failed while starting the new version' in history(stack)[-1]
    write_version(stack, "mended")
    deployed(stack, "--no-backup")
    assert serving(stack) == "mended"


def test_a_failing_migration_stops_the_deployment(stack: Stack) -> None:
    in_service(stack, "good")
    migration = stack.folder / "database/migrations/900_broken.sql"
    migration.write_text("SELECT nonsense();\n")
    try:
        with load(stack) as requests:
            write_version(stack, "broken")
            code, output = deploy(stack)
    finally:
        migration.unlink()
    assert code == 1
    assert "900_broken failed" in output
    assert requests.failures == []
    assert requests.answers.keys() == {'"good"'}
    deployed(stack)


def test_an_image_that_cannot_be_had_stops_the_deployment(stack: Stack) -> None:
    in_service(stack, "good")
    before = settings(stack)
    env = stack.folder / ".env"
    env.write_text("IMAGE_APP=registry.invalid/team/app\n" + before)
    try:
        with load(stack) as requests:
            code, output = deploy(stack, "v2")
    finally:
        env.write_text(before)
    assert (code, "registry.invalid" in output) == (1, True)
    assert requests.failures == []
    code, output = deploy(stack, "v2")
    assert (code, "There is no image e2e-deploy-app:v2" in output) == (1, True)
    deployed(stack)


def test_a_full_disk_stops_the_deployment(stack: Stack, tmp_path: Path) -> None:
    """The settings lie on a file system of their own, which is full."""
    in_service(stack, "good")
    small = stack.folder / "deploy/env"
    small.mkdir(exist_ok=True)
    run("mount", "-t", "tmpfs", "-o", "size=64k", "tmpfs", small)
    try:
        with pytest.raises(OSError):
            (small / "ballast").write_bytes(b"x" * 2**20)
        moved = small / "production.env"
        (small / "ballast").write_bytes(b"x" * 2**14)
        moved.write_text(settings(stack))
        with pytest.raises(OSError):
            (small / "more").write_bytes(b"x" * 2**20)
        env = stack.folder / ".env"
        content = env.read_text()
        env.unlink()
        env.symlink_to("deploy/env/production.env")
        with load(stack) as requests:
            code, output = deploy(stack)
        env.unlink()
        env.write_text(content)
        env.chmod(0o600)
    finally:
        run("umount", small)
    assert requests.failures == []
    assert (code, "cannot be written" in output) == (1, True), output
    deployed(stack)


# A piece of what deploy.sh says, and the seconds after it at which everything of it is killed.
MOMENTS = [
    ("preparing the images", 0.0),
    ("preparing the images", 1.0),
    ("looking after the databases", 0.1),
    ("backing up", 0.3),
    ("bringing the database up to date", 0.3),
    ("starting the new version", 0.2),
    ("starting the new version", 1.0),
    ("starting the new version", 3.0),
    ("moving the requests", 0.0),
    ("waiting for open requests", 0.5),
]


@pytest.mark.parametrize(("step", "seconds"), MOMENTS)
def test_a_killed_deployment_harms_nobody(stack: Stack, step: str, seconds: float) -> None:
    before = serving(stack)
    with load(stack) as requests:
        write_version(stack, "killed")
        process = subprocess.Popen(
            ["sh", "deploy/deploy.sh"],
            cwd=stack.folder,
            stdout=subprocess.PIPE,
            stderr=subprocess.STDOUT,
            text=True,
            start_new_session=True,
        )
        assert process.stdout is not None
        for line in process.stdout:
            if step in line:
                break
        else:
            raise AssertionError(f"deploy.sh never came to: {step}")
        time.sleep(seconds)
        os.killpg(process.pid, signal.SIGKILL)
        process.wait()
        process.stdout.close()
        time.sleep(3)
        after = f"after {step}, {seconds}"
        write_version(stack, after)
        deployed(stack, "--no-backup")
        eventually(lambda: f'"{after}"' in requests.answers)
    assert requests.failures == []
    assert requests.answers.keys() <= {f'"{before}"', '"killed"', f'"{after}"'}
    assert len(stack.compose("ps", "--quiet", "app").split()) == 1


def test_an_interrupt_puts_everything_back(stack: Stack) -> None:
    in_service(stack, "before")
    containers = {name: c["Id"] for name, c in stack.containers().items()}
    write_version(stack, "interrupted")
    process = subprocess.Popen(
        ["sh", "deploy/deploy.sh"],
        cwd=stack.folder,
        stdout=subprocess.PIPE,
        stderr=subprocess.STDOUT,
        text=True,
        start_new_session=True,
    )
    assert process.stdout is not None
    for line in process.stdout:
        if "starting the new version" in line:
            break
    time.sleep(1.5)
    os.killpg(process.pid, signal.SIGINT)
    output = process.stdout.read()
    assert process.wait() == 1
    assert "is in service" in output or "In service is version" in output
    assert {name: c["Id"] for name, c in stack.containers().items()} == containers
    assert serving(stack) == "before"
    process.stdout.close()


def test_two_deployments_at_once_are_refused(stack: Stack) -> None:
    first = subprocess.Popen(
        ["sh", "deploy/deploy.sh"],
        cwd=stack.folder,
        stdout=subprocess.PIPE,
        stderr=subprocess.STDOUT,
        text=True,
    )
    assert first.stdout is not None
    first.stdout.readline()
    code, output = deploy(stack)
    rest = first.communicate()[0]
    assert code == 1
    assert re.search(r"Another run \(deploy, process [0-9]+\) has not ended yet", output)
    assert first.returncode == 0, rest


def test_open_streams_and_sockets_end_by_themselves(stack: Stack) -> None:
    lines: list[str] = []

    def read() -> None:
        lines.extend(stack.request("/api/v1/stream/24").body.split())

    reader = threading.Thread(target=read)
    reader.start()
    frames: list[bytes] = []
    talker = threading.Thread(target=lambda: frames.extend(websocket(stack, 24)))
    talker.start()
    time.sleep(1)
    # An image that is there already: it is in service before the streams have ended.
    tag = re.findall(r"^TAG=(.*)$", settings(stack), re.MULTILINE)[-1]
    deployed(stack, "--switch", tag)
    reader.join()
    talker.join()
    assert lines == [str(number) for number in range(24)]
    assert [f for f in frames if f[0] == 0x81] == [
        bytes([0x81, len(text)]) + text for text in (f"{n}\n".encode() for n in range(24))
    ]


def test_a_socket_that_never_ends_is_closed_not_cut(stack: Stack) -> None:
    frames: list[bytes] = []
    talker = threading.Thread(target=lambda: frames.extend(websocket(stack, 100_000)))
    talker.start()
    time.sleep(1)
    tag = re.findall(r"^TAG=(.*)$", settings(stack), re.MULTILINE)[-1]
    deployed(stack, "--switch", tag)
    talker.join()
    # RFC 6455, section 7.4, and IANA's registry: 1012 is "service restart".
    assert frames[-1][0] == 0x88
    assert int.from_bytes(frames[-1][2:4], "big") == 1012


def test_a_rollback_goes_to_the_version_before_and_again_forward(stack: Stack) -> None:
    write_version(stack, "older")
    deployed(stack, "--no-backup")
    write_version(stack, "newer")
    deployed(stack, "--no-backup")
    with load(stack) as requests:
        said = deployed(stack, script="rollback.sh")
        assert serving(stack) == "older"
        assert "The database stays as it is" in said
        deployed(stack, script="rollback.sh")
        assert serving(stack) == "newer"
    assert requests.failures == []


def test_a_rollback_to_what_is_not_there_says_so(stack: Stack) -> None:
    code, output = deploy(stack, "never-built", script="rollback.sh")
    assert (code, "There is no image e2e-deploy-app:never-built" in output) == (1, True)
    assert stack.get("/health") == {"status": "healthy"}


def test_a_new_caddyfile_is_taken_without_a_restart(stack: Stack) -> None:
    caddyfile = stack.folder / "deploy/Caddyfile"
    before = caddyfile.read_text()
    started = stack.containers()["caddy"]["State"]["StartedAt"]
    changed = before.replace("X-Frame-Options SAMEORIGIN", "X-Frame-Options DENY")
    # As git does it: another file in the same place.
    caddyfile.unlink()
    caddyfile.write_text(changed)
    deployed(stack)
    assert stack.request("/health").headers["X-Frame-Options"] == "DENY"
    assert stack.containers()["caddy"]["State"]["StartedAt"] == started


def test_a_wrong_caddyfile_stops_the_deployment(stack: Stack) -> None:
    caddyfile = stack.folder / "deploy/Caddyfile"
    before = caddyfile.read_text()
    caddyfile.write_text(before + "\nnonsense {\n")
    code, output = deploy(stack)
    caddyfile.write_text(before)
    assert (code, "deploy/Caddyfile has an error" in output) == (1, True)
    assert stack.get("/health") == {"status": "healthy"}


def test_newer_settings_of_a_database_are_pointed_out(stack: Stack) -> None:
    before = settings(stack)
    (stack.folder / ".env").write_text(before + "REDIS_MEMORY=200M\n")
    output = deployed(stack)
    (stack.folder / ".env").write_text(before)
    assert "redis runs with older settings" in output


def test_settings_keep_their_last_line_and_what_is_edited_meanwhile(stack: Stack) -> None:
    env = stack.folder / ".env"
    lines = [line for line in settings(stack).splitlines() if not line.startswith("TAG=")]
    env.write_text("\n".join(["export TAG=x", *lines, "LAST=value"]))
    process = subprocess.Popen(
        ["sh", "deploy/deploy.sh"],
        cwd=stack.folder,
        stdout=subprocess.PIPE,
        stderr=subprocess.STDOUT,
        text=True,
    )
    assert process.stdout is not None
    process.stdout.readline()
    with env.open("a") as file:
        file.write("\nMEANWHILE=edited")
    output = process.communicate()[0]
    assert process.returncode == 0, output
    written = settings(stack).splitlines()
    assert {"LAST=value", "MEANWHILE=edited"} <= set(written)
    assert [line for line in written if "TAG" in line] == [written[-1]]
    env.write_text("\n".join(line for line in written if "=value" not in line) + "\n")


def test_a_second_checkout_is_refused(stack: Stack, tmp_path: Path) -> None:
    shutil.copytree(stack.folder, tmp_path / "second")
    code, output = deploy(Stack(tmp_path / "second"))
    assert (code, f"runs from {stack.folder}" in output) == (1, True)
    assert stack.get("/health") == {"status": "healthy"}


def test_a_number_that_is_none_stops_it_at_once(stack: Stack) -> None:
    before = settings(stack)
    (stack.folder / ".env").write_text(before + "DRAIN_SECONDS=soon\n")
    code, output = deploy(stack)
    (stack.folder / ".env").write_text(before)
    assert (code, "DRAIN_SECONDS in .env must be a whole number, not soon" in output) == (1, True)
    assert "-- " not in output


def test_replicas_are_refused_not_dropped(stack: Stack) -> None:
    stack.compose("up", "-d", "--no-deps", "--scale", "app=2", "--wait", "app")
    code, output = deploy(stack)
    assert (code, "app runs 2 times" in output) == (1, True), output
    assert len(stack.compose("ps", "--quiet", "app").split()) == 2
    stack.compose("up", "-d", "--no-deps", "--scale", "app=1", "--wait", "app")


def test_going_back_and_forth_does_not_use_versions_up(stack: Stack) -> None:
    write_version(stack, "older")
    deployed(stack, "--no-backup")
    write_version(stack, "newer")
    deployed(stack, "--no-backup")
    tag = re.findall(r"^TAG=(.*)$", settings(stack), re.MULTILINE)[-1]
    before = settings(stack)
    (stack.folder / ".env").write_text(before + "KEEP_VERSIONS=2\n")
    for _ in range(2):
        deployed(stack, "--switch", tag)
    deployed(stack, script="rollback.sh")
    assert serving(stack) == "older"
    deployed(stack, script="rollback.sh")


def test_after_down_a_broken_version_gives_way_to_the_one_before(stack: Stack) -> None:
    in_service(stack, "good")
    stack.compose("down")
    main = stack.folder / "backend/app/main.py"
    source = main.read_text()
    main.write_text(source + "\n" + BROKEN["does not start"])
    code, output = deploy(stack)
    main.write_text(source)
    assert code == 1
    assert "In service is version" in output
    assert_told(stack, output)
    assert serving(stack) == "good"


def assert_told(stack: Stack, output: str) -> None:
    """The cause is shown, and kept, as the container is gone."""
    assert "broken on purpose" in output
    (kept,) = re.findall(r"more is in (deploy/state/failed/\S+)", output)
    assert "broken on purpose" in (stack.folder / kept).read_text()
    assert (stack.folder / kept).stat().st_mode & 0o777 == 0o600


def test_settings_that_do_not_fit_take_nothing_out_of_service(stack: Stack) -> None:
    before = settings(stack)
    (stack.folder / ".env").write_text(f"{before}APP_MEMORY=lots\n")
    code, output = deploy(stack)
    (stack.folder / ".env").write_text(before)
    assert code == 1
    assert "In service is version" in output


def test_a_limit_that_is_too_small_is_named(stack: Stack) -> None:
    before = settings(stack)
    (stack.folder / ".env").write_text(f"{before}APP_MEMORY=32M\n")
    with stack.limited(40):
        code, output = deploy(stack, "--no-backup")
    (stack.folder / ".env").write_text(before)
    assert code == 1
    assert "It wanted more memory than its limit: raise APP_MEMORY in .env." in output
    assert stack.get("/health") == {"status": "healthy"}


def test_a_copy_of_the_settings_is_out_of_git_s_sight(stack: Stack) -> None:
    state = stack.folder / "deploy/state"
    process = subprocess.Popen(
        ["sh", "deploy/deploy.sh", "--no-backup"],
        cwd=stack.folder,
        stdout=subprocess.PIPE,
        stderr=subprocess.STDOUT,
        text=True,
        start_new_session=True,
    )
    assert process.stdout is not None
    assert any("preparing the images" in line for line in process.stdout)
    (draft,) = state.glob("*.draft.*")
    assert draft.stat().st_mode & 0o777 == 0o600
    assert (state / ".gitignore").read_text() == "*\n"
    assert {path.name for path in stack.folder.glob(".env*")} == {".env", ".env.example"}
    os.killpg(process.pid, signal.SIGKILL)
    process.wait()
    process.stdout.close()
    assert draft.exists()
    # As versions before left it.
    (stack.folder / ".env.draft.abcdef").write_text(settings(stack))
    deployed(stack, "--no-backup")
    assert list(state.glob("*.draft.*")) == []
    assert {path.name for path in stack.folder.glob(".env*")} == {".env", ".env.example"}


def test_a_rollback_after_down_runs_no_migration(stack: Stack) -> None:
    write_version(stack, "older")
    deployed(stack, "--no-backup")
    write_version(stack, "newer")
    deployed(stack, "--no-backup")
    stack.compose("down")
    migration = stack.folder / "database/migrations/900_broken.sql"
    migration.write_text("SELECT nonsense();\n")
    try:
        deployed(stack, script="rollback.sh")
    finally:
        migration.unlink()
    assert serving(stack) == "older"


def websocket(stack: Stack, count: int) -> list[bytes]:
    """Every frame the server sends on a WebSocket until it closes, as raw bytes."""
    with socket.create_connection(("127.0.0.1", stack.http_port), timeout=120) as connection:
        key = base64.b64encode(os.urandom(16)).decode()
        connection.sendall(
            f"GET /api/v1/socket/{count} HTTP/1.1\r\n"
            "Host: 127.0.0.1\r\n"
            "Upgrade: websocket\r\n"
            "Connection: Upgrade\r\n"
            f"Sec-WebSocket-Key: {key}\r\n"
            "Sec-WebSocket-Version: 13\r\n\r\n".encode()
        )
        stream = connection.makefile("rb")
        assert b" 101 " in stream.readline()
        while stream.readline().strip():
            pass
        frames = []
        while header := stream.read(2):
            frames.append(header + stream.read(header[1] & 0x7F))
            if header[0] == 0x88:
                break
        return frames


@pytest.fixture
def other(request: pytest.FixtureRequest, tmp_path: Path) -> Iterator[Stack]:
    """A stack of another shape and other choices, from the marker's arguments."""
    shape, *arguments = request.param
    name = f"e2e-deploy-{shape.removeprefix('e2e-')}"
    root = compose(shape, tmp_path / "project")
    build(root, "--set", f"name={name}", *arguments)
    stack = Stack(root)
    try:
        stack.write_env(APP_PORT=str(stack.http_port))
        yield stack
    finally:
        stack.remove()
        for app in ("app", "frontend"):
            images = run("docker", "image", "ls", "-q", f"{name}-{app}").split()
            if images:
                subprocess.run(["docker", "image", "rm", "-f", *set(images)], check=False)


@pytest.mark.parametrize("other", [("e2e-fastapi-postgresql-redis",)], indirect=True)
def test_a_first_version_that_does_not_start_says_why(other: Stack) -> None:
    main = other.folder / "backend/app/main.py"
    source = main.read_text()
    main.write_text(source + "\n" + BROKEN["does not start"])
    with other.limited(seconds=30):
        code, output = deploy(other)
    assert code == 1
    assert "Nothing is in service." in output
    assert_told(other, output)
    main.write_text(source)
    deployed(other)
    assert other.request("/health").status == 200


@pytest.mark.parametrize("other", [("e2e-web-app",)], indirect=True)
def test_two_apps_move_together_and_one_calls_the_other_through_the_proxy(other: Stack) -> None:
    write_version(other, "first")
    deployed(other)
    # Next.js passes this path on to the API; see the project's next.config.js.
    through_nextjs = other.request("/api/health")
    assert through_nextjs.status == 200
    paths = ["/api/v1/version", "/"]
    loads = [Load(other.http_port, other.https_port, path, kept=1, fresh=1) for path in paths]
    # Pages are not there to be posted to.
    loads[1].methods = ("GET",)
    with loads[0], loads[1]:
        write_version(other, "second")
        deployed(other)
        eventually(lambda: '"second"' in loads[0].answers)
    assert [one.failures for one in loads] == [[], []]
    assert min(one.total for one in loads) > 50
    names = other.compose("ps", "--format", "{{.Service}}").split()
    assert sorted(names) == ["app", "caddy", "frontend", "postgres"]


@pytest.mark.parametrize("other", [("e2e-fastapi", "--set", "proxy=none")], indirect=True)
def test_without_a_proxy_a_broken_version_is_never_in_service(other: Stack) -> None:
    write_version(other, "first")
    deployed(other)
    before = settings(other)
    address = f"http://127.0.0.1:{other.http_port}/api/v1/version"
    main = other.folder / "backend/app/main.py"
    source = main.read_text()
    main.write_text(source + "\n" + BROKEN["does not start"])
    code, output = deploy(other)
    assert (code, "Failed while trying the new version" in output) == (1, True), output
    assert run("curl", "--silent", "--fail", address) == '"first"'
    assert settings(other) == before
    main.write_text(source)
    write_version(other, "second")
    deployed(other)
    assert run("curl", "--silent", "--fail", address) == '"second"'
    deployed(other, script="rollback.sh")
    assert run("curl", "--silent", "--fail", address) == '"first"'
    names = run("docker", "ps", "-a", "--format", "{{.Names}}", "--filter", "name=e2e-deploy-fas")
    assert names.split() == ["e2e-deploy-fastapi-prod-app-1"]


def test_compose_s_word_alone_does_not_make_a_version_healthy(
    stack: Stack, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    """`up --wait` now and then ends with 0 when its time is over (Compose 2.26)."""
    in_service(stack, "good")
    stack.compose("down")
    program = tmp_path / "docker"
    program.write_text(
        "#!/bin/sh\n"
        f'PATH={os.environ["PATH"]}\ncase "$*" in\n'
        '    *--wait-timeout*) docker "$@" || true ;;\n'
        '    *) exec docker "$@" ;;\nesac\n'
    )
    program.chmod(0o755)
    main = stack.folder / "backend/app/main.py"
    source = main.read_text()
    main.write_text(source + "\n" + BROKEN["does not start"])
    with monkeypatch.context() as patch:
        patch.setenv("PATH", f"{tmp_path}:{os.environ['PATH']}")
        code, output = deploy(stack)
    main.write_text(source)
    assert (code, "Failed while starting everything" in output) == (1, True), output
    assert serving(stack) == "good"
