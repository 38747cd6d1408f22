"""A Spinbox project on disk -> facts: what is there, as JSON types, ready to be stored.

Pure detection. Nothing fails because an app is unclear: what could not be found is None, and the
stack (`stack.py`) asks for it. Nothing here changes by itself or differs between two clones.
Every value is found together with its origin (`origins.py`), which is never stored.
"""

from __future__ import annotations

import re
from collections.abc import Mapping
from dataclasses import dataclass, replace
from pathlib import Path
from typing import Any

from . import images, migrations, node_source, python_packages, python_source
from .conf import Conf, given, is_true, parse_conf
from .errors import ProjectError
from .origins import BY_HAND, Fields, Found, Origin, and_more, either, line_at
from .services import KINDS
from .tree import Tree, join

Facts = dict[str, Any]
# An app: its kind, why the project is taken to have it, and what was found of it.
App = tuple[str, Origin, Fields]

PROJECT_CONF = ".config/project.conf"

_SERVICE_FOLDERS = frozenset(kind.folder for kind in KINDS.values())
# At the project's root, never part of an app that lives there too.
_NOT_SOURCES = _SERVICE_FOLDERS | {
    "deploy", "docs", "tests", "test", "scripts", "LICENSE", "Makefile",
    "package.json", "pytest.ini", "setup_venv.sh", "p10k.zsh",
}  # fmt: skip
_NOT_SOURCE_PATTERN = re.compile(
    r"\..*|.*\.md|.*compose.*\.ya?ml|Dockerfile.*|.*\.lock|.*lock\.(json|yaml)|requirements.*"
    # Of bots, and of platforms that run the app.
    r"|renovate\.json5?|fly(\..*)?\.toml|railway(\..*)?\.(json|toml)|render\.ya?ml"
    # What `--adopt=take` leaves.
    r"|.*\.orig(\.\d+)?"
)
# The first line, or a heading, of the generated file, which pads them to one width.
_GENERATED_SETTINGS = re.compile(
    r"^# (Settings of \S+ in production\.|(?=.{99}$)--- .+ -+$)", re.MULTILINE
)
_ENV_EXAMPLES = (
    ".env.example",
    ".env.example.orig",
    ".env.local.example",
    ".env.production.example",
    ".env.sample",
)
_CREATE_EXTENSION = re.compile(
    r'CREATE\s+EXTENSION\s+(?:IF\s+NOT\s+EXISTS\s+)?"?([A-Za-z0-9_-]+)"?', re.IGNORECASE
)
_PYTHON_ENTRIES = ("main.py", "app.py", "run.py", "__main__.py")


def is_project(root: Path) -> bool:
    """Whether `root` is the top folder of a Spinbox project.

    Raises:
        ProjectError: It cannot be told.
    """
    try:
        return (root / PROJECT_CONF).is_file()
    except OSError as error:
        raise ProjectError(
            f"{PROJECT_CONF} cannot be read ({error.strerror}): mend that first."
        ) from None


@dataclass(frozen=True)
class Reading:
    """What was read of a project, and where.

    Attributes:
        facts: `name`, and one mapping for each app kind (`fastapi`, `python`, `nextjs`, `node`)
            and each backing service (the names of `services`) that the project has.
        origins: Exactly one for `name`, for each `COMPONENT` and for each `COMPONENT.FIELD` of
            the facts: the keys of `--set`, and those of the other facts.
        tree: The files that were looked at.
    """

    facts: Facts
    origins: dict[str, Origin]
    tree: Tree


def read_project(root: Path, hints: Mapping[str, str] | None = None) -> Reading:
    """Read the Spinbox project in `root`.

    Args:
        root: The project's top folder.
        hints: What was set by hand of where to look: `KIND.dir`, `fastapi.entry`.

    Raises:
        ProjectError: Not a Spinbox project, or a file that has to be read is broken.
    """
    if not is_project(root):
        raise ProjectError(
            f"This is not a Spinbox project ({PROJECT_CONF} is missing): run it in the project's "
            "top folder, or name that folder."
        )
    tree = Tree(root)
    conf = _conf(root, PROJECT_CONF)
    versions = _conf(root, images.VERSIONS_CONF) if (root / images.VERSIONS_CONF).is_file() else {}
    hints = hints or {}
    name = given(conf, "PROJECT_NAME") or Found(root.resolve().name, "the folder's name")

    found: dict[str, tuple[Origin, Fields]] = {}
    for kind, origin, fields in _python_apps(tree, conf, hints):
        found[kind] = origin, {"image": images.runtime_image("python", versions, "-slim"), **fields}
    for kind, origin, fields in _node_apps(tree, conf, hints):
        found[kind] = origin, {"image": images.runtime_image("node", versions, "-alpine"), **fields}

    apps = [fields for _, fields in found.values()]
    development = images.development_images(tree)
    for service, known in KINDS.items():
        if flagged := _flag(conf, known.flag):
            image = images.service_image(service, known.tagged, versions, development)
            found[service] = flagged, {"image": image}
    if "postgres" in found:
        found["postgres"][1].update(_database(tree, apps))
    return _split(name, found, tree)


def read_facts(root: Path, hints: Mapping[str, str] | None = None) -> Facts:
    """The facts alone; arguments and errors are those of `read_project`."""
    return read_project(root, hints).facts


def _split(
    name: Found[str], components: Mapping[str, tuple[Origin, Fields]], tree: Tree
) -> Reading:
    facts: Facts = {"name": name.value}
    origins = {"name": name.origin}
    for component, (origin, fields) in components.items():
        facts[component] = {field: found.value for field, found in fields.items()}
        origins[component] = origin
        origins |= {f"{component}.{field}": found.origin for field, found in fields.items()}
    return Reading(facts, origins, tree)


_SOURCE_ENDINGS = (".py", ".ts", ".tsx", ".js", ".jsx", ".mjs", ".cjs", ".css", ".json", ".html")


def hidden_sources(tree: Tree, facts: Mapping[str, Any]) -> list[str]:
    """Folders and files of the apps that look like source, but that a clone would lack.

    Spinbox's own .gitignore hides every `lib/`.
    """
    folders = {f["dir"] for f in facts.values() if isinstance(f, dict) and f.get("dir")}
    hidden = [path for path in tree.hidden() if path.endswith(_SOURCE_ENDINGS)]
    found: dict[str, None] = {}
    for path in hidden:
        top, _, rest = path.partition("/")
        if any(path.startswith(f"{folder}/") for folder in folders - {"."}) or (
            "." in folders and rest and top not in _NOT_SOURCES and not top.startswith(".")
        ):
            found[path.rpartition("/")[0] + "/"] = None
    return list(found)


def _conf(root: Path, name: str) -> Conf:
    # Read past the tree's view: Spinbox's own configuration counts even where git ignores it.
    try:
        return parse_conf((root / name).read_text("utf-8-sig"), name)
    except UnicodeDecodeError:
        raise ProjectError(f"{name} is not UTF-8 text: save it as UTF-8.") from None
    except OSError as error:
        raise ProjectError(f"{name} cannot be read ({error.strerror}): mend that first.") from None


def _flag(conf: Conf, key: str) -> Origin | None:
    """Where a component is switched on, or None."""
    found = conf.get(key)
    if found is None or not is_true(found.value):
        return None
    return Origin(found.path, found.line, f"{found.reason} is {found.value.strip()}")


def _by_hand(hints: Mapping[str, str], key: str) -> Found[str] | None:
    return Found(hints[key], BY_HAND) if key in hints else None


def _wanted(conf: Conf, flag: str, hints: Mapping[str, str], hint: str) -> Origin | None:
    """Why the project is to have an app: its flag, or a folder that was named for it."""
    return _flag(conf, flag) or (Origin(None, None, BY_HAND) if hint in hints else None)


def _python_apps(tree: Tree, conf: Conf, hints: Mapping[str, str]) -> list[App]:
    if origin := _wanted(conf, "USE_FASTAPI", hints, "fastapi.dir"):
        place = _by_hand(hints, "fastapi.dir") or _fastapi_folder(tree)
        fields = _fastapi(tree, place.value, hints) if place.value else {}
        return [("fastapi", origin, {"dir": place, **fields})]
    origin = _wanted(conf, "USE_PYTHON", hints, "python.dir")
    folder = _by_hand(hints, "python.dir")
    script = tree.first(".", *_PYTHON_ENTRIES)
    if origin is None or (folder is None and script is None):
        return []
    folder = folder or Found(".", "script in the top folder", script)
    entries = python_source.find_fastapi(_modules(tree, folder.value)[0])
    if entries:
        fields = _fastapi(tree, folder.value, hints)
        return [("fastapi", entries[0].found(True).origin, {"dir": folder, **fields})]
    return [("python", origin, {"dir": folder, **_python(tree, folder.value)})]


def _node_apps(tree: Tree, conf: Conf, hints: Mapping[str, str]) -> list[App]:
    apps: list[App] = []
    next_folder = None
    if origin := _wanted(conf, "USE_NEXTJS", hints, "nextjs.dir"):
        place = _by_hand(hints, "nextjs.dir") or _next_folder(tree)
        next_folder = place.value
        fields = _nextjs(tree, next_folder) if next_folder else {}
        apps.append(("nextjs", origin, {"dir": place, **fields}))
    if origin := _wanted(conf, "USE_NODE", hints, "node.dir"):
        folder = _by_hand(hints, "node.dir")
        entry = node_source.find_entry(tree, ".") if tree.has("package.json") else None
        if folder is None and entry:
            folder = Found(".", "entry file beside package.json", entry)
        if folder and folder.value != next_folder:
            apps.append(("node", origin, {"dir": folder, **_node(tree, folder.value)}))
    return apps


def _fastapi_folder(tree: Tree) -> Found[str | None]:
    """`backend/` as Spinbox lays it out, else the one folder that holds a FastAPI app."""
    if any(tree.below("backend", ".py")):
        return Found("backend", "folder holds Python files", "backend")
    tops = sorted({path.split("/")[0] for path in tree.below(".", ".py") if "/" in path})
    holders = [
        entries[0].found(top)
        for top in tops
        if top not in _NOT_SOURCES
        and not top.startswith(".")
        and (entries := python_source.find_fastapi(python_source.parse_modules(tree, top)[0]))
        and tree.first(top, "requirements.txt", "pyproject.toml")
    ]
    if len(holders) == 1:
        return holders[0]
    if entries := python_source.find_fastapi(_modules(tree, ".")[0]):
        return entries[0].found(".")
    return Found(None, "several folders hold an app" if holders else "no FastAPI object")


def _next_folder(tree: Tree) -> Found[str | None]:
    """`frontend/` as Spinbox lays it out, the root, or the one folder that depends on Next.js."""
    for folder in ("frontend", "."):
        if found := node_source.find_next(tree, folder):
            return found
    tops = sorted(
        {p.split("/")[0] for p in tree.files if p.count("/") == 1 and p.endswith("/package.json")}
    )
    holders = [found for top in tops if (found := node_source.find_next(tree, top))]
    if len(holders) == 1:
        return holders[0]
    return Found(None, "several folders depend on next" if holders else "nothing depends on next")


def _modules(tree: Tree, folder: str) -> tuple[list[python_source.Module], str | None]:
    return python_source.parse_modules(
        tree, folder, _SERVICE_FOLDERS if folder == "." else frozenset()
    )


def _fastapi(tree: Tree, folder: str, hints: Mapping[str, str]) -> Fields:
    modules, problem = _modules(tree, folder)
    entries = python_source.find_fastapi(modules)
    if not entries and problem:
        raise ProjectError(problem)
    chosen = [entry for entry in entries if entry.target == hints.get("fastapi.entry")]
    entries = chosen or entries
    entry = _entry(entries[0], bool(chosen)) if len(entries) == 1 else _unclear_entry(entries)
    return {**entry, **_python_common(tree, folder, modules)}


_FASTAPI_PORT = Found(8000, "FastAPI's usual port")


def _entry(entry: python_source.Entry, by_hand: bool) -> Fields:
    root, path = entry.module.source_root, entry.module.path
    source_root = Found(root, "the app's folder" if root == "." else f"{root}/ is no package", path)
    paths = ["/api/v1", *python_source.documentation_paths(entry)]
    prefix = "Spinbox's prefix, and FastAPI's documentation"
    return {
        "entry": Found(entry.target, BY_HAND) if by_hand else entry.found(entry.target),
        "entries": Found([], "the entry is clear"),
        "factory": entry.found(entry.factory),
        "source_root": source_root,
        "port": _FASTAPI_PORT,
        "health": python_source.find_health_path(entry),
        "paths": replace(entry.found(paths), reason=prefix),
    }


def _unclear_entry(entries: list[python_source.Entry]) -> Fields:
    reason = "several FastAPI objects" if entries else "no FastAPI object"
    targets = [entry.target for entry in entries]
    return {
        "entry": Found(None, reason),
        "entries": entries[0].found(targets) if entries else Found([], reason),
        "factory": Found(False, reason),
        "source_root": Found(".", reason),
        "port": _FASTAPI_PORT,
        "health": Found(None, reason),
        "paths": Found(["/api/v1"], "Spinbox's prefix"),
    }


def _python(tree: Tree, folder: str) -> Fields:
    entry: Found[str | None] = Found(None, f"no {either(_PYTHON_ENTRIES)}")
    if script := tree.first(folder, *_PYTHON_ENTRIES):
        entry = Found(script.rsplit("/", 1)[-1], "the app's script", script)
    return {
        "entry": entry,
        "source_root": Found(".", "the app's folder"),
        "mode": Found("job", "a script is taken to end"),
        "port": Found(None, "a job has no port"),
        "health": Found(None, "a job has no port"),
        **_python_common(tree, folder, _modules(tree, folder)[0]),
    }


def _python_common(tree: Tree, folder: str, modules: list[python_source.Module]) -> Fields:
    packages = python_packages.read_packages(tree, folder)
    others = set(_SERVICE_FOLDERS) if folder == "." else set()
    if folder == ".":
        tops = {path.split("/")[0] for path in tree.files if "/" in path}
        others |= {top for top in tops if _is_app_folder(tree, top)}
    return {
        **packages,
        **python_packages.find_tests(tree, folder, packages, others),
        "sources": _sources(tree, folder, _NODE_ONLY),
        "worker": python_source.find_worker(modules),
        **migrations.find_in_app("python", tree, folder),
        "variables": _variables(tree, folder),
    }


def _nextjs(tree: Tree, folder: str) -> Fields:
    package = node_source.read_package_json(tree, folder) or node_source.NO_PACKAGE
    settings = tree.first(folder, ".env.production")
    reason = "enters the build" if settings else "no .env.production"
    return {
        **node_source.read_packages(tree, folder, package),
        **node_source.read_next_config(tree, folder),
        "tests": node_source.find_tests(tree, folder, package),
        "port": Found(3000, "Next.js' usual port"),
        "health": node_source.next_health_path(tree, folder),
        "sources": _sources(tree, folder, _PYTHON_ONLY),
        "env_production": Found(settings is not None, reason, settings),
        **migrations.find_in_app("node", tree, folder),
        "variables": _variables(tree, folder),
    }


def _node(tree: Tree, folder: str) -> Fields:
    package = node_source.read_package_json(tree, folder) or node_source.NO_PACKAGE
    entry = node_source.find_entry(tree, folder)
    return {
        **node_source.read_packages(tree, folder, package),
        **node_source.read_scripts(package, entry),
        "tests": node_source.find_tests(tree, folder, package),
        "port": node_source.node_port(tree, folder),
        "health": node_source.node_health_path(tree, folder),
        "sources": _sources(tree, folder, _PYTHON_ONLY),
        **migrations.find_in_app("node", tree, folder),
        "variables": _variables(tree, folder),
    }


# At the root, two apps can share the folder: what is only the other's stays out.
_PYTHON_ONLY = re.compile(r".*\.(py|toml|ini|cfg|txt)")
_NODE_ONLY = re.compile(r"tsconfig.*|.*\.config\.\w+|.*\.(ts|js|mjs|cjs|tsbuildinfo)|public")


def _sources(tree: Tree, folder: str, others: re.Pattern[str]) -> Found[list[str]]:
    """What enters the image of an app at the root, files and folders (ending in `/`); else []."""
    if folder != ".":
        return Found([], "the app's folder enters whole")
    tops = {path.split("/")[0] + ("/" if "/" in path else "") for path in tree.files}
    sources = sorted(
        top
        for top in tops
        if (name := top.rstrip("/")) not in _NOT_SOURCES
        and not _NOT_SOURCE_PATTERN.fullmatch(name)
        and not others.fullmatch(name)
        and not (top.endswith("/") and _is_app_folder(tree, name))
    )
    for name in sources:
        if not name.isprintable():
            raise ProjectError(
                f"The name {name!a} cannot stand in a Dockerfile: rename that file, or have "
                "git ignore it."
            )
    return Found(sources, "what the top folder holds of the app")


def _is_app_folder(tree: Tree, folder: str) -> bool:
    return tree.first(folder, "package.json", "requirements.txt", "pyproject.toml") is not None


def _variables(tree: Tree, folder: str) -> Found[list[str]]:
    """Names, never values, of the variables in the app's own example files."""
    places: dict[str, tuple[str, int]] = {}
    for name in _ENV_EXAMPLES:
        if tree.has(path := join(folder, name)):
            text = tree.read(path)
            # The root's may be the generated one, or hold it behind the user's own lines.
            if path == ".env.example" and (generated := _GENERATED_SETTINGS.search(text)):
                text = text[: generated.start()]
            for number, line in enumerate(text.splitlines(), start=1):
                if match := re.match(r"\s*(?:export\s+)?([A-Za-z_]\w*)\s*=", line):
                    places.setdefault(match[1], (path, number))
    names = list(places)
    if not names:
        return Found([], "no variables in a .env.example or the like")
    return Found(names, f"names {names[0]}{and_more(names)}", *places[names[0]])


def _database(tree: Tree, apps: list[Fields]) -> Fields:
    made: list[Found[Any]] = []
    for path in (*tree.below("database/init", ".sql"), *migrations.scripts(tree)):
        text = tree.read(path)
        # Blanked, not left out, so that positions stay.
        code = re.sub(r"--[^\n]*|/\*.*?\*/", lambda m: " " * len(m[0]), text, flags=re.DOTALL)
        made += [
            Found(
                match[1].lower(), f"CREATE EXTENSION {match[1]}", path, line_at(text, match.start())
            )
            for match in _CREATE_EXTENSION.finditer(code)
        ]
    if any("libraries" in app and "pgvector" in app["libraries"].value for app in apps):
        made.append(Found("vector", "pgvector is one of the libraries"))
    names = sorted({extension.value for extension in made})
    extensions = Found(names, "no CREATE EXTENSION in SQL files or revisions")
    if made:
        extensions = replace(made[0], value=names, reason=made[0].reason + and_more(names))
    return {"migrations": migrations.find(tree, apps), "extensions": extensions}
