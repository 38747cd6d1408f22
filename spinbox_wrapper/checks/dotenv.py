"""Settings files as Docker Compose and Kustomize read them; parsed, never run."""

from __future__ import annotations

import re

# docs.docker.com/compose/how-tos/environment-variables/variable-interpolation, "Env-file syntax".
_LINE = re.compile(
    r"""^[ \t]*(?:export[ \t]+)?(?P<name>[A-Za-z_][\w.-]*)[ \t]*[=:][ \t]*
    (?: '(?P<single>(?:\\'|[^'])*)'
      | "(?P<double>(?:\\.|[^"\\])*)"
      | (?P<plain>[^\n]*) )""",
    re.MULTILINE | re.VERBOSE | re.DOTALL,
)
_ESCAPES = {"n": "\n", "r": "\r", "t": "\t"}


def parse_env(text: str) -> dict[str, str]:
    """The variables that a file sets, by name; the last of several counts.

    A reference to another variable (`${NAME}`) stays as it is written.
    """
    values = {}
    for match in _LINE.finditer(text.replace("\r\n", "\n")):
        if match["single"] is not None:
            value = match["single"].replace("\\'", "'")
        elif match["double"] is not None:
            value = re.sub(r"\\(.)", lambda m: _ESCAPES.get(m[1], m[1]), match["double"])
        else:
            value = re.sub(r"(^|\s)#.*", "", match["plain"]).strip()
        values[match["name"]] = value
    return values


def parse_lines(text: str) -> dict[str, str]:
    """The variables of a file that Kustomize reads: values stand as they are, quotes too.

    kubectl.docs.kubernetes.io, "configMapGenerator".
    """
    lines = (line.lstrip() for line in text.splitlines())
    pairs = (line.partition("=")[::2] for line in lines if "=" in line and not line.startswith("#"))
    return dict(pairs)
