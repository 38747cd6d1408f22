"""Dependencies that an installation in the image does not find or refuses."""

from __future__ import annotations

import json
from collections.abc import Mapping
from pathlib import Path
from typing import Any

import pytest

from extensions.finding import Finding
from extensions.model import NodeBuild
from tests.start.support import find, subject_of

START = {"start": "node src/index.js"}


def _files(files: Mapping[str, str] | None = None, **package: Any) -> dict[str, str]:
    scripts = {**START, **package.pop("scripts", {})}
    text = json.dumps({"scripts": scripts, **package}, indent=1)
    return {"package.json": text, "src/index.js": "", **(files or {})}


def _found(root: Path, files: Mapping[str, str] | None = None, **package: Any) -> list[Finding]:
    found = find(root, _files(files, **package), USE_NODE="true")
    return [finding for finding in found if finding.rule == "start.node_install"]


PNPM_LOCK = "lockfileVersion: '9.0'\nimporters:\n  .:\n    dependencies:\n      express:\n{}"
PNPM_LOCKED = PNPM_LOCK.format("        specifier: ^4.19.0\n        version: 4.19.2\n")
NPM_LOCKED = '{"lockfileVersion": 3, "packages": {"node_modules/express": {"version": "4.19.2"}}}'
YARN_LOCKED = '# yarn lockfile v1\n\nexpress@^4.19.0:\n  version "4.19.2"\n'
BERRY_LOCKED = '__metadata:\n  version: 8\n\n"express@npm:^4.19.0":\n  version: 4.19.2\n'


@pytest.mark.parametrize(
    ("lockfile", "text"),
    [
        ("pnpm-lock.yaml", PNPM_LOCKED),
        ("package-lock.json", NPM_LOCKED),
        ("yarn.lock", YARN_LOCKED),
        ("yarn.lock", BERRY_LOCKED),
        ("bun.lock", '{"workspaces": {"": {"dependencies": {"express": "^4.19.0"}}}}'),
    ],
)
def test_a_lockfile_that_lacks_a_dependency(lockfile: str, text: str, tmp_path: Path) -> None:
    held = {"express": "^4.19.0"}
    assert _found(tmp_path / "in-step", {lockfile: text}, dependencies=held) == []
    more = {**held, "left-pad": "^1"}
    (found,) = _found(tmp_path / "out", {lockfile: text}, dependencies=more)
    assert found.certain and found.path == "package.json" and found.line
    assert "left-pad" in found.seen and lockfile in found.seen


@pytest.mark.parametrize(
    ("lockfile", "text"),
    [
        ("pnpm-lock.yaml", PNPM_LOCKED),
        ("yarn.lock", YARN_LOCKED),
        ("package-lock.json", NPM_LOCKED),
    ],
)
def test_a_lockfile_of_another_range(lockfile: str, text: str, tmp_path: Path) -> None:
    (found,) = _found(tmp_path, {lockfile: text}, dependencies={"express": "^5.0.0"})
    assert found.certain and "express" in found.seen


def test_a_lockfile_whose_version_another_range_takes_as_well(tmp_path: Path) -> None:
    """npm asks no more of it than that."""
    locked = {"package-lock.json": NPM_LOCKED}
    assert _found(tmp_path, locked, dependencies={"express": ">=4.19 <6"}) == []


def test_a_registry_that_asks_for_a_login(tmp_path: Path) -> None:
    """Of whoever installed it here: the build has none, unless settings say where it comes from."""
    address = "https://npm.pkg.github.com/download/@acme/ui/1.0.0/abc"
    entry = f'"node_modules/@acme/ui": {{"version": "1.0.0",\n"resolved": "{address}"}}'
    locked = {"package-lock.json": f'{{"lockfileVersion": 3, "packages": {{{entry}}}}}'}
    held = {"dependencies": {"@acme/ui": "^1.0.0"}}
    (found,) = _found(tmp_path / "none", locked, **held)
    assert not found.certain and found.line == 2 and "npm.pkg.github.com" in found.seen
    npmrc = {".npmrc": "//npm.pkg.github.com/:_authToken=${NPM_TOKEN}\n"}
    assert _found(tmp_path / "secret", {**locked, **npmrc}, **held) == []
    public = {
        "package-lock.json": locked["package-lock.json"].replace("npm.pkg.github", "npm.acme")
    }
    assert _found(tmp_path / "public", public, **held) == []


def test_a_lockfile_that_another_yarn_wrote(tmp_path: Path) -> None:
    """Yarn 2 and later write a lockfile anew that has another version than theirs."""
    files = {"yarn.lock": BERRY_LOCKED.replace("version: 8", "version: 10", 1)}
    held = {"express": "^4.19.0"}
    pinned = {"packageManager": "yarn@4.9.1", "dependencies": held}
    (found,) = _found(tmp_path / "pinned", files, **pinned)
    assert found.certain and "version 10" in found.seen and "4.9.1" in found.seen
    assert _found(tmp_path / "own", files, dependencies=held) == []
    assert _found(tmp_path / "fitting", {"yarn.lock": BERRY_LOCKED}, **pinned) == []


def test_a_lockfile_at_the_top_of_a_workspace_of_another_range(tmp_path: Path) -> None:
    """The member's own version counts, not the one of another member."""
    packages = '"frontend": {},\n"packages/ui": {},\n"node_modules/next": {"version": "14.2.0"}'
    (found,) = _workspace(tmp_path / "out", None, {"package-lock.json": LOCK.format(packages)})
    assert found.certain and found.path == "frontend/package.json" and "next" in found.seen
    packages += ',\n"frontend/node_modules/next": {"version": "15.1.0"}'
    lock = {"package-lock.json": LOCK.format(packages)}
    assert _workspace(tmp_path / "in-step", None, lock) == []


def test_a_version_that_pnpm_overrides(tmp_path: Path) -> None:
    """Its lockfile has the overriding one in place of that of package.json."""
    files = {
        "pnpm-lock.yaml": PNPM_LOCKED,
        "pnpm-workspace.yaml": "overrides:\n  express: ^4.19.0\n",
    }
    assert _found(tmp_path, files, dependencies={"express": "^5.0.0"}) == []


def test_catalogs_of_a_package_that_stands_alone(tmp_path: Path) -> None:
    held = {"express": "catalog:"}
    locked = {"pnpm-lock.yaml": PNPM_LOCK.format("        specifier: 'catalog:'\n")}
    settings = {"pnpm-workspace.yaml": "catalog:\n  express: ^4.19.0\n"}
    assert _found(tmp_path / "there", {**locked, **settings}, dependencies=held) == []
    (found,) = _found(tmp_path / "none", locked, dependencies=held)
    assert found.certain and "catalog:" in found.seen
    own = {"yarn.lock": "__metadata:\n  version: 10\n\nexpress", ".yarnrc.yml": "catalog: {}\n"}
    assert _found(tmp_path / "yarn", own, dependencies=held) == []


@pytest.mark.parametrize(
    ("version", "pnpm"), [("5.3", "6"), ("5.4", "7"), ("'6.0'", "8"), ("'9.0'", "10")]
)
def test_pnpm_is_the_one_that_reads_the_lockfile(version: str, pnpm: str, tmp_path: Path) -> None:
    files = _files({"pnpm-lock.yaml": f"lockfileVersion: {version}\n"})
    assert subject_of(tmp_path, files, USE_NODE="true").facts["node"]["manager_version"] == pnpm


def test_two_lockfiles_of_different_managers(tmp_path: Path) -> None:
    files = {"yarn.lock": YARN_LOCKED, "package-lock.json": NPM_LOCKED}
    (found,) = _found(tmp_path, files, dependencies={"express": "^4.19.0"})
    assert not found.certain and found.mend == "git rm package-lock.json"


@pytest.mark.parametrize(
    ("version", "certain"),
    [
        ("git+ssh://git@example.com/acme/lib.git", True),
        ("git@example.com:acme/lib.git", True),
        ("file:../lib", True),
        ("link:/opt/lib", True),
    ],
)
def test_an_address_that_the_image_does_not_reach(
    version: str, certain: bool, tmp_path: Path
) -> None:
    (found,) = _found(tmp_path, dependencies={"lib": version})
    assert found.certain is certain and "lib" in found.seen and found.line


@pytest.mark.parametrize(
    "version", ["^1.0.0", "npm:@acme/lib@1", "latest", "https://example.com/lib.tgz", "1 || 2", "*"]
)
def test_an_address_that_it_does(version: str, tmp_path: Path) -> None:
    assert _found(tmp_path, dependencies={"lib": version}) == []


def test_a_folder_of_the_app_is_there_at_the_installation(tmp_path: Path) -> None:
    files = _files({"libs/core/package.json": "{}"}, dependencies={"core": "file:./libs/core"})
    app = subject_of(tmp_path, files, USE_NODE="true").stack.apps[0]
    assert app.build.manifests == ("package.json", "libs/core/")
    assert _found(tmp_path, files) == []


@pytest.mark.parametrize(
    ("script", "folder"),
    [
        ("node scripts/setup.js", "scripts/"),
        ("node ./scripts/setup", "scripts/"),
        ("patch-package", "patches/"),
        ("prisma generate", "prisma/"),
        ("node -e \"require('fs').readFileSync('prisma/schema.prisma')\"", "prisma/"),
        ("npm run setup", "scripts/"),
    ],
)
def test_what_an_install_script_names_is_there(script: str, folder: str, tmp_path: Path) -> None:
    files = _files(
        {"scripts/setup.js": "", "patches/a+1.0.0.patch": "", "prisma/schema.prisma": ""},
        scripts={"postinstall": script, "setup": "node scripts/setup.js"},
        devDependencies={"prisma": "^6"} if script.startswith("prisma") else {},
    )
    subject = subject_of(tmp_path, files, USE_NODE="true")
    assert subject.stack.apps[0].build.manifests == ("package.json", folder)


@pytest.mark.parametrize(
    ("script", "folders"),
    [
        ("node scripts/setup.js", {"scripts/", "config/"}),
        ("cd client && npm install && npm run build", {"client/"}),
        ("npm --prefix client install", {"client/"}),
    ],
)
def test_what_an_install_script_goes_on_to_is_there(
    script: str, folders: set[str], tmp_path: Path
) -> None:
    """What its own scripts load and name, and the folder that it works in."""
    files = _files(
        {
            "scripts/setup.js": "require('./lib/read')('.env.local')",
            "scripts/lib/read.js": "module.exports = () => fs.readFileSync('config/base.json')",
            "config/base.json": "{}",
            "client/package.json": '{"scripts": {"build": "vite build"}}',
        },
        scripts={"postinstall": script, "build": "tsc"},
    )
    subject = subject_of(tmp_path, files, USE_NODE="true")
    assert folders <= set(subject.stack.apps[0].build.manifests)
    assert "src/" not in subject.stack.apps[0].build.manifests


@pytest.mark.parametrize(
    "scripts",
    [
        {"prepare": "npm run build", "build": "tsc"},
        {"postinstall": "tsc -p ."},
        {"postinstall": "svelte-kit sync"},
    ],
)
def test_source_that_an_install_script_builds_is_there(
    scripts: dict[str, str], tmp_path: Path
) -> None:
    files = _files({"tsconfig.json": "{}"}, scripts=scripts)
    app = subject_of(tmp_path, files, USE_NODE="true").stack.apps[0]
    assert app.build.manifests == ("package.json", "src/", "tsconfig.json")
    assert _found(tmp_path, {"tsconfig.json": "{}"}, scripts=scripts) == []


def test_dependencies_of_git_repositories_get_git(tmp_path: Path) -> None:
    for number, version in enumerate(["github:acme/lib", "git+https://example.com/lib.git#v1"]):
        files = _files(dependencies={"lib": version})
        app = subject_of(tmp_path / str(number), files, USE_NODE="true").stack.apps[0]
        assert isinstance(app.build, NodeBuild) and app.build.build_packages == ("git",)


@pytest.mark.parametrize(
    ("held", "build", "run"),
    [
        ({"better-sqlite3": "^11"}, ("python3", "make", "g++"), ()),
        ({"bcrypt": "^5.1.0"}, ("python3", "make", "g++"), ()),
        # It brings its binaries, for musl as well.
        ({"bcrypt": "^6.0.0"}, (), ()),
        ({"sharp": "^0.34.0", "express": "^4"}, (), ()),
        ({"pg-native": "^3"}, ("python3", "make", "g++", "libpq-dev"), ("libpq",)),
    ],
)
def test_dependencies_that_are_compiled_get_a_compiler(
    held: dict[str, str], build: tuple[str, ...], run: tuple[str, ...], tmp_path: Path
) -> None:
    app = subject_of(tmp_path, _files(dependencies=held), USE_NODE="true").stack.apps[0]
    assert isinstance(app.build, NodeBuild)
    assert (app.build.build_packages, app.build.runtime_packages) == (build, run)


@pytest.mark.parametrize(
    ("scripts", "certain"),
    [
        ({"prepare": "tsc || true"}, False),
        ({"prepare": "git config core.hooksPath .githooks"}, True),
        ({"prepare": "lefthook install"}, False),
        ({"postinstall": "node scripts/gone.js"}, True),
    ],
)
def test_an_install_script_that_needs_more(
    scripts: dict[str, str], certain: bool, tmp_path: Path
) -> None:
    (found,) = _found(tmp_path, {"tsconfig.json": "{}"}, scripts=scripts)
    assert found.certain is certain and found.line


@pytest.mark.parametrize(
    "script", ["husky", "husky install", "echo done", "patch-package", "node -e 'x'", "true"]
)
def test_an_install_script_that_runs(script: str, tmp_path: Path) -> None:
    assert _found(tmp_path, scripts={"prepare": script}) == []


def test_patches_that_an_installation_for_production_undoes(tmp_path: Path) -> None:
    files = {"bun.lock": "patch-package", "patches/a.patch": ""}
    tools = {"patch-package": "^8"}
    (found,) = _found(
        tmp_path, files, scripts={"postinstall": "patch-package"}, devDependencies=tools
    )
    assert not found.certain and "patches" in found.seen


@pytest.mark.parametrize(
    ("wanted", "told"),
    [
        (">=18", False), ("^20", False), ("20.x", False), (">=18 <21", False), ("18 || 20", False),
        ("*", False), (">=20.9.0", False), ("18 - 22", False), ("<21", False),
        (">=22", True), ("^18", True), (">=16 <19", True), ("18", True),
    ],
)  # fmt: skip
def test_a_version_of_node_that_the_image_is_not(wanted: str, told: bool, tmp_path: Path) -> None:
    files = _files(engines={"node": wanted})
    found = find(tmp_path, files, {"node.image": "node:20-alpine"}, USE_NODE="true")
    assert [f.certain for f in found if f.rule == "start.node_install"] == [False] * told


def test_a_version_of_node_in_a_file(tmp_path: Path) -> None:
    files = _files({".nvmrc": "v18.17.0\n"})
    found = find(tmp_path, files, {"node.image": "node:22-alpine"}, USE_NODE="true")
    assert [f.mend for f in found] == ["spinbox build --prod --set node.image=node:18-alpine"]


LOCK = '{{"packages": {{\n{}\n}}}}'
WORKSPACE = {
    "package.json": '{"private": true, "workspaces": ["frontend", "packages/*"]}',
    "package-lock.json": LOCK.format(
        '"frontend": {},\n"packages/ui": {},\n"node_modules/next": {}'
    ),
    "packages/ui/package.json": '{"name": "@demo/ui", "main": "index.js"}',
    "frontend/app/page.tsx": "",
}


def _workspace(
    root: Path, held: Mapping[str, str] | None = None, files: Mapping[str, str] | None = None
) -> list[Finding]:
    package = {"name": "web", "dependencies": {"next": "15", **(held or {})}}
    more = {"frontend/package.json": json.dumps(package, indent=1), **(files or {})}
    found = find(root, {**WORKSPACE, **more}, USE_NEXTJS="true")
    return [finding for finding in found if finding.rule == "start.node_install"]


def test_packages_of_the_workspace_are_installed_with_a_member(tmp_path: Path) -> None:
    assert _workspace(tmp_path, {"@demo/ui": "*"}) == []
    assert _workspace(tmp_path, {"@demo/ui": "workspace:*"}) == []


def test_a_lockfile_without_a_package_of_the_workspace(tmp_path: Path) -> None:
    lock = {"package-lock.json": '{"packages": {\n"frontend": {},\n"node_modules/next": {}\n}}'}
    (found,) = _workspace(tmp_path, {"@demo/ui": "*"}, lock)
    assert found.certain and "packages/ui" in found.seen and "workspace" in found.seen


def test_a_package_that_no_member_of_the_workspace_is(tmp_path: Path) -> None:
    (found,) = _workspace(tmp_path, {"@demo/gone": "workspace:*"})
    assert found.certain and "@demo/gone" in found.seen and "workspace" in found.seen


def test_a_member_with_a_lockfile_of_its_own_stands_alone(tmp_path: Path) -> None:
    own = {"frontend/package-lock.json": "{}"}
    found, *_ = _workspace(tmp_path, {"@demo/ui": "workspace:*"}, own)
    assert found.certain and found.mend == "git rm frontend/package-lock.json"


def test_a_package_that_exports_typescript(tmp_path: Path) -> None:
    files = {"packages/ui/package.json": '{"name": "@demo/ui",\n"main": "src/index.tsx"}'}
    (found,) = _workspace(tmp_path / "told", {"@demo/ui": "*"}, files)
    assert not found.certain and "transpilePackages: ['@demo/ui']" in found.mend
    config = {"frontend/next.config.mjs": "export default { transpilePackages: ['@demo/ui'] }"}
    assert _workspace(tmp_path / "named", {"@demo/ui": "*"}, {**files, **config}) == []


def test_a_folder_outside_of_the_workspace_stands_alone(tmp_path: Path) -> None:
    files = {
        **WORKSPACE,
        "package.json": '{"workspaces": ["packages/*"]}',
        "frontend/package.json": '{"dependencies": {"next": "15"}}',
    }
    found = find(tmp_path, files, USE_NEXTJS="true")
    assert [f for f in found if f.rule == "start.node_install"] == []


def test_the_top_of_a_workspace(tmp_path: Path) -> None:
    files = {"packages/ui/package.json": '{"name": "@demo/ui"}'}
    held = {"@demo/ui": "*"}
    assert _found(tmp_path, files, workspaces=["packages/*"], dependencies=held) == []


def test_prismas_client_that_bun_makes_in_the_build_alone(tmp_path: Path) -> None:
    schema = 'generator client {{\n  provider = "prisma-client-js"\n{}}}\n'
    package = {"dependencies": {"@prisma/client": "^6"}, "packageManager": "bun@1.2.0"}
    plain = {"prisma/schema.prisma": schema.format("")}
    (found,) = _found(tmp_path / "lost", plain, **package)
    assert found.certain and "prisma/schema.prisma" in found.mend
    kept = {"prisma/schema.prisma": schema.format('  output = "../src/generated"\n')}
    assert _found(tmp_path / "kept", kept, **package) == []


PNPM_BUILDS = "lockfileVersion: '9.0'\npackages:\n  better-sqlite3@11.0.0:\n    resolution: {}\n"


def test_pnpm_that_runs_scripts_of_packages_that_nobody_approved(tmp_path: Path) -> None:
    """The lockfile is of 9 and of 10: without approvals it was 9."""
    held = {"better-sqlite3": "^11.0.0"}
    files = _files({"pnpm-lock.yaml": PNPM_BUILDS}, dependencies=held)
    app = subject_of(tmp_path / "nine", files, USE_NODE="true").stack.apps[0]
    assert isinstance(app.build, NodeBuild) and app.build.tool.package == "pnpm@9"
    approved = {"pnpm-workspace.yaml": "onlyBuiltDependencies:\n  - better-sqlite3\n"}
    app = subject_of(tmp_path / "ten", {**files, **approved}, USE_NODE="true").stack.apps[0]
    assert isinstance(app.build, NodeBuild) and app.build.tool.package == "pnpm@10"


def test_pnpm_10_without_an_approval(tmp_path: Path) -> None:
    package: dict[str, Any] = {
        "dependencies": {"better-sqlite3": "^11.0.0"}, "packageManager": "pnpm@10.20.0"
    }  # fmt: skip
    (found,) = _found(tmp_path / "none", **package)
    assert not found.certain and found.mend == "pnpm approve-builds better-sqlite3"
    approved = {**package, "pnpm": {"onlyBuiltDependencies": ["better-sqlite3"]}}
    assert _found(tmp_path / "approved", **approved) == []


@pytest.mark.parametrize(("wanted", "pnpm"), [("^8.15", "8"), (">=8", "10"), ("9.x", "9")])
def test_pnpm_of_engines(wanted: str, pnpm: str, tmp_path: Path) -> None:
    files = _files({"pnpm-lock.yaml": "lockfileVersion: '9.0'\n"}, engines={"pnpm": wanted})
    assert subject_of(tmp_path, files, USE_NODE="true").facts["node"]["manager_version"] == pnpm


def test_binaries_of_another_system_alone(tmp_path: Path) -> None:
    lock = '{{"packages": {{\n{}}}}}'
    mac = '"node_modules/@img/sharp-darwin-arm64": {},\n'
    linux = '"node_modules/@img/sharp-linux-x64": {},\n'
    (found,) = _found(tmp_path / "mac", {"package-lock.json": lock.format(mac)})
    assert "@img/sharp" in found.seen and found.line == 2
    assert _found(tmp_path / "both", {"package-lock.json": lock.format(mac + linux)}) == []


def test_patches_of_pnpms_settings_are_there_at_the_installation(tmp_path: Path) -> None:
    settings = "patchedDependencies:\n  is-odd@3.0.1: patches/is-odd@3.0.1.patch\n"
    more = {"pnpm-workspace.yaml": settings, "patches/is-odd@3.0.1.patch": ""}
    files = _files(more, packageManager="pnpm@10.20.0")
    app = subject_of(tmp_path, files, USE_NODE="true").stack.apps[0]
    assert app.build.manifests == ("package.json", "pnpm-workspace.yaml", "patches/")


def test_a_lockfile_that_fixes_nothing_is_left_out(tmp_path: Path) -> None:
    lock = {"package-lock.json": '{"lockfileVersion": 3, "packages": {}}'}
    files = _files(lock, dependencies={"express": "^4.19.0"})
    app = subject_of(tmp_path / "facts", files, USE_NODE="true").stack.apps[0]
    assert isinstance(app.build, NodeBuild) and app.build.lockfile is None
    (found,) = _found(tmp_path / "told", lock, dependencies={"express": "^4.19.0"})
    assert not found.certain and found.mend == "npm install --package-lock-only"
