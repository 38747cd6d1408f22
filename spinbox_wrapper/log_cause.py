"""Why a container does not start: what its log says, in one sentence. Text in, text out."""

from __future__ import annotations

import re
from collections.abc import Callable

from .derivation import python_distributions

# What Compose and BuildKit put before each line of a log.
_PREFIX = re.compile(r"^(?:[\w.-]+-\d+ +\| ?|#\d+ \d+\.\d+ )", re.MULTILINE)
_COLOUR = re.compile(r"\x1b\[[\d;]*m")
# What libraries ask for when a feature of theirs is used.
_OPTIONAL = ("python-multipart", "email-validator", "greenlet")
_LOCAL = r"(?:localhost|127\.0\.0\.1|\[?::1\]?)"
_MISSING_FIELD = re.compile(
    r"^(\w[\w.]*)\n[ \t]+[Ff]ield required(?: \[type=missing| \(type=value_error\.missing)",
    re.MULTILINE,
)


def find(log: str) -> str | None:
    """The cause that a log names, where it is one of the known kinds.

    Args:
        log: The end of the log, with or without the prefixes of Docker Compose.

    Returns:
        One sentence, which says what to do as well; None for anything else.
    """
    text = _PREFIX.sub("", _COLOUR.sub("", log.replace("\r\n", "\n")))
    for pattern, say in _KINDS:
        # A traceback's last line counts, and of several starts the last.
        matches = list(pattern.finditer(text))
        if matches:
            return say(matches[-1], text)
    return None


def _fields(match: re.Match[str], text: str) -> str:
    names = list(dict.fromkeys(name.upper() for name in _MISSING_FIELD.findall(text)))
    listed, them = ", ".join(names[:5]), "it" if len(names) == 1 else "them"
    return f"The app's settings demand {listed}, and nothing sets {them}: set {them} in .env."


def _variable(match: re.Match[str], text: str) -> str:
    return f"The app reads {match[1]}, and nothing sets it: set it in .env."


def _module(match: re.Match[str], text: str) -> str:
    packages = python_distributions.IMPORTS.get(match[1].partition(".")[0])
    if packages:
        return f"Python finds no module {match[1]}: add {packages[0]} to the dependencies."
    return (
        f"Python finds no module {match[1]}: add its package to the dependencies, or its folder "
        "to the image."
    )


def _optional(match: re.Match[str], text: str) -> str:
    said = match[0]
    package = next((name for name in _OPTIONAL if name in said), "jinja2")
    return f"The app uses a feature that needs {package}: add it to the dependencies."


def _node_module(match: re.Match[str], text: str) -> str:
    name = match[1] or match[2]
    if name.startswith(("/", ".")):
        return f"Node finds no file {name}: it is not in the image, or was not built."
    return (
        f"Node finds no package {name}: it has to be among the dependencies, not devDependencies."
    )


def _unwritable(match: re.Match[str], text: str) -> str:
    path = next((group for group in match.groups() if group), "")
    return (
        f"The app writes {path or 'a file'}, where its container is read-only: let it write to "
        "/tmp, or to a volume, as with --set APP.volumes=FOLDER."
    )


def _refused(match: re.Match[str], text: str) -> str:
    port = next((group for group in match.groups() if group), "")
    at = f"localhost:{port}" if port else "localhost"
    return (
        f"The app connects to {at}, where nothing listens in its container: let it read the "
        "address that the stack sets."
    )


def _always(sentence: str) -> Callable[[re.Match[str], str], str]:
    return lambda match, text: sentence.format(*(group or "" for group in match.groups()))


# By what is told apart best: a message that others contain comes after those.
_KINDS: tuple[tuple[re.Pattern[str], Callable[[re.Match[str], str], str]], ...] = tuple(
    (re.compile(pattern, re.MULTILINE), say)
    for pattern, say in (
        (
            r"exec format error",
            _always(
                "The image was built for another kind of processor: build it on this machine, or "
                "for its platform."
            ),
        ),
        (
            r"(lib[\w.+-]+\.so[\d.]*): cannot open shared object file"
            r"|Error loading shared library (lib[\w.+-]+\.so[\d.]*)",
            _always(
                "The image lacks the system library {0}{1}: install its package in the Dockerfile."
            ),
        ),
        (
            r"Prisma Client could not locate the Query Engine"
            r"|@prisma/client did not initialize yet"
            r"|Query engine library for current platform .* could not be found",
            _always(
                "Prisma's engine is not in the image: run prisma generate when it is built, with "
                "the image's platform in binaryTargets of the schema."
            ),
        ),
        (
            r"Form data requires \"python-multipart\"|email-validator is not installed"
            r"|jinja2 must be installed to use|No module named 'greenlet'"
            r"|the greenlet library is required",
            _optional,
        ),
        (
            r"NOAUTH Authentication required|AuthenticationError: Authentication required",
            _always(
                "The app gives Redis no password, which it has: let it give REDIS_PASSWORD, or run "
                "Redis without one, with --set redis.password=off."
            ),
        ),
        (
            r"called without any password configured for the default user",
            _always(
                "The app gives Redis a password, which it has none of: take it out of the app's "
                "settings, or of the project's with --set redis.password=."
            ),
        ),
        (
            r"Invalid HTTP_HOST header: '([^']+)'|DisallowedHost",
            _always(
                "The app refuses requests for {0}: add the domain, DOMAIN in .env, to its allowed "
                "hosts."
            ),
        ),
        (r"ModuleNotFoundError: No module named '([^']+)'", _module),
        (
            r"Cannot find module '([^'\n]+)'|Cannot find package '([^'\n]+)'",
            _node_module,
        ),
        (_MISSING_FIELD.pattern, _fields),
        # As `os.environ[...]` raises it, and not any dictionary.
        (
            r"(?:os\.environ\[|(?:<frozen os>|/os\.py)\", line \d+, in __getitem__).*"
            r"(?:\n.*){0,6}?\nKeyError: '([A-Za-z_]\w*)'",
            _variable,
        ),
        (
            r"Read-only file system: '([^'\n]+)'|EROFS: read-only file system, \w+ '([^'\n]+)'"
            r"|(?:can't|cannot) create [^\n]*?'?([^'\s:]*)'?: Read-only file system"
            r"|EROFS|Read-only file system|attempt to write a readonly database"
            r"|unable to open database file",
            _unwritable,
        ),
        (
            r"PermissionError: \[Errno 13\] Permission denied: '([^'\n]+)'"
            r"|EACCES: permission denied, \w+ '([^'\n]+)'",
            _unwritable,
        ),
        (
            r"(?:exec:? \"?|/)([\w./-]+)\"?: [Pp]ermission denied",
            _always("{0} cannot be run by the container's user: git update-index --chmod=+x it."),
        ),
        (
            r"EADDRINUSE|[Aa]ddress already in use",
            _always(
                "Two servers want the same port in one container: the app starts a second one, or "
                "starts it twice."
            ),
        ),
        (
            rf"ECONNREFUSED {_LOCAL}:(\d+)"
            rf"|Connect call failed \('{_LOCAL}', (\d+)"
            rf"|connecting to {_LOCAL}:(\d+)\. (?:Multiple exceptions|Connection refused)"
            rf"|connection to server at \"{_LOCAL}\".*, port (\d+) failed: Connection refused"
            rf"|{_LOCAL}:(\d+): \[Errno 111\] Connection refused",
            _refused,
        ),
        (
            r"exec:? \"?([^\s\":]+)\"?: (?:executable file not found|not found)"
            r"|(?:sh|bash)(?:: line)?(?:: \d+)?: ([\w./-]+): (?:command )?not found",
            _always(
                "The program {0}{1} is not in the image: it has to be installed by a dependency "
                "that production has, too."
            ),
        ),
        (
            r"exec:? ([^\s\":]+): no such file or directory|env: can't execute '([^']+)\r?'",
            _always(
                "{0}{1} cannot be run: it is missing, or its first line names an interpreter that "
                "is, as with line ends of Windows."
            ),
        ),
        (
            r"No such file or directory: '([^'\n]+)'"
            r"|ENOENT: no such file or directory, \w+ '([^'\n]+)'",
            _always("The app reads {0}{1}, which is not in the image: see its .dockerignore."),
        ),
    )
)
