"""What Nomad needs."""

from __future__ import annotations

from collections.abc import Mapping

from ..model import Check, Context, failed, passed

IDS = {"nomad.job": "The job's file is there"}
ENV_FILE = False


def look(context: Context) -> list[Check]:
    """All checks of this target."""
    if (context.root / "deploy/nomad/job.hcl").is_file():
        return [passed("nomad.job", "deploy/nomad/job.hcl is there.")]
    return [failed("nomad.job", "deploy/nomad/job.hcl is missing.", context.command)]


def done(context: Context) -> Mapping[str, bool]:
    """Nothing that can be seen from here."""
    return {"run": False}
