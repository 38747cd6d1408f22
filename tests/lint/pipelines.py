"""Generated pipelines of every shape and option, for the tests of this folder."""

from __future__ import annotations

import json
from concurrent.futures import ProcessPoolExecutor
from pathlib import Path

from tests.cases import SHAPES
from tests.projects.compose import compose
from tests.runs import run

BOTH = ("generate", "--ci", "github", "--ci", "gitlab")
OPTIONS: dict[str, tuple[str, ...]] = {
    "plain": (),
    "deploy": ("--deploy",),
    "one-environment": ("--deploy", "--no-test", "--set", "ci_staging=false"),
    "registry": ("--deploy", "--registry", "registry.example.com:5000/Team"),
    "apart": ("--deploy", "--output", "ops/production"),
    "elsewhere": ("--deploy", "--set", "postgres=external"),
    "arm64": ("--deploy", "--set", "ci_arm64=true"),
    "both": ("--deploy", "--set", "ci_multiarch=true"),
    "both-apart": ("--set", "ci_multiarch=true", "--output", "ops/production"),
    "targets": (),
    "github-targets": (),
    "logins": ("--set", "fastapi.build_secrets=UV_INDEX_ACME_USERNAME"),
    "github": ("--deploy",),
}
# Options that change little: two shapes show it.
FEW = dict.fromkeys(
    (
        *("elsewhere", "arm64", "both", "both-apart", "targets", "github-targets"),
        *("logins", "github"),
    ),
    ("profile-web-app", "everything--with-deps"),
)
PAIRS = [
    (shape, option) for shape in SHAPES for option in OPTIONS if shape in FEW.get(option, SHAPES)
]
# Files that make a small project one of that package manager, which the shapes are not.
PYTHON = ("e2e-fastapi", "backend")
NODE = ("e2e-node", ".")
PYPROJECT = '[project]\nname = "x"\nversion = "1"\ndependencies = ["fastapi", "uvicorn"]\n'
MANAGERS: dict[str, tuple[tuple[str, str], dict[str, str]]] = {
    "uv": (PYTHON, {"pyproject.toml": PYPROJECT, "uv.lock": "version = 1\n"}),
    "poetry": (PYTHON, {"pyproject.toml": PYPROJECT, "poetry.lock": "[metadata]\n"}),
    "pdm": (PYTHON, {"pyproject.toml": PYPROJECT, "pdm.lock": "[metadata]\n"}),
    "pip": (PYTHON, {"requirements-dev.txt": "pytest\n"}),
    "npm": (NODE, {"package-lock.json": "{}\n"}),
    "pnpm": (NODE, {"pnpm-lock.yaml": "lockfileVersion: '9.0'\n"}),
    "yarn": (NODE, {"yarn.lock": "# yarn lockfile v1\n"}),
    "bun": (NODE, {"bun.lock": "{}\n"}),
}
Trees = dict[str, Path]


def generated(folder: Path) -> Trees:
    """A generated project for each shape and set of options, and for each package manager."""
    wanted = [(compose(s, folder / f"{s}-{o}"), o) for s, o in PAIRS]
    wanted += [(_managed(manager, folder / manager), "deploy") for manager in MANAGERS]
    with ProcessPoolExecutor() as pool:
        return {tree.name: tree for tree in pool.map(_generate, *zip(*wanted, strict=True))}


def _managed(manager: str, folder: Path) -> Path:
    (shape, app), files = MANAGERS[manager]
    tree = compose(shape, folder)
    for name, text in files.items():
        (tree / app / name).write_text(text)
    if shape == NODE[0]:
        package = json.loads((tree / "package.json").read_text())
        package["scripts"]["test"] = "node --test"
        (tree / "package.json").write_text(json.dumps(package))
        (tree / "one.test.js").touch()
    return tree


def _generate(tree: Path, options: str) -> Path:
    platforms = BOTH[:3] if options.startswith("github") else BOTH
    if options.endswith("targets"):
        targets = ("--target", "kubernetes", "--target", "docker-swarm")
        assert run(tree, "deploy", *targets, "--generate").code == 0
    result = run(tree, *platforms, *OPTIONS[options])
    assert result.code == 0, result.stderr
    return tree


def workflows(trees: Trees) -> list[Path]:
    """GitHub's, those of rollbacks too."""
    folders = (".github/workflows", "ops/production/deploy/ci/github")
    return [path for tree in trees.values() for f in folders for path in (tree / f).glob("*.yml")]


def gitlab_files(trees: Trees) -> list[Path]:
    """GitLab's pipelines."""
    names = (".gitlab-ci.yml", "ops/production/deploy/ci/gitlab.yml")
    return [tree / name for tree in trees.values() for name in names if (tree / name).exists()]
