"""The commands of a script of a shell, as words, and the functions that it defines."""

from __future__ import annotations

import re
from dataclasses import dataclass, field

_GO_ON = frozenset({"if", "then", "else", "elif", "do", "while", "until", "!", "{", "time"})
_ENDS = frozenset({"fi", "done", "}"})
_ASSIGNMENT = re.compile(r"\w+\+?=")


@dataclass
class Commands:
    """What a script would run, in the order of its text."""

    found: list[list[str]] = field(default_factory=list)
    functions: set[str] = field(default_factory=set)

    @property
    def programs(self) -> set[str]:
        """The first words, but functions and what a variable holds."""
        names = {words[0] for words in self.found}
        return {name for name in names - self.functions if not name.startswith("$")}


def commands(script: str) -> Commands:
    """Read a script in the form that generated ones have: no here-documents, no backticks."""
    result = Commands()
    _Reader(script, result).read(0, "")
    return result


class _Reader:
    def __init__(self, script: str, result: Commands) -> None:
        self.script = script
        self.result = result

    def read(self, at: int, end: str) -> int:
        """Read from `at` to the closing `end` or the end of the script; where it stopped."""
        script, word = self.script, ""
        in_word, expects = False, True
        target = False  # The next word is a file.
        case = ""  # `head` to `in`, then `pattern` or `body`.
        current: list[str] = []

        def finish() -> None:
            nonlocal word, in_word, expects, target, case, current
            if not in_word:
                return
            done, word, in_word = word, "", False
            if target:
                target = False
            elif case == "head":
                case = "pattern" if done == "in" else case
            elif case == "pattern":
                case = "" if done == "esac" else case
            elif not expects:
                current.append(done)
            elif _ASSIGNMENT.match(done) or done in _GO_ON:
                pass
            elif done == "case":
                case = "head"
            elif done == "esac":
                case = ""
                expects = False
            elif done in _ENDS or done == "for":
                current, expects = [], False
            else:
                current = [done]
                self.result.found.append(current)
                expects = False

        while at < len(script):
            c = script[at]
            if c == "\\":
                if script[at + 1] != "\n":
                    word, in_word = word + script[at + 1], True
                at += 2
            elif c == "'":
                stop = script.index("'", at + 1)
                word, in_word, at = word + script[at + 1 : stop], True, stop + 1
            elif c == '"':
                inside, at = self._double(at + 1)
                word, in_word = word + inside, True
            elif c == "$" and script[at + 1] in "({":
                at = self._expansion(at)
                word, in_word = word + "$", True
            elif c == "#" and not in_word:
                at = script.find("\n", at) if "\n" in script[at:] else len(script)
            elif c in " \t":
                finish()
                at += 1
            elif c in "<>":
                if word.isdigit():
                    word, in_word = "", False
                finish()
                target = True
                at += 1
                while script[at] in "<>&":
                    at += 1
            elif c == "(":
                if _ASSIGNMENT.fullmatch(word) or (in_word and script[at + 1] == ")"):
                    stop = script.index(")", at)
                    if not word.endswith("="):
                        self.result.functions.add(word)
                    word, in_word, at, expects = "", False, stop + 1, True
                else:
                    finish()
                    at = self.read(at + 1, ")")
            elif c == ")":
                finish()
                if case == "pattern":
                    case, expects = "body", True
                elif end == ")":
                    return at + 1
                at += 1
            elif c in ";&|\n":
                finish()
                expects = True
                if script.startswith(";;", at) and case:
                    case, at = "pattern", at + 1
                at += 1
            else:
                word, in_word, at = word + c, True, at + 1
        finish()
        return at

    def _double(self, at: int) -> tuple[str, int]:
        script, text = self.script, ""
        while script[at] != '"':
            if script[at] == "\\":
                text, at = text + script[at + 1], at + 2
            elif script[at] == "$" and script[at + 1] in "({":
                text, at = text + "$", self._expansion(at)
            else:
                text, at = text + script[at], at + 1
        return text, at + 1

    def _expansion(self, at: int) -> int:
        script = self.script
        if script.startswith("$(", at):
            return self.read(at + 2, ")")
        depth = 0
        while True:
            depth += (script[at] == "{") - (script[at] == "}")
            at += 1
            if depth == 0 and script[at - 1] == "}":
                return at
