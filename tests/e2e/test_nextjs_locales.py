"""Next.js below a path, which sends everybody to the pages of a language."""

from __future__ import annotations

from pathlib import Path

from tests.e2e.first_deployment import copy_app, first_deployment


def test_it_is_healthy_where_its_first_page_is_a_redirect(tmp_path: Path) -> None:
    project = copy_app("nextjs-locales", tmp_path / "nextjs-locales")
    settings = {"DOMAIN": "shop.example.test", "SITE_ADDRESS": "localhost, http://"}
    with first_deployment(project, settings=settings) as stack:
        answer = stack.request("/shop")
        assert answer.status == 200, answer
        assert "Hello in" in answer.body and "en" in answer.body
