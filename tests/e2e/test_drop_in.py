"""A made-up framework boots; a made-up service is backed up, loses its data, and has it again."""

from __future__ import annotations

import os
import subprocess
from collections.abc import Iterator

import pytest

from tests.drop_in import make_copy, make_project, run
from tests.e2e.stacks import Stack, eventually


@pytest.fixture(scope="module")
def stack(tmp_path_factory: pytest.TempPathFactory) -> Iterator[Stack]:
    copy = make_copy(tmp_path_factory.mktemp("copy"))
    root = make_project(tmp_path_factory.mktemp("projects") / "project")
    name = f"name=e2e-drop-in-{os.getpid()}"
    run(copy, "spinbox_wrapper", "build", "--prod", "-C", root, "--set", name)
    stack = Stack(root)
    # An HTTP header holds no other characters.
    stack.write_env(MEMO_PASSWORD="p@ss$word")
    try:
        stack.up()
        eventually(lambda: stack.request("/health").status == 200)
        yield stack
    finally:
        stack.remove()


def script(stack: Stack, name: str, *arguments: str) -> str:
    command = ["sh", f"deploy/{name}.sh", *arguments]
    result = subprocess.run(
        command, cwd=stack.folder, stdin=subprocess.DEVNULL, capture_output=True, text=True,
        timeout=900, check=False,
    )  # fmt: skip
    assert result.returncode == 0, result.stdout + result.stderr
    return result.stdout


def test_what_was_kept_comes_back(stack: Stack) -> None:
    assert stack.request("/greeting", "hello", method="PUT").status == 201
    assert stack.request("/greeting").body == '"hello"'
    script(stack, "backup")
    stack.execute("memo", "rm /memo/greeting")
    assert stack.request("/greeting").status == 404
    script(stack, "restore", "--yes", "latest")
    eventually(lambda: stack.request("/greeting").body == '"hello"')


def test_a_new_version_and_a_proof_of_the_backup(stack: Stack) -> None:
    script(stack, "deploy")
    script(stack, "backup")
    script(stack, "backup-check")
    assert stack.request("/health").status == 200
