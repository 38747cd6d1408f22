"""The README's ways to install, for somebody who has Spinbox where its installer puts it."""

from __future__ import annotations

import os
import re
import shutil
import subprocess
import sys
from pathlib import Path

import pytest

from tests.conftest import REPOSITORY, Project
from tests.downloads import patient
from tests.sync.test_distributions import build_distributions

pytestmark = pytest.mark.integration

# The address in the README, or from the first release on the name.
ADDRESS = re.compile(
    r"(?<=install )(?:git\+https://github\.com/Gonzillaaa/)?spinbox-deploy$", re.MULTILINE
)
TOOLS = Path(sys.executable).parent
# The rest of the machine's environment could make a way work that fails for others.
KEPT = ("LANG", "SSL_CERT_FILE", "REQUESTS_CA_BUNDLE", "PIP_CERT", "PIP_FIND_LINKS")
SHELLS = {
    "bash": ("bash", "-ic", ".bashrc"),
    "zsh": ("zsh", "-ic", ".zshrc"),
    "fish": ("fish", "-ic", ".config/fish/config.fish"),
}


def ways() -> dict[str, str]:
    """The README's commands, by the tool that each begins with."""
    section = (REPOSITORY / "README.md").read_text().split("Or installed, with")[1]
    blocks = re.findall(r"```bash\n(.*?)```", section.split("shell-init")[0], re.DOTALL)
    return {block.split()[0]: block for block in blocks}


@pytest.fixture(scope="module")
def wheel(repository: Path) -> Path:
    return build_distributions(repository, repository.parent / "installation")["wheel"]


class Home:
    """A user's home, with Spinbox in it as its installer leaves it."""

    def __init__(self, folder: Path) -> None:
        self.folder = folder
        self.spinbox = folder / ".local/bin/spinbox"
        (folder / ".spinbox/runtime/lib").mkdir(parents=True)
        self.install_spinbox("0.1.0-beta.8")

    def install_spinbox(self, version: str) -> None:
        """What its installer does, and its update."""
        self.spinbox.parent.mkdir(parents=True, exist_ok=True)
        self.spinbox.unlink(missing_ok=True)
        self.spinbox.write_text(f'#!/bin/bash\necho "Spinbox {version}: $*"\n')
        self.spinbox.chmod(0o755)

    def run(self, *command: str, cwd: Path | None = None) -> subprocess.CompletedProcess[str]:
        tools = self.folder / "tools"
        if not tools.exists():
            tools.mkdir()
            for name in ("uv", "pipx"):
                (tools / name).symlink_to(TOOLS / name)
            (tools / "python3").symlink_to(sys.executable)
        variables = {name: os.environ[name] for name in KEPT if name in os.environ}
        variables["HOME"] = str(self.folder)
        # As where Debian's ~/.profile is read: after ~/.bashrc, which a login shell runs first.
        variables["PATH"] = f"{self.spinbox.parent}:{tools}:{os.defpath}"
        # What was downloaded once is enough.
        variables["UV_CACHE_DIR"] = str(self.folder.parent / "uv-cache")
        return subprocess.run(
            command, cwd=cwd or self.folder, env=variables, capture_output=True, text=True,
            stdin=subprocess.DEVNULL, check=False,
        )  # fmt: skip


def install(home: Home, way: str, wheel: Path) -> None:
    script, found = ADDRESS.subn(lambda _: str(wheel), ways()[way])
    assert found == 1
    result = patient(lambda: home.run("sh", "-euc", script))
    assert result.returncode == 0, result.stdout + result.stderr


def lines(result: subprocess.CompletedProcess[str]) -> list[str]:
    assert result.returncode == 0, result.stdout + result.stderr
    return result.stdout.splitlines()


@pytest.mark.parametrize("way", ["uv", "pipx", "python3"])
def test_both_programs_work(way: str, wheel: Path, project: Project, tmp_path: Path) -> None:
    home = Home(tmp_path / "home")
    before = home.spinbox.read_bytes()
    install(home, way, wheel)
    assert home.spinbox.read_bytes() == before
    (command,) = re.findall(
        r"^spinbox-deploy shell-init .*$", (REPOSITORY / "README.md").read_text(), re.M
    )
    assert home.run("bash", "-ec", command).returncode == 0

    root = project("fastapi")
    shell = ("bash", "-ic")
    assert "create  Dockerfile.prod" in home.run(*shell, "spinbox build --prod", cwd=root).stdout
    told = home.run(*shell, "spinbox deploy", cwd=root).stdout
    assert "spinbox deploy --check" in told and "spinbox-deploy" not in told
    assert lines(home.run(*shell, "spinbox create 'a b' --fastapi")) == [
        "Spinbox 0.1.0-beta.8: create a b --fastapi"
    ]
    # Scripts read no start-up file.
    assert lines(home.run("sh", "-c", "spinbox start")) == ["Spinbox 0.1.0-beta.8: start"]
    assert lines(home.run("sh", "-c", "spinbox-deploy start")) == ["Spinbox 0.1.0-beta.8: start"]
    checked = home.run("sh", "-c", "spinbox-deploy build --prod --check", cwd=root)
    assert checked.returncode == 0, checked.stderr

    home.install_spinbox("0.2.0")
    assert lines(home.run(*shell, "spinbox start")) == ["Spinbox 0.2.0: start"]
    assert home.run(*shell, "spinbox build --prod --check", cwd=root).returncode == 0


@pytest.mark.parametrize("name", SHELLS)
def test_the_name_in_every_shell(name: str, tmp_path: Path) -> None:
    program, option, file = SHELLS[name]
    if shutil.which(program) is None:
        pytest.skip(f"{program} is not installed")
    home = Home(tmp_path / "home")
    own = home.folder / ".local/bin/spinbox-deploy"
    own.write_text('#!/bin/sh\necho "ours as $SPINBOX_DEPLOY_NAME: $*"\n')
    own.chmod(0o755)
    printed = subprocess.run(
        [TOOLS / "spinbox-deploy", "shell-init", name], capture_output=True, text=True, check=True
    ).stdout
    (home.folder / file).parent.mkdir(parents=True, exist_ok=True)
    (home.folder / file).write_text(printed)
    for command in ("build --prod", "deploy", "generate --ci github", "bulid"):
        said = home.run(program, option, f"spinbox {command}")
        assert lines(said) == [f"ours as spinbox: {command}"]
    for command in ("create 'a b'", "--help", ""):
        said = home.run(program, option, f"spinbox {command}")
        assert lines(said) == [f"Spinbox 0.1.0-beta.8: {command}".replace("'", "")]
    own.unlink()
    assert lines(home.run(program, option, "spinbox start")) == ["Spinbox 0.1.0-beta.8: start"]
