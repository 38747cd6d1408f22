"""Installations from a registry that asks for a login: it is used, and nothing keeps it."""

from __future__ import annotations

import base64
import hashlib
import io
import json
import subprocess
import tarfile
import uuid
import zipfile
from collections.abc import Callable, Iterator
from dataclasses import dataclass
from pathlib import Path

import pytest

from tests.e2e.stacks import run
from tests.projects.compose import compose
from tests.runs import build

TOKEN = "tok-3f9a1c77e2d84b06"
# Packages of both kinds, for whoever shows the token, as npm and as pip and uv do.
SERVER = """\
import base64, http.server, json, pathlib, sys
token, files = sys.argv[1], pathlib.Path("/files")
allowed = {f"Bearer {token}", "Basic " + base64.b64encode(f"build:{token}".encode()).decode()}

class Handler(http.server.BaseHTTPRequestHandler):
    def do_GET(self):
        path = self.path.replace("%2f", "/").replace("%2F", "/").split("?")[0].strip("/")
        file = files / path
        if file.is_dir():
            file = file / "index.html"
        content = b""
        if self.headers.get("Authorization") not in allowed:
            self.send_response(401)
            self.send_header("WWW-Authenticate", "Basic")
        elif not file.is_file():
            self.send_response(404)
        else:
            content = file.read_bytes()
            if file.suffix in {"", ".html"}:
                content = content.replace(b"HOST", self.headers["Host"].encode())
            self.send_response(200)
            kind = "text/html" if file.suffix == ".html" else "application/octet-stream"
            self.send_header("Content-Type", kind)
        self.send_header("Content-Length", str(len(content)))
        self.end_headers()
        if self.command == "GET":
            self.wfile.write(content)

    do_HEAD = do_GET

http.server.ThreadingHTTPServer(("", 8000), Handler).serve_forever()
"""


def _npm_package() -> tuple[bytes, bytes]:
    """A package as npm fetches it, and what a registry says of it."""
    content = io.BytesIO()
    with tarfile.open(fileobj=content, mode="w:gz") as archive:
        for name, text in {
            "package/package.json": '{"name": "@acme/private", "version": "1.0.0"}',
            "package/index.js": 'module.exports = "private"',
        }.items():
            member = tarfile.TarInfo(name)
            member.size = len(text)
            archive.addfile(member, io.BytesIO(text.encode()))
    packed = content.getvalue()
    digest = base64.b64encode(hashlib.sha512(packed).digest()).decode()
    version = {
        "name": "@acme/private",
        "version": "1.0.0",
        "dist": {"tarball": "http://HOST/private-1.0.0.tgz", "integrity": f"sha512-{digest}"},
    }
    about = {
        "name": "@acme/private",
        "dist-tags": {"latest": "1.0.0"},
        "versions": {"1.0.0": version},
    }
    return packed, json.dumps(about).encode()


def _wheel() -> bytes:
    """A package as pip and uv fetch it; the same bytes each time."""
    info = "acme_private-1.0.0.dist-info"
    files = {
        "acme_private.py": "VALUE = 'private'\n",
        f"{info}/METADATA": "Metadata-Version: 2.1\nName: acme-private\nVersion: 1.0.0\n",
        f"{info}/WHEEL": "Wheel-Version: 1.0\nGenerator: test\nRoot-Is-Purelib: true\n"
        "Tag: py3-none-any\n",
        f"{info}/RECORD": "",
    }
    content = io.BytesIO()
    with zipfile.ZipFile(content, "w") as archive:
        for name, text in files.items():
            archive.writestr(zipfile.ZipInfo(name), text)
    return content.getvalue()


@pytest.fixture(scope="module")
def registry() -> Iterator[str]:
    """`host:port` of a registry that builds reach."""
    name = f"e2e-registry-{uuid.uuid4().hex[:8]}"
    run("docker", "create", "--name", name, "python:3.11-slim", "python", "/server.py", TOKEN)
    try:
        packed, about = _npm_package()
        wheel = "acme_private-1.0.0-py3-none-any.whl"
        link = f'<a href="/{wheel}">{wheel}</a>'
        archive = io.BytesIO()
        with tarfile.open(fileobj=archive, mode="w") as files:
            for path, text in {
                "server.py": SERVER.encode(),
                "files/@acme/private": about,
                "files/private-1.0.0.tgz": packed,
                "files/simple/acme-private/index.html": link.encode(),
                f"files/{wheel}": _wheel(),
            }.items():
                member = tarfile.TarInfo(path)
                member.size, member.mode = len(text), 0o644
                files.addfile(member, io.BytesIO(text))
        subprocess.run(["docker", "cp", "-", f"{name}:/"], input=archive.getvalue(), check=True)
        run("docker", "start", name)
        address = run(
            "docker", "inspect", "--format", "{{.NetworkSettings.IPAddress}}", name
        ).strip()
        yield f"{address}:8000"
    finally:
        run("docker", "rm", "--force", name)


@pytest.fixture
def image() -> Iterator[str]:
    """A name for images that are removed afterwards."""
    name = f"e2e-{uuid.uuid4().hex[:12]}"
    yield name
    subprocess.run(["docker", "image", "rm", "--force", name], check=False, capture_output=True)


def _everything(image: str) -> bytes:
    """All layers of an image, unpacked, its configuration and its history."""
    saved = subprocess.run(["docker", "save", image], check=True, capture_output=True).stdout
    found = [run("docker", "history", "--no-trunc", image).encode(), saved]
    with tarfile.open(fileobj=io.BytesIO(saved)) as archive:
        for member in archive:
            file = archive.extractfile(member)
            if file is None:
                continue
            content = file.read()
            try:
                with tarfile.open(fileobj=io.BytesIO(content)) as layer:
                    for inner in layer:
                        one = layer.extractfile(inner) if inner.isfile() else None
                        found.append(one.read() if one else b"")
            except tarfile.ReadError:
                found.append(content)
    return b"\n".join(found)


def _depends_on(root: Path, dependencies: dict[str, str]) -> None:
    (root / "index.js").write_text("")
    # The description makes each build a new one, whatever was built before.
    about = {"scripts": {"start": "node index.js"}, "description": uuid.uuid4().hex}
    package = {**about, "dependencies": dependencies}
    (root / "package.json").write_text(json.dumps(package))


def _node(root: Path, registry: str) -> Path:
    _depends_on(root, {"@acme/private": "1.0.0"})
    (root / ".npmrc").write_text(
        f"@acme:registry=http://{registry}/\n//{registry}/:_authToken=${{ACME_TOKEN}}\n"
    )
    return root


def _pnpm(root: Path, registry: str) -> Path:
    return _by(_node(root, registry), "pnpm@10.20.0")


def _by(root: Path, manager: str) -> Path:
    path = root / "package.json"
    path.write_text(json.dumps({**json.loads(path.read_text()), "packageManager": manager}))
    return root


def _python(root: Path, registry: str) -> Path:
    (root / "requirements.txt").write_text(
        f"# {uuid.uuid4().hex}\n"
        f"--index-url http://build:${{ACME_TOKEN}}@{registry}/simple\nacme-private==1.0.0\n"
    )
    return root


def _uv(root: Path, registry: str) -> Path:
    (root / "requirements.txt").unlink()
    (root / "pyproject.toml").write_text(
        f"# {uuid.uuid4().hex}\n"
        '[project]\nname = "locked"\nversion = "1.0.0"\nrequires-python = ">=3.11"\n'
        'dependencies = ["acme-private==1.0.0"]\n\n[[tool.uv.index]]\nname = "acme"\n'
        f'url = "http://{registry}/simple"\ndefault = true\n'
    )
    digest = hashlib.sha256(_wheel()).hexdigest()
    (root / "uv.lock").write_text(UV_LOCK.format(registry=registry, digest=digest))
    return root


UV_LOCK = """\
version = 1
revision = 3
requires-python = ">=3.11"

[[package]]
name = "acme-private"
version = "1.0.0"
source = {{ registry = "http://{registry}/simple" }}
wheels = [
    {{ url = "http://{registry}/acme_private-1.0.0-py3-none-any.whl", hash = "sha256:{digest}" }},
]

[[package]]
name = "locked"
version = "1.0.0"
source = {{ virtual = "." }}
dependencies = [
    {{ name = "acme-private" }},
]

[package.metadata]
requires-dist = [{{ name = "acme-private", specifier = "==1.0.0" }}]
"""


@dataclass(frozen=True)
class Case:
    """A project whose installation logs in: how it is made, with what, and what it prints then."""

    shape: str
    prepare: Callable[[Path, str], Path]
    secrets: dict[str, str]
    probe: tuple[str, ...]


_IMPORT = ("python", "-c", "import acme_private; print(acme_private.VALUE)")
CASES = {
    "npm": Case("node", _node, {"ACME_TOKEN": TOKEN}, ("node", "-p", 'require("@acme/private")')),
    "pnpm": Case("node", _pnpm, {"ACME_TOKEN": TOKEN}, ("node", "-p", 'require("@acme/private")')),
    "pip": Case("python", _python, {"ACME_TOKEN": TOKEN}, _IMPORT),
    "uv": Case(
        "python",
        _uv,
        {"UV_INDEX_ACME_USERNAME": "build", "UV_INDEX_ACME_PASSWORD": TOKEN},
        _IMPORT,
    ),
}


@pytest.mark.parametrize("manager", CASES)
def test_a_login_installs_and_no_layer_holds_it(
    manager: str, registry: str, image: str, tmp_path: Path
) -> None:
    """Of the image, and of the stages before it, which a build's cache takes along."""
    case = CASES[manager]
    root = case.prepare(compose(case.shape, tmp_path / "project"), registry)
    build(root)
    options = []
    for name, value in case.secrets.items():
        (tmp_path / name).write_text(value)
        options += ["--secret", f"id={name},src={tmp_path / name}"]
    for stage in ("dependencies", "build", "final"):
        target = ("--target", stage, "--tag", image, "--file", "Dockerfile.prod")
        run("docker", "build", *options, *target, ".", cwd=root)
        assert TOKEN.encode() not in _everything(image)
    assert run("docker", "run", "--rm", image, *case.probe).strip() == "private"


@pytest.mark.parametrize("manager", CASES)
def test_compose_takes_the_login_from_the_settings(
    manager: str, registry: str, image: str, tmp_path: Path
) -> None:
    case = CASES[manager]
    root = case.prepare(compose(case.shape, tmp_path / "project"), registry)
    build(root)
    settings = {**case.secrets, "IMAGE_APP": image}
    (root / ".env").write_text("".join(f"{name}={settings[name]}\n" for name in settings))
    run("docker", "compose", "-f", "docker-compose.prod.yml", "--profile", "*", "build", cwd=root)
    assert run("docker", "run", "--rm", image, *case.probe).strip() == "private"
    assert TOKEN.encode() not in _everything(image)


def test_without_the_login_what_needs_none_is_built(image: str, tmp_path: Path) -> None:
    """Settings that only a publication reads ask nobody for a token."""
    root = compose("node", tmp_path / "project")
    _depends_on(root, {})
    (root / ".npmrc").write_text("save-exact=true\n//npm.example/:_authToken=${ACME_TOKEN}\n")
    build(root)
    run("docker", "build", "--tag", image, "--file", "Dockerfile.prod", ".", cwd=root)
    assert run("docker", "run", "--rm", image, "ls", "-A").split().count(".npmrc") == 0


def test_certificates_are_in_the_image_and_keys_are_not(image: str, tmp_path: Path) -> None:
    """Nor where nothing leaves them out: then the build fails, and names the file."""
    root = compose("python", tmp_path / "project")
    (root / ".gitignore").unlink()
    (root / "requirements.txt").write_text("")
    (root / "certs").mkdir()
    (root / "certs/ca.pem").write_text("-----BEGIN CERTIFICATE-----\n")
    (root / "certs/tls.key").write_text("-----BEGIN PRIVATE KEY-----\n")
    build(root)
    command = ["docker", "build", "--tag", image, "--file", "Dockerfile.prod", "."]
    run(*command, cwd=root)
    assert run("docker", "run", "--rm", image, "ls", "certs").split() == ["ca.pem"]
    ignored = root / "Dockerfile.prod.dockerignore"
    ignored.write_text(f"{ignored.read_text()}!certs/tls.key\n")
    result = subprocess.run(command, cwd=root, capture_output=True, text=True, check=False)
    assert result.returncode != 0
    assert "Must not enter the image: ./certs/tls.key" in result.stderr
