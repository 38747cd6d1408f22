"""Base images: `versions.conf` names them, the development compose file those of services."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import replace

import yaml

from . import compose_files
from .conf import Conf, given
from .errors import ProjectError
from .image_reference import ImageReference
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
        services = compose_files.read(tree, path)
    except yaml.YAMLError:
        raise ProjectError(f"{path} is not valid YAML: mend it first.") from None
    found: dict[str, Found[str]] = {}
    for one in services:
        if one.image is not None:
            reason = f"image of service {one.name}"
            found.setdefault(one.name, Found(one.image, reason, path, one.image_line))
    return found


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
    if not ImageReference.parse(image.value).is_fixed:
        return Found(None, f"{image.reason} names no fixed version", image.path, image.line)
    return image


def _tagged(image: str, versions: Conf, suffix: str = "") -> Found[str] | None:
    version = given(versions, f"{image.upper()}_VERSION")
    return replace(version, value=f"{image}:{version.value}{suffix}") if version else None
