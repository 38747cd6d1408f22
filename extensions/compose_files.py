"""The development's Compose files in the top folder: which services they have. Nothing is run."""

from __future__ import annotations

import re
from collections.abc import Iterator
from dataclasses import dataclass

import yaml

from .errors import ProjectError
from .tree import MEGABYTE, Tree

# Those that Compose takes by itself, in its order (docs.docker.com, "Compose file").
USUAL = ("compose.yaml", "compose.yml", "docker-compose.yaml", "docker-compose.yml")
# What this template generates.
PRODUCTION = "docker-compose.prod.yml"
_NAME = re.compile(r"(docker-)?compose[\w.-]*\.ya?ml")
_TEXT = "tag:yaml.org,2002:str"
_MERGE = "tag:yaml.org,2002:merge"
_VARIABLE = re.compile(r"\$\{\w+(?::?-([^${}]*))?[^{}]*\}|\$\w+")


@dataclass(frozen=True)
class Service:
    """One service of a Compose file.

    Attributes:
        name: Its name.
        path: The file.
        line: The line of its name there.
        image: What it runs, as the file has it; None where it is built, or that is no text.
        image_line: The line that says so.
        build: The folder that it is built from, as the file has it; None for none.
        environment: What it is given, by name; a name without a value has an empty one.
    """

    name: str
    path: str
    line: int
    image: str | None
    image_line: int | None
    build: str | None
    environment: tuple[tuple[str, str], ...]


def names(tree: Tree) -> list[str]:
    """The Compose files in the top folder: the one that Compose takes by itself comes first."""
    found = [path for path in tree.files if _NAME.fullmatch(path) and path != PRODUCTION]
    usual = next((name for name in USUAL if name in found), None)
    return sorted(found, key=lambda path: path != usual)


def read(tree: Tree, path: str) -> tuple[Service, ...]:
    """The services of a file; one that cannot be understood has none.

    Raises:
        yaml.YAMLError: It is not valid, or nested too deeply.
        ProjectError: It cannot be read.
    """
    try:
        # Nodes alone: nothing is built of them, so aliases cost nothing, and any tag is taken.
        root = yaml.compose(tree.read(path, MEGABYTE), yaml.SafeLoader)
    except RecursionError:
        raise yaml.YAMLError("nested too deeply") from None
    services = (
        Service(
            name=key.value,
            path=path,
            line=key.start_mark.line + 1,
            image=_text(image),
            image_line=image.start_mark.line + 1 if image else None,
            build=_text(build) or _text(_get(build, "context")),
            environment=tuple(_environment(_get(service, "environment"))),
        )
        for key, service in _pairs(_get(root, "services"))
        if isinstance(key, yaml.ScalarNode) and isinstance(service, yaml.MappingNode)
        for image, build in [(_get(service, "image"), _get(service, "build"))]
    )
    return tuple(sorted(services, key=lambda service: service.line))


def read_all(tree: Tree) -> list[Service]:
    """The services of all files, each name once; a file that cannot be read has none."""
    found: dict[str, Service] = {}
    for path in names(tree):
        try:
            services = read(tree, path)
        except (yaml.YAMLError, ProjectError):
            continue
        for service in services:
            found.setdefault(service.name, service)
    return list(found.values())


def with_defaults(text: str) -> str:
    """A text as Compose has it where no variable is set."""
    return _VARIABLE.sub(lambda match: match[1] or "", text)


def _get(node: yaml.Node | None, name: str) -> yaml.Node | None:
    """What stands under a key; the last of several counts."""
    return next((v for k, v in _pairs(node) if k.value == name), None)


def _pairs(node: yaml.Node | None) -> Iterator[tuple[yaml.Node, yaml.Node]]:
    """The keys and values of a mapping, the last of each first, and behind them what is merged."""
    waiting, seen = [node], set()
    while waiting:
        one = waiting.pop(0)
        # One that is merged many times has nothing new the second time.
        if one is None or id(one) in seen:
            continue
        seen.add(id(one))
        if isinstance(one, yaml.SequenceNode):
            waiting += one.value
        elif isinstance(one, yaml.MappingNode):
            yield from ((k, v) for k, v in reversed(one.value) if k.tag != _MERGE)
            waiting += [v for k, v in one.value if k.tag == _MERGE]


def _text(node: yaml.Node | None) -> str | None:
    is_text = isinstance(node, yaml.ScalarNode) and node.tag == _TEXT
    return node.value if is_text and node is not None else None


def _environment(node: yaml.Node | None) -> Iterator[tuple[str, str]]:
    """Both forms: a mapping, and a list of `NAME=VALUE`."""
    if isinstance(node, yaml.SequenceNode):
        for item in node.value:
            name, _, text = (_text(item) or "").partition("=")
            if name:
                yield name, text
        return
    for key, value in _pairs(node):
        if isinstance(key, yaml.ScalarNode):
            yield key.value, value.value if isinstance(value, yaml.ScalarNode) else ""
