"""Runtimes, frameworks and databases past their end of life, by a dated table."""

from __future__ import annotations

import json
import shlex
from collections.abc import Collection, Mapping, Set
from dataclasses import dataclass
from datetime import date
from functools import cache
from pathlib import Path

from packaging.version import Version

from .. import derivation
from ..answers import load_yaml
from ..derivation import image_reference, versions
from .model import Check, Context, passed, warned

_TABLE = Path(__file__).parents[1] / "end_of_life.yml"
_SOON = 90


@dataclass(frozen=True)
class Product:
    """A product's calendar: its name, where it stands, and the last day by version.

    Versions are told apart by how many parts they name: `7` is no `7.0`.
    """

    title: str
    source: str
    cycles: Mapping[tuple[int, ...], date]


@cache
def calendar() -> dict[str, Product]:
    """The table, by product."""
    products = load_yaml(_TABLE.read_text("utf-8"))["products"]
    return {
        name: Product(
            product["title"],
            product["source"],
            {Version(cycle).release: end for cycle, end in product["cycles"].items()},
        )
        for name, product in products.items()
    }


IDS = {
    f"lifecycle.{name}": f"{product.title} still gets security fixes, for 90 days or more"
    for name, product in calendar().items()
}


@dataclass(frozen=True)
class Use:
    """A product in use: its name in the table, its version, and what moves it to another."""

    product: str
    version: Version
    mend: str


def look(context: Context) -> list[Check]:
    """One check for each product that the stack uses and the table knows."""
    checks = {use.product: judge(use, context.today) for use in uses(context)}
    return [check for id_ in IDS if (check := checks.get(id_.rpartition(".")[2]))]


def ended(context: Context) -> list[tuple[str, str]]:
    """A sentence for each product in use that gets no fixes any more, and what mends it."""
    return [
        (check.seen, check.mend or "")
        for use in uses(context)
        if (last := end_of(calendar()[use.product], use.version)) and last[0] < context.today
        if (check := judge(use, context.today))
    ]


def uses(context: Context) -> list[Use]:
    """The products that the stack uses, as far as their versions can be told."""
    found = []
    command = context.command
    images: list[tuple[str, Set[str], str, str]] = []
    for app in context.stack.apps:
        runtime = app.runtime.name
        images.append((runtime, {runtime}, app.kind, app.build.image))
    for service in context.stack.services:
        if service.product in calendar():
            known = service.product_images
            images.append((service.product, known, service.name, service.image))
    for product, names, key, image in images:
        if version := image_version(image, names):
            newer = _newer(product, version, image)
            found.append(Use(product, version, f"{command} --set {key}.image={newer}"))
    for app in context.stack.apps:
        build = app.build
        if not app.package or not isinstance(build, derivation.model.NodeBuild):
            continue
        if app.kind not in calendar():
            continue
        if version := _package_version(context, app):
            folder = "" if app.directory == "." else f"cd {shlex.quote(app.directory)} && "
            add = f"{folder}{build.tool.add} {app.package}@latest"
            found.append(Use(app.kind, version, add))
    return found


def _newer(product: str, version: Version, image: str) -> str:
    """The image with the version that the table knows to be maintained longest."""
    cycles = calendar()[product].cycles
    newest = max(cycles, key=lambda cycle: cycles[cycle])
    if newest <= version.release:
        return "IMAGE"
    reference = image_reference.ImageReference.parse(image)
    tag = (reference.tag or "").replace(str(version), ".".join(map(str, newest)), 1)
    return f"{reference.name}:{tag}"


def image_version(image: str, names: Collection[str]) -> Version | None:
    """The version in the tag of a product's image (`postgres:15`, `pgvector:pg15`), or None.

    Args:
        image: The reference.
        names: What the product's images are called; one by another name says nothing.
    """
    reference = image_reference.ImageReference.parse(image)
    return reference.version if reference.base_name in names else None


def _package_version(context: Context, app: derivation.model.App) -> Version | None:
    path = "package.json" if app.directory == "." else f"{app.directory}/package.json"
    try:
        document = json.loads(context.read(path))
        wanted = str(document["dependencies"][app.package])
    except (ValueError, KeyError, TypeError, RecursionError):
        return None
    return versions.leading_version(wanted.lstrip("^~>=v "))


def end_of(product: Product, version: Version) -> tuple[date, bool] | None:
    """The last day of a version, and whether the table has that very version.

    Where it is older than the table, its last day was before the first one there; None where it
    is not known.
    """
    release = version.release
    for length in range(len(release), 0, -1):
        if (end := product.cycles.get(release[:length])) is not None:
            return end, True
    oldest = min(product.cycles)
    # A bare major version is its newest minor one.
    if release < oldest[: len(release)]:
        return product.cycles[oldest], False
    return None


def judge(use: Use, today: date) -> Check | None:
    """Whether a version is maintained on a day; None where the table does not know it."""
    id_, product = f"lifecycle.{use.product}", calendar()[use.product]
    found = end_of(product, use.version)
    if found is None:
        return None
    end, exact = found
    subject = f"{product.title} {use.version}"
    if not exact:
        return warned(id_, f"{subject} has had no fixes since before {end}.", use.mend)
    if end < today:
        return warned(id_, f"{subject} has had no fixes since {end}.", use.mend)
    if (end - today).days < _SOON:
        return warned(id_, f"{subject} gets fixes until {end} only.", use.mend)
    return passed(id_, f"{subject} gets fixes until {end}.")
