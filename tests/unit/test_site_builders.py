"""What builds a static site, where its files are, and which of them never change."""

from __future__ import annotations

import json
import re
from pathlib import Path
from typing import Any

import pytest

from extensions.choices import complete
from extensions.errors import ProjectError
from extensions.facts import read_facts
from extensions.model import NodeBuild
from extensions.site_builders import BUILDERS
from extensions.stack import build_stack
from tests.start.support import subject_of
from tests.unit.support import write_project

BUILD = {"build": "make it"}


def site_of(root: Path, package: dict[str, Any], overrides: dict[str, Any] | None = None,
            files: dict[str, str] | None = None, **settings: str) -> Any:  # fmt: skip
    """The static site of a project that has it alone."""
    text = json.dumps({"scripts": BUILD, **package})
    made = {"package.json": text, "index.html": "", **(files or {})}
    stack = subject_of(root, made, overrides, **settings).stack
    (app,) = stack.apps
    assert app == stack.site
    return app.site


@pytest.mark.parametrize(
    ("dependency", "files", "output", "fallback"),
    [
        ("vite", {}, "dist", "index.html"),
        ("vite", {"vite.config.ts": "export default { build: { outDir: './public/out' } }"},
         "public/out", "index.html"),
        ("vite", {"vite.config.js": "export default { appType: 'mpa' }"}, "dist", None),
        ("react-scripts", {}, "build", "index.html"),
        ("@vue/cli-service", {"vue.config.js": "module.exports = { outputDir: 'www' }"},
         "www", "index.html"),
        ("parcel", {}, "dist", "index.html"),
        ("@rsbuild/core", {}, "dist", "index.html"),
        ("astro", {"astro.config.mjs": "export default { site: 'https://a.example' }"},
         "dist", None),
        ("@sveltejs/kit", {"svelte.config.js": "import adapter from '@sveltejs/adapter-static';\n"
                           "export default { kit: { adapter: adapter({ pages: 'out', "
                           "fallback: '200.html' }) } };"}, "out", "200.html"),
        ("next", {"next.config.js": "module.exports = { output: 'export', distDir: 'web' }"},
         "web", None),
        ("@react-router/dev", {"react-router.config.ts": "export default { ssr: false }"},
         "build/client", "index.html"),
        ("@remix-run/dev", {"vite.config.ts": "remix({ ssr: false })"},
         "build/client", "index.html"),
        ("gatsby", {}, "public", None),
        ("@docusaurus/core", {}, "build", None),
        ("@11ty/eleventy", {}, "_site", None),
        ("@angular/core", {"angular.json": json.dumps({"projects": {
            "lib": {"projectType": "library"},
            "shop": {"projectType": "application", "architect": {"build": {
                "builder": "@angular/build:application", "options": {}}}}}})},
         "dist/shop/browser", "index.html"),
        ("@angular/core", {"angular.json": json.dumps({"projects": {"shop": {"architect": {
            "build": {"builder": "@angular-devkit/build-angular:browser",
                      "options": {"outputPath": "www"}}}}}})}, "www", "index.html"),
    ],
)  # fmt: skip
def test_its_folder_and_its_page(
    dependency: str, files: dict[str, str], output: str, fallback: str | None, tmp_path: Path
) -> None:
    site = site_of(tmp_path, {"devDependencies": {dependency: "1"}}, files=files)
    assert (site.output, site.fallback, site.base) == (output, fallback, "/")


@pytest.mark.parametrize(
    ("dependencies", "files"),
    [
        (("astro",), {"astro.config.mjs": "export default { output: 'server', adapter: node() }"}),
        (("@sveltejs/kit", "vite"), {"svelte.config.js": "import a from '@sveltejs/adapter-node'"}),
        (("next",), {"next.config.js": "module.exports = { output: 'standalone' }"}),
        (("@react-router/dev", "vite"), {"react-router.config.ts": "export default { ssr: true }"}),
        (("nuxt",), {}),
        (("vite", "express"), {}),
        (("vite",), {"vite.config.js": "export default { build: { lib: { entry: 'a.js' } } }"}),
    ],
)
def test_a_server_is_no_site(
    dependencies: tuple[str, ...], files: dict[str, str], tmp_path: Path
) -> None:
    package = {"scripts": BUILD, "dependencies": dict.fromkeys(dependencies, "1")}
    made = {"package.json": json.dumps(package), "index.html": "", **files}
    assert "static" not in read_facts(write_project(tmp_path, made))


@pytest.mark.parametrize(
    ("package", "files", "base"),
    [
        ({}, {"vite.config.js": "export default { base: '/shop' }"}, "/shop/"),
        ({}, {"vite.config.js": "export default { base: './' }"}, "/"),
        ({"scripts": {"build": "vite build --base=/shop/"}}, {}, "/shop/"),
        ({"devDependencies": {"react-scripts": "5"}, "homepage": "https://a.example/shop"}, {},
         "/shop/"),
        ({"devDependencies": {"react-scripts": "5"}, "homepage": "."}, {}, "/"),
    ],
)  # fmt: skip
def test_a_base_path(
    package: dict[str, Any], files: dict[str, str], base: str, tmp_path: Path
) -> None:
    site = site_of(tmp_path, {"devDependencies": {"vite": "6"}, **package}, files=files)
    assert (site.base, site.folder) == (base, f"/srv{base}")


def _is_kept(dependency: str, path: str) -> bool:
    builder = BUILDERS[dependency]
    hashed = bool(builder.hashed) and re.search(f"^{builder.hashed}", path) is not None
    return hashed and not (builder.plain and re.search(builder.plain, path))


@pytest.mark.parametrize(
    ("dependency", "path"),
    [
        ("vite", "/assets/index-DiwrgTda.js"),
        ("vite", "/assets/a/logo-B_x-9zQ1.svg"),
        ("react-scripts", "/static/js/main.0a1b2c3d.js"),
        ("react-scripts", "/static/js/453.0a1b2c3d.chunk.js"),
        ("@angular/core", "/main-5QZB2XAA.js"),
        ("@angular/core", "/main.1a2b3c4d5e6f7a8b.js"),
        ("@vue/cli-service", "/js/app.0a1b2c3d.js"),
        ("parcel", "/index.0a1b2c3d.js"),
        ("@rsbuild/core", "/static/js/index.0a1b2c3d.js"),
        ("astro", "/_astro/about.CVkXz2QH.css"),
        ("@sveltejs/kit", "/_app/immutable/entry/start.B1x.js"),
        ("next", "/_next/static/chunks/main-0a1b2c3d.js"),
        ("nuxt", "/_nuxt/B1x2.js"),
        ("gatsby", "/app-0123456789abcdef0123.js"),
        ("@docusaurus/core", "/assets/js/main.0a1b2c3d.js"),
        ("vitepress", "/assets/app.Dk2J_a9z.js"),
        ("vitepress", "/assets/index.md.tFkU3fq-.lean.js"),
    ],
)
def test_what_never_changes(dependency: str, path: str) -> None:
    assert _is_kept(dependency, path)


@pytest.mark.parametrize(
    ("dependency", "path"),
    [
        ("vite", "/index.html"),
        ("vite", "/assets/logo.svg"),
        ("vite", "/assets/my-portrait.svg"),
        ("vite", "/assets/photo-20240131.jpg"),
        ("vite", "/favicon.ico"),
        ("react-scripts", "/static/logo.png"),
        ("react-scripts", "/asset-manifest.json"),
        ("@angular/core", "/ngsw.json"),
        ("@angular/core", "/assets/main-5QZB2XAA.js"),
        ("astro", "/about/index.html"),
        ("@sveltejs/kit", "/_app/version.json"),
        ("nuxt", "/_nuxt/builds/latest.json"),
        ("gatsby", "/page-data/index/page-data.json"),
        ("@11ty/eleventy", "/style.css"),
    ],
)
def test_what_may_change(dependency: str, path: str) -> None:
    assert not _is_kept(dependency, path)


VITE = {"scripts": BUILD, "devDependencies": {"vite": "^6"}}


def test_settings_by_hand(tmp_path: Path) -> None:
    overrides = {
        "static.output": "www",
        "static.base": "/shop",
        "static.fallback": "off",
        "static.source_maps": True,
    }
    site = site_of(tmp_path, VITE, overrides)
    assert (site.output, site.base, site.fallback) == ("www", "/shop/", None)
    assert site.source_maps and site.hashed.startswith("^/shop/assets/")


@pytest.mark.parametrize(
    ("version", "image", "wanted"),
    [("^4.0.3", "node:22-alpine", True), ("^5", "node:22-alpine", False),
     ("4.0.0", "node:16", False)],
)  # fmt: skip
def test_webpack_4_on_a_newer_node(version: str, image: str, wanted: bool, tmp_path: Path) -> None:
    package = {"scripts": BUILD, "dependencies": {"react-scripts": version}}
    files = {"package.json": json.dumps(package), "public/index.html": ""}
    (app,) = subject_of(tmp_path, files, {"static.image": image}).stack.apps
    assert isinstance(app.build, NodeBuild)
    options = ("NODE_OPTIONS", "--openssl-legacy-provider")
    assert (options in app.build.build_environment) == wanted


def test_what_a_builder_reads_of_the_top_folder(tmp_path: Path) -> None:
    package = {"scripts": BUILD, "devDependencies": {"@11ty/eleventy": "3"}}
    names = (".eleventy.js", "index.md", "posts/one.md", "docs/a.md")
    files = {"package.json": json.dumps(package), **dict.fromkeys(names, "")}
    (app,) = subject_of(tmp_path, files).stack.apps
    assert {".eleventy.js", "index.md", "posts/", "docs/"} <= set(app.sources)


def test_variables_for_browsers_are_built_in(tmp_path: Path) -> None:
    files = {
        "package.json": json.dumps(VITE),
        "index.html": "",
        "src/main.ts": "console.log(import.meta.env.VITE_A, process.env.SECRET_B);\n",
    }
    (app,) = subject_of(tmp_path, files, USE_NODE="true").stack.apps
    assert [env.name for env in app.build_arguments] == ["VITE_A"]
    assert (app.environment, app.passed_on) == ((), ())


@pytest.mark.parametrize("flags", [{}, {"USE_NEXTJS": "true"}, {"USE_NODE": "true"}])
def test_beside_an_api(flags: dict[str, Any], tmp_path: Path) -> None:
    """Whatever the flags say of the frontend."""
    files = {
        "backend/requirements.txt": "fastapi\nuvicorn\n",
        "backend/main.py": "from fastapi import FastAPI\napp = FastAPI()\n",
        "frontend/package.json": json.dumps(VITE),
        "frontend/index.html": "",
    }
    stack = subject_of(tmp_path, files, USE_FASTAPI="true", **flags).stack
    assert [(app.name, app.title) for app in stack.apps] == [("app", "FastAPI"), ("site", "Vite")]
    assert stack.apps[0].routes and not stack.apps[1].routes
    assert stack.apps[1].dockerfile == "Dockerfile.site.prod"


SERVER = (
    "const app = require('express')();\n"
    "app.get('/api/items', (request, response) => response.json([]));\n"
    "app.listen(3000);\n"
)
BESIDE_NODE = {
    "package.json": json.dumps(
        {"scripts": {"start": "node index.js"}, "dependencies": {"express": "^4"}}
    ),
    "client/package.json": json.dumps(VITE),
    "client/index.html": "",
}


def test_beside_an_api_on_node(tmp_path: Path) -> None:
    files = {**BESIDE_NODE, "index.js": SERVER}
    stack = subject_of(tmp_path, files, USE_NODE="true").stack
    assert [(app.kind, bool(app.routes)) for app in stack.apps] == [
        ("node", True),
        ("static", False),
    ]


@pytest.mark.parametrize(
    "more",
    [
        {"index.js": "require('http').createServer((a, b) => b.end()).listen(3000)\n"},
        {
            "index.js": SERVER,
            "package.json": json.dumps(
                {
                    "scripts": {"start": "node index.js", "build": "cd client && npm run build"},
                    "dependencies": {"express": "^4"},
                }
            ),
        },
    ],
)
def test_a_server_on_node_that_gets_all_paths(more: dict[str, str], tmp_path: Path) -> None:
    """Or that builds the site itself."""
    (app,) = subject_of(tmp_path, {**BESIDE_NODE, **more}, USE_NODE="true").stack.apps
    assert app.kind == "node"


def test_nothing_builds_it() -> None:
    facts = {"name": "x", "static": {"dir": "web", "script": None}}
    with pytest.raises(ProjectError, match=r"static\.script=SCRIPT"):
        build_stack(facts, {}, complete({}))


@pytest.mark.parametrize(
    ("dependency", "scripts", "script"),
    [
        ("vitepress", {"docs:dev": "vitepress dev docs", "docs:build": "vitepress build docs"},
         "docs:build"),
        ("vite", {"build:staging": "vite build --mode staging", "build:prod": "vite build"},
         "build:prod"),
        ("vite", {"bundle": "tsc -b && npx vite build"}, "bundle"),
        ("@11ty/eleventy", {"serve": "eleventy --serve", "site": "npx @11ty/eleventy"}, "site"),
        ("nuxt", {"static": "nuxt generate"}, "static"),
    ],
)  # fmt: skip
def test_a_script_of_another_name(
    dependency: str, scripts: dict[str, str], script: str, tmp_path: Path
) -> None:
    package = {"devDependencies": {dependency: "1"}, "scripts": scripts}
    files = {"package.json": json.dumps(package), "index.html": ""}
    facts = read_facts(write_project(tmp_path, files))
    assert facts["static"]["script"] == script


@pytest.mark.parametrize(
    ("config", "page", "output"),
    [
        ("root: 'web', build: { outDir: '../dist' }", "web/index.html", "dist"),
        ("root: path.resolve(__dirname, 'client'),", "client/index.html", "client/dist"),
        ("root: './src',\n build: { outDir: path.join(import.meta.dirname, 'out') }",
         "src/index.html", "out"),
        ("build: { outDir: resolve(__dirname, 'public_html') }", "index.html", "public_html"),
    ],
)  # fmt: skip
def test_vites_root(config: str, page: str, output: str, tmp_path: Path) -> None:
    package = {"scripts": {"build": "vite build"}, "devDependencies": {"vite": "6"}}
    files = {
        "package.json": json.dumps(package),
        "vite.config.js": f"export default {{ {config} }};",
        page: "",
    }
    (app,) = subject_of(tmp_path, files).stack.apps
    assert app.site and app.site.output == output
