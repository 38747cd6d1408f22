"""Rendering: the template at one version, with given answers, into memory."""

from __future__ import annotations

import os
from collections.abc import Collection, Mapping
from dataclasses import dataclass
from pathlib import Path
from tempfile import TemporaryDirectory
from typing import Any

from . import template
from .answers import with_origin
from .errors import UserError


@dataclass(frozen=True)
class File:
    """A file's content, and whether it can be executed."""

    content: bytes
    executable: bool = False


def render(
    commit: str, answers: Mapping[str, Any], answers_file: str, *, asked: Collection[str] = ()
) -> dict[str, File]:
    """Render the template.

    Args:
        commit: The template's version.
        answers: Answers by question; the others take their defaults.
        answers_file: Name of the answers file.
        asked: Questions that Copier asks the user; `answers` are their defaults.

    Returns:
        Files by path, POSIX and relative to the folder they belong in.

    Raises:
        UserError: The template refused the answers.
        KeyboardInterrupt: The user left the questions.
    """
    # Half a second of imports that `--help` and errors do without.
    import copier
    from copier.errors import CopierAnswersInterrupt, CopierError

    with template.source(commit) as source, TemporaryDirectory(prefix="spinbox-") as temporary:
        target = Path(temporary)
        try:
            copier.run_copy(
                str(source),
                target,
                data={key: value for key, value in answers.items() if key not in asked},
                user_defaults={key: value for key, value in answers.items() if key in asked},
                answers_file=answers_file,
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
    answers_text = with_origin(files[answers_file].content, template.PUBLIC_URL, commit)
    return files | {answers_file: File(answers_text)}
