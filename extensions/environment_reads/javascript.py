"""What JavaScript, TypeScript and Prisma's schema read of the environment."""

from __future__ import annotations

import re
from collections.abc import Callable, Collection, Iterator
from dataclasses import replace

from .. import javascript
from ..javascript import Function, Script
from ..origins import line_at
from ..tree import Tree
from . import Read, is_given

# Of import.meta.env; elsewhere these are names as any other.
_BUNDLERS_OWN = frozenset({"MODE", "DEV", "PROD", "SSR", "BASE_URL"})
_NAME = re.compile(r"[A-Za-z_]\w*")
_CONFIG_NAME = re.compile(r"[A-Z][A-Z0-9_]*")
_WITHOUT_VALUE = frozenset(
    {"optional", "nullish", "default", "catch", "prefault", "any", "unknown"}
)
_MENTIONS = re.compile(r"\.env\b|ConfigService|validationSchema|env-var")
_PRISMA_ENV = re.compile(r"""(\w+)\s*=\s*env\(\s*["'](\w+)["']\s*\)""")
_IN_PRODUCTION = re.compile(
    r"""NODE_ENV===?["']production["']|NODE_ENV!==?["'](test|development)["']"""
)
# Only Prisma's own commands of development connect to that.
_PRISMA_OPTIONAL = frozenset({"shadowDatabaseUrl"})


# What a field of a schema says: whether it has to be there, and its default.
_Rule = Callable[[Script, range], tuple[bool, str | None]]


def reads(tree: Tree, folder: str, entries: Collection[str] = ()) -> list[Read]:
    """What the code in a folder reads, in the order of files and lines.

    Args:
        tree: The project's files.
        folder: The app's.
        entries: The files that the app begins with. What no file loads that they load is read
            when it is needed, so it is not required.
    """
    found = tree.kept.get(("environment of javascript", folder))
    if found is None:
        found = tree.kept[("environment of javascript", folder)] = _all(tree, folder)
    if not any(read.required for read in found):
        return list(found)
    loaded = javascript.reachable(tree, folder, list(entries))
    return [
        read
        if read.path in loaded or read.path.endswith(".prisma")
        else replace(read, required=False)
        for read in found
    ]


def loaded_reads(tree: Tree, folder: str, entries: Collection[str]) -> list[Read]:
    """Those without which the files fail that these entries load, in the same order."""
    loaded = javascript.reachable(tree, folder, list(entries))
    return [r for r in reads(tree, folder, entries) if r.required and r.path in loaded]


def _all(tree: Tree, folder: str) -> list[Read]:
    """Everything; required where the module fails that is loaded."""
    scripts = [
        script for script in javascript.scripts(tree, folder) if _MENTIONS.search(script.text)
    ]
    getters: dict[str, bool] = {}
    for script in scripts:
        if _BY_NAME.search(script.text):
            getters |= _getters(script)
    found: dict[tuple[str, str, int], Read] = {}
    for script in scripts:
        quick = _plain(script)
        if quick is None:
            quick = [*_direct(script), *_schemas(script), *_config(script)]
        for read in quick:
            _keep(found, read)
    if getters:
        named = re.compile(r"\b(" + "|".join(map(re.escape, getters)) + r")\b")
        for script in javascript.scripts(tree, folder):
            if named.search(script.text):
                for read in _calls(script, getters):
                    _keep(found, read)
    # Only a client connects: a schema alone is read by nothing that runs.
    client = any("PrismaClient" in script.text for script in javascript.scripts(tree, folder))
    for path in tree.below(folder, ".prisma"):
        for read in _prisma(path, tree.read(path)):
            _keep(found, read if client else replace(read, required=False))
    return sorted(found.values(), key=lambda read: (read.path, read.line, read.name))


_BY_NAME = re.compile(r"\.env\s*(?:\?\.)?\s*\[")
# Most files only read a variable by its name: that is told without their tokens.
_PLAIN = re.compile(
    r"""//[^\n]*|/\*.*?\*/|"(?:[^"\\\n]|\\.)*"|'(?:[^'\\\n]|\\.)*'|`(?:[^`\\]|\\.)*`"""
    r"""|(?P<at>(?:process|import\.meta)\.env)\b(?P<name>\??\.\s*[A-Za-z_]\w*)?"""
    r"""(?P<use>\s*(?:\?\?|\|\||!|=)[=]?\s*(?:"(?P<one>[^"\\\n]*)"|'(?P<two>[^'\\\n]*)')?)?""",
    re.DOTALL,
)
# With these it takes more, as with what may be a regular expression, or text of JSX.
_NOT_PLAIN = (
    "throw", "exit(", "assert", "invariant", "ok(", "arse(", "arseAsync(", "validat", "Env(",
    "env-var", "ConfigService", "Bun.env", "delete ", "env[", "env?.[",
)  # fmt: skip
# Each begins with what is searched for fast.
_UNCLEAR = re.compile(r"'(?<=\w')\w|/(?<=[=(,:!&|?{;]/)(?![/*>])|/(?<=[=(,:!&|?{;] /)(?![/*>])")
_IN_TEMPLATE = re.compile(r"\$\{[^}]*\benv\b")


def _plain(script: Script) -> list[Read] | None:
    """The same of a file that only reads variables by their names; None for another."""
    text = script.text
    if any(word in text for word in _NOT_PLAIN):
        return None
    if _UNCLEAR.search(text) or _IN_TEMPLATE.search(text):
        return None
    found = []
    for match in _PLAIN.finditer(text):
        if not match["at"]:
            continue
        use = (match["use"] or "").strip()
        if not match["name"] or (use.startswith(("!", "=")) and not use.startswith(("!=", "=="))):
            return None
        name = match["name"].lstrip("?. \n\t")
        built_in = name in _BUNDLERS_OWN and match["at"].startswith("import")
        if _is_setting(name) and not built_in:
            given = match["one"] if match["one"] is not None else match["two"]
            default = given if use.startswith(("??", "||")) else None
            line = line_at(text, match.start())
            found.append(Read(name, script.path, line, required=False, default=default))
    return found


def _keep(found: dict[tuple[str, str, int], Read], read: Read) -> None:
    """Add a read; of several of one place, the one that says most."""
    key = (read.path, read.name, read.line)
    known = found.get(key)
    if known is None or (read.required and not known.required):
        found[key] = read


def _read(script: Script, place: int, name: str, required: bool, default: str | None) -> Read:
    return Read(name, script.path, script.line(place), required, default)


def _is_setting(name: str) -> bool:
    return bool(_NAME.fullmatch(name)) and not is_given(name)


def _environments(script: Script) -> Iterator[tuple[int, int]]:
    """The first token and the one behind each `process.env`, `import.meta.env` or `Bun.env`."""
    if ".env" not in script.text:
        return
    for place in script.finds("env"):
        if script.matches(place - 2, "process", ".", "env"):
            start = place - 2
            # globalThis.process.env.
            while start > 1 and script.tokens[start - 1].text in {".", "?."}:
                start -= 2
            yield start, place + 1
        elif script.matches(place - 2, "Bun", ".", "env"):
            yield place - 2, place + 1
        elif script.matches(place - 4, "import", ".", "meta", ".", "env"):
            yield place - 4, place + 1


def _direct(script: Script) -> Iterator[Read]:
    """`process.env.X`, `process.env["X"]`, and what is taken out of it by destructuring."""
    for start, after in _environments(script):
        token = script.tokens[after]
        end = after + 2
        name: str | None = None
        if token.text in {".", "?."} and script.tokens[after + 1].kind == "name":
            name = script.tokens[after + 1].text
        if token.text == "[" or script.matches(after, "?.", "["):
            bracket = after if token.text == "[" else after + 1
            inner = script.inside(bracket)
            end = inner.stop + 1
            name = script.string(inner.start) if len(inner) == 1 else None
            if name is None and len(inner) == 1:
                yield from _listed(script, start, inner.start)
        if name is not None:
            built_in = name in _BUNDLERS_OWN and script.tokens[start].text == "import"
            if _is_setting(name) and not built_in and not _is_written(script, start, end):
                required, default = _use(script, start, end)
                yield _read(script, start, name, required, default)
        elif script.matches(start - 2, "}", "="):
            yield from _taken_out(script, start - 2)


def _is_written(script: Script, start: int, end: int) -> bool:
    return script.tokens[end].text == "=" or script.tokens[start - 1].text == "delete"


def _use(script: Script, start: int, end: int) -> tuple[bool, str | None]:
    """Whether the module fails without a variable, and what holds in its place.

    Args:
        script: The file.
        start: The first token of what reads it.
        end: The token behind that.
    """
    after = script.tokens[end].text
    # Behind `!`, as in `!process.env.A || !process.env.B`, it is asked for, not replaced.
    if after in {"??", "||", "??=", "||="} and script.tokens[start - 1].text != "!":
        rest = script.texts(range(end + 1, min(end + 16, len(script.tokens))))
        if "throw" in rest and ";" not in rest[: rest.index("throw")]:
            return script.loads(start), None
        return False, script.string(end + 1)
    if after == "!":
        return script.loads(start), None
    if not script.loads(start):
        return False, None
    return _is_tested(script, start, end) or _name_is_tested(script, start, end), None


def _is_tested(script: Script, start: int, end: int) -> bool:
    """Whether the module throws, or ends, where what stands there is missing."""
    before = script.tokens[start - 1].text
    if before == "(" and script.tokens[start - 2].text in {"assert", "invariant", "ok"}:
        return True
    empty = script.tokens[end].text in {"===", "=="} and script.tokens[end + 1].text in {
        "undefined", "null", '""', "''",
    }  # fmt: skip
    if before != "!" and not empty:
        return False
    opening = next(
        (
            place
            for place in range(start - 1, max(start - 40, 0), -1)
            if script.tokens[place].text == "("
            and script.tokens[place - 1].text == "if"
            and script.pairs.get(place, 0) > start
        ),
        None,
    )
    if opening is None:
        return False
    closing = script.pairs[opening]
    # With `&&`, one of several is enough, or another condition has to hold: production's does.
    condition = "".join(script.texts(range(opening, closing)))
    if "&&" in condition and not _IN_PRODUCTION.search(condition):
        return False
    return _ends(script, closing + 1)


def _ends(script: Script, place: int) -> bool:
    """Whether a statement throws or ends the process."""
    if script.tokens[place].text == "throw":
        return True
    inner = script.inside(place) if script.tokens[place].text == "{" else range(place, place + 4)
    texts = script.texts(inner)
    return "throw" in texts or any(
        texts[at : at + 3] == ["process", ".", "exit"] for at in range(len(texts))
    )


def _name_is_tested(script: Script, start: int, end: int) -> bool:
    """The same of the constant that holds it."""
    before = script.tokens[start - 2]
    if script.tokens[start - 1].text != "=" or before.kind != "name":
        return False
    return _constant_is_tested(script, before.text, end)


def _constant_is_tested(script: Script, name: str, after: int) -> bool:
    return any(
        script.loads(place) and _is_tested(script, place, place + 1)
        for place in script.finds(name)
        if place >= after
    )


def _taken_out(script: Script, closing: int) -> Iterator[Read]:
    """`const { A, B = "x", C: c } = process.env`."""
    opening = script.pairs.get(closing)
    if opening is None:
        return
    for item in script.items(opening):
        name = script.string(item.start) or script.tokens[item.start].text
        if not _is_setting(name):
            continue
        texts = script.texts(item)
        if "=" in texts:
            default = script.string(item.start + texts.index("=") + 1)
            yield _read(script, item.start, name, False, default)
            continue
        constant = texts[-1]
        required = script.loads(closing) and _constant_is_tested(script, constant, closing)
        yield _read(script, item.start, name, required, None)


def _listed(script: Script, start: int, place: int) -> Iterator[Read]:
    """`process.env[name]` for each name of a list."""
    variable = script.tokens[place].text
    names = _list_of(script, variable, start)
    if not names:
        return
    statement = script.texts(range(start, min(start + 80, len(script.tokens))))
    throws = "throw" in statement or any(
        statement[at : at + 3] == ["process", ".", "exit"] for at in range(len(statement))
    )
    function = script.around(start)
    outer = function.body.start if function else start
    loads = script.loads(start) or script.loads(outer - 3)
    for where, name in names:
        if _is_setting(name):
            yield _read(script, where, name, throws and loads, None)


def _list_of(script: Script, variable: str, before: int) -> list[tuple[int, str]]:
    """The texts of the array that a loop takes a variable from."""
    for place in range(before, max(before - 40, 0), -1):
        if script.tokens[place].text != variable:
            continue
        if script.tokens[place + 1].text == "of":
            return _texts_of(script, place + 2)
        at = place - 1
        if script.tokens[at].text == "(" and script.tokens[at - 1].text == "(":
            at -= 1
        if script.tokens[at].text == "(" and script.matches(
            at - 2, ".", script.tokens[at - 1].text
        ):
            receiver = at - 3
            return _texts_of(script, script.pairs.get(receiver, receiver))
    return []


def _texts_of(script: Script, place: int) -> list[tuple[int, str]]:
    """The texts of an array, or of the constant that holds one."""
    token = script.tokens[place]
    if token.text != "[":
        at = next((p for p in script.finds(token.text, "=", "[")), None)
        if at is None:
            return []
        place = at + 2
    found = [(item.start, script.string(item.start)) for item in script.items(place)]
    return [(where, text) for where, text in found if text]


# --- Functions that read what they are asked for -------------------------------------------------


def _getters(script: Script) -> dict[str, bool]:
    """`function need(name) { … process.env[name] … }` by their names, and whether they throw."""
    found: dict[str, bool] = {}
    for start, after in _environments(script):
        if script.tokens[after].text != "[":
            continue
        inner = script.inside(after)
        function = script.around(start)
        if function is None or len(inner) != 1:
            continue
        if function.name and _has_parameter(script, function, script.tokens[inner.start].text):
            found[function.name] = "throw" in script.texts(function.body)
    return found


def _has_parameter(script: Script, function: Function, name: str) -> bool:
    return bool(function.parameters) and script.tokens[function.parameters.start].text == name


def _calls(script: Script, getters: dict[str, bool]) -> Iterator[Read]:
    for name, throws in getters.items():
        for place in script.finds(name, "("):
            arguments = list(script.items(place + 1))
            text = script.string(arguments[0].start) if arguments else None
            if not text or not _CONFIG_NAME.fullmatch(text) or not _is_setting(text):
                continue
            default = script.string(arguments[1].start) if len(arguments) > 1 else None
            required = throws and len(arguments) == 1 and script.loads(place)
            behind = script.pairs.get(place + 1, place) + 1
            if script.tokens[behind].text in {"??", "||"}:
                required, default = False, script.string(behind + 1)
            yield _read(script, place, text, required, default)


# --- Schemas -------------------------------------------------------------------------------------


def _schemas(script: Script) -> Iterator[Read]:
    """Fields of schemas that the environment is checked against when the module is loaded."""
    text = script.text
    if "createEnv" in text:
        for place in script.finds("createEnv", "("):
            if script.tokens[place + 2].text == "{":
                yield from _t3(script, place + 2)
    if "cleanEnv" in text:
        for place in script.finds("cleanEnv", "("):
            arguments = list(script.items(place + 1))
            if len(arguments) > 1 and script.tokens[arguments[1].start].text == "{":
                yield from _fields(script, arguments[1].start, _envalid, script.loads(place))
    if "process.env" in text and ".object" in text:
        for start, after in _environments(script):
            called = script.tokens[start - 2].text
            is_call = script.tokens[start - 1].text == "(" and script.tokens[after].text in "),"
            if is_call and called in {"parse", "safeParse", "parseAsync", "validate"}:
                yield from _checked(script, start - 2, called)
    if "validationSchema" in text:
        for place in script.finds("validationSchema", ":"):
            opening = _object_of(script, place + 2)
            if opening is not None:
                yield from _fields(script, opening, _joi, True)


def _t3(script: Script, opening: int) -> Iterator[Read]:
    """`createEnv({ server: {…}, client: {…}, shared: {…} })`."""
    loads = script.loads(opening)
    for name, value in script.fields(opening):
        if name in {"server", "client", "shared"} and script.tokens[value.start].text == "{":
            yield from _fields(script, value.start, _zod, loads)


def _checked(script: Script, method: int, called: str) -> Iterator[Read]:
    """`SCHEMA.parse(process.env)`."""
    receiver = method - 2
    opening = (
        script.pairs[receiver] + 1
        if script.tokens[receiver].text == ")" and receiver in script.pairs
        else _object_of(script, receiver)
    )
    if opening is None:
        return
    behind = script.texts(range(method, min(method + 60, len(script.tokens))))
    loads = script.loads(method)
    if called == "safeParse" and "throw" not in behind and "exit" not in behind:
        loads = False
    is_joi = called == "validate"
    yield from _fields(script, opening, _joi if is_joi else _zod, loads)


def _object_of(script: Script, place: int) -> int | None:
    """The brace of `z.object({`, which a name may stand for."""
    token = script.tokens[place]
    if token.kind == "name" and not script.matches(place + 1, ".", "object"):
        at = next(script.finds(token.text, "="), None)
        if at is None:
            return None
        place = at + 2
    if script.matches(place + 1, ".", "object", "("):
        return place + 4 if script.tokens[place + 4].text == "{" else None
    return None


def _fields(script: Script, opening: int, rule: _Rule, loads: bool) -> Iterator[Read]:
    if script.tokens[opening].text != "{":
        return
    for name, value in script.fields(opening):
        if _is_setting(name):
            required, default = rule(script, value)
            yield _read(script, value.start - 2, name, required and loads, default)


def _zod(script: Script, value: range) -> tuple[bool, str | None]:
    texts = script.texts(value)
    default = _argument_of(script, value, "default")
    # These make something of nothing, too.
    coerced = not {"string", "boolean"}.isdisjoint(texts[2:5]) and "coerce" in texts
    free = not _WITHOUT_VALUE.isdisjoint(texts) or "preprocess" in texts or coerced
    return not free, default


def _joi(script: Script, value: range) -> tuple[bool, str | None]:
    return "required" in script.texts(value), _argument_of(script, value, "default")


def _envalid(script: Script, value: range) -> tuple[bool, str | None]:
    for place in value:
        if script.matches(place, "default", ":"):
            return False, script.string(place + 2)
    return True, None


def _argument_of(script: Script, value: range, method: str) -> str | None:
    for place in value:
        if script.matches(place, method, "("):
            token = script.tokens[place + 2]
            return token.text if token.kind == "number" else script.string(place + 2)
    return None


# --- Nest, env-var and Prisma --------------------------------------------------------------------


def _config(script: Script) -> Iterator[Read]:
    """Nest's `config.get("X")` and `config.getOrThrow("X")`; `env.get("X")` of env-var."""
    nest = "ConfigService" in script.text
    env_var = "env-var" in script.text
    if not nest and not env_var:
        return
    for method in ("get", "getOrThrow"):
        for place in script.finds(method):
            receiver = script.tokens[place - 2].text.lower()
            if script.tokens[place - 1].text not in {".", "?."}:
                continue
            opening = place + 1
            if script.tokens[opening].text == "<":
                opening = (
                    next(
                        (at for at in range(opening, opening + 12) if script.matches(at, ">", "(")),
                        opening - 1,
                    )
                    + 1
                )
            if script.tokens[opening].text != "(":
                continue
            arguments = list(script.items(opening))
            name = script.string(arguments[0].start) if arguments else None
            if not name or not _CONFIG_NAME.fullmatch(name) or not _is_setting(name):
                continue
            if nest and "config" in receiver:
                default = script.string(arguments[1].start) if len(arguments) > 1 else None
                yield _read(script, place, name, method == "getOrThrow", default)
            elif env_var and receiver == "env":
                behind = script.pairs.get(opening, opening) + 1
                required = script.matches(behind, ".", "required") and script.loads(place)
                yield _read(script, place, name, required, None)


def _prisma(path: str, text: str) -> Iterator[Read]:
    for match in _PRISMA_ENV.finditer(re.sub(r"//[^\n]*", lambda m: " " * len(m[0]), text)):
        required = match[1] not in _PRISMA_OPTIONAL
        yield Read(match[2], path, line_at(text, match.start(2)), required, None)
