"""Frameworks on Node that render on a server: the first deployment answers with a page."""

from __future__ import annotations

import re
import shutil
import time
from pathlib import Path

import pytest

from tests.e2e import browser
from tests.e2e.first_deployment import copy_app, first_deployment
from tests.e2e.stacks import Stack, run


def _lock(project: Path) -> None:
    """A lockfile, where there is npm: these frameworks have hundreds of dependencies."""
    if shutil.which("npm"):
        only = ("--package-lock-only", "--ignore-scripts", "--no-audit", "--no-fund")
        run("npm", "install", *only, cwd=project)


@pytest.mark.parametrize(
    ("name", "settings", "expected"),
    [
        ("nuxt", {"NUXT_PUBLIC_GREETING": "hello"}, ["hello nuxt"]),
        ("react-router", {"WORD": "run", "VITE_GREETING": "built"}, ["run", "built"]),
        ("remix", {"WORD": "run"}, ["run"]),
        ("astro", {"WORD": "run", "PUBLIC_GREETING": "built"}, ["run", "built"]),
        ("tanstack", {"WORD": "run"}, ["run"]),
    ],
)
def test_a_page_of_the_server(
    name: str, settings: dict[str, str], expected: list[str], tmp_path: Path
) -> None:
    """With a variable that its server reads, and one that is built in."""
    project = copy_app(f"ssr-{name}", tmp_path / f"ssr-{name}")
    with first_deployment(project, settings=settings, prepare=_lock) as stack:
        body = stack.request("/").body
        assert all(word in body for word in expected), body


def test_sveltekit_with_a_form(tmp_path: Path) -> None:
    """Its forms are taken at the address that browsers have."""
    project = copy_app("ssr-sveltekit", tmp_path / "ssr-sveltekit")
    with first_deployment(project, settings={"PUBLIC_GREETING": "hello"}, prepare=_lock) as stack:
        origin = f"https://localhost:{stack.https_port}"
        assert f"hello {origin} nobody" in stack.request("/").body
        sent = run(
            *("curl", "-sk", "-H", f"Origin: {origin}", "-H", "Accept: text/html"),
            *("-d", "name=somebody", f"{origin}/"),
        )
        assert "somebody" in sent


def _made(stack: Stack, path: str) -> str:
    match = re.search(r"\d{13}", stack.request(path).body)
    assert match, path
    return match[0]


def _is_made_anew(stack: Stack, path: str) -> bool:
    """Whether a page of ISR changes, and nothing is written into a folder that is read-only."""
    first = _made(stack, path)
    for _ in range(10):
        time.sleep(1.5)
        if _made(stack, path) != first:
            return "EROFS" not in stack.compose("logs", "--no-color", "app")
    return False


def test_next_with_its_app_router(tmp_path: Path) -> None:
    """With basePath, ISR, middleware, instrumentation, images, a build's secret and migrations."""
    with first_deployment(copy_app("next-app", tmp_path / "next-app"), prepare=_lock) as stack:
        assert _is_made_anew(stack, "/shop")
        headers = {k.lower(): v for k, v in stack.request("/shop/picture").headers.items()}
        assert headers["x-middleware"] == "ran"
        assert stack.get("/shop/api/word") == {"word": "registered"}
        assert "first" in stack.request("/shop/items").body
        picture = "/shop/_next/image?url=%2Fshop%2Fpicture.png&w=64&q=75"
        code = f"fetch('http://127.0.0.1:3000{picture}').then(async (r) => console.log("
        code += "r.status, r.headers.get('content-type'), (await r.arrayBuffer()).byteLength))"
        answer = stack.compose("exec", "-T", "app", "node", "-e", code)
        assert answer.startswith("200 image/"), answer
        secret = next(
            line.partition("=")[2].strip("'\"")
            for line in (stack.folder / ".env").read_text().splitlines()
            if line.startswith("AUTH_SECRET=")
        )
        image = stack.compose("images", "--quiet", "app").strip()
        assert secret not in run("docker", "history", "--no-trunc", image)


@pytest.mark.skipif(
    shutil.which(browser.CHROMIUM) is None,
    reason="Chromium is not installed: apt-get install chromium",
)
def test_a_browser_sees_next_and_its_picture(tmp_path: Path) -> None:
    """A page, what it fetches, an optimised picture, and the same link reloaded."""
    project = copy_app("next-app", tmp_path / "next-browser")
    with first_deployment(project, prepare=_lock) as stack:
        address = f"https://localhost:{stack.https_port}/shop/picture"
        found = browser.look(address, "#word", "#width")
        assert found["errors"] == []
        assert found["seen"]["#word"] == "registered"
        assert found["seen"]["#width"].endswith(" wide") and found["seen"]["#width"] != "0 wide"


def test_next_with_its_pages_router(tmp_path: Path) -> None:
    """With i18n, ISR and trailingSlash."""
    with first_deployment(copy_app("next-pages", tmp_path / "next-pages"), prepare=_lock) as stack:
        assert "en " in stack.request("/").body
        assert "de " in stack.request("/de/").body
        assert _is_made_anew(stack, "/de/")


def test_auth_js_has_its_secret_and_its_address(tmp_path: Path) -> None:
    """Neither is read by the app's own code."""
    project = copy_app("next-auth", tmp_path / "next-auth")
    with first_deployment(project) as stack:
        assert "hi nobody" in stack.request("/").body.replace("<!-- -->", "")
        assert stack.get("/api/auth/session") is None
        assert "/api/auth/callback/github" in stack.request("/api/auth/providers").body
