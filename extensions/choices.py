"""All choices in one table: `copier.yml`, `--set`, options, the answers' check and the README.

The targets and the CI platforms bring their own.
"""

from __future__ import annotations

import re
from collections.abc import Iterator, Mapping, Sequence
from dataclasses import replace
from typing import Any

from .choice import Choice, Form, Retired, is_line
from .env_example import CHOICE as ENV_EXAMPLE
from .errors import ProjectError, shown
from .pipelines import PLATFORMS
from .proxies import PROXIES
from .runtimes import RUNTIMES
from .targets import LISTED, TARGETS
from .tree import is_folder_inside

UPLOADS = Form(re.compile(r"(/[A-Za-z0-9_.-]+)+"), "an absolute path such as /app/uploads")
_FOLDER = Form(
    re.compile(r"(?!.*\.\.)[\w.][\w./-]*"),
    "a path of letters, digits, dots, dashes and slashes: rename that folder",
)
# What Caddy takes between double quotes as it stands.
_HEADER = Form(
    re.compile(r"""[^"`\\{}\x00-\x1f\x7f]+"""), "one line without double quotes and braces"
)
_WITH_CI = "ci | length > 0"
# Where `stack` is not known, as while Copier reads the questions, all are asked.
_KEEPS_RUNNING = "stack is not defined or stack.rolled | length > 0"


def _all() -> Iterator[Choice]:
    yield Choice(
        "runtime",
        "Which apps should run in production?",
        "auto",
        values={"auto": "All of them"} | {r.name: f"{r.title} only" for r in RUNTIMES.values()},
        asked="languages | length > 1",
    )
    yield Choice("compose", "Should docker-compose.prod.yml be generated, for one server?", True)
    yield Choice(
        "proxy",
        "What stands in front of the apps?",
        "caddy",
        values={proxy.name: proxy.label for proxy in PROXIES.values()},
        asked="stack is not defined or stack.web_apps | length > 0",
        setting="What stands in front of the apps",
    )
    with_caddy = "proxy == 'caddy'"
    yield Choice(
        "api_docs",
        "",
        True,
        when=with_caddy,
        setting="Caddy passes on requests for FastAPI's documentation",
    )
    yield Choice(
        "csp",
        "",
        "",
        form=_HEADER,
        when=with_caddy,
        setting="Content-Security-Policy that Caddy adds where the app sends none",
    )
    yield Choice(
        "permissions_policy",
        "",
        "",
        form=_HEADER,
        when=with_caddy,
        setting="Permissions-Policy that Caddy adds where the app sends none",
    )
    yield Choice(
        "secrets",
        "How do containers on one server get their secrets?",
        "environment",
        values={
            "environment": "As environment variables, which docker inspect shows",
            "files": "As files in /run/secrets",
        },
        when="compose",
        asked=_KEEPS_RUNNING,
        setting="How containers on one server get their secrets",
    )
    yield Choice(
        "uploads",
        "In which folder of the container are uploaded files kept (empty for none)?",
        "",
        form=UPLOADS,
        setting="Folder of the container whose files are kept in a volume",
    )
    yield Choice(
        "gpu",
        "Does the app need the server's NVIDIA GPUs?",
        False,
        asked="'python' in languages",
        setting="The app gets the server's NVIDIA GPUs",
    )
    yield ENV_EXAMPLE
    yield Choice(
        "targets",
        "Where else should it run than on one server?",
        (),
        values={name: TARGETS[name].title for name in LISTED},
    )
    for target in TARGETS.values():
        yield from (replace(c, when=f"'{target.name}' in targets") for c in target.choices)
    yield Choice(
        "ci",
        "Which CI platforms should test, build and scan the images?",
        (),
        values={platform.name: platform.title for platform in PLATFORMS.values()},
    )
    yield Choice(
        "ci_test",
        "Should the pipeline run the apps' tests?",
        True,
        when=_WITH_CI,
        asked="stack is not defined or stack.apps | selectattr('tests') | list | length > 0",
    )
    yield Choice(
        "ci_registry",
        "Where are images pushed, as in docker.io/NAME (empty for the platform's own registry)?",
        "",
        when=_WITH_CI,
    )
    yield Choice(
        "ci_deploy",
        "Should the pipeline deploy the images to your server, over SSH?",
        False,
        when=f"{_WITH_CI} and compose",
        asked=_KEEPS_RUNNING,
    )
    yield Choice(
        "ci_staging",
        "To a staging environment first?",
        True,
        when=f"{_WITH_CI} and ci_deploy",
        asked=_KEEPS_RUNNING,
        setting="Pipelines deploy to a staging environment first",
    )
    yield Choice(
        "ci_arm64",
        "Is the server's processor an arm64 one?",
        False,
        when=_WITH_CI,
        setting="Pipelines build for arm64 instead of amd64",
    )
    yield Choice(
        "ci_multiarch",
        "",
        False,
        when=_WITH_CI,
        setting="Pipelines build for both, amd64 and arm64, each on a runner of its own",
    )
    from_repository = [name for name, target in TARGETS.items() if target.from_repository]
    yield Choice(
        "ci_folder",
        "",
        "",
        form=_FOLDER,
        when=" or ".join([_WITH_CI, *(f"'{name}' in targets" for name in from_repository)]),
        proposed=True,
    )
    for platform in PLATFORMS.values():
        yield from (replace(c, when=f"'{platform.name}' in ci") for c in platform.choices)


CHOICES: dict[str, Choice] = {choice.key: choice for choice in _all()}
# Set by the command line, not chosen: their types.
_OTHERS: dict[str, type] = {"project": dict, "overrides": dict, "output": str}
# Those that Copier asks.
QUESTIONS = frozenset(key for key, choice in CHOICES.items() if choice.question)
# Every answer.
KEYS = (*_OTHERS, *CHOICES)
# Choices of earlier versions, which still load where they are stored.
RETIRED = {
    "railway_config": Retired(
        "json",
        "railway",
        "railway_config is gone: Railway reads railway.json no longer since 2026-12-01, but "
        '.railway/railway.ts: clear the setting "Config file" of each service there, then run '
        "railway config apply.",
    ),
}


def complete(answers: Mapping[str, Any]) -> dict[str, Any]:
    """The answers that a deployment is derived from: all of them, with defaults, nothing else.

    Args:
        answers: As they are stored, or as far as Copier has them; None is no answer.

    Raises:
        ProjectError: One has another type, value or form than its choice.
    """
    found: dict[str, Any] = {
        "project": answers.get("project"),
        "overrides": answers.get("overrides") or {},
        "output": answers.get("output") or ".",
    }
    if not is_folder_inside(str(found["output"])):
        raise ProjectError(
            f"output must be a folder inside the project, of letters, digits, dashes and dots, not "
            f"{shown(found['output'])}."
        )
    for key, choice in CHOICES.items():
        value = answers.get(key)
        # An empty text is no answer.
        if value is None or value == "":
            found[key] = choice.default_for(found)
        else:
            check_type(key, value)
            check(key, value)
            found[key] = value
    return found


def retired(stored: Mapping[str, Any], targets: Sequence[str]) -> list[str]:
    """What is to be done for choices that are gone, one sentence each.

    Args:
        stored: The answers as they are stored.
        targets: Those of the present ones.
    """
    return [
        choice.sentence
        for key, choice in RETIRED.items()
        if stored.get(key) == choice.value and choice.target in targets
    ]


def check_type(key: str, value: Any) -> None:
    """Look at the type of an answer, which may have been written by hand.

    Raises:
        ProjectError: It is another one than its choice has.
    """
    choice = CHOICES.get(key)
    wanted = choice.type if choice else _OTHERS.get(key, object)
    if not isinstance(value, wanted):
        words = {bool: "true or false", list: "a list", dict: "a mapping", str: "a text"}
        raise ProjectError(f"{key} must be {words[wanted]}, not {shown(value)}.")
    if isinstance(value, list) and not all(isinstance(one, str) for one in value):
        raise ProjectError(f"{key} must be a list of texts, not {shown(value)}.")


def check(key: str, value: Any) -> None:
    """Look at an answer of the right type: is it one that can be chosen?

    Raises:
        ProjectError: It has another value or form than its choice.
    """
    choice = CHOICES[key]
    values: list[Any] = value if isinstance(value, list) else [value]
    for one in values if choice.values else ():
        if not isinstance(one, str) or one not in choice.values:
            raise ProjectError(f"{key} must be {' or '.join(choice.values)}, not {shown(one)}.")
    if not all(is_line(one) for one in values if isinstance(one, str)):
        raise ProjectError(
            f"{key} must be one line without control characters, not {shown(value)}."
        )
    if choice.form and not choice.form.pattern.fullmatch(str(value)):
        raise ProjectError(f"{key} must be {choice.form.words}, not {shown(value)}.")
