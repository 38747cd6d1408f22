"""Frameworks on Node whose build makes a server, and those whose build makes none."""

from __future__ import annotations

import json
from pathlib import Path

import pytest

from extensions.errors import ProjectError
from extensions.model import App, NodeBuild
from tests.start.support import subject_of


def _app(
    root: Path,
    packages: dict[str, str] | list[str],
    scripts: dict[str, str],
    files: dict[str, str] | None = None,
    overrides: dict[str, str] | None = None,
) -> App:
    package = {"scripts": scripts, "dependencies": dict.fromkeys(packages, "1")}
    project = {"package.json": json.dumps(package), **(files or {"src/x.ts": ""})}
    return subject_of(root, project, overrides, USE_NODE="true").stack.apps[0]


BUILD = {"build": "vite build"}
NITRO = ("node", ".output/server/index.mjs")


@pytest.mark.parametrize(
    ("packages", "scripts", "command"),
    [
        (["nuxt"], {"build": "nuxt build"}, NITRO),
        (["nuxt"], {"build": "nuxt build", "start": "nuxt start"}, NITRO),
        (["nuxt"], {"build": "nuxt build", "start": "node .output/server/index.mjs"}, NITRO),
        (["@sveltejs/kit", "@sveltejs/adapter-node"], BUILD, ("node", "build/index.js")),
        (
            ["@sveltejs/kit", "@sveltejs/adapter-node"],
            {**BUILD, "start": "node build"},
            ("node", "build/index.js"),
        ),
        (
            ["@react-router/dev", "@react-router/serve"],
            {**BUILD, "start": "react-router-serve ./build/server/index.js"},
            ("node_modules/.bin/react-router-serve", "build/server/index.js"),
        ),
        (
            ["@remix-run/dev", "@remix-run/serve"],
            {"build": "remix build", "start": "remix-serve ./build/index.js"},
            ("node_modules/.bin/remix-serve", "build/index.js"),
        ),
        (
            ["astro", "@astrojs/node"],
            {"build": "astro build", "start": "astro preview"},
            ("node", "dist/server/entry.mjs"),
        ),
        (["@tanstack/react-start", "nitro"], BUILD, NITRO),
        (["@solidjs/start", "vinxi"], {"build": "vinxi build", "start": "vinxi start"}, NITRO),
        (["@adonisjs/core"], {"build": "node ace build"}, ("node", "bin/server.js")),
    ],
)
def test_what_the_build_makes_is_started(
    packages: list[str], scripts: dict[str, str], command: tuple[str, ...], tmp_path: Path
) -> None:
    """And nothing else is in the image."""
    app = _app(tmp_path, packages, scripts)
    assert app.command == command
    assert isinstance(app.build, NodeBuild) and app.build.outputs
    assert ("HOST", "0.0.0.0") in app.build.environment


def test_a_server_of_the_projects_own(tmp_path: Path) -> None:
    """It is started, with the whole folder."""
    scripts = {**BUILD, "start": "node server.js"}
    packages = ["@react-router/dev", "@react-router/serve", "express"]
    app = _app(tmp_path, packages, scripts, {"server.js": "require('express')().listen(3000)"})
    assert app.command == ("node", "server.js")
    assert isinstance(app.build, NodeBuild) and not app.build.outputs


def test_a_server_that_reads_files_keeps_the_folder(tmp_path: Path) -> None:
    files = {"server/api/a.ts": "readFile(join(process.cwd(), 'content/a.md'))", "content/a.md": ""}
    app = _app(tmp_path, ["nuxt"], {"build": "nuxt build"}, files)
    assert app.command == NITRO
    assert isinstance(app.build, NodeBuild) and not app.build.outputs


@pytest.mark.parametrize(
    ("packages", "files", "word"),
    [
        (["@sveltejs/kit", "@sveltejs/adapter-auto"], {}, "adapter-node"),
        (
            ["@sveltejs/kit", "@sveltejs/adapter-node"],
            {"svelte.config.js": "import adapter from '@sveltejs/adapter-vercel';"},
            "adapter-node",
        ),
        (["astro"], {"astro.config.mjs": "export default { output: 'server' }"}, "astro add node"),
        (["@tanstack/react-start", "vite"], {}, "nitro"),
        (["@react-router/dev"], {}, "@react-router/serve"),
        (["@builder.io/qwik-city"], {}, "qwik add express"),
    ],
)
def test_a_build_that_makes_no_server(
    packages: list[str], files: dict[str, str], word: str, tmp_path: Path
) -> None:
    with pytest.raises(ProjectError, match=word):
        _app(tmp_path, packages, BUILD, files or {"src/x.ts": ""})
    command = {"node.command": "node server.js"}
    app = _app(tmp_path / "named", packages, BUILD, files or {"src/x.ts": ""}, command)
    assert app.command == ("node", "server.js")


def test_variables_that_are_built_in(tmp_path: Path) -> None:
    """Those of SvelteKit only where its static module has them."""
    for use, built in (("static", ["PUBLIC_A"]), ("dynamic", [])):
        files = {
            "src/routes/a.js": f"import {{ PUBLIC_A }} from '$env/{use}/public';",
            ".env.example": "PUBLIC_A=\nSECRET=\n",
        }
        packages = ["@sveltejs/kit", "@sveltejs/adapter-node"]
        app = _app(tmp_path / use, packages, BUILD, files)
        assert [argument.name for argument in app.build_arguments] == built
        assert ("PUBLIC_A" in app.passed_on) == (not built)
