"""A target's guide, rendered from its template for any environment."""

from __future__ import annotations

from dataclasses import dataclass, field

import jinja2
from jinja2.sandbox import SandboxedEnvironment

from . import derivation
from .answers import load_yaml
from .guide_layout import Block
from .sync import Outcome

# Where a block stood in a section's text; no template has this character.
_MARK = "\0"


@dataclass(frozen=True)
class Section:
    """A part of a guide.

    Attributes:
        id: What tools call it by.
        level: Of its heading: 2, or 3 for a step.
        title: Its heading.
        blocks: What stands below it.
    """

    id: str
    level: int
    title: str
    blocks: tuple[Block, ...]


@dataclass(frozen=True)
class Recorder(derivation.guide.Guide):
    """A guide that keeps its sections while a template is rendered with it.

    Attributes:
        sections: Those so far, in their order.
    """

    sections: list[Section] = field(default_factory=list)
    _blocks: list[Block] = field(default_factory=list)

    def section(self, id_: str, level: int, title: str, *, caller: derivation.guide.Caller) -> str:
        """Keep it; the text that a README has of it is of no use here."""
        self._blocks.clear()
        first, *others = (Block("text", text) for text in caller().split(_MARK))
        parted = zip(self._blocks, others, strict=True)
        blocks = (first, *(block for pair in parted for block in pair))
        self.sections.append(Section(id_, level, title, blocks))
        return ""

    def code(self, language: str, *, caller: derivation.guide.Caller) -> str:
        """Keep it for the section that it stands in."""
        self._blocks.append(Block("bash" if language == "bash" else "code", caller()))
        return _MARK

    def link(self, text: str, target: str) -> str:
        """Nothing leads anywhere here."""
        return text


def render(outcome: Outcome, target: str, guide: derivation.guide.Guide) -> str:
    """The guide as a README has it, said by `guide`.

    Args:
        outcome: The run that would generate it.
        target: Whose guide.
        guide: What the template sees under that name.
    """
    context = {
        **derivation.choices.complete(outcome.answers),
        **outcome.deployment.context,
        "guide": guide,
        "_copier_conf": {"answers_file": outcome.request.answers_file},
    }
    path = f"template/{derivation.targets.TARGETS[target].guide}.jinja"
    return _environment().get_template(path).render(context)


def _environment() -> SandboxedEnvironment:
    """As Copier makes it: its filters, and the options of `copier.yml`."""
    options = load_yaml((derivation.ROOT / "copier.yml").read_bytes())["_envops"]
    undefined = getattr(jinja2, options.pop("undefined").removeprefix("jinja2."))
    return SandboxedEnvironment(
        loader=jinja2.FileSystemLoader(derivation.ROOT),
        extensions=["jinja2_ansible_filters.AnsibleCoreFiltersExtension"],
        undefined=undefined,
        **options,
    )
