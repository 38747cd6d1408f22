"""The name of an image, in its parts."""

from __future__ import annotations

import re
from dataclasses import dataclass

from packaging.version import Version

from .versions import leading_version

_DOCKER_HUB = "docker.io"
# How images of PostgreSQL with an extension name its version, after the extension's own.
_POSTGRES = re.compile(r"(?:^|[^a-z0-9])pg(?=[0-9])")


@dataclass(frozen=True)
class ImageReference:
    """A reference, `[DOMAIN/]PATH[:TAG][@DIGEST]` (github.com/distribution/reference).

    Attributes:
        domain: The registry, with its port; None where the name has none.
        path: The repository's name there.
        tag: As in `3.13-slim`.
        digest: As in `sha256:…`.
    """

    domain: str | None
    path: str
    tag: str | None = None
    digest: str | None = None

    @classmethod
    def parse(cls, text: str) -> ImageReference:
        """Split a text as the grammar does; `str` puts it together again.

        Any text has its parts: what Docker would refuse is for `settings.py`, or Docker, to refuse.
        """
        bare, at, digest = text.partition("@")
        folder, slash, last = bare.rpartition("/")
        # A colon before the last slash belongs to the registry's port.
        last, colon, tag = last.partition(":")
        path = f"{folder}{slash}{last}"
        domain: str | None
        domain, slash, rest = path.partition("/")
        if slash and _is_domain(domain):
            path = rest
        else:
            domain = None
        return cls(domain, path, tag if colon else None, digest if at else None)

    def __str__(self) -> str:
        return self.without_digest + ("" if self.digest is None else f"@{self.digest}")

    @property
    def name(self) -> str:
        """The name without tag and digest."""
        return self.path if self.domain is None else f"{self.domain}/{self.path}"

    @property
    def base_name(self) -> str:
        """The last part of the name, as in `pgvector`."""
        return self.path.rpartition("/")[2]

    @property
    def without_digest(self) -> str:
        """The name and its tag."""
        return self.name + ("" if self.tag is None else f":{self.tag}")

    @property
    def is_fixed(self) -> bool:
        """Whether it names one version: it has a digest, or a tag that is made not to move.

        Tags of Docker's own images that have no number, such as `alpine` and `trixie`, name what
        the newest version is built on.
        """
        if self.digest is not None:
            return True
        own = self.is_official(self.base_name) and self.version is None
        return self.tag not in {None, "latest"} and not own

    @property
    def version(self) -> Version | None:
        """The version that the tag begins with, or PostgreSQL's in `0.8.0-pg17`."""
        tag = self.tag or ""
        postgres = _POSTGRES.search(tag)
        return leading_version(tag[postgres.end() :] if postgres else tag)

    @property
    def major(self) -> int | None:
        """The version's first number."""
        return self.version.major if self.version else None

    def is_official(self, name: str) -> bool:
        """Whether it is Docker Hub's own image of that name, those which lie in `library` there."""
        return self.domain in {None, _DOCKER_HUB} and self.path in {name, f"library/{name}"}

    def with_registry(self) -> str:
        """The reference with the registry that Docker takes where none is named."""
        if self.domain is not None:
            return str(self)
        return f"{_DOCKER_HUB}/{self}" if "/" in self.path else f"{_DOCKER_HUB}/library/{self}"


def _is_domain(part: str) -> bool:
    """Whether the part before the first slash is a registry's (`splitDockerDomain` there)."""
    return "." in part or ":" in part or part == "localhost" or part != part.lower()
