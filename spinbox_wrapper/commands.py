"""The commands of a shell script, one by one."""

from __future__ import annotations

import re
from collections.abc import Iterator


def split_commands(script: str) -> Iterator[str]:
    """The commands of a script; continued lines, here-documents and loops stay together.

    Comments between them are left out.
    """
    command: list[str] = []
    depth = 0
    end = None
    for line in script.splitlines():
        words = line.split()
        if not command and (not words or words[0].startswith("#")):
            continue
        command.append(line)
        if end is not None:
            end = None if words == [end] else end
        elif heredoc := re.search(r"<<-?\s*['\"]?(\w+)['\"]?", line):
            end = heredoc[1]
        elif words:
            depth += words[0] in {"for", "while", "until", "if", "case"}
            depth -= words[0] in {"done", "fi", "esac"}
        if end is None and depth == 0 and not line.endswith("\\"):
            yield "\n".join(command)
            command = []
    if command:
        yield "\n".join(command)
