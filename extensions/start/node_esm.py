"""Modules whose code does not fit the module system that Node loads them with.

Source of the rules: nodejs.org/api/esm.html ("Differences between ES modules and CommonJS",
"Mandatory file extensions", "Import attributes") and nodejs.org/api/packages.html ("Determining
module system").
"""

from __future__ import annotations

import re
from collections.abc import Iterator
from itertools import islice

from .. import javascript, node_scripts, tsconfig
from ..apps import FRAMEWORKS
from ..finding import Finding, where
from ..javascript import Script
from ..model import App, NodeBuild
from ..node_source import Package
from ..origins import only_line
from ..subject import Subject
from ..tree import join

_RULE = "start.node_esm"
RUNTIME = "node"
IDS = {_RULE: "Modules of the apps on Node are written for the system that loads them"}

# Beside the compiler, these change no import.
_QUIET = frozenset({
    "tsc", "rimraf", "rm", "cp", "mkdir", "mv", "echo", "copyfiles", "cpx", "cpy", "shx",
    "del-cli", "prisma", "eslint", "prettier", "true", "exit", "chmod", "drizzle-kit",
})  # fmt: skip
# What loads modules in a way of its own.
_LOADERS = re.compile(r"tsx|ts-node|babel|esm\b|swc|jiti|sucrase|specifier-resolution|register")
_IMPORT = re.compile(
    r"""(?m)^[ \t]*(?:import\b(?!\s*type\b)(?:[^;'"`()]*?\bfrom)?|export\b[^;'"`()]*?\bfrom)"""
    r"""\s*(?P<quote>["'])(?P<name>[^"'\n]+)(?P=quote)(?P<with>\s*(?:with|assert)\b)?"""
)
_ES_SYNTAX = re.compile(r"(?m)^(import\b(?!\s*[(.])|export\b)")
_VALUES = re.compile(
    r"(?m)^export\s+(?:default|const|let|var|async|function|class|enum|abstract|\*|\{)"
)
_DECLARED = (
    r"(?:const|let|var|function)\s+{0}\b|(?:const|let|var)\s*\{{[^}}]*\b{0}\b|typeof\s+{0}\b"
)
_INSTEAD = {
    "__dirname": "Write import.meta.dirname in its place.",
    "__filename": "Write import.meta.filename in its place.",
    "require": "Write an import in its place, or createRequire(import.meta.url) of node:module.",
    "module": "Write an export in its place.",
}


def find(subject: Subject) -> Iterator[Finding]:
    """The first of each app: where it fails, nothing behind it is loaded."""
    for app in subject.of("node"):
        if app.kind == "node" and not app.site and isinstance(app.build, NodeBuild):
            yield from islice(_of(subject, app), 1)


def _of(subject: Subject, app: App) -> Iterator[Finding]:
    package = subject.package(app)
    if not _runs_on_node(app, package) or not isinstance(app.build, NodeBuild) or app.build.outputs:
        return
    tree, folder = subject.tree, app.directory
    begins = FRAMEWORKS[app.kind].entries(tree, folder)
    compiled = any(re.search(r"\.[cm]?tsx?$", path) for path in begins)
    emits = ""
    if compiled:
        programs = {c.program for c in node_scripts.commands(package, "build")}
        config = tsconfig.read(tree, join(folder, "tsconfig.json"))
        if "tsc" not in programs or not programs <= _QUIET or config is None:
            return
        emits = _emitted(config.options)
        if package.content.get("type") == "module" and emits == "commonjs":
            line = only_line(tree.read(config.path), '"module"')
            yield Finding(
                _RULE,
                True,
                f"{where(config.path, line)}: tsc writes CommonJS, and Node takes the files for ES "
                'modules, as package.json has "type": "module": exports is not defined there.',
                f'Write "module": "nodenext" in {config.path}, or take "type" out of package.json.',
                config.path,
                line,
            )
            return
    for path in sorted(javascript.reachable(tree, folder, begins)):
        script = javascript.read(tree, path)
        if script is None or "/generated/" in path:
            continue
        if _is_module(script, str(package.content.get("type") or ""), emits):
            yield from _in_module(subject, app, script)
        elif path.endswith((".cjs", ".js")) and (match := _ES_SYNTAX.search(_code(script))):
            line = script.text.count("\n", 0, match.start()) + 1
            yield Finding(
                _RULE,
                True,
                f"{where(path, line)}: {match[1]} stands in a file that Node takes for CommonJS.",
                'Write "type": "module" in package.json, or call the file .mjs.',
                path,
                line,
            )


def _runs_on_node(app: App, package: Package) -> bool:
    """Whether `node` alone loads the files."""
    name = node_scripts.script_of(app.command)
    run = [c.words for c in node_scripts.commands(package, name)] if name else [app.command]
    words = [word for one in run for word in one]
    return (
        bool(run)
        and all(one[:1] == ("node",) for one in run if one)
        and not any(
            _LOADERS.search(word) for word in words if word.startswith("-") or word in words[1:3]
        )
    )


def _emitted(options: dict[str, object]) -> str:
    """`commonjs`, `es`, or empty where package.json decides (typescriptlang.org, "module")."""
    module = str(options.get("module") or "").lower()
    if module.startswith("node"):
        return ""
    if module == "commonjs":
        return module
    if module.startswith("es") or module == "preserve":
        return "es"
    target = str(options.get("target") or "es5").lower()
    return "commonjs" if not module and target in {"es3", "es5"} else "unknown"


def _is_module(script: Script, kind: str, emits: str) -> bool:
    """Whether Node loads it as an ES module."""
    if script.path.endswith((".mjs", ".mts")):
        return True
    if script.path.endswith((".cjs", ".cts")) or emits in {"commonjs", "unknown"}:
        return False
    if kind == "module" or (emits == "es" and kind != "commonjs"):
        return True
    # Node finds that out by the syntax.
    is_plain = script.path.endswith(".js") and not kind
    return is_plain and _ES_SYNTAX.search(_code(script)) is not None


def _in_module(subject: Subject, app: App, script: Script) -> Iterator[Finding]:
    tree, path = subject.tree, script.path
    code = _code(script)
    for match in _IMPORT.finditer(code):
        name = match["name"]
        line = script.text.count("\n", 0, match.start("name")) + 1
        if name.endswith(".json") and not match["with"]:
            yield _told(
                script,
                line,
                f"an ES module imports {name} without its type, which Node refuses.",
                'Write with { type: "json" } behind it.',
            )
        elif name.startswith(("./", "../")) and not re.search(r"\.([cm]?jsx?|json|node)$", name):
            target = javascript.resolve(tree, app.directory, path, name)
            if target is None or tree.has(join(path.rpartition("/")[0] or ".", name)):
                continue
            typed = re.search(r"\.[cm]?tsx?$", target)
            if typed and not _VALUES.search(tree.read(target)):
                continue
            ending = re.sub(r"ts(x?)$", "js", target.rpartition(".")[2])
            whole = (
                f"{name.rstrip('/')}/index"
                if "/index." in target.removeprefix(path.rpartition("/")[0])
                and not name.endswith("/index")
                else name
            )
            yield _told(
                script,
                line,
                f"an ES module imports {name}, and Node finds no file without its ending.",
                f"Write {whole}.{ending} there.",
            )
    for word, mend in _INSTEAD.items():
        if re.search(_DECLARED.format(word), script.text) or "createRequire" in script.text:
            continue
        for place in script.finds(word):
            following = script.tokens[place + 1].text
            if script.tokens[place - 1].text in {".", "?.", "{", ","} or following == ":":
                continue
            if word == "require" and following not in {"(", "."}:
                continue
            if word == "module" and not script.matches(place + 1, ".", "exports"):
                continue
            yield _told(
                script,
                script.line(place),
                f"{word} is not defined in ES modules.",
                mend,
                certain=script.loads(place),
            )
            break


def _told(script: Script, line: int, what: str, mend: str, *, certain: bool = True) -> Finding:
    return Finding(_RULE, certain, f"{where(script.path, line)}: {what}", mend, script.path, line)


def _code(script: Script) -> str:
    """The text without comments; positions stay."""
    text = [" " if char != "\n" else char for char in script.text]
    for token in script.tokens:
        text[token.start : token.start + len(token.text)] = token.text
    return "".join(text)
