"""What the settings of package managers say of registries: variables, and logins."""

from __future__ import annotations

import json
from pathlib import Path
from typing import Any

import pytest

from extensions import package_registries as registries
from tests.runs import build

from .support import facts_of, stack_of, write_files, write_project

NPMRC = "@acme:registry=https://npm.acme.test/\n//npm.acme.test/:_authToken=${NPM_TOKEN}\n"


@pytest.mark.parametrize(
    ("name", "text", "expected"),
    [
        (".npmrc", NPMRC, ["NPM_TOKEN"]),
        (".npmrc", "; //a/:_authToken=${OLD}\n# ${OTHER}\n", []),
        (".npmrc", "//a/:_authToken=${NPM_TOKEN?}\n", ["NPM_TOKEN"]),
        (".npmrc", "save-exact=true\nregistry=https://mirror.test/\ncache=${HOME}/npm\n", []),
        (".yarnrc.yml", 'npmAuthToken: "${YARN_TOKEN:-none}"\n', ["YARN_TOKEN"]),
        (".yarnrc.yml", "npmAuthIdent: ${USERNAME-}:${PASSWORD-}\n", ["USERNAME", "PASSWORD"]),
        ("bunfig.toml", 'acme = { token = "$NPM_TOKEN", url = "https://a.test" }', ["NPM_TOKEN"]),
        ("requirements.txt", "--index-url https://${U}:${P}@a.test/simple\n", ["U", "P"]),
        ("requirements.txt", "flask==1\n", []),
    ],
)
def test_variables(name: str, text: str, expected: list[str]) -> None:
    assert registries.variables(name, text) == expected


@pytest.mark.parametrize(
    ("text", "expected"),
    [
        (NPMRC, False),
        ("save-exact=true\nregistry=https://mirror.test/\nalways-auth=true\n", False),
        ("//npm.acme.test/:_authToken=npm_abc\n", True),
        ("_auth = dXNlcjpwYXNz\n", True),
        ("//npm.acme.test/:_password=cGFzcw==\n", True),
        ("# //npm.acme.test/:_authToken=npm_abc\n", False),
        ('npmScopes:\n  acme:\n    npmAuthToken: "abc"\n', True),
        ('npmAuthToken: "${YARN_TOKEN}"\nnodeLinker: node-modules\n', False),
        ('"//registry.npmjs.org/:_authToken" "abc"\n', True),
        ('acme = { token = "abc", url = "https://a.test" }\n', True),
        ('acme = { token = "$NPM_TOKEN", url = "https://a.test" }\n', False),
        ('[install.registry]\nurl = "https://a.test"\ntoken = "abc"\n', True),
        ("--index-url https://user:pass@a.test/simple\n", True),
        ("--index-url https://${U}:${P}@a.test/simple\n", False),
        ("--extra-index-url https://0123456789abcdef0123@a.test/simple\n", True),
        ("x @ git+ssh://git@github.com/a/b\n", False),
        ("--index-url https://a.test/simple\n", False),
    ],
)
def test_logins(text: str, expected: bool) -> None:
    assert registries.holds_login(text) is expected


PYPROJECT = '[project]\nname = "x"\nversion = "1"\ndependencies = []\n'
UV = '[[tool.uv.index]]\nname = "acme-internal"\nurl = "https://pypi.acme.test/simple"\n'
TORCH = '[[tool.uv.index]]\nname = "torch"\nurl = "https://download.pytorch.org/whl/cpu"\n'
POETRY = '[[tool.poetry.source]]\nname = "acme.x"\nurl = "https://pypi.acme.test/simple"\n'
PDM = '[[tool.pdm.source]]\nname = "acme"\nurl = "https://${U}:${P}@pypi.acme.test/simple"\n'


@pytest.mark.parametrize(
    ("files", "expected"),
    [
        (
            {"pyproject.toml": PYPROJECT + UV, "uv.lock": ""},
            ["UV_INDEX_ACME_INTERNAL_USERNAME", "UV_INDEX_ACME_INTERNAL_PASSWORD"],
        ),
        ({"pyproject.toml": PYPROJECT + TORCH, "uv.lock": ""}, []),
        ({"pyproject.toml": f'{PYPROJECT}{UV}authenticate = "never"\n', "uv.lock": ""}, []),
        (
            {"pyproject.toml": PYPROJECT + UV},
            ["UV_INDEX_ACME_INTERNAL_USERNAME", "UV_INDEX_ACME_INTERNAL_PASSWORD"],
        ),
        (
            {"pyproject.toml": PYPROJECT + POETRY, "poetry.lock": ""},
            ["POETRY_HTTP_BASIC_ACME_X_USERNAME", "POETRY_HTTP_BASIC_ACME_X_PASSWORD"],
        ),
        ({"pyproject.toml": PYPROJECT + PDM, "pdm.lock": ""}, ["U", "P"]),
        ({"requirements.txt": "--extra-index-url https://${T}@pypi.acme.test/simple\n"}, ["T"]),
        (
            {
                "requirements.txt": "-r base.txt\n",
                "base.txt": "--index-url https://${T}@a.test/simple\n",
            },
            ["T"],
        ),
    ],
)
def test_python_managers(files: dict[str, str], expected: list[str], tmp_path: Path) -> None:
    root = write_project(tmp_path, {"main.py": "", **files}, USE_PYTHON="true")
    build(root)
    dockerfile = (root / "Dockerfile.prod").read_text()
    for name in expected:
        assert f"--mount=type=secret,id={name} " in dockerfile
        assert f"#{name}=\n" in (root / ".env.example").read_text()
    assert dockerfile.count("--mount=type=secret") == len(expected)


NODE = {"index.js": "", "package.json": json.dumps({"scripts": {"start": "node index.js"}})}


def node_project(root: Path, files: dict[str, str]) -> Path:
    return write_project(root, {**NODE, **files}, USE_NODE="true")


@pytest.mark.parametrize(
    ("lockfile", "name", "text"),
    [
        ("package-lock.json", ".npmrc", NPMRC),
        ("pnpm-lock.yaml", ".npmrc", NPMRC),
        ("yarn.lock", ".npmrc", NPMRC),
        ("yarn.lock", ".yarnrc.yml", 'npmAuthToken: "${NPM_TOKEN}"\n'),
        ("bun.lock", "bunfig.toml", 'acme = { token = "$NPM_TOKEN", url = "https://a.test" }\n'),
    ],
)
def test_node_managers(lockfile: str, name: str, text: str, tmp_path: Path) -> None:
    """Whatever installs has the login, in both of its steps; the build needs none."""
    root = node_project(tmp_path, {lockfile: "", name: text})
    package = {"scripts": {"start": "node index.js", "build": "true"}}
    (root / "package.json").write_text(json.dumps(package))
    build(root)
    dockerfile = (root / "Dockerfile.prod").read_text()
    assert dockerfile.count("--mount=type=secret,id=NPM_TOKEN") == 2
    assert "RUN NPM_TOKEN='' " in dockerfile
    # Its leavings go before the image is made.
    assert f" {name}\n" in dockerfile
    assert "NPM_TOKEN" not in dockerfile.split(" AS final")[1]
    compose = (root / "docker-compose.prod.yml").read_text()
    assert "      secrets: [NPM_TOKEN]\n" in compose
    assert compose.endswith("  NPM_TOKEN: {environment: NPM_TOKEN}\n")


def said(output: str) -> str:
    return " ".join(output.split())


def test_a_login_in_the_settings_is_left_out_and_said(tmp_path: Path) -> None:
    root = node_project(tmp_path, {".npmrc": "//a.test/:_authToken=npm_abcdef\n"})
    output = said(build(root))
    assert ".npmrc holds a login, so it is left out of the image and its installation" in output
    assert "${NPM_TOKEN}" in output
    assert "COPY package.json ./" in (root / "Dockerfile.prod").read_text()
    assert "!.npmrc" not in (root / "Dockerfile.prod.dockerignore").read_text()
    generated = [path for path in root.rglob("*") if path.is_file() and path.name != ".npmrc"]
    assert not [path for path in generated if "npm_abcdef" in path.read_text("utf-8", "ignore")]


def test_a_login_in_requirements_is_said(tmp_path: Path) -> None:
    files = {"main.py": "", "requirements.txt": "--index-url https://u:secret@a.test/simple\n"}
    output = said(build(write_project(tmp_path, files, USE_PYTHON="true")))
    assert "requirements.txt holds the login of an index, and enters the image" in output
    assert "secret@" not in output


def test_pip_conf_is_said_to_be_unread(tmp_path: Path) -> None:
    files = {
        "main.py": "",
        "requirements.txt": "",
        "pip.conf": "[global]\nindex-url = https://a.test/simple\n",
    }
    output = said(build(write_project(tmp_path, files, USE_PYTHON="true")))
    assert "pip.conf is not read where the image is built, by uv" in output


def test_where_the_login_has_to_be_set_is_said(tmp_path: Path) -> None:
    output = said(build(node_project(tmp_path, {".npmrc": NPMRC})))
    assert "NPM_TOKEN: set it in .env, and as a secret of the pipeline." in output


def test_a_login_of_the_build_is_no_variable_of_the_container(tmp_path: Path) -> None:
    root = node_project(tmp_path, {".npmrc": NPMRC, ".env.sample": "NPM_TOKEN=\nCOLOUR=\n"})
    build(root)
    compose = (root / "docker-compose.prod.yml").read_text()
    assert "      COLOUR:\n" in compose and "      NPM_TOKEN:\n" not in compose


def test_it_can_be_set_by_hand_and_taken_away(tmp_path: Path) -> None:
    facts: dict[str, Any] = facts_of("node", tmp_path)
    assert stack_of(facts).build_secrets == ()
    assert stack_of(facts, {"node.build_secrets": ["A", "B"]}).build_secrets == ("A", "B")
    facts["node"]["build_secrets"] = ["NPM_TOKEN"]
    assert stack_of(facts, {"node.build_secrets": "off"}).build_secrets == ()


def test_facts_of_before_still_load(tmp_path: Path) -> None:
    facts: dict[str, Any] = facts_of("node", tmp_path)
    for field in ("build_secrets", "logins", "keep", "secret_files"):
        del facts["node"][field]
    stack = stack_of(facts)
    assert (stack.apps[0].keep, stack.build_secrets, stack.warnings) == ((), (), ())


def test_nothing_of_it_where_there_is_no_private_registry(tmp_path: Path) -> None:
    root = write_files(node_project(tmp_path, {}), {".npmrc": "save-exact=true\n"})
    build(root)
    for name in ("Dockerfile.prod", "docker-compose.prod.yml", ".env.example"):
        assert "registr" not in (root / name).read_text().replace("a registry.", "")
    assert "COPY package.json .npmrc ./" in (root / "Dockerfile.prod").read_text()
