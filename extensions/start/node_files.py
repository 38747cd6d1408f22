"""Files that apps on Node write into their own folder, which is read-only in production."""

from __future__ import annotations

import posixpath
import re
from collections.abc import Iterator

from .. import framework, javascript
from ..apps import FRAMEWORKS
from ..finding import Finding, where
from ..javascript import Script
from ..model import App, NodeBuild
from ..subject import Subject
from ..tree import join

_RULE = "start.node_files"
RUNTIME = "node"
IDS = {_RULE: "What the apps on Node write has a folder that takes it"}

_APP = "/app"
_WORDS = re.compile(
    r"multer|writeFile|appendFile|createWriteStream|mkdir|sqlite|Database\(|createClient|File\("
    r"|libsql|storage\s*:|lowdb|JSONFile|keyv"
)
_WRITES = (
    "writeFileSync", "appendFileSync", "createWriteStream", "mkdirSync", "writeFile", "mkdir",
)  # fmt: skip
_HERE = re.compile(r"__dirname|import\.meta\.(dirname|url)|process\.cwd\(\)")


def find(subject: Subject) -> Iterator[Finding]:
    """What is written when the app starts, and where uploads and databases go."""
    for app in subject.of("node"):
        if app.site:
            continue
        entries = FRAMEWORKS[app.kind].entries(subject.tree, app.directory)
        loaded = javascript.reachable(subject.tree, app.directory, entries)
        told: set[str] = set()
        for script in javascript.scripts(subject.tree, app.directory):
            if script.path in loaded and _WORDS.search(script.text):
                for finding, place in _of(subject, app, script):
                    if place not in told:
                        told.add(place)
                        yield finding
        yield from _prisma(subject, app)


def _of(subject: Subject, app: App, script: Script) -> Iterator[tuple[Finding, str]]:
    for place, path, what, is_database in _written(script):
        target = _in_container(app, script, path)
        if target is None and not is_database and (folder := _constant_folder(script, path)):
            target = _in_container(app, script, folder)
        if target is None or _is_writable(app, target):
            continue
        # A folder that the image holds is no fault until something is written into it.
        exists = not is_database and _is_there(subject, app, target)
        certain = script.loads(place) and not exists
        told = _told(app, script.path, script.line(place), target, what, certain, is_database)
        yield told, target


def _told(
    app: App, path: str, line: int, target: str, what: str, certain: bool, is_database: bool
) -> Finding:
    folder = (
        posixpath.dirname(target) if is_database or "." in posixpath.basename(target) else target
    )
    inner = target.removeprefix(f"{_APP}/")
    if re.search(r"(^|/)logs?(/|$)|\.log$", inner):
        mend = "Write the log to the console: Docker keeps it."
    elif folder == _APP:
        name = posixpath.basename(target)
        command = framework.volumes_command(app, f"{_APP}/data")
        mend = f"Write it to data/{name}, which is then a volume: {command}"
    else:
        mend = framework.volumes_command(app, folder)
    more = ""
    if app.kind == "nextjs" and inner.startswith("public/"):
        more = "; of public/, Next.js gives out what is there when it starts"
    seen = f"{where(path, line)}: {what} writes {inner}, and the app's folder is read-only{more}."
    return Finding(_RULE, certain, seen, mend, path, line)


def _written(script: Script) -> Iterator[tuple[int, str, str, bool]]:
    """Where a call stands, the path it writes as code, what it is, and whether it is a database."""
    text = script.text
    if "multer" in text:
        for place in script.finds("multer", "(", "{"):
            fields = dict(script.fields(place + 2))
            if "dest" in fields:
                yield place, _code(script, fields["dest"]), "multer", False
        for place in script.finds("destination", ":"):
            if script.string(place + 2) is not None:
                yield place, script.tokens[place + 2].text, "multer", False
    for name in _WRITES:
        if name not in text:
            continue
        for place in script.finds(name, "("):
            arguments = list(script.items(place + 1))
            if arguments:
                yield place, _code(script, arguments[0]), name, False
    if re.search(r"sqlite|libsql", text):
        for name in ("Database", "DatabaseSync"):
            for place in script.finds(name, "("):
                arguments = list(script.items(place + 1))
                if arguments and script.tokens[place - 1].text in {"new", "."}:
                    yield place, _code(script, arguments[0]), "SQLite", True
        for place in script.finds("createClient", "(", "{"):
            fields = dict(script.fields(place + 2))
            url = _code(script, fields["url"]) if "url" in fields else ""
            if match := re.match(r"([\"'`])file:(.+)\1$", url):
                yield place, f'"{match[2]}"', "SQLite", True
        for key in ("storage", "database", "filename"):
            for place in script.finds(key, ":"):
                if script.string(place + 2) and re.search(
                    r"\.(sqlite3?|db)$", script.string(place + 2) or ""
                ):
                    yield place, script.tokens[place + 2].text, "SQLite", True
    if "winston" in text or "transports" in text:
        for place in script.finds("File", "(", "{"):
            fields = dict(script.fields(place + 2))
            if "filename" in fields:
                yield place, _code(script, fields["filename"]), "the log", False


def _code(script: Script, value: range) -> str:
    """A value as code, without blanks; a constant of the file for its name."""
    if len(value) == 1 and script.tokens[value.start].kind == "name":
        at = next(script.finds(script.tokens[value.start].text, "="), None)
        if at is None:
            return ""
        end = at + 2
        while script.tokens[end].text not in {";", ""} and (
            end == at + 2 or script.line(end) == script.line(at)
        ):
            end = max(script.pairs.get(end, end), end) + 1
        value = range(at + 2, end)
    return "".join(script.texts(value))


def _constant_folder(script: Script, code: str) -> str | None:
    """The folder of a file whose name alone is no constant, as code; None for none."""
    if match := re.match(r"`([^`$]*/)[^`/]*\$\{", code) or re.match(
        r"[\"']([^\"']*/)[\"']\+", code
    ):
        return f'"{match[1]}"'
    match = re.match(r"(?:path\.)?(?:join|resolve)\(([^,]*),(.+)\)$", code)
    if match is None:
        return None
    first, rest = match[1], match[2].split(",")
    if re.fullmatch(r"\w+", first) and not _HERE.fullmatch(first):
        at = next(script.finds(first, "="), None)
        return None if at is None else _code(script, range(at, at + 1))
    parts: list[str] = []
    for part in rest:
        if not re.fullmatch(r"\"[^\"]*\"|'[^']*'|`[^`$]*`", part):
            break
        parts.append(part)
    return f"path.join({','.join([first, *parts])})" if parts and len(parts) < len(rest) else None


def _in_container(app: App, script: Script, code: str) -> str | None:
    """The path in the container that a constant expression is; None for one that is not."""
    if "env" in code or "tmpdir" in code:
        return None
    strings = re.findall(r"([\"'`])((?:(?!\1).)*)\1", code)
    rest = re.sub(r"([\"'`])((?:(?!\1).)*)\1", "", code)
    rest = re.sub(r"path\.(join|resolve)|join|resolve|newURL|fileURLToPath", "", rest)
    here = re.search(r"__dirname|import\.meta", rest)
    rest = _HERE.sub("", rest)
    if re.search(r"[A-Za-z$]", rest) or not strings or any("${" in text for _, text in strings):
        return None
    parts = [text for _, text in strings]
    if parts[0] in {":memory:", ""} or parts[0].startswith("file::memory:"):
        return None
    folder = _home(app)
    if here:
        inner = script.path.removeprefix("" if app.base == "." else f"{app.base}/")
        folder = posixpath.join(_APP, posixpath.dirname(inner))
    path = posixpath.normpath(posixpath.join(folder, *parts))
    return path if path != _home(app) else None


def _home(app: App) -> str:
    """The app's folder in its image."""
    member = app.build.member if isinstance(app.build, NodeBuild) else None
    return posixpath.join(_APP, member.folder) if member and member.folder != "." else _APP


def _is_writable(app: App, target: str) -> bool:
    places = [volume.path for volume in app.volumes] + [folder.path for folder in app.tmpfs]
    outside = not target.startswith(f"{_APP}/")
    return (outside and target.startswith(("/tmp", "/dev/"))) or any(
        target == place or target.startswith(place.rstrip("/") + "/") for place in places
    )


def _is_there(subject: Subject, app: App, target: str) -> bool:
    path = join(app.base, target.removeprefix(f"{_APP}/"))
    return any(subject.tree.below(path + "/"))


def _prisma(subject: Subject, app: App) -> Iterator[Finding]:
    """A SQLite database of Prisma's, beside its schema."""
    for path in subject.tree.below(app.directory, ".prisma"):
        text = subject.tree.read(path)
        match = re.search(r"url\s*=\s*\"file:(?:\./)?([^\"]+)\"", text)
        if match and re.search(r"provider\s*=\s*\"sqlite\"", text):
            inner = path.removeprefix("" if app.base == "." else f"{app.base}/")
            target = posixpath.normpath(posixpath.join(_APP, posixpath.dirname(inner), match[1]))
            if not _is_writable(app, target):
                line = text.count("\n", 0, match.start()) + 1
                yield Finding(
                    _RULE,
                    certain=False,
                    seen=f"{where(path, line)}: SQLite writes {target.removeprefix(_APP + '/')}, "
                    "and the app's folder is read-only.",
                    mend=f'Write url = "file:{_APP}/data/{posixpath.basename(target)}", in what is '
                    f"then a volume: {framework.volumes_command(app, f'{_APP}/data')}",
                    path=path,
                    line=line,
                )
                return
