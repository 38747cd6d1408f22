"""Servers that listen on the container's loopback alone, where no proxy reaches them."""

from __future__ import annotations

import re
from collections.abc import Iterator, Sequence

from .. import javascript, node_scripts
from ..apps import FRAMEWORKS
from ..finding import Finding, where
from ..javascript import Script
from ..model import App
from ..subject import Subject

IDS = {"start.listening": "Servers listen on the container's own address, where the proxy asks"}
_RULE = "start.listening"

_LOCAL = re.compile(r"^[\"'`]?(localhost|127\.0\.0\.1|::1|\[::1\])[\"'`]?$")
_OPEN = re.compile(r"0\.0\.0\.0|[\"'`]::[\"'`]|true")
# What the image sets (HOSTNAME=0.0.0.0): what falls back behind it is not used.
_SET = re.compile(r"env\.(HOSTNAME)\b|env\[[\"']HOSTNAME[\"']\]")
# The option of each program that says where it listens, and where it does without.
_OPTIONS = {
    "next": (("-H", "--hostname"), None),
    "vite": (("--host",), "localhost"),
    "uvicorn": (("--host",), "127.0.0.1"),
    # Without, it takes PORT's on every address.
    "gunicorn": (("-b", "--bind"), None),
    "hypercorn": (("-b", "--bind"), "127.0.0.1"),
    "granian": (("--host",), "127.0.0.1"),
    "daphne": (("-b", "--bind"), "127.0.0.1"),
    "flask": (("-h", "--host"), "127.0.0.1"),
    "fastapi": (("--host",), None),
    "http-server": (("-a",), None),
    "serve": (("-l", "--listen"), None),
    "json-server": (("--host", "-H"), "localhost"),
    "nuxt": (("--host",), None),
    "astro": (("--host",), "localhost"),
}


def find(subject: Subject) -> Iterator[Finding]:
    """What the code, and the command that starts it, say of the address."""
    for app in subject.stack.apps:
        if not app.port or app.job:
            continue
        yield from _commands(subject, app)
        if app.runtime.name == "node" and app.kind == "node":
            yield from _node(subject, app)


def _told(path: str, line: int | None, what: str, mend: str, *, certain: bool = True) -> Finding:
    seen = (
        f"{where(path, line)}: {what} listens on localhost alone, inside its container: "
        "the proxy and the health check do not reach it."
    )
    return Finding(_RULE, certain, seen, mend, path, line)


# --- The command ---------------------------------------------------------------------------------


def _commands(subject: Subject, app: App) -> Iterator[Finding]:
    run = [app.command]
    path = line = None
    if app.runtime.name == "node":
        package = subject.package(app)
        if name := node_scripts.script_of(app.command):
            run = [command.words for command in node_scripts.commands(package, name)]
            path, line = package.path, package.lines.get(("scripts", name))
    for words in run:
        if (found := _local_option(words)) is None:
            continue
        program, option = found
        mend = f"Write {option} 0.0.0.0 in that command."
        if path is None:
            command = " ".join(words)
            seen = (
                f"`{command}` listens on localhost alone, inside its container: the proxy and the "
                "health check do not reach it."
            )
            yield Finding(_RULE, True, seen, mend)
        else:
            yield _told(path, line, program, mend)


def _local_option(words: Sequence[str]) -> tuple[str, str] | None:
    """The program that a command starts on localhost, and the option that says where."""
    for place, word in enumerate(words):
        program = word.rpartition("/")[2]
        if program not in _OPTIONS:
            continue
        options, default = _OPTIONS[program]
        rest = list(words[place + 1 :])
        if program in {"vite", "astro"} and not {"preview", "dev", "serve"} & set(rest):
            return None
        if program == "flask" and "run" not in rest:
            return None
        values = [
            value
            for option in options
            for at, other in enumerate(rest)
            for value in _values(option, other, rest[at + 1 : at + 2])
        ]
        if not values:
            return (program, options[-1]) if default else None
        local = all(_LOCAL.match(re.sub(r"^(tcp|http)://|:\d+$", "", value)) for value in values)
        return (program, options[-1]) if local else None
    return None


def _values(option: str, word: str, following: Sequence[str]) -> list[str]:
    if word == option:
        # `vite --host` alone is every address.
        value = following[0] if following and not following[0].startswith("-") else "0.0.0.0"
        return [value]
    return [word.partition("=")[2]] if word.startswith(option + "=") else []


# --- Node ----------------------------------------------------------------------------------------


def _node(subject: Subject, app: App) -> Iterator[Finding]:
    tree = subject.tree
    loaded = javascript.reachable(
        tree, app.directory, FRAMEWORKS[app.kind].entries(tree, app.directory)
    )
    scripts = [s for s in javascript.scripts(tree, app.directory) if s.path in loaded]
    depends = "fastify" in subject.package(app).table("dependencies")
    calls = [
        (script, place, local)
        for script in scripts
        if "listen" in script.text or "serve" in script.text
        for place, local in _listens(script, depends)
    ]
    # One of several may be for the container alone: metrics, a debugger.
    certain = all(local for _, _, local in calls)
    for script, place, local in calls:
        if local:
            line = script.line(place)
            what, mend = local
            yield _told(script.path, line, what, mend, certain=certain)


def _listens(script: Script, depends: bool) -> Iterator[tuple[int, tuple[str, str] | None]]:
    """Each call that listens, and what is told of one that does so on localhost."""
    for place in script.finds("listen", "("):
        if script.tokens[place - 1].text not in {".", "?."}:
            continue
        arguments = list(script.items(place + 1))
        fastify = _is_fastify(script, script.tokens[place - 2].text, arguments, depends)
        name = "Fastify" if fastify else "the server"
        host = _host(script, arguments)
        if host == "":
            call = "listen({ port, host: '0.0.0.0' })"
            mend = f"Write {script.tokens[place - 2].text}.{call} there."
            if fastify == "nest":
                mend = "Write app.listen(port, '0.0.0.0') there."
            yield place, (name, mend) if fastify else None
        elif host is not None:
            yield place, (name, f"Write '0.0.0.0' in place of {host} there.")
        elif arguments:
            yield place, None
    for place in script.finds("serve", "(", "{"):
        fields = dict(script.fields(place + 2))
        local = "hostname" in fields and _local_value(script, fields["hostname"])
        yield (
            place,
            ("the server", f"Write '0.0.0.0' in place of {local} there.") if local else None,
        )


def _host(script: Script, arguments: list[range]) -> str | None:
    """The local address that is listened on, empty where none is named, None where it is open."""
    if not arguments:
        return None
    first = arguments[0]
    opening = first.start
    if script.tokens[opening].kind == "name" and len(first) == 1:
        named = next(
            (at + 2 for at in script.finds(script.tokens[opening].text, "=") if at < opening), None
        )
        if named is not None and script.tokens[named].text == "{":
            opening = named
        elif named is None and len(arguments) == 1:
            # What it is, nothing here says: a port, or options.
            return "" if re.search("port", script.tokens[opening].text, re.IGNORECASE) else None
    if script.tokens[opening].text == "{":
        if "..." in script.texts(script.inside(opening)):
            return None
        fields = dict(script.fields(opening))
        if "path" in fields:
            return None
        given = next((fields[key] for key in ("host", "hostname") if key in fields), None)
        if given is None:
            return ""
        return _local_value(script, given)
    if len(arguments) > 1 and not _is_callback(script, arguments[1]):
        return _local_value(script, arguments[1])
    return ""


def _is_callback(script: Script, argument: range) -> bool:
    texts = script.texts(argument)
    return (
        "=>" in texts
        or "function" in texts
        or (
            len(argument) == 1
            and script.tokens[argument.start].kind == "name"
            and re.search(r"^(on|cb|callback|handle|done|log)", texts[0], re.IGNORECASE) is not None
        )
    )


def _local_value(script: Script, value: range) -> str | None:
    """The address that a value is in the container, where that is a local one."""
    text = "".join(script.texts(value))
    if len(value) == 1 and script.tokens[value.start].kind == "name":
        at = next((p for p in script.finds(text, "=")), None)
        if at is None:
            return None
        end = at + 2
        while script.tokens[end].text not in {";", ""} and not (
            end > at + 2 and script.line(end) > script.line(end - 1)
        ):
            end += 1
        value = range(at + 2, end)
        text = "".join(script.texts(value))
    if _OPEN.search(text) or _SET.search(text) or "?" in text.replace("??", "").replace("?.", ""):
        return None
    last = script.tokens[value.stop - 1].text if value else ""
    return last if _LOCAL.match(last) else None


def _is_fastify(script: Script, receiver: str, arguments: list[range], depends: bool) -> str:
    """Whether Fastify listens, on localhost where nothing else is said, or Nest with it."""
    if "FastifyAdapter" in script.text:
        return "nest"
    if not depends or "createServer" in script.text:
        return ""
    made = rf"\b{re.escape(receiver)}\b[^=;\n]*=[^;\n]*?(?:\b[Ff]astify\b|require\(['\"]fastify)"
    # It may be made elsewhere: no other server takes its port in an object.
    is_object = bool(arguments) and script.tokens[arguments[0].start].text == "{"
    named = receiver == "fastify" or re.search(made, script.text)
    return "fastify" if named or is_object else ""
