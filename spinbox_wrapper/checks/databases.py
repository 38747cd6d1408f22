"""Databases that run: whether their data is of the major version that the files name."""

from __future__ import annotations

from ..derivation import image_reference
from .engine import Engine
from .model import Check, Context, failed, passed

IDS = {
    "databases.version": "PostgreSQL runs in the major version that the files name, since no other "
    "one reads its data"
}


def judge(context: Context, engine: Engine, mend: str) -> list[Check]:
    """One check for each database that runs and whose version can be told by its image.

    Args:
        context: What all checks look at.
        engine: What Docker says of itself.
        mend: What moves the data, with the script's name as `{}`.
    """
    checks = []
    for service in context.stack.upgraded:
        for container in engine.containers:
            if not container.is_of(context.compose_project, service.name):
                continue
            image = image_reference.ImageReference.parse(container.image)
            # An image without a name is shown by its digest.
            runs, wanted = None if image.name == "sha256" else image.major, service.version
            if not wanted or not runs:
                continue
            id_, subject = "databases.version", f"{service.title} {runs} runs"
            if runs == wanted:
                checks.append(passed(id_, f"{subject}, as the files say."))
            else:
                seen = f"{subject}, and the files name {wanted}, which does not read its data."
                checks.append(failed(id_, seen, mend.format(service.upgrade)))
    return checks
