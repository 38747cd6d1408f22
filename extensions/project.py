"""The project as the modules of `extensions/apps/` look at it."""

from __future__ import annotations

import re
from collections.abc import Callable, Collection, Mapping
from contextlib import suppress
from dataclasses import dataclass

from . import env_example, source_text
from .conf import Conf, switched_on
from .errors import ProjectError
from .origins import BY_HAND, Found, Origin, and_more
from .secret_files import is_public, matching
from .tree import MEGABYTE, PLAIN_PATH, Tree

# No app reads more, and each stands in every file that is generated.
_MOST_VARIABLES = 1000


@dataclass(frozen=True)
class Place:
    """Where an app is.

    Attributes:
        origin: Why the project is taken to have it.
        folder: Its folder, `.` for the top one; None where it was not found.
    """

    origin: Origin
    folder: Found[str] | Found[str | None]


@dataclass(frozen=True)
class Project:
    """A project's files, and what is known before any app is.

    Attributes:
        tree: The files.
        conf: What `project.conf` says.
        hints: What was set by hand of where to look, by `--set` key.
        service_folders: Top folders of the backing services' development files.
        is_no_source: Whether a name in the top folder is never part of an app there.
    """

    tree: Tree
    conf: Conf
    hints: Mapping[str, str]
    service_folders: frozenset[str]
    is_no_source: Callable[[str], bool]

    def by_hand(self, key: str) -> Found[str] | None:
        """What was set by hand."""
        return Found(self.hints[key], BY_HAND) if key in self.hints else None

    def wanted(self, kind: str, flag: str) -> Origin | None:
        """Why the project is to have an app: its flag, or a folder that was named for it."""
        named = Origin(None, None, BY_HAND) if f"{kind}.dir" in self.hints else None
        return switched_on(self.conf, flag) or named

    def sources(self, folder: str, others: re.Pattern[str]) -> Found[list[str]]:
        """What enters the image of an app at the root, files and folders (ending in `/`); else [].

        Args:
            folder: The app's.
            others: Names that are only another app's, where both share the top folder.

        Raises:
            ProjectError: A name that no Dockerfile can hold.
        """
        if folder != ".":
            return Found([], "the app's folder enters whole")
        tops = {path.split("/")[0] + ("/" if "/" in path else "") for path in self.tree.files}
        sources = sorted(
            top
            for top in tops
            if not self.is_no_source(name := top.rstrip("/"))
            and not others.fullmatch(name)
            and not (top.endswith("/") and self.is_app_folder(name))
            and not (matching(top) and not is_public(self.tree, top))
        )
        for name in sources:
            if not (name.isprintable() and PLAIN_PATH.fullmatch(name)):
                raise ProjectError(
                    f"The name {name!a} cannot stand in a Dockerfile: rename that file, or have "
                    "git ignore it."
                )
        return Found(sources, "what the top folder holds of the app")

    def is_app_folder(self, folder: str) -> bool:
        """Whether a folder has dependencies of its own."""
        manifests = ("package.json", "requirements.txt", "pyproject.toml")
        return self.tree.first(folder, *manifests) is not None

    def variables(self, folder: str) -> Found[list[str]]:
        """Names, never values, of the variables in the app's own example files.

        Those of the top folder are an app's elsewhere where its source reads them.
        """
        places = self._examples(folder)
        if folder != "." and (shared := self._examples(".")):
            wanted = shared.keys() - places.keys()
            read = _names_read(self.tree, folder, wanted) if wanted else frozenset()
            places |= {name: place for name, place in shared.items() if name in read}
        names = list(places)
        if not names:
            return Found([], "no variables in a .env.example or the like")
        return Found(names, f"names {names[0]}{and_more(names)}", *places[names[0]])

    def _examples(self, folder: str) -> dict[str, tuple[str, int]]:
        """The names in a folder's example files, and where each stands first."""
        places: dict[str, tuple[str, int]] = {}
        for path, line in env_example.read(self.tree, folder):
            places.setdefault(line.name, (path, line.number))
            if len(places) > _MOST_VARIABLES:
                raise ProjectError(
                    f"{path} names more than {_MOST_VARIABLES} variables: is it an example of "
                    "an app's settings? Rename it, or make it shorter."
                )
        return places


def _names_read(tree: Tree, folder: str, names: Collection[str]) -> set[str]:
    """Those of the names that an app's source has, in any of the forms that read them."""
    left = set(names)
    for path in tree.below(folder):
        if not left or not path.endswith(source_text.ENDINGS):
            continue
        with suppress(ProjectError):
            left -= source_text.names_read(tree.read(path, MEGABYTE), left)
    return set(names) - left
