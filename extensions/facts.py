"""A Spinbox project on disk -> facts: what is there, as JSON types, ready to be stored.

Pure detection. Nothing fails because an app is unclear: what could not be found is None, and the
stack (`stack.py`) asks for it. Nothing here changes by itself or differs between two clones.
"""

from __future__ import annotations

import re
from collections.abc import Mapping
from pathlib import Path
from typing import Any

import yaml

from . import node_source, python_packages, python_source
from .conf import is_true, parse_conf
from .errors import ProjectError
from .tree import Tree, join

Facts = dict[str, Any]

PROJECT_CONF = ".config/project.conf"
VERSIONS_CONF = ".config/versions.conf"
SQL_MIGRATIONS = "database/migrations"

_SERVICE_FLAGS = {
    "postgres": "USE_POSTGRESQL",
    "redis": "USE_REDIS",
    "mongodb": "USE_MONGODB",
    "chroma": "USE_CHROMA",
}
# Spinbox's folders of development configuration and sample code for the backing services.
_SERVICE_FOLDERS = frozenset({"database", "redis", "mongodb", "chroma"})
# At the project's root, never part of an app that lives there too.
_NOT_SOURCES = _SERVICE_FOLDERS | {
    "deploy", "docs", "tests", "test", "scripts", "LICENSE", "Makefile",
    "package.json", "pytest.ini", "setup_venv.sh", "p10k.zsh",
}  # fmt: skip
_NOT_SOURCE_PATTERN = re.compile(
    r"\..*|.*\.md|.*compose.*\.ya?ml|Dockerfile.*|.*\.lock|.*lock\.(json|yaml)|requirements.*"
)
_GENERATED_SETTINGS = r"# Settings of \S+ in production\. .*"
_ENV_EXAMPLES = (
    ".env.example",
    ".env.example.orig",
    ".env.local.example",
    ".env.production.example",
    ".env.sample",
)
_DEV_COMPOSE = ("docker-compose.yml", "docker-compose.yaml", "compose.yml", "compose.yaml")
_CREATE_EXTENSION = re.compile(
    r'CREATE\s+EXTENSION\s+(?:IF\s+NOT\s+EXISTS\s+)?"?([A-Za-z0-9_-]+)"?', re.IGNORECASE
)
_PYTHON_ENTRIES = ("main.py", "app.py", "run.py", "__main__.py")


def is_project(root: Path) -> bool:
    """Whether `root` is the top folder of a Spinbox project."""
    return (root / PROJECT_CONF).is_file()


def read_facts(root: Path, hints: Mapping[str, str] | None = None) -> Facts:
    """Read the facts of the Spinbox project in `root`.

    Args:
        root: The project's top folder.
        hints: What was set by hand of where to look: `KIND.dir`, `fastapi.entry`.

    Returns:
        `name`, and one mapping for each app kind (`fastapi`, `python`, `nextjs`, `node`) and each
        backing service (`postgres`, `redis`, `mongodb`, `chroma`) that the project has.

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
    versions = _conf(root, VERSIONS_CONF) if (root / VERSIONS_CONF).is_file() else {}
    hints = hints or {}
    facts: Facts = {"name": conf.get("PROJECT_NAME") or root.resolve().name}

    python_image = versions.get("PYTHON_IMAGE") or _tagged("python", versions, "PYTHON", "-slim")
    node_image = versions.get("NODE_IMAGE") or _tagged("node", versions, "NODE", "-alpine")
    for kind, app in _python_apps(tree, conf, hints):
        facts[kind] = {"image": python_image, **app}
    for kind, app in _node_apps(tree, conf, hints):
        facts[kind] = {"image": node_image, **app}

    images = _dev_images(tree)
    for service, flag in _SERVICE_FLAGS.items():
        if is_true(conf.get(flag, "")):
            facts[service] = {"image": _service_image(service, versions, images)}
    if "postgres" in facts:
        facts["postgres"] |= _database(tree, facts)
    return facts


_SOURCE_ENDINGS = (".py", ".ts", ".tsx", ".js", ".jsx", ".mjs", ".cjs", ".css", ".json", ".html")


def hidden_sources(root: Path, facts: Facts) -> list[str]:
    """Folders and files of the apps that look like source, but that a clone would lack.

    Spinbox's own .gitignore hides every `lib/`.
    """
    folders = {f["dir"] for f in facts.values() if isinstance(f, dict) and f.get("dir")}
    hidden = [path for path in Tree(root).hidden() if path.endswith(_SOURCE_ENDINGS)]
    found: dict[str, None] = {}
    for path in hidden:
        top, _, rest = path.partition("/")
        if any(path.startswith(f"{folder}/") for folder in folders - {"."}) or (
            "." in folders and rest and top not in _NOT_SOURCES and not top.startswith(".")
        ):
            found[path.rpartition("/")[0] + "/"] = None
    return list(found)


def _conf(root: Path, name: str) -> dict[str, str]:
    # Read past the tree's view: Spinbox's own configuration counts even where git ignores it.
    try:
        return parse_conf((root / name).read_text("utf-8-sig"), name)
    except UnicodeDecodeError:
        raise ProjectError(f"{name} is not UTF-8 text: save it as UTF-8.") from None
    except OSError as error:
        raise ProjectError(f"{name} cannot be read ({error.strerror}): mend that first.") from None


def _tagged(image: str, versions: Mapping[str, str], key: str, suffix: str) -> str | None:
    version = versions.get(f"{key}_VERSION")
    return f"{image}:{version}{suffix}" if version else None


def _python_apps(
    tree: Tree, conf: Mapping[str, str], hints: Mapping[str, str]
) -> list[tuple[str, dict[str, Any]]]:
    if is_true(conf.get("USE_FASTAPI", "")) or "fastapi.dir" in hints:
        folder = hints.get("fastapi.dir") or _fastapi_folder(tree)
        return [("fastapi", _fastapi(tree, folder, hints) if folder else {"dir": None})]
    if not is_true(conf.get("USE_PYTHON", "")) and "python.dir" not in hints:
        return []
    folder = hints.get("python.dir", ".")
    if tree.first(folder, *_PYTHON_ENTRIES) is None and "python.dir" not in hints:
        return []
    if python_source.find_fastapi(_modules(tree, folder)[0]):
        return [("fastapi", _fastapi(tree, folder, hints))]
    return [("python", _python(tree, folder))]


def _node_apps(
    tree: Tree, conf: Mapping[str, str], hints: Mapping[str, str]
) -> list[tuple[str, dict[str, Any]]]:
    apps: list[tuple[str, dict[str, Any]]] = []
    next_folder = None
    if is_true(conf.get("USE_NEXTJS", "")) or "nextjs.dir" in hints:
        next_folder = hints.get("nextjs.dir") or _next_folder(tree)
        apps.append(("nextjs", _nextjs(tree, next_folder) if next_folder else {"dir": None}))
    if is_true(conf.get("USE_NODE", "")) or "node.dir" in hints:
        folder = hints.get("node.dir", ".")
        found = node_source.find_entry(tree, folder) and tree.has(join(folder, "package.json"))
        if folder != next_folder and (found or "node.dir" in hints):
            apps.append(("node", _node(tree, folder)))
    return apps


def _fastapi_folder(tree: Tree) -> str | None:
    """`backend/` as Spinbox lays it out, else the one folder that holds a FastAPI app."""
    if any(tree.below("backend", ".py")):
        return "backend"
    tops = sorted({path.split("/")[0] for path in tree.below(".", ".py") if "/" in path})
    holders = [
        top
        for top in tops
        if top not in _NOT_SOURCES
        and not top.startswith(".")
        and python_source.find_fastapi(python_source.parse_modules(tree, top)[0])
        and tree.first(top, "requirements.txt", "pyproject.toml")
    ]
    if len(holders) == 1:
        return holders[0]
    return "." if python_source.find_fastapi(_modules(tree, ".")[0]) else None


def _next_folder(tree: Tree) -> str | None:
    """`frontend/` as Spinbox lays it out, the root, or the one folder that depends on Next.js."""
    for folder in ("frontend", "."):
        if node_source.depends_on_next(tree, folder):
            return folder
    tops = sorted(
        {p.split("/")[0] for p in tree.files if p.count("/") == 1 and p.endswith("/package.json")}
    )
    holders = [top for top in tops if node_source.depends_on_next(tree, top)]
    return holders[0] if len(holders) == 1 else None


def _modules(tree: Tree, folder: str) -> tuple[list[python_source.Module], str | None]:
    return python_source.parse_modules(
        tree, folder, _SERVICE_FOLDERS if folder == "." else frozenset()
    )


def _fastapi(tree: Tree, folder: str, hints: Mapping[str, str]) -> dict[str, Any]:
    modules, problem = _modules(tree, folder)
    entries = python_source.find_fastapi(modules)
    if not entries and problem:
        raise ProjectError(problem)
    chosen = [entry for entry in entries if entry.target == hints.get("fastapi.entry")]
    entries = chosen or entries
    entry = entries[0] if len(entries) == 1 else None
    return {
        "dir": folder,
        "entry": entry.target if entry else None,
        "entries": [] if entry else [candidate.target for candidate in entries],
        "factory": bool(entry and entry.factory),
        "source_root": entry.module.source_root if entry else ".",
        "port": 8000,
        "health": python_source.find_health_path(entry) if entry else None,
        "paths": ["/api/v1", *(python_source.documentation_paths(entry) if entry else [])],
        **_python_common(tree, folder, modules),
    }


def _python(tree: Tree, folder: str) -> dict[str, Any]:
    return {
        "dir": folder,
        "entry": _file_name(tree.first(folder, *_PYTHON_ENTRIES)),
        "source_root": ".",
        "mode": "job",
        "port": None,
        "health": None,
        **_python_common(tree, folder, _modules(tree, folder)[0]),
    }


def _python_common(tree: Tree, folder: str, modules: list[python_source.Module]) -> dict[str, Any]:
    return {
        **python_packages.read_packages(tree, folder),
        "sources": _sources(tree, folder, _NODE_ONLY),
        "worker": python_source.find_worker(modules),
        "alembic": python_source.has_alembic(tree, folder),
        "variables": _variables(tree, folder),
    }


def _nextjs(tree: Tree, folder: str) -> dict[str, Any]:
    package = node_source.read_package_json(tree, folder) or {}
    return {
        "dir": folder,
        **node_source.read_packages(tree, folder, package),
        **node_source.read_next_config(tree, folder),
        "port": 3000,
        "health": node_source.next_health_path(tree, folder),
        "sources": _sources(tree, folder, _PYTHON_ONLY),
        "env_production": tree.has(join(folder, ".env.production")),
        "variables": _variables(tree, folder),
    }


def _node(tree: Tree, folder: str) -> dict[str, Any]:
    package = node_source.read_package_json(tree, folder) or {}
    entry = node_source.find_entry(tree, folder)
    return {
        "dir": folder,
        **node_source.read_packages(tree, folder, package),
        **node_source.read_scripts(package, entry),
        "port": node_source.node_port(tree, folder),
        "health": node_source.node_health_path(tree, folder),
        "sources": _sources(tree, folder, _PYTHON_ONLY),
        "variables": _variables(tree, folder),
    }


# At the root, two apps can share the folder: what is only the other's stays out.
_PYTHON_ONLY = re.compile(r".*\.(py|toml|ini|cfg|txt)")
_NODE_ONLY = re.compile(r"tsconfig.*|.*\.config\.\w+|.*\.(ts|js|mjs|cjs|tsbuildinfo)|public")


def _sources(tree: Tree, folder: str, others: re.Pattern[str]) -> list[str]:
    """What enters the image of an app at the root, files and folders (ending in `/`); else []."""
    if folder != ".":
        return []
    tops = {path.split("/")[0] + ("/" if "/" in path else "") for path in tree.files}
    return sorted(
        top
        for top in tops
        if (name := top.rstrip("/")) not in _NOT_SOURCES
        and not _NOT_SOURCE_PATTERN.fullmatch(name)
        and not others.fullmatch(name)
        and not (top.endswith("/") and _is_app_folder(tree, name))
    )


def _is_app_folder(tree: Tree, folder: str) -> bool:
    return tree.first(folder, "package.json", "requirements.txt", "pyproject.toml") is not None


def _variables(tree: Tree, folder: str) -> list[str]:
    """Names, never values, of the variables in the app's own example files."""
    found: dict[str, None] = {}
    for name in _ENV_EXAMPLES:
        if tree.has(path := join(folder, name)):
            lines = tree.read(path).splitlines()
            # The root's may be the generated one.
            if folder == "." and lines and re.fullmatch(_GENERATED_SETTINGS, lines[0]):
                continue
            matches = (re.match(r"\s*(?:export\s+)?([A-Za-z_]\w*)\s*=", line) for line in lines)
            found |= {match[1]: None for match in matches if match}
    return list(found)


def _dev_images(tree: Tree) -> dict[str, str]:
    """Images by service of the development compose file: MongoDB's and Chroma's are only there."""
    path = tree.first(".", *_DEV_COMPOSE)
    if path is None:
        return {}
    try:
        document = yaml.safe_load(tree.read(path))
    except yaml.YAMLError:
        raise ProjectError(f"{path} is not valid YAML: mend it first.") from None
    services = document.get("services") if isinstance(document, dict) else None
    return {
        str(name): service["image"]
        for name, service in (services if isinstance(services, dict) else {}).items()
        if isinstance(service, dict) and isinstance(service.get("image"), str)
    }


def _service_image(
    service: str, versions: Mapping[str, str], images: Mapping[str, str]
) -> str | None:
    key = service.upper()
    image = versions.get(f"{key}_IMAGE") or images.get(service)
    if image is None and service in {"postgres", "redis"}:
        return _tagged(service, versions, key, "")
    # A moving tag would change the database under the data: the catalogue's version is taken.
    return None if image is None or image.endswith(":latest") or ":" not in image else image


def _database(tree: Tree, facts: Facts) -> dict[str, Any]:
    sql = [p for p in tree.below(SQL_MIGRATIONS, ".sql") if re.match(r"\d", p.split("/")[-1])]
    python = facts.get("fastapi") or facts.get("python") or {}
    migrations = "alembic" if python.get("alembic") else "sql" if sql else "none"
    extensions = {"vector"} if "pgvector" in python.get("libraries", []) else set()
    revisions = [p for p in tree.below(".", ".py") if "/versions/" in p]
    for path in (*tree.below("database/init", ".sql"), *sql, *revisions):
        text = re.sub(r"--[^\n]*|/\*.*?\*/", "", tree.read(path), flags=re.DOTALL)
        extensions |= {name.lower() for name in _CREATE_EXTENSION.findall(text)}
    return {"migrations": migrations, "extensions": sorted(extensions)}


def _file_name(path: str | None) -> str | None:
    return path.rsplit("/", 1)[-1] if path else None
