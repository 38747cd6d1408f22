"""A history of releases, made from the working tree: older templates, each as a tagged commit.

Every release but the present one is the working tree with a few changes taken back, so that an
update from it has something to do: lines changed, files that came, went or moved, a new question.
"""

from __future__ import annotations

import re
import shutil
import subprocess
import tomllib
from collections.abc import Callable
from pathlib import Path

from spinbox_wrapper.history import History
from spinbox_wrapper.template import Template
from tests.conftest import REPOSITORY

_PARTS = (
    ".gitattributes", ".gitignore", ".pre-commit-hooks.yaml", "CHANGELOG.md", "LICENSE",
    "README.md", "copier.yml", "extensions", "hatch_build.py", "pyproject.toml",
    "spinbox_wrapper", "template",
)  # fmt: skip
_COMPOSE = "template/docker-compose.prod.yml.jinja"


def _replace(folder: Path, file: str, before: str, after: str) -> None:
    path = folder / file
    text = path.read_text()
    assert before in text, f"{file} has changed: adapt tests/releases.py"
    path.write_text(text.replace(before, after))


def _fewer_logs(folder: Path) -> None:
    _replace(folder, _COMPOSE, 'max-file: "5"', 'max-file: "3"')


def _no_question_about_uploads(folder: Path) -> None:
    path = folder / "copier.yml"
    path.write_text(re.sub(r"\nuploads:\n(?:  .*\n)+", "", path.read_text()))


def _one_name_of_the_example(folder: Path) -> None:
    path = folder / "copier.yml"
    path.write_text(re.sub(r"\nenv_example:\n(?:  .*\n)+", "", path.read_text()))
    template = folder / "template"
    (template / "{{ env_example }}.jinja").rename(template / ".env.example.jinja")


def _files_that_went(folder: Path) -> None:
    (folder / "template/deploy/NOTES.md").write_text("# Notes\n\nOne.\n\nTwo.\n")
    script = folder / "template/deploy/hello.sh"
    script.write_text("#!/bin/sh\necho hello\n")
    script.chmod(0o755)


def _no_caddyfile(folder: Path) -> None:
    (proxy,) = (folder / "template/deploy").glob("*Caddyfile*")
    proxy.unlink()


def _another_name(folder: Path) -> None:
    script = folder / "template/deploy/prune.sh.jinja"
    script.rename(script.with_name("clean.sh.jinja"))


def _condition_in_a_name(folder: Path) -> None:
    """As names of the template were once."""
    name = "{% if compose %}docker-compose.prod.yml{% endif %}.jinja"
    (folder / _COMPOSE).rename(folder / "template" / name)


def _older_uv(folder: Path) -> None:
    """In the derivation's code, of which two versions meet in one process."""
    path = folder / "extensions/layout.py"
    path.write_text(re.sub(r'UV_VERSION = "[^"]+"', 'UV_VERSION = "0.1.2"', path.read_text()))


def _other_introduction(folder: Path) -> None:
    _replace(folder, "template/deploy/README.md.jinja", "# Deploying", "# How to deploy")


# Oldest first: each is the present without what its functions take back.
RELEASES: dict[str, tuple[Callable[[Path], None], ...]] = {
    "v0.0.1": (
        _fewer_logs,
        _another_name,
        _no_question_about_uploads,
        _one_name_of_the_example,
        _files_that_went,
        _no_caddyfile,
        _older_uv,
        _condition_in_a_name,
    ),
    "v0.0.2": (
        _fewer_logs,
        _files_that_went,
        _other_introduction,
        _older_uv,
        _condition_in_a_name,
    ),
    "v0.0.3": (_other_introduction, _older_uv),
}
PRESENT = "v" + tomllib.loads((REPOSITORY / "pyproject.toml").read_text())["project"]["version"]


def git(folder: Path, *arguments: str | Path) -> str:
    """Run git as some author."""
    author = ["-c", "user.name=t", "-c", "user.email=t@example.com", "-c", "commit.gpgSign=false"]
    command = ["git", *author, "-C", str(folder), *map(str, arguments)]
    return subprocess.run(command, check=True, capture_output=True, text=True).stdout


def commit(folder: Path, message: str, tag: str = "") -> None:
    """Commit everything; make a repository first where there is none."""
    if not (folder / ".git").exists():
        git(folder, "init", "--quiet", "--initial-branch=main")
    git(folder, "add", "--all")
    git(folder, "commit", "--quiet", "--allow-empty", "--message", message)
    if tag:
        git(folder, "tag", tag)


def copy_working_tree(folder: Path) -> None:
    """Lay what a release consists of into a folder."""
    for part in _PARTS:
        source, target = REPOSITORY / part, folder / part
        if source.is_dir():
            ignore = shutil.ignore_patterns("__pycache__", "_template")
            shutil.copytree(source, target, ignore=ignore)
        elif source.exists():
            shutil.copy2(source, target)


def make_repository(folder: Path) -> Path:
    """A repository with every release tagged, the present one checked out."""
    folder.mkdir(parents=True)
    for tag, take_back in {**RELEASES, PRESENT: ()}.items():
        for path in folder.iterdir():
            if path.name != ".git":
                shutil.rmtree(path) if path.is_dir() else path.unlink()
        copy_working_tree(folder)
        _replace(folder, "pyproject.toml", f'version = "{PRESENT[1:]}"', f'version = "{tag[1:]}"')
        for change in take_back:
            change(folder)
        commit(folder, tag, tag)
    return folder


def template_at(repository: Path, tag: str, folder: Path) -> Template:
    """The template of one release, with the history up to it."""
    subprocess.run(
        ["git", "clone", "--quiet", "--branch", tag, str(repository), str(folder)],
        check=True,
        capture_output=True,
    )
    return Template(folder, tag, History(folder))
