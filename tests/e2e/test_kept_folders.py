"""Folders of apps that are volumes, a Redis without a password, and allowed hosts."""

from __future__ import annotations

from pathlib import Path

from tests.e2e.first_deployment import copy_app, first_deployment
from tests.e2e.stacks import Stack, run


def by_hand(stack: Stack, name: str, *arguments: str) -> str:
    """One of the scripts in deploy/, as the guide calls it."""
    return run("sh", f"deploy/{name}.sh", *arguments, cwd=stack.folder)


def test_sqlite_lives_through_deployments_and_comes_back(tmp_path: Path) -> None:
    """As `build` proposes it: a volume, its path as a setting, the domain, an open Redis."""
    project = copy_app("fastapi-sqlite", tmp_path / "fastapi-sqlite")
    options = ("--set", "fastapi.volumes=/app/data", "--set", "redis.password=off")
    settings = {
        "NOTES_DATABASE": "/app/data/notes.db",
        # Health checks ask for it; nobody fetches a certificate.
        "DOMAIN": "notes.example.test",
        "SITE_ADDRESS": "localhost, http://",
    }
    with first_deployment(project, *options, settings=settings) as stack:
        stack.post("/notes/kept")
        assert stack.get("/notes") == {"notes": ["kept"], "count": 1}
        by_hand(stack, "deploy")
        assert stack.get("/notes")["notes"] == ["kept"]
        by_hand(stack, "backup")
        stack.post("/notes/later")
        said = by_hand(stack, "backup-check", "latest")
        assert "can be restored" in said
        by_hand(stack, "restore", "--yes", "latest")
        assert stack.get("/notes") == {"notes": ["kept"], "count": 1}
