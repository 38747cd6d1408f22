"""Rendering: the template at one version, with given answers, into memory."""

from __future__ import annotations

import os
from collections.abc import Collection, Mapping
from dataclasses import dataclass
from importlib import metadata
from pathlib import Path
from tempfile import TemporaryDirectory
from typing import Any

from . import render_cache
from .answers import with_origin
from .errors import UserError
from .template import PUBLIC_URL, Template


@dataclass(frozen=True)
class File:
    """A file's content, and whether it can be executed."""

    content: bytes
    executable: bool = False


def render(
    template: Template,
    version: str,
    answers: Mapping[str, Any],
    answers_file: str,
    *,
    asked: Collection[str] = (),
    source: str = PUBLIC_URL,
) -> dict[str, File]:
    """Render the template.

    Args:
        template: The template with its history.
        version: Which version of it.
        answers: Answers by question; the others take their defaults.
        answers_file: Name of the answers file.
        asked: Questions that Copier asks the user; `answers` are their defaults.
        source: Where Copier finds the template, as the answers file names it.

    Returns:
        Files by path, POSIX and relative to the folder they belong in.

    Raises:
        UserError: The template refused the answers, or the version is not at hand.
        KeyboardInterrupt: The user left the questions.
    """
    if asked:
        return _render(template, version, answers, answers_file, asked, source)
    parts = (template.identity(version), version, dict(answers), answers_file, source)
    name = render_cache.key(metadata.version("copier"), metadata.version("jinja2"), *parts)
    cached = render_cache.load(name)
    if cached is not None:
        return {path: File(*file) for path, file in cached.items()}
    files = _render(template, version, answers, answers_file, (), source)
    render_cache.store(name, {path: (f.content, f.executable) for path, f in files.items()})
    return files


def _render(
    template: Template,
    version: str,
    answers: Mapping[str, Any],
    answers_file: str,
    asked: Collection[str],
    source: str,
) -> dict[str, File]:
    # Half a second of imports that `--help`, errors and a run with nothing to do go without.
    import copier
    import plumbum
    from copier.errors import CopierAnswersInterrupt, CopierError

    # In a hook, git's variables would lead Copier's own git to the user's index; Copier calls git
    # through plumbum, which keeps a copy of the environment.
    git_variables = [name for name in plumbum.local.env.getdict() if name.startswith("GIT_")]
    with template.source(version) as folder, TemporaryDirectory(prefix="spinbox-") as temporary:
        # As deep as the project's folder is above it, so that nothing outside is taken for it.
        target = Path(temporary, "project", str(answers.get("output") or "."))
        target.mkdir(parents=True)
        try:
            with plumbum.local.env():
                for variable in git_variables:
                    del plumbum.local.env[variable]
                copier.run_copy(
                    str(folder),
                    target,
                    data={key: value for key, value in answers.items() if key not in asked},
                    user_defaults={key: value for key, value in answers.items() if key in asked},
                    answers_file=answers_file,
                    # Not the user's, which hold answers for templates of others.
                    settings=copier.Settings(),
                    defaults=not asked,
                    overwrite=True,
                    quiet=True,
                    unsafe=True,
                )
        except CopierAnswersInterrupt:
            raise KeyboardInterrupt from None
        except (CopierError, ValueError) as error:
            raise UserError(str(error)) from None
        except OSError as error:
            raise UserError(
                f"Temporary files cannot be written ({error.strerror}): make room and run again."
            ) from None
        files = {
            path.relative_to(target).as_posix(): File(path.read_bytes(), os.access(path, os.X_OK))
            for path in sorted(target.rglob("*"))
            if path.is_file()
        }
    answers_text = with_origin(files[answers_file].content, source, version)
    return files | {answers_file: File(answers_text)}
