"""What a Node or Next.js app says of itself."""

import json
import shlex
from pathlib import Path
from typing import Any

import pytest

from extensions import node_source
from extensions.errors import ProjectError

from .support import tree_of, values

CONFIG_FILES = ["js", "mjs", "cjs", "ts", "mts"]


def packages(root: Path, files: dict[str, str], package: dict[str, Any]) -> dict[str, Any]:
    """How the dependencies of an app are installed."""
    tree = tree_of(root, {"package.json": json.dumps(package), **files})
    read = node_source.read_package_json(tree, ".")
    assert read is not None
    return values(node_source.read_packages(tree, ".", read))


def scripts(package: dict[str, Any], entry: str | None) -> dict[str, Any]:
    """What the scripts of a package.json make of an app."""
    read = node_source.Package("package.json", package, {})
    return values(node_source.read_scripts(read, entry))


@pytest.mark.parametrize(
    ("lockfile", "manager"),
    [
        ("package-lock.json", "npm"),
        ("npm-shrinkwrap.json", "npm"),
        ("pnpm-lock.yaml", "pnpm"),
        ("yarn.lock", "yarn"),
        ("bun.lock", "bun"),
        ("bun.lockb", "bun"),
    ],
)
def test_the_lockfile_tells_the_manager(lockfile: str, manager: str, tmp_path: Path) -> None:
    """And it is a file that an installation reads."""
    found = packages(tmp_path, {lockfile: ""}, {})
    assert (found["manager"], found["lockfile"]) == (manager, lockfile)
    assert set(found["manifests"]) == {"package.json", lockfile}


def test_without_a_lockfile_npm_installs(tmp_path: Path) -> None:
    """Spinbox generates no lockfile anywhere."""
    found = packages(tmp_path, {}, {})
    assert (found["manager"], found["lockfile"]) == ("npm", None)
    assert found["manifests"] == ["package.json"]


@pytest.mark.parametrize(
    ("field", "manager", "version"),
    [
        ("pnpm@9.1.0", "pnpm", "9.1.0"),
        ("pnpm@9.1.0+sha512.abc", "pnpm", "9.1.0"),
        ("yarn@4.1.0", "yarn", "4.1.0"),
        ("npm@10.2.0", "npm", "10.2.0"),
        ("bun@1.1.0", "bun", "1.1.0"),
    ],
)
def test_package_manager_field(field: str, manager: str, version: str, tmp_path: Path) -> None:
    """The field names manager and version where there is no lockfile yet."""
    found = packages(tmp_path, {}, {"packageManager": field})
    assert (found["manager"], found["manager_version"]) == (manager, version)


def test_package_manager_field_gives_the_version(tmp_path: Path) -> None:
    """Beside a lockfile of the same manager, the pinned version counts."""
    found = packages(tmp_path, {"pnpm-lock.yaml": ""}, {"packageManager": "pnpm@8.6.0"})
    assert (found["manager"], found["manager_version"]) == ("pnpm", "8.6.0")


def test_the_lockfile_wins_over_the_field(tmp_path: Path) -> None:
    """A version of another manager means nothing then."""
    found = packages(tmp_path, {"yarn.lock": ""}, {"packageManager": "pnpm@8.6.0"})
    assert found["manager"] == "yarn"
    assert found["manager_version"] != "8.6.0"


@pytest.mark.parametrize(
    ("files", "major"), [({"yarn.lock": ""}, "1"), ({"yarn.lock": "", ".yarnrc.yml": ""}, "4")]
)
def test_yarn_of_both_kinds(files: dict[str, str], major: str, tmp_path: Path) -> None:
    """Only later versions of Yarn have a .yarnrc.yml."""
    assert packages(tmp_path, files, {})["manager_version"].split(".")[0] == major


@pytest.mark.parametrize("field", ["deno@2.0.0", "cnpm@9", "rm -rf@1"])
def test_an_unknown_manager_is_named(field: str, tmp_path: Path) -> None:
    """The error names file and manager."""
    with pytest.raises(ProjectError, match=rf"package\.json.*{field.split('@')[0]}"):
        packages(tmp_path, {}, {"packageManager": field})


@pytest.mark.parametrize("name", [".npmrc", "pnpm-workspace.yaml", ".yarnrc.yml", "bunfig.toml"])
def test_settings_of_the_manager_are_manifests(name: str, tmp_path: Path) -> None:
    """An installation reads them too."""
    assert name in packages(tmp_path, {name: ""}, {})["manifests"]


def test_a_lockfile_that_git_ignores_does_not_count(tmp_path: Path) -> None:
    """A clone would not have it."""
    files = {".gitignore": "package-lock.json\n", "package-lock.json": ""}
    assert packages(tmp_path, files, {})["lockfile"] is None


@pytest.mark.parametrize("text", ["", "{", "// comment\n{}", '{"a": 1,}', "<<<<<<< HEAD"])
def test_invalid_package_json_is_named(text: str, tmp_path: Path) -> None:
    """The error says where it is broken."""
    with pytest.raises(ProjectError, match=r"app/package\.json, line \d+"):
        node_source.read_package_json(tree_of(tmp_path, {"app/package.json": text}), "app")


@pytest.mark.parametrize("text", ["[]", "1", '"text"', "null"])
def test_package_json_that_is_no_object_is_named(text: str, tmp_path: Path) -> None:
    """Valid JSON of another form is an error, too."""
    with pytest.raises(ProjectError, match=r"package\.json"):
        node_source.read_package_json(tree_of(tmp_path, {"package.json": text}), ".")


def test_missing_package_json(tmp_path: Path) -> None:
    """None, so that the caller can tell."""
    assert node_source.read_package_json(tree_of(tmp_path, {}), ".") is None


@pytest.mark.parametrize(
    ("text", "expected"),
    [
        ('{"dependencies": {"next": "14"}}', True),
        ('{"dependencies": {"next-auth": "4"}}', False),
        ('{"dependencies": null}', False),
        ('{"name": "next"}', False),
        ("{broken", False),
    ],
)
def test_depends_on_next(text: str, expected: bool, tmp_path: Path) -> None:
    """A dependency of that very name."""
    tree = tree_of(tmp_path, {"package.json": text})
    assert (node_source.find_next(tree, ".") is not None) is expected


@pytest.mark.parametrize(
    ("start", "command"),
    [
        ("node dist/index.js", "node dist/index.js"),
        ("node .", "node ."),
        ("node --enable-source-maps dist/index.js", "node --enable-source-maps dist/index.js"),
        ("next start", "npm start"),
        ("NODE_ENV=production node index.js", "node index.js"),
        ("node a.js && node b.js", "npm start"),
        ("node index.js | pino-pretty", "npm start"),
        ("node $ENTRY", "npm start"),
        ("node 'a b.js'", "npm start"),
        ("node index.js; true", "npm start"),
        ("nodemon index.js", "npm start"),
    ],
)
def test_start_script(start: str, command: str) -> None:
    """Taken apart only where no shell is needed, so that signals reach the app."""
    found = scripts({"scripts": {"start": start}}, None)
    assert found["command"] == command


@pytest.mark.parametrize(
    ("package", "entry", "command"),
    [
        ({"main": "dist/index.js"}, "src/index.ts", "node dist/index.js"),
        ({"main": "server.js"}, None, "node server.js"),
        ({}, "server.js", "node server.js"),
        ({}, "src/index.mjs", "node src/index.mjs"),
        ({}, "src/index.ts", None),
        ({}, None, None),
        ({"scripts": None}, None, None),
        ({"scripts": {"start": "node a.js"}, "main": "b.js"}, "c.js", "node a.js"),
    ],
)
def test_command_without_a_start_script(
    package: dict[str, Any], entry: str | None, command: str | None
) -> None:
    """`main`, then the entry file; nothing where neither can run as it is."""
    assert scripts(package, entry)["command"] == command


@pytest.mark.parametrize("main", ["a b.js", "$(touch pwned).js", "it's.js", "; rm -rf /"])
def test_main_is_one_word(main: str) -> None:
    """A hostile file name stays one argument."""
    command = scripts({"main": main}, None)["command"]
    assert shlex.split(command) == ["node", main]


@pytest.mark.parametrize(("table", "build"), [({"build": "tsc"}, True), ({"start": "x"}, False)])
def test_build_script(table: dict[str, str], build: bool) -> None:
    """Whether there is one."""
    assert scripts({"scripts": table}, None)["build"] is build


@pytest.mark.parametrize(
    ("source", "port"),
    [
        ("app.listen(process.env.PORT || 8080)", 8080),
        ("app.listen(process.env.PORT ?? 8080)", 8080),
        ("app.listen(process.env.PORT || '8080')", 8080),
        ("const port = Number(process.env.PORT) || 8080", 8080),
        ("const port = parseInt(process.env.PORT, 10) || 8080", 8080),
        ("const port = parseInt(process.env.PORT || '8080', 10)", 8080),
        ("const port = Number(process.env.PORT ?? 8080)", 8080),
        ("app.listen(8080, () => {})", 8080),
        ("const port = 8080\napp.listen(port)", 8080),
        ("const PORT = 8080\napp.listen(PORT)", 8080),
        ("app.listen({ port: 8080, host: '::' })", 8080),
        ("// app.listen(8080)\napp.listen(port)", 3000),
        ("app.listen(process.env.PORT)", 3000),
        ("const support = 8080", 3000),
        ("", 3000),
    ],
)
def test_port(source: str, port: int, tmp_path: Path) -> None:
    """What the app listens on when nobody says otherwise."""
    tree = tree_of(tmp_path, {"src/index.ts": f"{source}\n"})
    assert node_source.node_port(tree, ".").value == port


def test_port_of_a_database_is_not_the_apps(tmp_path: Path) -> None:
    """A connection's port in another module means nothing."""
    files = {
        "src/db.ts": "export const pool = new Pool({ host: 'db', port: 5432 })\n",
        "src/index.ts": "const port = 4000\napp.listen(port)\n",
    }
    assert node_source.node_port(tree_of(tmp_path, files), ".").value == 4000


def test_port_in_a_test_does_not_count(tmp_path: Path) -> None:
    """Tests listen elsewhere."""
    files = {"src/app.test.ts": "app.listen(9999)\n", "tests/x.ts": "app.listen(9999)\n"}
    assert node_source.node_port(tree_of(tmp_path, files), ".").value == 3000


@pytest.mark.parametrize(
    ("source", "path"),
    [
        ("app.get('/health', h)", "/health"),
        ('app.get("/healthz", h)', "/healthz"),
        ("router.get(`/api/health`, h)", "/api/health"),
        ("app\n  .get(\n    '/health',\n    h)", "/health"),
        ("// app.get('/health', h)", None),
        ("/* app.get('/health', h) */", None),
        ("app.post('/health', h)", None),
        ("app.get('/healthcare', h)", None),
        ("", None),
    ],
)
def test_health_path(source: str, path: str | None, tmp_path: Path) -> None:
    """A well-known path that the source serves with GET."""
    tree = tree_of(tmp_path, {"src/index.ts": f"{source}\n"})
    assert node_source.node_health_path(tree, ".").value == path


@pytest.mark.parametrize(
    ("path", "health"),
    [
        ("src/app/api/health/route.ts", "/api/health"),
        ("app/api/health/route.js", "/api/health"),
        ("pages/api/health.ts", "/api/health"),
        ("src/pages/api/healthz.js", "/api/healthz"),
        ("src/app/health/page.tsx", "/"),
        ("src/app/page.tsx", "/"),
    ],
)
@pytest.mark.parametrize("folder", [".", "frontend"])
def test_next_health_path(path: str, health: str, folder: str, tmp_path: Path) -> None:
    """The app's own route, else its start page."""
    prefix = "" if folder == "." else f"{folder}/"
    tree = tree_of(tmp_path, {f"{prefix}{path}": ""})
    assert node_source.next_health_path(tree, folder).value == health


@pytest.mark.parametrize("ending", CONFIG_FILES)
def test_next_config_in_every_file_form(ending: str, tmp_path: Path) -> None:
    """Next.js reads all of them."""
    tree = tree_of(tmp_path, {f"next.config.{ending}": "export default { output: 'standalone' }\n"})
    assert values(node_source.read_next_config(tree, ".")) == {"output": "standalone"}


def test_no_next_config(tmp_path: Path) -> None:
    """An app without one has no output setting."""
    assert values(node_source.read_next_config(tree_of(tmp_path, {}), ".")) == {"output": None}


@pytest.mark.parametrize(
    ("text", "output"),
    [
        ("module.exports = { output: 'standalone' }", "standalone"),
        ('module.exports = { output: "standalone" }', "standalone"),
        ("module.exports = { output: `standalone` }", "standalone"),
        ("module.exports = { output:'export' }", "export"),
        ("module.exports = {\n  output\n    : 'export',\n}", "export"),
        ("module.exports = { 'output': 'export' }", "export"),
        ('module.exports = { "output": "standalone" }', "standalone"),
        ("const c: NextConfig = { output: 'standalone' as const }", "standalone"),
        ("module.exports = {}", None),
        ("module.exports = { // output: 'export'\n}", None),
        ("module.exports = {\n  // output: 'export',\n}", None),
        ("module.exports = {\n  //output: 'export',\n}", None),
        ("module.exports = { reactStrictMode: true,// output: 'export'\n}", None),
        ("module.exports = {\n  /* output: 'export', */\n}", None),
        ("module.exports = {\n  /*\n   * output: 'export',\n   */\n}", None),
        ("module.exports = {\n  // output: 'export',\n  output: 'standalone',\n}", "standalone"),
        ("const url = 'http://a.b'; module.exports = { output: 'export' }", "export"),
        ("module.exports = { outputFileTracingRoot: 'export' }", None),
        ("module.exports = { distOutput: 'export' }", None),
    ],
)
def test_next_output(text: str, output: str | None, tmp_path: Path) -> None:
    """The value that holds, and none that is commented out."""
    tree = tree_of(tmp_path, {"next.config.js": f"{text}\n"})
    assert node_source.read_next_config(tree, ".")["output"].value == output


def test_next_output_between_patterns(tmp_path: Path) -> None:
    """Stars in path patterns open and close no comment."""
    text = (
        "module.exports = {\n  images: { remotePatterns: [{ pathname: '/static/**' }] },\n"
        "  output: 'export',\n  outputFileTracingExcludes: { '*': ['**/node_modules/x'] },\n}\n"
    )
    tree = tree_of(tmp_path, {"next.config.js": text})
    assert node_source.read_next_config(tree, ".")["output"].value == "export"


@pytest.mark.parametrize(
    ("files", "entry"),
    [
        (["src/index.ts"], "src/index.ts"),
        (["index.js"], "index.js"),
        (["server.mjs"], "server.mjs"),
        (["src/app.cjs"], "src/app.cjs"),
        (["src/other.ts"], None),
        (["src/index.tsx"], None),
        ([], None),
    ],
)
def test_entry(files: list[str], entry: str | None, tmp_path: Path) -> None:
    """The source file that a plain Node app starts from."""
    assert node_source.find_entry(tree_of(tmp_path, dict.fromkeys(files, "")), ".") == entry
