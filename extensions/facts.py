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

from . import apps, images, migrations, runtimes
from .choice import is_line
from .conf import Conf, given, parse_conf, switched_on
from .errors import ProjectError
from .memory import no_collection
from .origins import Fields, Found, Origin, and_more, line_at
from .project import Project
from .services import FOLDERS, KINDS
from .targets import TARGETS
from .tree import Tree

Facts = dict[str, Any]

PROJECT_CONF = ".config/project.conf"
# At the project's root, never part of an app that lives there too.
_NOT_SOURCES = FOLDERS | {
    "deploy", "docs", "tests", "test", "scripts", "LICENSE", "Makefile",
    "package.json", "pytest.ini", "setup_venv.sh", "p10k.zsh",
}  # fmt: skip
_NOT_SOURCE_PATTERN = re.compile(
    r"\..*|.*\.md|.*compose.*\.ya?ml|Dockerfile.*|.*\.lock|.*lock\.(json|yaml)|requirements.*"
    # Of bots; what `--adopt=take` leaves.
    r"|renovate\.json5?|.*\.orig(\.\d+)?"
    # Of platforms that run the app.
    + "".join(f"|{target.root_files}" for target in TARGETS.values() if target.root_files)
)
_CREATE_EXTENSION = re.compile(
    r'CREATE\s+EXTENSION\s+(?:IF\s+NOT\s+EXISTS\s+)?"?([A-Za-z0-9_-]+)"?', re.IGNORECASE
)


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
        facts: `name`, and one mapping for each app (by the kind, a module of `extensions/apps/`)
            and each backing service (a module of `extensions/services/`) that the project has.
        origins: Exactly one for `name`, for each `COMPONENT` and for each `COMPONENT.FIELD` of
            the facts: the keys of `--set`, and those of the other facts.
        tree: The files that were looked at.
    """

    facts: Facts
    origins: dict[str, Origin]
    tree: Tree


@no_collection()
def read_project(root: Path, hints: Mapping[str, str] | None = None) -> Reading:
    """Read the Spinbox project in `root`.

    Args:
        root: The project's top folder.
        hints: What was set by hand of where to look: `KIND.dir`, `fastapi.entry`.

    Raises:
        ProjectError: Not a Spinbox project, or a file that has to be read is broken.
    """
    if not is_project(root):
        above = next(filter(is_project, root.resolve().parents), None)
        raise ProjectError(
            f"This is not a Spinbox project ({PROJECT_CONF} is missing): "
            + (
                f"the one above is {above}: run it there, or name that folder with -C."
                if above
                else "run it in the project's top folder, or name that folder."
            )
        )
    tree = Tree(root)
    conf = _conf(root, PROJECT_CONF)
    versions = _conf(root, images.VERSIONS_CONF) if (root / images.VERSIONS_CONF).is_file() else {}
    hints = hints or {}
    name = given(conf, "PROJECT_NAME") or Found(root.resolve().name, "the folder's name")
    # What no file can hold is no part of a name in any case.
    name = replace(name, value="".join(c if is_line(c) else "-" for c in name.value))

    found = _apps(Project(tree, conf, hints, FOLDERS, _is_no_source), versions)
    development = images.development_images(tree)
    made = [fields for _, fields in found.values()]
    for service, known in KINDS.items():
        if flagged := switched_on(conf, known.flag):
            image = images.service_image(service, known.tagged, versions, development)
            found[service] = flagged, {"image": image}
    if "postgres" in found:
        found["postgres"][1].update(_database(tree, made))
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


def _apps(project: Project, versions: Conf) -> dict[str, tuple[Origin, Fields]]:
    """The apps by kind, in the order of the stack."""
    found: dict[str, tuple[Origin, Fields]] = {}
    for runtime in runtimes.RUNTIMES.values():
        image = images.runtime_image(runtime.name, versions, runtime.image_suffix)
        taken: dict[str, str | None] = {}
        for kind in sorted(apps.of(runtime.name), key=lambda name: apps.FRAMEWORKS[name].GENERIC):
            framework = apps.FRAMEWORKS[kind]
            if place := framework.find(project, taken):
                folder = taken[kind] = place.folder.value
                fields = framework.read(project, folder) if folder else {}
                fitting = runtimes.fitting_image(runtime, project.tree, folder or ".", image)
                found[kind] = place.origin, {"image": fitting, "dir": place.folder, **fields}
    return {kind: found[kind] for kind in apps.NAMES if kind in found}


def _is_no_source(name: str) -> bool:
    """Whether a name in the top folder is never part of an app there."""
    return name in _NOT_SOURCES or _NOT_SOURCE_PATTERN.fullmatch(name) is not None


def _database(tree: Tree, made_apps: list[Fields]) -> Fields:
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
    if any("libraries" in app and "pgvector" in app["libraries"].value for app in made_apps):
        made.append(Found("vector", "pgvector is one of the libraries"))
    names = sorted({extension.value for extension in made})
    extensions = Found(names, "no CREATE EXTENSION in SQL files or revisions")
    if made:
        extensions = replace(made[0], value=names, reason=made[0].reason + and_more(names))
    return {"migrations": migrations.find(tree, made_apps), "extensions": extensions}
