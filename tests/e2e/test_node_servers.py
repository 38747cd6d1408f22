"""Servers on Node, whatever framework they use: the first deployment answers."""

from __future__ import annotations

from pathlib import Path

from tests.e2e.first_deployment import copy_app, first_deployment


def test_plain_http_without_a_dependency_or_lockfile(tmp_path: Path) -> None:
    with first_deployment(copy_app("node-plain", tmp_path / "node-plain")) as stack:
        assert stack.get("/any") == {"path": "/any"}
