"""Projects whose every text is hostile: answers, and the trees rendered from them."""

from __future__ import annotations

import copy
import random
import shlex
from collections import Counter
from collections.abc import Iterator
from dataclasses import dataclass, field
from typing import Any

import yaml

from extensions.choices import CHOICES
from extensions.deployment import derive
from extensions.errors import ProjectError
from extensions.pipelines import PLATFORMS
from extensions.settings import SETTINGS
from extensions.stack import slug
from extensions.targets import LISTED
from spinbox_wrapper.render import render
from spinbox_wrapper.template import Template
from tests.parsed import Words, differences, escapes, read

# What no line holds, and no file of UTF-8.
CONTROLS = ("\t", "\n", "\r", "\0", "\x1b[31m", "\x7f", "\x85", "\u2028", "\ud800")
SHAPES = ("everything--with-deps", "python-node", "nextjs-postgresql", "profile-api-only", "node")
# What some kind of generated file takes for more than text.
FRAGMENTS = (
    *(
        "${{ github.token }}",
        "${{",
        "}}",
        "$[[ inputs.x ]]",
        "$[[",
        "$(touch PWNED)",
        "`touch PWNED`",
    ),
    *("$HOME", "${HOME}", "${A:-b}", "$$", "$", "%h", "%%", "{env.HOME}", "{$HOME}", "{{ x }}"),
    *("{% x %}", "{#", '"', "'", '"""', "'''", "\\", "\\\\", "\\n", "`", "```", "``", "|", "||"),
    *(";", "&", "&&", ">", "<", "<<EOF", "EOF", "*", "**", "?", "[", "]", "[a]", "!", "~", "^"),
    *(
        "{",
        "}",
        "{a,b}",
        "(",
        ")",
        "$(HOME)",
        "#",
        " #",
        ": ",
        ":",
        "- ",
        "-",
        "--x",
        "@",
        ",",
        "=",
    ),
    *("%", "+", "*/", "/*", "//", "<!--", "-->", "<b>", "](x)", "...", "---", " ", "  "),
    *(
        "\u00a0",
        "\ufeff",
        "\u202e",
        "é",
        "世",
        "\U0001f600",
        "null",
        "true",
        "0",
        "1e3",
        "a",
        "b",
        "touch",
        "PWNED",
    ),
)


def hostile_text(rng: random.Random) -> str:
    """A hostile text."""
    fragments = [rng.choice(FRAGMENTS) for _ in range(rng.randint(1, 5))]
    if rng.random() < 0.1:
        fragments.insert(rng.randrange(len(fragments) + 1), rng.choice(CONTROLS))
    return "".join(fragments)


# What a shape has besides, so that all of it is rendered.
MORE: dict[str, Any] = {
    "worker": "celery --app app worker",
    "scheduler": "celery --app app beat",
    "tests": "python -m pytest",
}
KINDS = {setting.key: setting.kind for setting in SETTINGS}
COMMANDS = frozenset({"command", "worker", "scheduler", "tests"})
Facts = dict[str, Any]


@dataclass
class Tried:
    """How many values were tried, and what became of them."""

    arrived: Counter[str] = field(default_factory=Counter)
    refused: Counter[str] = field(default_factory=Counter)

    @property
    def total(self) -> int:
        return self.arrived.total() + self.refused.total()


def _fields(facts: Facts) -> Iterator[tuple[str, ...]]:
    """Every text of the facts, and all that can be set by hand, by its way through the answers."""
    yield ("project", "name")
    for component, fields in facts.items():
        if component == "name":
            continue
        set_by_hand = {key.partition(".")[2] for key in KINDS if key.startswith(f"{component}.")}
        for name in sorted(set_by_hand | fields.keys()):
            if KINDS.get(f"{component}.{name}") not in {"number", "boolean"} and not isinstance(
                fields.get(name), bool | int
            ):
                yield ("project", component, name)
    yield ("output",)
    yield from ((key,) for key, choice in CHOICES.items() if isinstance(choice.default, str))


def _placed(way: tuple[str, ...], core: str, plain: str, rng: random.Random) -> tuple[Any, Any]:
    """A hostile value and the plain one in the form that the field has."""
    name = way[-1]
    if name in COMMANDS:
        form = rng.choice(["run {} end", "{} end"])
        return form.format(shlex.quote(core)), form.format(plain)
    before = "/" if name in {"paths", "health"} else ""
    if before and core.endswith(("/", "*")):
        # There, an asterisk at the end is Caddy's.
        core = plain = "a"
    if KINDS.get(".".join(way[1:])) == "list" or name in {"logins", "entries", "secret_files"}:
        after = "/" if name == "sources" and rng.random() < 0.5 else ""
        return [before + core + after], [before + plain + after]
    return before + core, before + plain


def _put(answers: Facts, way: tuple[str, ...], value: Any) -> None:
    for key in way[:-1]:
        answers = answers[key]
    answers[way[-1]] = value


def answers(facts: Facts, rng: random.Random) -> Facts:
    """Answers for everything that is generated, with what its templates need to show all."""
    made: Facts = {
        "project": copy.deepcopy(facts),
        "overrides": {},
        "output": ".",
        "targets": list(LISTED),
        "ci": list(PLATFORMS),
        "ci_deploy": True,
        "proxy": rng.choice(["caddy", "none"]),
        "secrets": rng.choice(["environment", "files"]),
    }
    for component, fields in made["project"].items():
        if component in {"fastapi", "python"}:
            fields |= MORE | {"mode": "service", "port": 8000}
        elif component in {"node", "nextjs"}:
            fields["tests"] = "test"
    return made


def _is_a_sentence(message: str) -> bool:
    return message.isprintable() and message.endswith(".") and len(message) < 700


def trial(facts: Facts, seed: int, tried: Tried) -> tuple[Facts, Facts, Words]:
    """Answers with hostile values, those with plain words, and what the words stand for."""
    rng = random.Random(seed)
    plain = answers(facts, rng)
    hostile = copy.deepcopy(plain)
    words = Words()
    for way in _fields(facts):
        core = hostile_text(rng)
        word = words.make(core)
        bad, good = _placed(way, core, word, rng)
        one = copy.deepcopy(hostile)
        _put(one, way, bad)
        try:
            derive(one)
            two = copy.deepcopy(plain)
            # Schedules and names of databases are made of the project's name: it is in both.
            _put(two, way, slug(core) if way[-1] == "name" else good)
            derive(two)
        except ProjectError as error:
            assert _is_a_sentence(str(error)), (way, core, str(error))
            tried.refused[".".join(way)] += 1
            continue
        tried.arrived[".".join(way)] += 1
        hostile, plain = one, two
    return plain, hostile, words


def rendered(template: Template, wanted: Facts) -> dict[str, str]:
    """Texts of all files by path."""
    files = render(template, template.version, wanted, ".copier-answers.yml")
    return {path: file.content.decode() for path, file in files.items()}


def check(template: Template, facts: Facts, seed: int, tried: Tried) -> list[str]:
    """Where a tree with hostile values is not the one with plain words; one line each."""
    plain, hostile, words = trial(facts, seed, tried)
    before, after = rendered(template, plain), rendered(template, hostile)
    stored = yaml.safe_load(after.pop(".copier-answers.yml"))
    before.pop(".copier-answers.yml")
    found = [] if stored["project"] == hostile["project"] else ["the answers changed"]
    before = {words.restored(path): content for path, content in before.items()}
    assert before.keys() == after.keys()
    for path, content in after.items():
        try:
            lines = differences(read(path, before[path]), read(path, content), words, escapes(path))
        except (ValueError, AssertionError, SyntaxError, yaml.YAMLError) as error:
            lines = [f"{type(error).__name__}: {error}"]
        found += [f"{seed} {path}{line}" for line in lines]
    return found
