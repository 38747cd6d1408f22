"""Runtimes, frameworks and databases past their end of life, by a dated table."""

from __future__ import annotations

import json
import re
import shlex
from collections.abc import Collection, Mapping, Set
from dataclasses import dataclass
from datetime import date
from functools import cache
from pathlib import Path

from ..answers import load_yaml
from .model import Check, Context, passed, warned

_TABLE = Path(__file__).parents[1] / "end_of_life.yml"
_SOON = 90


@dataclass(frozen=True)
class Product:
    """A product's calendar: its name, where it stands, and the last day by version."""

    title: str
    source: str
    cycles: Mapping[str, date]


@cache
def calendar() -> dict[str, Product]:
    """The table, by product."""
    products = load_yaml(_TABLE.read_text("utf-8"))["products"]
    return {name: Product(**fields) for name, fields in products.items()}


IDS = {
    f"lifecycle.{name}": f"{product.title} still gets security fixes, for 90 days or more"
    for name, product in calendar().items()
}


@dataclass(frozen=True)
class Use:
    """A product in use: its name in the table, its version, and what moves it to another."""

    product: str
    version: str
    mend: str


def look(context: Context) -> list[Check]:
    """One check for each product that the stack uses and the table knows."""
    checks = {use.product: judge(use, context.today) for use in uses(context)}
    return [check for id_ in IDS if (check := checks.get(id_.rpartition(".")[2]))]


def uses(context: Context) -> list[Use]:
    """The products that the stack uses, as far as their versions can be told."""
    found = []
    command = context.command
    images: list[tuple[str, Set[str], str, str]] = []
    for app in context.stack.apps:
        runtime = "python" if app.kind in {"fastapi", "python"} else "node"
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
        if app.kind == "nextjs" and (version := _next_version(context, app.directory)):
            folder = "" if app.directory == "." else f"cd {shlex.quote(app.directory)} && "
            manager = app.build.manager
            add = "install" if manager == "npm" else "add"
            found.append(Use("nextjs", version, f"{folder}{manager} {add} next@latest"))
    return found


def _newer(product: str, version: str, image: str) -> str:
    """The image with the version that the table knows to be maintained longest."""
    cycles = calendar()[product].cycles
    newest = max(cycles, key=lambda cycle: cycles[cycle])
    if _numbers(newest) <= _numbers(version):
        return "IMAGE"
    name, _, tag = image.partition("@")[0].rpartition(":")
    return f"{name}:{tag.replace(version, newest, 1)}"


def image_version(image: str, names: Collection[str]) -> str | None:
    """The version in the tag of a product's image (`postgres:15`, `pgvector:pg15`), or None.

    Args:
        image: The reference.
        names: What the product's images are called; one by another name says nothing.
    """
    name, _, tag = image.partition("@")[0].rpartition("/")[2].partition(":")
    if name not in names:
        return None
    # pgvector's own version may stand before PostgreSQL's: 0.8.0-pg17.
    match = re.search(r"(?:^|-)pg(\d+)", tag) or re.match(r"v?(\d+(?:\.\d+)*)", tag)
    return match[1] if match else None


def _next_version(context: Context, folder: str) -> str | None:
    path = "package.json" if folder == "." else f"{folder}/package.json"
    try:
        document = json.loads(context.read(path))
        wanted = str(document["dependencies"]["next"])
    except (ValueError, KeyError, TypeError):
        return None
    match = re.match(r"[\^~>=v\s]*(\d+(?:\.\d+)*)", wanted)
    return match[1] if match else None


def end_of(product: Product, version: str) -> tuple[date, bool] | None:
    """The last day of a version, and whether the table has that very version.

    Where it is older than the table, its last day was before the first one there; None where it
    is not known.
    """
    parts = version.split(".")
    for length in range(len(parts), 0, -1):
        if (end := product.cycles.get(".".join(parts[:length]))) is not None:
            return end, True
    oldest = min(product.cycles, key=_numbers)
    # A bare major version is its newest minor one.
    if _numbers(version) < _numbers(oldest)[: len(parts)]:
        return product.cycles[oldest], False
    return None


def _numbers(version: str) -> tuple[int, ...]:
    return tuple(map(int, version.split(".")))


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
