"""Environment variables that an app's code reads, told by its syntax: one module per language.

A module has `reads(tree, folder, …)`: the project's files and the app's folder -> the `Read`s of
its code, each place once, in the order of files and lines. Nothing is run or imported.
"""

from __future__ import annotations

import re
from dataclasses import dataclass


@dataclass(frozen=True)
class Read:
    """One place where code reads an environment variable.

    Attributes:
        name: The variable, as the environment has it.
        path: The file, relative to the project's top folder.
        line: The line in that file, counted from 1.
        required: The app does not start without it: it is read without a default while the entry
            is loaded.
        default: The text that holds where it is not set; None where there is none, or it is not
            a constant.
    """

    name: str
    path: str
    line: int
    required: bool
    default: str | None = None


# What the system, the language, the container or the platform sets, or tools alone are told by.
_GIVEN = re.compile(
    r"PATH|HOME|USER|LOGNAME|SHELL|PWD|OLDPWD|TERM|LANG|LANGUAGE|LC_\w+|TMPDIR|TEMP|TMP|HOSTNAME|HOST"
    r"|PORT|CI|DISPLAY|EDITOR|COLUMNS|LINES|NO_COLOR|FORCE_COLOR|XDG_\w+|APPDATA|LOCALAPPDATA"
    r"|USERPROFILE|COMPUTERNAME|SYSTEMROOT|PYTHON\w*|VIRTUAL_ENV|CONDA_\w+|PYTEST_\w+|UV_\w+"
    r"|NODE_ENV|NODE_OPTIONS|NODE_PATH|npm_\w+|INIT_CWD|NEXT_(?!PUBLIC_)\w+|JEST_\w+|VITEST\w*"
    r"|GITHUB_(ACTIONS?|SHA|REF|REF_NAME|RUN_ID|RUN_NUMBER|REPOSITORY|WORKSPACE|EVENT_NAME|ACTOR)"
    r"|GITLAB_CI|CI_\w+|KUBERNETES_\w+|VERCEL\w*|NETLIFY\w*|RAILWAY_\w+|RENDER(_\w+)?|FLY_\w+|DYNO"
    r"|HEROKU_\w+|K_SERVICE|K_REVISION|GAE_\w+|AWS_LAMBDA_\w+|AWS_EXECUTION_ENV|CODESPACES?"
    r"|WEB_CONCURRENCY|FORWARDED_ALLOW_IPS|TZ|__NEXT_\w+|ANALYZE|SKIP_ENV_VALIDATION"
)


def is_given(name: str) -> bool:
    """Whether the system or a platform sets a variable, so that it is no setting of the app's."""
    return _GIVEN.fullmatch(name) is not None
