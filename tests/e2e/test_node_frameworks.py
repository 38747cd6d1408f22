"""Frameworks on Node that render on a server: the first deployment answers with a page."""

from __future__ import annotations

from pathlib import Path

import pytest

from tests.e2e.first_deployment import copy_app, first_deployment
from tests.e2e.stacks import run


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
    with first_deployment(project, settings=settings) as stack:
        body = stack.request("/").body
        assert all(word in body for word in expected), body


def test_sveltekit_with_a_form(tmp_path: Path) -> None:
    """Its forms are taken at the address that browsers have."""
    project = copy_app("ssr-sveltekit", tmp_path / "ssr-sveltekit")
    with first_deployment(project, settings={"PUBLIC_GREETING": "hello"}) as stack:
        origin = f"https://localhost:{stack.https_port}"
        assert f"hello {origin} nobody" in stack.request("/").body
        sent = run(
            *("curl", "-sk", "-H", f"Origin: {origin}", "-H", "Accept: text/html"),
            *("-d", "name=somebody", f"{origin}/"),
        )
        assert "somebody" in sent
