"""Will it start? What `extensions/start/` finds, each finding a check."""

from __future__ import annotations

from collections.abc import Iterator

from .. import derivation, missing_settings
from .model import Check, Context, Status, passed

IDS: dict[str, str] = dict(derivation.start.IDS)


def look(context: Context) -> list[Check]:
    """A check for each finding, and one for each rule that found nothing."""
    return list(_checks(context))


def _checks(context: Context) -> Iterator[Check]:
    findings = missing_settings.open_findings(context.outcome.findings, context.settings)
    for id_, what in derivation.start.ids(context.outcome.subject).items():
        found = [finding for finding in findings if finding.rule == id_]
        for one in found:
            status = Status.FAIL if one.certain else Status.WARN
            yield Check(id_, status, one.seen, one.mend, one.path, one.line)
        if not found:
            yield passed(id_, f"{what}.")
