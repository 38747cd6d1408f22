"""What a guide says for an environment, and its parts as Markdown."""

from __future__ import annotations

from extensions.guide import Guide

PRODUCTION, STAGING = Guide("shop"), Guide("shop", "staging")


def test_names_of_production_are_the_plain_ones() -> None:
    assert PRODUCTION.project == "shop-prod"
    assert PRODUCTION.units == "shop"
    assert PRODUCTION.namespace == "shop-production"
    assert PRODUCTION.settings == ".env"
    assert PRODUCTION.option == ""
    assert PRODUCTION.compose == "docker compose -f docker-compose.prod.yml"


def test_another_environment_has_names_of_its_own() -> None:
    assert STAGING.project == STAGING.units == STAGING.namespace == "shop-staging"
    assert STAGING.settings == "deploy/env/staging.env"
    assert STAGING.option == " --env staging"
    assert STAGING.compose == (
        "docker compose -f docker-compose.prod.yml -p shop-staging "
        "--env-file deploy/env/staging.env"
    )


def test_parts_are_markdown() -> None:
    commands = PRODUCTION.bash(caller=lambda: "first\n")
    section = PRODUCTION.section("start", 3, "1. Start", caller=lambda: f"\n{commands}")
    assert section == "### 1. Start\n\n```bash\nfirst\n```\n"
    assert PRODUCTION.link("here", "#there") == "[here](#there)"
