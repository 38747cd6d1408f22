"""`deploy/init-env.sh`, run by every kind of shell that servers have."""

from __future__ import annotations

import os
import re
import shutil
import signal
import stat
import subprocess
from pathlib import Path

import pexpect
import pytest

from tests.cases import CASES
from tests.conftest import Project
from tests.runs import build

GOLDEN = Path(__file__).resolve().parents[1] / "golden"
DEPLOY = GOLDEN / "profile-web-app/deploy"
SCRIPTS = [DEPLOY / "init-env.sh", DEPLOY / "settings.awk"]
SHELLS = {"dash": ["dash"], "bash": ["bash", "--posix"], "busybox": ["busybox", "sh"]}


@pytest.fixture(params=SHELLS)
def shell(request: pytest.FixtureRequest, tmp_path: Path) -> tuple[list[str], str]:
    """A shell with its PATH: BusyBox with its own tools alone, as on Alpine."""
    command = SHELLS[request.param]
    found = shutil.which(command[0])
    if found is None:
        pytest.skip(f"{command[0]} is not installed")
    if request.param != "busybox":
        return [found, *command[1:]], os.defpath
    tools = tmp_path / "busybox"
    tools.mkdir()
    subprocess.run([found, "--install", "-s", str(tools)], check=True)
    return [found, "sh"], str(tools)


@pytest.fixture
def server(tmp_path: Path) -> Path:
    """A project as it lies on a server."""
    root = tmp_path / "my project"
    (root / "deploy").mkdir(parents=True)
    for script in SCRIPTS:
        shutil.copy(script, root / "deploy")
    shutil.copy(GOLDEN / "profile-web-app/.env.example", root)
    return root


def init(
    shell: tuple[list[str], str], root: Path, *arguments: str, **environment: str
) -> subprocess.CompletedProcess[str]:
    command, path = shell
    return subprocess.run(
        [*command, "deploy/init-env.sh", *arguments],
        cwd=root,
        env={"PATH": path} | environment,
        stdin=subprocess.DEVNULL,
        capture_output=True,
        text=True,
        check=False,
    )


def settings(file: Path) -> dict[str, str]:
    lines = (line.partition("=") for line in file.read_text().splitlines())
    return {name: value for name, equals, value in lines if equals and not name.startswith("#")}


def test_secrets_are_made_and_differ(shell: tuple[list[str], str], server: Path) -> None:
    result = init(shell, server)
    assert result.returncode == 0, result.stderr
    values = settings(server / ".env")
    assert values.keys() == {"SECRET_KEY", "POSTGRES_PASSWORD"}
    assert all(re.fullmatch("[0-9a-f]{64}", value) for value in values.values())
    assert len(set(values.values())) == 2


def test_only_the_owner_can_read_it(shell: tuple[list[str], str], server: Path) -> None:
    init(shell, server)
    assert stat.S_IMODE((server / ".env").stat().st_mode) == 0o600


def test_everything_else_stays_as_in_the_example(
    shell: tuple[list[str], str], server: Path
) -> None:
    init(shell, server)
    blank = re.sub(r"=[0-9a-f]{64}$", "=", (server / ".env").read_text(), flags=re.MULTILINE)
    assert blank == (server / ".env.example").read_text()


def test_no_secret_is_printed(shell: tuple[list[str], str], server: Path) -> None:
    result = init(shell, server)
    for value in settings(server / ".env").values():
        assert value not in result.stdout + result.stderr


MINE = "# mine\r\nSECRET_KEY='my \\'own'\nexport OTHER=x # y\n"


def test_a_file_that_exists_gets_what_is_missing(
    shell: tuple[list[str], str], server: Path
) -> None:
    (server / ".env").write_bytes(MINE.encode())
    result = init(shell, server)
    assert result.returncode == 0, result.stderr
    text = (server / ".env").read_bytes().decode()
    added = re.fullmatch(
        re.escape(MINE)
        + r"\n# --- PostgreSQL -+\n\n# [^\n]+ rand -hex 32\nPOSTGRES_PASSWORD=[0-9a-f]{64}\n",
        text,
    )
    assert added, text


def test_a_second_run_changes_nothing(shell: tuple[list[str], str], server: Path) -> None:
    init(shell, server)
    before = (server / ".env").read_bytes(), (server / ".env").stat().st_mtime_ns
    result = init(shell, server)
    assert result.returncode == 0
    assert "nothing was changed" in result.stdout
    assert ((server / ".env").read_bytes(), (server / ".env").stat().st_mtime_ns) == before


@pytest.mark.parametrize(
    "line", ["POSTGRES_PASSWORD=", "export POSTGRES_PASSWORD = ''  ", 'POSTGRES_PASSWORD=""\r']
)
def test_an_empty_line_is_filled_where_it_stands(
    shell: tuple[list[str], str], server: Path, line: str
) -> None:
    (server / ".env").write_bytes(f"A=1\n{line}\nSECRET_KEY=mine\nB=2".encode())
    assert init(shell, server).returncode == 0
    text = (server / ".env").read_text()
    assert re.fullmatch(r"A=1\nPOSTGRES_PASSWORD=[0-9a-f]{64}\nSECRET_KEY=mine\nB=2\n", text)


def test_a_line_inside_another_value_is_none(shell: tuple[list[str], str], server: Path) -> None:
    text = "SECRET_KEY=mine\nNOTE='a\nPOSTGRES_PASSWORD=x\n'\n"
    (server / ".env").write_text(text)
    init(shell, server)
    assert (server / ".env").read_text().startswith(text)
    assert re.search(r"^POSTGRES_PASSWORD=[0-9a-f]{64}$", (server / ".env").read_text(), re.M)


def test_mode_and_link_of_a_file_stay(shell: tuple[list[str], str], server: Path) -> None:
    real = server / "elsewhere.env"
    real.write_text("SECRET_KEY=mine\n")
    real.chmod(0o640)
    (server / ".env").symlink_to(real)
    assert init(shell, server).returncode == 0
    assert (server / ".env").is_symlink()
    assert stat.S_IMODE(real.stat().st_mode) == 0o640
    assert "POSTGRES_PASSWORD=" in real.read_text()


def test_what_only_the_owner_knows_is_added_empty_and_named(
    shell: tuple[list[str], str], server: Path
) -> None:
    (server / ".env.example").write_text("# Where mail goes.\nMAIL_URL=\n")
    (server / ".env").write_text("A=1\n")
    result = init(shell, server)
    assert (result.returncode, "MAIL_URL" in result.stderr) == (0, True)
    assert (server / ".env").read_text() == "A=1\n\n# Where mail goes.\nMAIL_URL=\n"
    before = (server / ".env").read_bytes()
    assert "MAIL_URL" in init(shell, server).stderr
    assert (server / ".env").read_bytes() == before
    assert init(shell, server, MAIL_URL="smtp://a$b").returncode == 0
    assert (server / ".env").read_text().endswith("\nMAIL_URL='smtp://a$b'\n")


def test_a_file_that_compose_cannot_read_is_left_alone(
    shell: tuple[list[str], str], server: Path
) -> None:
    (server / ".env").write_text("A='x\n")
    result = init(shell, server)
    assert result.returncode == 1
    assert "line 1 has a quote that does not close" in result.stderr
    assert (server / ".env").read_text() == "A='x\n"


def test_another_environment_gets_what_is_missing(
    shell: tuple[list[str], str], server: Path
) -> None:
    (server / "deploy/env").mkdir()
    (server / "deploy/env/staging.env").write_text("SECRET_KEY=mine\n")
    assert init(shell, server, "--env", "staging").returncode == 0
    values = settings(server / "deploy/env/staging.env")
    assert values["SECRET_KEY"] == "mine"
    assert values.keys() == {"SECRET_KEY", "POSTGRES_PASSWORD"}


def test_a_link_that_leads_nowhere_is_left_alone(
    shell: tuple[list[str], str], server: Path
) -> None:
    (server / ".env").symlink_to(server / "elsewhere")
    assert init(shell, server).returncode == 1
    assert not (server / "elsewhere").exists()


def test_nothing_but_the_file_is_left(shell: tuple[list[str], str], server: Path) -> None:
    before = {path.name for path in server.iterdir()}
    init(shell, server)
    assert {path.name for path in server.iterdir()} == before | {".env"}


@pytest.mark.parametrize("arguments", [[], ["--env", "staging"]])
def test_a_draft_is_out_of_git_s_sight_and_goes(
    shell: tuple[list[str], str], server: Path, arguments: list[str]
) -> None:
    """Also what a run leaves that is killed while it asks."""
    (program, *options), path = shell
    state = server / "deploy/state"
    child = pexpect.spawn(
        program,
        [*options, "deploy/init-env.sh", *arguments],
        cwd=str(server),
        env={"PATH": path},
        timeout=300,
    )
    child.expect("Domain that points to this server")
    (draft,) = state.glob("*.draft.*")
    assert stat.S_IMODE(draft.stat().st_mode) == 0o600
    assert (state / ".gitignore").read_text() == "*\n"
    assert {path.name for path in server.glob(".env*")} == {".env.example"}
    child.kill(signal.SIGKILL)
    child.wait()
    assert draft.exists()
    assert init(shell, server, *arguments).returncode == 0
    assert [path.name for path in state.iterdir()] == [".gitignore"]


def test_a_run_beside_another_leaves_its_draft(shell: tuple[list[str], str], server: Path) -> None:
    state = server / "deploy/state"
    state.mkdir()
    other = state / f"init-env.draft.{os.getpid()}"
    other.write_text("SECRET_KEY=theirs\n")
    assert init(shell, server).returncode == 0
    assert other.exists()


def test_another_environment(shell: tuple[list[str], str], server: Path) -> None:
    assert init(shell, server, "--env", "staging").returncode == 0
    assert (server / "deploy/env/staging.env").stat().st_mode & 0o777 == 0o600
    assert (server / "deploy/env/.gitignore").read_text() == "*\n"
    assert not (server / ".env").exists()


@pytest.mark.parametrize(
    "arguments", [("--env",), ("--env", "../x"), ("--env", "prod"), ("x.env",), ("--env", "a b")]
)
def test_wrong_arguments_make_nothing(
    shell: tuple[list[str], str], server: Path, arguments: tuple[str, ...]
) -> None:
    before = {path.name for path in server.rglob("*")}
    assert init(shell, server, *arguments).returncode == 1
    assert {path.name for path in server.rglob("*")} == before


def test_a_domain_from_the_environment(shell: tuple[list[str], str], server: Path) -> None:
    init(shell, server, DOMAIN="example.com")
    assert settings(server / ".env")["DOMAIN"] == "example.com"


@pytest.mark.parametrize("domain", ["a b", "x$(touch pwned)", "https://a.org", "a'b", "a\nB=c"])
def test_a_domain_that_is_none(shell: tuple[list[str], str], domain: str, server: Path) -> None:
    result = init(shell, server, DOMAIN=domain)
    assert result.returncode == 1
    assert "is not a domain" in result.stderr
    assert not (server / ".env").exists()
    assert not (server / "pwned").exists()


def test_what_cannot_be_generated_is_taken_from_the_environment(
    shell: tuple[list[str], str], server: Path
) -> None:
    (server / ".env.example").write_text("# Where mail goes.\nMAIL_URL=\n")
    assert init(shell, server, MAIL_URL="smtp://a b$c`d`").returncode == 0
    assert (server / ".env").read_text() == "# Where mail goes.\nMAIL_URL='smtp://a b$c`d`'\n"


def test_what_is_still_missing_is_named(shell: tuple[list[str], str], server: Path) -> None:
    (server / ".env.example").write_text("# Where mail goes.\nMAIL_URL=\n")
    result = init(shell, server)
    assert result.returncode == 0
    assert "does not start without: MAIL_URL." in result.stderr
    assert settings(server / ".env")["MAIL_URL"] == ""


def test_a_name_in_small_letters_is_asked_for_and_none_of_the_script_s(
    shell: tuple[list[str], str], server: Path
) -> None:
    (server / ".env.example").write_text("# A path.\ntarget=\n")
    assert "without: target." in init(shell, server, target="x").stderr
    assert settings(server / ".env")["target"] == ""


def test_an_example_with_other_line_ends(shell: tuple[list[str], str], server: Path) -> None:
    example = server / ".env.example"
    example.write_bytes(example.read_bytes().replace(b"\n", b"\r\n"))
    init(shell, server)
    assert b"\r" not in (server / ".env").read_bytes()
    assert settings(server / ".env").keys() == {"SECRET_KEY", "POSTGRES_PASSWORD"}


def test_a_setting_without_a_comment_is_no_secret(
    shell: tuple[list[str], str], server: Path
) -> None:
    text = "# Signs. Make one with: openssl rand -hex 32\nSECRET_KEY=\nSTRIPE_KEY=\n\nOTHER=\n"
    (server / ".env.example").write_text(text)
    result = init(shell, server)
    assert "STRIPE_KEY OTHER" in result.stderr
    assert settings(server / ".env")["STRIPE_KEY"] == ""


def test_cdpath_does_not_mislead_it(shell: tuple[list[str], str], server: Path) -> None:
    assert init(shell, server, CDPATH=".").returncode == 0


def test_a_file_system_without_links(server: Path, tmp_path: Path) -> None:
    tools = tmp_path / "tools"
    tools.mkdir()
    (tools / "ln").write_text("#!/bin/sh\nexit 1\n")
    (tools / "ln").chmod(0o755)
    shell = ["sh"], f"{tools}:{os.defpath}"
    assert init(shell, server).returncode == 0
    assert stat.S_IMODE((server / ".env").stat().st_mode) == 0o600


def test_a_lost_connection_leaves_nothing(shell: tuple[list[str], str], server: Path) -> None:
    command, path = shell
    before = {item.name for item in server.iterdir()}
    child = pexpect.spawn(
        command[0],
        [*command[1:], "deploy/init-env.sh"],
        cwd=str(server),
        env={"PATH": path},
        encoding="utf-8",
        timeout=300,
    )
    child.expect("Domain that points to this server")
    # As the terminal does it: to every process in its foreground.
    assert child.pid is not None
    os.killpg(child.pid, signal.SIGHUP)
    child.expect(pexpect.EOF)
    child.close()
    assert {item.name for item in server.iterdir()} == before


def test_a_missing_example_is_said(shell: tuple[list[str], str], server: Path) -> None:
    (server / ".env.example").unlink()
    result = init(shell, server)
    assert result.returncode == 1
    assert "restore it" in result.stderr


def test_it_asks_on_a_terminal(shell: tuple[list[str], str], server: Path) -> None:
    command, path = shell
    child = pexpect.spawn(
        command[0],
        [*command[1:], "deploy/init-env.sh"],
        cwd=str(server),
        env={"PATH": path},
        encoding="utf-8",
        timeout=300,
    )
    child.expect("Domain that points to this server")
    child.sendline("www.example.org")
    child.expect(pexpect.EOF)
    child.close()
    assert child.exitstatus == 0
    assert settings(server / ".env")["DOMAIN"] == "www.example.org"


def test_interrupted_it_leaves_nothing(shell: tuple[list[str], str], server: Path) -> None:
    command, path = shell
    before = {item.name for item in server.iterdir()}
    child = pexpect.spawn(
        command[0],
        [*command[1:], "deploy/init-env.sh"],
        cwd=str(server),
        env={"PATH": path},
        encoding="utf-8",
        timeout=300,
    )
    child.expect("Domain that points to this server")
    child.sendintr()
    child.expect(pexpect.EOF)
    child.close()
    assert child.exitstatus == 130 or child.signalstatus == 2
    assert {item.name for item in server.iterdir()} == before


@pytest.mark.integration
@pytest.mark.parametrize("case", CASES)
def test_every_project_gets_all_it_needs(case: str, project: Project, tmp_path: Path) -> None:
    shape, options = CASES[case]
    root = project(shape)
    own = set(root.rglob(".env.example"))
    build(root, *options)
    (example,) = set(root.rglob(".env.example")) - own
    (tmp_path / "deploy").mkdir()
    for script in SCRIPTS:
        shutil.copy(script, tmp_path / "deploy")
    shutil.copy(example, tmp_path)
    url = "https://example.com"
    elsewhere = {"POSTGRES_SERVER": "db.test", "POSTGRES_PASSWORD": "p", "REDIS_HOST": "cache.test"}
    result = init((["sh"], os.defpath), tmp_path, NEXT_PUBLIC_API_URL=url, **elsewhere)
    assert result.returncode == 0, result.stderr
    required = re.findall(r"^([A-Z][A-Z0-9_]*)=$", example.read_text(), flags=re.MULTILINE)
    values = settings(tmp_path / ".env")
    assert values.keys() == set(required)
    assert all(values.values())
