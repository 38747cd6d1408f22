"""What a target's guide says differently for each environment and project, and its parts.

A README has the guide for production, as Markdown. `spinbox deploy` shows the same template for
the environment that was asked for; it takes the parts as they are rendered
(`spinbox_wrapper/guide_rendering.py`).
"""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import dataclass

PRODUCTION = "production"
COMPOSE = "docker compose -f docker-compose.prod.yml"
# What calls a part's body, which a template has between `call` and `endcall`.
Caller = Callable[[], str]


@dataclass(frozen=True)
class Guide:
    """What templates see as `guide`.

    Attributes:
        name: The project's.
        environment: `production`, or another that the project has.
        domain: Its domain, or the word that stands for it.
        repository: Where the project is cloned from, or the word that stands for it.
    """

    name: str
    environment: str = PRODUCTION
    domain: str = "YOUR-DOMAIN"
    repository: str = "REPOSITORY"

    @property
    def is_production(self) -> bool:
        """Whether its names are the plain ones."""
        return self.environment == PRODUCTION

    @property
    def project(self) -> str:
        """The project of Compose, and the stack of Swarm; as `common.sh` names it."""
        return f"{self.name}-prod" if self.is_production else f"{self.name}-{self.environment}"

    @property
    def settings(self) -> str:
        """The settings file, relative to the output folder; as `common.sh` names it."""
        return ".env" if self.is_production else f"deploy/env/{self.environment}.env"

    @property
    def compose(self) -> str:
        """The command of Docker Compose, which words follow."""
        return COMPOSE + self._unless_production(f" -p {self.project} --env-file {self.settings}")

    @property
    def option(self) -> str:
        """What follows the name of a script of `deploy/`, with its space; or empty."""
        return self._unless_production(f" --env {self.environment}")

    @property
    def units(self) -> str:
        """What names of systemd's units begin with."""
        return self.name + self._unless_production(f"-{self.environment}")

    @property
    def namespace(self) -> str:
        """The namespace in a cluster; as the overlays name it."""
        return f"{self.name}-{self.environment}"

    def _unless_production(self, words: str) -> str:
        return "" if self.is_production else words

    def section(self, id_: str, level: int, title: str, *, caller: Caller) -> str:
        """A part that `spinbox deploy` shows too, up to the next heading of any level.

        Args:
            id_: What tools call it by: unique in its guide, and the same in every version.
            level: Of its heading.
            title: Its heading, with the number of a step.
            caller: What stands below it.
        """
        return f"{'#' * level} {title}\n{caller()}"

    def bash(self, *, caller: Caller) -> str:
        """Commands to be run in a shell."""
        return self.code("bash", caller=caller)

    def code(self, language: str, *, caller: Caller) -> str:
        """Lines of something else, such as a file."""
        return f"```{language}\n{caller()}```\n"

    def link(self, text: str, target: str) -> str:
        """Words that lead elsewhere."""
        return f"[{text}]({target})"
