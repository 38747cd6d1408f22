"""Checkouts as on Windows: what shells read keeps the line ends that it was generated with."""

from __future__ import annotations

import re
import subprocess
from pathlib import Path

import pytest

from tests.conftest import REPOSITORY, Project, files_below
from tests.releases import commit
from tests.runs import build, run

DOCKERFILE = REPOSITORY / "tests/golden/profile-web-app/Dockerfile.prod"
REQUIREMENTS = """\
fastapi==0.115.0 \\
    --hash=sha256:aa \\
    --hash=sha256:bb
pytest==8.3.3 \\
    --hash=sha256:cc \\
    --hash=sha256:dd
black
uvicorn==0.32.0
"""


@pytest.mark.integration
def test_a_clone_with_autocrlf(project: Project, tmp_path: Path) -> None:
    root = project("fastapi-postgresql--py312-pg16")
    build(root)
    commit(root, "generated")
    clone = tmp_path / "clone"
    subprocess.run(
        ["git", "clone", "--quiet", "--config", "core.autocrlf=true", str(root), str(clone)],
        check=True,
    )
    assert b"\r\n" in (clone / "docker-compose.prod.yml").read_bytes()
    scripts = files_below(clone / "deploy")
    assert not [path for path, text in scripts.items() if b"\r" in text]
    for path in scripts:
        if path.endswith(".sh"):
            subprocess.run(["sh", "-n", str(clone / "deploy" / path)], check=True)
    assert run(clone, "--check").code == 0


@pytest.mark.integration
def test_an_older_checkout_is_mended(project: Project) -> None:
    """One from before the attributes were generated; an edit stays."""
    root = project("fastapi")
    build(root)
    for name in ("deploy/entrypoint.sh", "deploy/deploy.sh"):
        path = root / name
        path.write_bytes(path.read_bytes().replace(b"\n", b"\r\n"))
    (root / "deploy/deploy.sh").open("ab").write(b"# mine\r\n")
    assert run(root, "--check").code == 1
    build(root)
    assert b"\r" not in (root / "deploy/entrypoint.sh").read_bytes()
    assert (root / "deploy/deploy.sh").read_bytes().endswith(b"\n# mine\n")
    assert run(root, "--check").code == 0


def _sed(file: Path, name: str) -> str:
    """The command of a Dockerfile that rewrites a file, as sh would have it."""
    text = re.sub(r"\\\n\s*", "", file.read_text())
    (command,) = re.findall(rf"(sed -[^&\n]*{re.escape(name)})(?: &&|$)", text, re.MULTILINE)
    (tools,) = re.findall(r'ARG (DEVELOPMENT_TOOLS="[^"]*")', text)
    return f"{tools}\n{command}"


def test_requirements_of_a_windows_checkout(tmp_path: Path) -> None:
    requirements = tmp_path / "requirements.txt"
    requirements.write_bytes(REQUIREMENTS.replace("\n", "\r\n").encode())
    subprocess.run(["sh", "-c", _sed(DOCKERFILE, "requirements.txt")], cwd=tmp_path, check=True)
    assert requirements.read_text().split() == [
        "fastapi==0.115.0", "--hash=sha256:aa", "--hash=sha256:bb", "uvicorn==0.32.0"
    ]  # fmt: skip
    assert b"\r" not in requirements.read_bytes()


@pytest.mark.parametrize("case", ["profile-web-app", "node", "platforms"])
def test_every_script_that_an_image_takes_loses_them(case: str) -> None:
    for file in (REPOSITORY / "tests/golden" / case).rglob("*Dockerfile*"):
        if file.suffix == ".dockerignore" or file.name == "tools.Dockerfile":
            continue
        text = file.read_text()
        for target in re.findall(r"^COPY --chmod=0555 \S+\.sh (\S+)$", text, re.MULTILINE):
            line = rf"(?m)^(?:RUN| +&&) sed -i 's/\\r\$//' {re.escape(target)}$"
            assert re.search(line, text), file
        assert "-name '*.sh' -type f -exec sed -i 's/\\r$//' {} +" in text, file
