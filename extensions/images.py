"""Base images: `versions.conf` names them, the development compose file those of services."""

from __future__ import annotations

import re
from collections.abc import Mapping
from dataclasses import replace

import yaml

from .conf import Conf, given
from .errors import ProjectError
from .origins import Found
from .tree import Tree

VERSIONS_CONF = ".config/versions.conf"
_DEV_COMPOSE = ("docker-compose.yml", "docker-compose.yaml", "compose.yml", "compose.yaml")


def runtime_image(image: str, versions: Conf, suffix: str) -> Found[str | None]:
    """The image of a language: `versions.conf` names it, or its version; else None."""
    key = image.upper()
    missing = Found(None, f"no {key}_IMAGE or {key}_VERSION in {VERSIONS_CONF}")
    return given(versions, f"{key}_IMAGE") or _tagged(image, versions, suffix) or missing


def development_images(tree: Tree) -> dict[str, Found[str]]:
    """Images by service of the development compose file: some of Spinbox's are only there."""
    path = tree.first(".", *_DEV_COMPOSE)
    if path is None:
        return {}
    try:
        loader = yaml.SafeLoader(tree.read(path))
        root = loader.get_single_node()
        document = loader.construct_document(root) if root else None
    except yaml.YAMLError:
        raise ProjectError(f"{path} is not valid YAML: mend it first.") from None
    services = document.get("services") if isinstance(document, dict) else None
    return {
        str(name): Found(
            service["image"],
            f"image of service {name}",
            path,
            _line_of(root, "services", str(name), "image"),
        )
        for name, service in (services if isinstance(services, dict) else {}).items()
        if isinstance(service, dict) and isinstance(service.get("image"), str)
    }


def service_image(
    service: str, tagged: bool, versions: Conf, images: Mapping[str, Found[str]]
) -> Found[str | None]:
    """A backing service's image, where it is one of a fixed version.

    Args:
        service: Its name in the facts.
        tagged: `versions.conf` may name its version alone.
        versions: What `versions.conf` says.
        images: Those of the development compose file.
    """
    key = service.upper()
    image = given(versions, f"{key}_IMAGE") or images.get(service)
    if image is None and tagged:
        image = _tagged(service, versions)
    if image is None:
        return Found(None, f"no {key}_IMAGE, and no image in a development compose file")
    # A moving tag would change the database under the data: the catalogue's version is taken.
    if image.value.endswith(":latest") or ":" not in image.value:
        return Found(None, f"{image.reason} names no fixed version", image.path, image.line)
    return image


def major_version(image: str) -> str:
    """The first number of an image's tag, or PostgreSQL's in `0.8.0-pg17`; empty without one."""
    tag = image.partition("@")[0].rpartition("/")[2].partition(":")[2]
    match = re.search(r"pg(\d+)", tag) or re.match(r"v?(\d+)", tag)
    return match[1] if match else ""


def _tagged(image: str, versions: Conf, suffix: str = "") -> Found[str] | None:
    version = given(versions, f"{image.upper()}_VERSION")
    return replace(version, value=f"{image}:{version.value}{suffix}") if version else None


def _line_of(node: yaml.Node | None, *keys: str) -> int | None:
    """The line of the key that `keys` lead to; YAML's merges have been made."""
    line = None
    for key in keys:
        pairs = node.value if isinstance(node, yaml.MappingNode) else []
        # The last of several counts.
        same = [(k.start_mark.line + 1, value) for k, value in pairs if k.value == key]
        line, node = same[-1] if same else (None, None)
    return line
