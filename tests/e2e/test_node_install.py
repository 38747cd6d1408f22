"""Installations that do more than to fetch packages: scripts, patches, git, compilers."""

from __future__ import annotations

import json
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path

from tests.e2e.first_deployment import copy_app, first_deployment
from tests.e2e.node_locks import lock
from tests.e2e.served import repository, served


@contextmanager
def _repository(folder: Path) -> Iterator[str]:
    """The address of a git repository with a package."""
    package = {"package.json": '{"name": "from-git", "version": "1.0.0"}'}
    repository(folder, {**package, "index.js": 'module.exports = "from git";\n'})
    with served(folder) as address:
        yield f"git+{address}/lib.git"


def _change(root: Path, **tables: dict[str, str]) -> None:
    package = json.loads((root / "package.json").read_text())
    for table, entries in tables.items():
        package[table] = {**package.get(table, {}), **entries}
    (root / "package.json").write_text(json.dumps(package, indent=2))


def test_npm_with_scripts_patches_git_and_a_compiler(tmp_path: Path) -> None:
    """A lockfile, overrides, `file:`, patch-package, husky, `prepare` that builds, git, make."""
    root = copy_app("node-install", tmp_path / "node-install")

    with _repository(tmp_path / "served") as address:

        def prepare(root: Path) -> None:
            _change(root, dependencies={"from-git": address})
            tools = "apk add --no-cache git >/dev/null"
            lock(root, f"{tools} && npm install --package-lock-only --ignore-scripts")

        with first_deployment(root, prepare=prepare) as stack:
            assert stack.get("/") == {
                "compiled": 42,
                "git": "from git",
                "greeting": "hello",
                "overridden": "7.0.0",
                "patched": "patched",
            }
            probe = "command -v make g++ git || echo none"
            assert stack.execute("app", probe).strip() == "none"


def test_pnpm_with_its_own_patches_and_approved_builds(tmp_path: Path) -> None:
    """pnpm 10: `patchedDependencies`, `onlyBuiltDependencies` and `overrides` in its settings."""
    root = copy_app("node-install", tmp_path / "pnpm-install")

    def prepare(root: Path) -> None:
        package = json.loads((root / "package.json").read_text())
        del package["scripts"]["postinstall"], package["devDependencies"]["patch-package"]
        del package["overrides"]
        package["packageManager"] = "pnpm@10.20.0"
        package["dependencies"] |= {"esbuild": "0.25.0", "from-git": "file:./vendor/greet"}
        (root / "package.json").write_text(json.dumps(package, indent=2))
        (root / "pnpm-workspace.yaml").write_text(
            "onlyBuiltDependencies:\n  - better-sqlite3\n  - esbuild\n"
            "overrides:\n  is-number: 7.0.0\n"
            "patchedDependencies:\n  is-odd@3.0.1: patches/is-odd+3.0.1.patch\n"
        )
        _own_patch(root)
        install = "npm install --global pnpm@10.20.0 && pnpm install --lockfile-only"
        lock(root, install)

    with first_deployment(root, prepare=prepare) as stack:
        answer = stack.get("/")
        assert (answer["patched"], answer["overridden"]) == ("patched", "7.0.0")
        assert stack.execute("app", "ls node_modules").split().count("typescript") == 0


def test_yarn_4_with_its_release_a_patch_and_husky(tmp_path: Path) -> None:
    """`.yarn/releases` and `.yarn/patches`, with `resolutions`."""
    root = copy_app("node-install", tmp_path / "yarn-install")

    def prepare(root: Path) -> None:
        package = json.loads((root / "package.json").read_text())
        del package["scripts"]["postinstall"], package["devDependencies"]["patch-package"]
        del package["overrides"]
        package["packageManager"] = "yarn@4.5.0"
        package["dependencies"] |= {"from-git": "file:./vendor/greet"}
        patch = "patch:is-odd@npm%3A3.0.1#~/.yarn/patches/is-odd.patch"
        package["resolutions"] = {"is-odd@npm:3.0.1": patch, "is-number": "7.0.0"}
        (root / "package.json").write_text(json.dumps(package, indent=2))
        _own_patch(root)
        (root / ".yarn/patches").mkdir(parents=True)
        (root / "patches/is-odd+3.0.1.patch").rename(root / ".yarn/patches/is-odd.patch")
        (root / ".yarnrc.yml").write_text(
            "nodeLinker: node-modules\nyarnPath: .yarn/releases/yarn-4.5.0.cjs\n"
        )
        lock(
            root,
            "npm install --global --force @yarnpkg/cli-dist@4.5.0 && mkdir -p .yarn/releases"
            " && cp $(npm root -g)/@yarnpkg/cli-dist/bin/yarn.js .yarn/releases/yarn-4.5.0.cjs"
            " && export YARN_ENABLE_IMMUTABLE_INSTALLS=false YARN_ENABLE_SCRIPTS=false"
            " && touch yarn.lock && yarn install --mode=skip-build",
        )

    with first_deployment(root, prepare=prepare) as stack:
        answer = stack.get("/")
        assert (answer["patched"], answer["overridden"]) == ("patched", "7.0.0")


def _own_patch(root: Path) -> None:
    """The patch as package managers themselves write it: paths begin in the package."""
    path = root / "patches/is-odd+3.0.1.patch"
    path.write_text(path.read_text().replace("/node_modules/is-odd/", "/"))
