"""What a choice is: an answer that the user gives, or that is proposed once and then kept."""

from __future__ import annotations

import re
import unicodedata
from collections.abc import Callable, Mapping
from dataclasses import dataclass, field
from typing import Any

Value = bool | str | tuple[str, ...]


def is_line(text: str) -> bool:
    """Whether any generated file can hold a text: one line, without control characters."""
    return not any(unicodedata.category(c) in {"Cc", "Cs", "Zl", "Zp"} for c in text)


@dataclass(frozen=True)
class Form:
    """What a text has to look like: the whole of it, and in words after `must be`."""

    pattern: re.Pattern[str]
    words: str


@dataclass(frozen=True)
class Retired:
    """A choice of earlier versions: what was chosen, for which target, and what is to be done."""

    value: str
    target: str
    sentence: str


@dataclass(frozen=True)
class Choice:
    """One answer of the answers file, and everything that is said of it.

    Attributes:
        key: Its name there, in `copier.yml` and for `--set`.
        question: What Copier asks; empty for one that is never asked.
        default: What holds where nobody chooses; its type is the answer's.
        values: What can be chosen, by value its label; empty for anything of that type.
        form: What a text has to look like; an empty one is always taken.
        when: Jinja's condition under which there is such an answer; empty for always.
        asked: Jinja's condition under which Copier asks for it; empty for always. The answer is
            there all the same.
        computed: Gives the default, where that depends on the answers before it.
        proposed: The project's folder says the default (`pipeline.propose`, `env_example.propose`).
        setting: What `--set` does with it, for the README's table; empty where it does not take it.
    """

    key: str
    question: str
    default: Value
    values: Mapping[str, str] = field(default_factory=dict)
    form: Form | None = None
    when: str = ""
    asked: str = ""
    computed: Callable[[Mapping[str, Any]], Value] | None = None
    proposed: bool = False
    setting: str = ""

    @property
    def kind(self) -> str:
        """The values that it takes: `text`, `boolean`, `list`, or words joined by `|`."""
        if isinstance(self.default, bool):
            return "boolean"
        if isinstance(self.default, tuple):
            return "list"
        return "|".join(self.values) or "text"

    @property
    def type(self) -> type:
        """The type of a stored answer."""
        return list if isinstance(self.default, tuple) else type(self.default)

    def default_for(self, answers: Mapping[str, Any]) -> Any:
        """The default beside the answers before it, as JSON has it."""
        value = self.computed(answers) if self.computed else self.default
        return list(value) if isinstance(value, tuple) else value
