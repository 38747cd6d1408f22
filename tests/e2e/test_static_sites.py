"""Static sites, whatever builds them: the first deployment answers, without Node."""

from __future__ import annotations

import json
import re
import shutil
import urllib.error
import urllib.request
from pathlib import Path

import pytest

from tests.e2e import browser
from tests.e2e.first_deployment import copy_app, first_deployment
from tests.e2e.stacks import Stack, free_port

FOREVER = "public, max-age=31536000, immutable"


def _first(pattern: str, text: str) -> str:
    match = re.search(pattern, text)
    assert match, text
    return match[0]


def _check_page(stack: Stack, path: str, text: str) -> str:
    """A page is asked for anew each time, by what it was last."""
    answer = stack.request(path)
    assert (answer.status, answer.headers["Cache-Control"]) == (200, "no-cache")
    assert answer.headers["Etag"] and text in answer.body
    return answer.body


def _check_hashed(stack: Stack, path: str) -> None:
    answer = stack.request(path)
    assert (answer.status, answer.headers["Cache-Control"]) == (200, FOREVER)
    missing = stack.request(re.sub(r"(\w)(\.\w+)$", r"\g<1>x\2", path))
    assert (missing.status, missing.headers["Cache-Control"]) == (404, "no-cache")
    assert "<html" not in missing.body or "404" in missing.body or "Not" in missing.body


def _check_contents(stack: Stack, service: str = "app") -> None:
    """No source maps, no hidden files, no Node; nothing can be written."""
    files = stack.compose("exec", "-T", service, "find", "/srv", "-type", "f").splitlines()
    assert not [f for f in files if f.endswith(".map") or re.search(r"/\.(?!well-known/)", f)]
    assert any(f.endswith(".br") for f in files) and any(f.endswith(".gz") for f in files)
    says = stack.compose(
        *("exec", "-T", service, "sh", "-c"),
        "command -v node; id -u; touch /srv/x 2>&1; grep CapBnd /proc/1/status",
    )
    assert says.split()[0] == "10001" and "Read-only" in says and "0000000000000000" in says


def test_vite_alone(tmp_path: Path) -> None:
    project = copy_app("site-vite", tmp_path / "site-vite")
    with first_deployment(project, settings={"VITE_GREETING": "Hello"}) as stack:
        page = _check_page(stack, "/", "A site of Vite")
        script = _first(r"/assets/index-[\w-]+\.js", page)
        _check_hashed(stack, script)
        body = stack.request(script).body
        assert "Hello" in body and "the-committed-file" in body
        _check_hashed(stack, "/assets/" + _first(r"later-[\w-]+\.js", body))
        # The app's own router knows these; files are files.
        _check_page(stack, "/orders/7", "A site of Vite")
        assert stack.request("/logo.png").status == 404
        image = stack.request("/assets/my-portrait.svg")
        assert (image.status, image.headers["Cache-Control"]) == (200, "no-cache")
        assert "Contact" in stack.request("/.well-known/security.txt").body
        assert "not for visitors" not in stack.request("/.notes").body
        _check_contents(stack)


def test_react_beside_fastapi(tmp_path: Path) -> None:
    with first_deployment(copy_app("site-react-fastapi", tmp_path / "react")) as stack:
        page = _check_page(stack, "/", "A site beside an API")
        _check_hashed(stack, _first(r"/assets/index-[\w-]+\.js", page))
        _check_page(stack, "/orders/7", "A site beside an API")
        assert stack.request("/api/greeting").json == {"greeting": "Hello from the API"}
        assert stack.request("/health").json == {"status": "ok"}
        _check_contents(stack, "site")


def test_astro_of_several_pages_below_a_base_path(tmp_path: Path) -> None:
    project = copy_app("site-astro", tmp_path / "site-astro")
    with first_deployment(project, settings={"PUBLIC_NAME": "Ada"}) as stack:
        page = _check_page(stack, "/shop/", "Shop of")
        assert "Ada" in page
        _check_hashed(stack, _first(r"/shop/_astro/[\w.@-]+\.css", page))
        _check_page(stack, "/shop/about/", "All about it")
        _check_page(stack, "/shop/about", "All about it")
        _check_page(stack, "/shop/guides/first/", "First guide")
        _check_page(stack, "/", "Shop of")
        missing = stack.request("/shop/nothing")
        assert missing.status == 404 and "Not in this shop" in missing.body


def test_sveltekit_with_the_static_adapter(tmp_path: Path) -> None:
    with first_deployment(copy_app("site-sveltekit", tmp_path / "site-sveltekit")) as stack:
        page = _check_page(stack, "/", "Start")
        _check_hashed(stack, "/" + _first(r"_app/immutable/entry/start[\w.-]+\.js", page))
        _check_page(stack, "/about", "All about it")
        # Not prerendered: its page for all else.
        assert "Start" not in _check_page(stack, "/items/7", "_app/immutable")
        version = stack.request("/_app/version.json")
        assert (version.status, version.headers["Cache-Control"]) == (200, "no-cache")


def test_next_export(tmp_path: Path) -> None:
    project = copy_app("site-next-export", tmp_path / "site-next-export")
    with first_deployment(project, settings={"NEXT_PUBLIC_NAME": "Ada"}) as stack:
        page = _check_page(stack, "/", "Exported for")
        assert "Ada" in page
        _check_hashed(stack, _first(r"/_next/static/chunks/[\w.-]+\.js", page))
        _check_page(stack, "/about", "All about it")
        missing = stack.request("/nothing")
        assert missing.status == 404 and "could not be found" in missing.body


def test_angular(tmp_path: Path) -> None:
    with first_deployment(copy_app("site-angular", tmp_path / "site-angular")) as stack:
        page = _check_page(stack, "/", "Storefront")
        _check_hashed(stack, "/" + _first(r"main-[\w-]+\.js", page))
        _check_page(stack, "/orders/7", "Storefront")


_VITE = r"/assets/index-[\w-]+\.js"
_ENTRY = r"/assets/entry\.client-[\w-]+\.js"
# Its settings, words of its start page, a hashed file there, and another address with words of its
# page: that of an app with a router of its own is the start page.
SITES: dict[str, tuple[dict[str, str], str, str, str, str]] = {
    "site-create-react-app": (
        {"REACT_APP_GREETING": "Hello"}, "root", r"/static/js/main\.\w+\.js", "/orders/7", "root"),
    "site-vue": ({}, 'id="app"', _VITE, "/about", 'id="app"'),
    "site-svelte": ({}, 'id="app"', _VITE, "/deep", 'id="app"'),
    "site-vue-cli": ({"VUE_APP_NAME": "Ada"}, "id=", r"/js/app\.\w+\.js", "/deep", "app"),
    "site-react-router": ({"VITE_NAME": "Ada"}, "Loading", _ENTRY, "/orders/7", "Loading"),
    "site-remix": ({}, "Loading", _ENTRY, "/orders/7", "Loading"),
    "site-eleventy": ({}, "Eleventy Blog", "", "/posts/first/", "A first post"),
    "site-vitepress": (
        {}, "VitePress home", r"/assets/app\.[\w-]+\.js", "/guide/start", "The guide"),
    "site-vite-root": ({}, 'id="app"', _VITE, "/deep", 'id="app"'),
}  # fmt: skip


@pytest.mark.parametrize("name", SITES)
def test_builders(name: str, tmp_path: Path) -> None:
    settings, words, hashed, path, others = SITES[name]
    with first_deployment(copy_app(name, tmp_path / name), settings=settings) as stack:
        page = _check_page(stack, "/", words)
        if hashed:
            _check_hashed(stack, _first(hashed, page))
        _check_page(stack, path, others)


def test_without_a_proxy_of_the_stack(tmp_path: Path) -> None:
    """The site itself passes the API's paths on."""
    project = copy_app("site-react-fastapi", tmp_path / "site-bare")
    settings = {"VITE_API_URL": "http://example.test"}
    with first_deployment(project, "--set", "proxy=none", settings=settings) as stack:
        at = "http://" + stack.compose("port", "site", "8080").strip()
        with urllib.request.urlopen(f"{at}/api/greeting") as answer:
            assert json.load(answer) == {"greeting": "Hello from the API"}
        with urllib.request.urlopen(f"{at}/orders/7") as answer:
            assert b"A site beside an API" in answer.read()
        with pytest.raises(urllib.error.HTTPError, match="404"):
            urllib.request.urlopen(f"{at}/missing.js")


@pytest.mark.skipif(
    shutil.which(browser.CHROMIUM) is None,
    reason="Chromium is not installed: apt-get install chromium",
)
def test_a_browser_sees_the_site_and_its_api(tmp_path: Path) -> None:
    """Page, calls by a path and by the built-in address, WebSocket, a deep link reloaded."""
    port = free_port()
    address = f"https://localhost:{port}"
    settings = {"VITE_API_URL": address, "HTTPS_PORT": str(port)}
    project = copy_app("site-react-fastapi", tmp_path / "site-browser")
    with first_deployment(project, settings=settings):
        for path in ("/", "/orders/7"):
            found = browser.look(f"{address}{path}", "#where", "#greeting", "#called", "#echo")
            assert found["errors"] == []
            assert found["seen"] == {
                "#where": path,
                "#greeting": "Hello from the API",
                "#called": "Hello from the API",
                "#echo": "echo: hello",
            }
