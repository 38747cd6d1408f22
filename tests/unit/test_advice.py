"""What generated scripts and guides tell people to run is there, and takes those options."""

from __future__ import annotations

import re
from collections.abc import Iterator
from pathlib import Path

import pytest

GOLDEN = Path(__file__).resolve().parents[1] / "golden"
# A script that is named as it is called, and the words behind it.
CALL = re.compile(
    r"\bsh (deploy/[a-z/-]+\.sh)((?:\$options)?(?: +(?:\[?--?[a-z][a-z-]*|\$options))*)"
)
OPTION = re.compile(r"(?<![\w-])--[a-z][a-z-]+")
OUTPUTS = sorted(path.parent for path in GOLDEN.rglob("deploy") if path.is_dir())


@pytest.fixture(params=OUTPUTS, ids=lambda path: str(path.relative_to(GOLDEN)))
def output(request: pytest.FixtureRequest) -> Path:
    """A folder that files were generated to."""
    folder: Path = request.param
    return folder


def lines(output: Path, *patterns: str) -> Iterator[tuple[str, str]]:
    """Where each line stands, and the line; a comment's begins with `#`."""
    for path in sorted({path for pattern in patterns for path in output.glob(pattern)}):
        for number, line in enumerate(path.read_text().splitlines(), 1):
            yield f"{path.relative_to(output)}:{number}", line.strip()


def takes(script: Path) -> set[str]:
    """Options that a script knows: they stand in its patterns and in its usage."""
    return set(OPTION.findall(script.read_text()))


def has_environments(script: Path) -> bool:
    """Whether it works on the settings that `--env` names."""
    return "common.sh" in script.read_text() or script.name == "init-env.sh"


def test_every_script_that_is_named_is_there_and_knows_the_options(output: Path) -> None:
    named, wrong = set(), []
    everything = ("deploy/**/*.sh", "deploy/**/*.md", "docker-compose.prod.yml", ".env*.example")
    for place, line in lines(output, *everything):
        for script, words in CALL.findall(line):
            named.add(script)
            path = output / script
            known = {"--env", *takes(path)} if path.exists() else set()
            unknown = [o for o in OPTION.findall(words) if o not in known]
            if not path.exists() or unknown:
                wrong.append(f"{place}: {script} {unknown}")
    assert wrong == []
    assert named


def test_advice_is_for_the_environment_that_it_is_given_in(output: Path) -> None:
    """Scripts that `--env` leads elsewhere name each other with `$options`."""
    wrong = []
    for place, line in lines(output, "deploy/*.sh", "deploy/swarm/*.sh"):
        if line.startswith("#") or not has_environments(output / place.partition(":")[0]):
            continue
        for script, words in CALL.findall(line):
            if has_environments(output / script) and not re.search(r"\$options|\[--env", words):
                wrong.append(f"{place}: {line}")
    assert wrong == []


def test_compose_is_never_left_to_find_the_file_of_development(output: Path) -> None:
    named = re.compile(r"docker compose (?!version|-f( docker-compose\.prod\.yml|$))")
    patterns = ("deploy/*.sh", "deploy/swarm/*.sh", "deploy/README.md", "deploy/swarm/README.md")
    assert [
        f"{place}: {line}" for place, line in lines(output, *patterns) if named.search(line)
    ] == []
