"""Files that no image gets, by their names: the one list, both of its uses, and what is kept."""

from __future__ import annotations

import subprocess
from pathlib import Path
from typing import Any

import pytest

from extensions import secret_files
from tests.runs import build

from .support import stack_of, tree_of, values, write_files, write_project

SECRETS = [
    ".env", ".env.production", "secrets.env", "secrets.json", "secrets.toml", "secrets.yaml",
    "secrets.yml", "credentials.json", "service-account.json", "service-account-prod.json",
    "kubeconfig", "terraform.tfstate", ".aws/credentials", ".netrc", ".pgpass",
    ".git-credentials", ".pypirc", ".npmrc", ".yarnrc", ".yarnrc.yml", "bunfig.toml", "pip.conf",
    "id_rsa", "id_rsa.pub", "id_dsa", "id_ecdsa", "id_ed25519", ".ssh/config", "tls.key", "ca.pem",
    "store.p12", "store.pfx", "store.jks", "store.keystore", "db.sqlite3", "dump.sql",
]  # fmt: skip
OTHERS = ["secrets.py", "env.py", "keys.ts", "kube/config.py", "schema.sql", "ca.crt", "aws/a.py"]
CERTIFICATE = "-----BEGIN CERTIFICATE-----\nMIIB\n-----END CERTIFICATE-----\n"
KEY = "-----BEGIN RSA PRIVATE KEY-----\nMIIB\n-----END RSA PRIVATE KEY-----\n"


@pytest.mark.parametrize("path", [*SECRETS, *(f"deep/er/{path}" for path in SECRETS)])
def test_a_secret_is_known_by_its_name(path: str) -> None:
    assert secret_files.matching(path)


@pytest.mark.parametrize("path", OTHERS)
def test_other_files_are_none(path: str) -> None:
    assert secret_files.matching(path) is None


def test_find_finds_the_same(tmp_path: Path) -> None:
    """What a Dockerfile asks find(1) for is what the list says."""
    write_files(tmp_path, {**dict.fromkeys(SECRETS, ""), **dict.fromkeys(OTHERS, "")})
    tests = " ".join(secret_files.find_tests())
    command = ["sh", "-c", f"find . -type f \\( -name .git {tests} \\) -print"]
    said = subprocess.run(command, cwd=tmp_path, check=True, capture_output=True, text=True).stdout
    assert sorted(said.split()) == sorted(f"./{path}" for path in SECRETS)


@pytest.fixture(scope="module")
def rendered(tmp_path_factory: pytest.TempPathFactory) -> Path:
    """An app with a certificate, and a key that its code names."""
    root = write_project(
        tmp_path_factory.mktemp("project"),
        {
            "backend/requirements.txt": "fastapi\nuvicorn\n",
            "backend/app/main.py": "from fastapi import FastAPI\napp = FastAPI()\n"
            "CA, KEY = 'certs/ca.pem', 'certs/tls.key'\n",
            "backend/certs/ca.pem": CERTIFICATE,
            "backend/certs/tls.key": KEY,
            "backend/certs/bundle.pem": CERTIFICATE + KEY,
            "frontend/package.json": '{"dependencies": {"next": "16"}}',
            "frontend/.npmrc": "save-exact=true\n",
        },
        USE_FASTAPI="true",
        USE_NEXTJS="true",
    )
    (root / "said").write_text(build(root))
    return root


def test_every_name_is_in_both_places(rendered: Path) -> None:
    dockerfile = (rendered / "Dockerfile.prod").read_text()
    ignored = (rendered / "Dockerfile.prod.dockerignore").read_text().splitlines()
    for name in (name for names in secret_files.NAMES for name in names):
        assert f"**/{name.rstrip('/')}" in ignored
    assert all(line in dockerfile for line in secret_files.find_tests())


def test_certificates_alone_are_let_in(rendered: Path) -> None:
    """In both places, and behind the names."""
    dockerfile = (rendered / "Dockerfile.prod").read_text()
    ignored = (rendered / "Dockerfile.prod.dockerignore").read_text().splitlines()
    kept = [line for line in ignored if line.startswith("!backend/certs")]
    assert kept == ["!backend/certs/ca.pem"]
    assert ignored.index(kept[0]) > ignored.index("**/*.pem")
    assert dockerfile.count("! -path ") == 1 and "! -path ./certs/ca.pem" in dockerfile


def test_settings_of_a_registry_without_a_login_are_let_in(rendered: Path) -> None:
    ignored = (rendered / "Dockerfile.frontend.prod.dockerignore").read_text().splitlines()
    assert ignored.index("!frontend/.npmrc") > ignored.index("**/.npmrc")
    dockerfile = (rendered / "Dockerfile.frontend.prod").read_text()
    assert "COPY frontend/package.json frontend/.npmrc ./" in dockerfile
    assert "--mount=type=secret" not in dockerfile


def test_what_the_code_names_is_said(rendered: Path) -> None:
    """With the setting that lets it in, beside what is let in already."""
    said = " ".join((rendered / "said").read_text().split())
    assert (
        "The code names backend/certs/tls.key, which stays out of the image, as secrets have such "
        "names: mount it there, or put it in with --set fastapi.keep=certs/ca.pem,certs/tls.key"
    ) in said
    assert "bundle.pem" not in said


def read(root: Path, files: dict[str, str], folder: str = ".") -> dict[str, Any]:
    tree = tree_of(root, files)
    tops = sorted({path.split("/")[0] + ("/" if "/" in path else "") for path in files})
    return values(secret_files.read(tree, folder, tops))


@pytest.mark.parametrize(
    ("content", "kept"),
    [
        (CERTIFICATE, True),
        (CERTIFICATE * 3, True),
        ("-----BEGIN PUBLIC KEY-----\n", True),
        (KEY, False),
        (CERTIFICATE + KEY, False),
        ("-----BEGIN ENCRYPTED PRIVATE KEY-----\n", False),
        ("", False),
    ],
)
def test_what_a_pem_file_holds_decides(content: str, kept: bool, tmp_path: Path) -> None:
    assert read(tmp_path, {"certs/a.pem": content})["keep"] == (["certs/a.pem"] if kept else [])


@pytest.mark.parametrize(
    ("code", "named"),
    [
        ({"main.py": "open('db.sqlite3')"}, True),
        ({"settings.toml": "path = 'data/db.sqlite3'"}, True),
        ({"main.py": "open('other-db.sqlite3')"}, False),
        ({"README.md": "db.sqlite3"}, False),
        ({"tests/test_it.py": "db.sqlite3"}, False),
        ({"package-lock.json": "db.sqlite3"}, False),
    ],
)
def test_who_names_a_file(code: dict[str, str], named: bool, tmp_path: Path) -> None:
    found = read(tmp_path, {"data/db.sqlite3": "", **code})
    assert found["secret_files"] == (["data/db.sqlite3"] if named else [])


def test_settings_files_are_expected_to_stay_out(tmp_path: Path) -> None:
    """Code that loads them takes the environment where there are none."""
    files = {".env": "", ".npmrc": "", "main.py": "load('.env', '.npmrc')"}
    assert read(tmp_path, files)["secret_files"] == []


def test_what_git_ignores_and_the_code_names_is_said_too(tmp_path: Path) -> None:
    """Spinbox's own .gitignore hides every .pem."""
    root = write_project(
        tmp_path,
        {
            ".gitignore": "*.pem\n",
            "main.py": "CA = 'certs/ca.pem'\n",
            "certs/ca.pem": CERTIFICATE,
        },
        USE_PYTHON="true",
    )
    said = " ".join(build(root).split())
    assert "The code names certs/ca.pem, which stays out of the image" in said
    again = " ".join(build(root, "--set", "python.keep=certs/ca.pem").split())
    assert "The code names" not in again
    assert "!certs/ca.pem" in (root / "Dockerfile.prod.dockerignore").read_text()


SCRIPT: dict[str, Any] = {"dir": ".", "entry": "main.py", "mode": "job", "sources": ["main.py"]}


def test_a_file_at_the_top_is_kept_by_name() -> None:
    """It is none of the sources by itself."""
    stack = stack_of({"name": "x", "python": SCRIPT}, {"python.keep": ["ca.pem"]})
    assert stack.apps[0].sources == ("main.py", "ca.pem")


def test_secrets_at_the_top_are_no_sources(tmp_path: Path) -> None:
    """A COPY of one would fail, as nothing lets it in."""
    root = write_project(
        tmp_path, {"main.py": "", "tls.key": KEY, "ca.pem": CERTIFICATE}, USE_PYTHON="true"
    )
    build(root)
    copied = (root / "Dockerfile.prod").read_text()
    assert "COPY ca.pem ./ca.pem" in copied and "COPY tls.key" not in copied
