"""What a Dockerfile is written for: an app, and what peculiar its image needs where it is built."""

from __future__ import annotations

from dataclasses import dataclass

from .model import App, Stack


@dataclass(frozen=True)
class Dockerfile:
    """A Dockerfile of an app; most places build from one, a platform may need its own.

    Attributes:
        app: The app.
        path: Where it lies, relative to the output folder.
        caches: Downloads and compiled files are kept between builds.
        psql: The image gets `migrate`, with psql: the place runs migrations in no other image.
        adds_scheme: The address of another app comes without its scheme, as `host:port`.
        title: The platform that it is for; empty where it is not for one alone.
    """

    app: App
    path: str
    caches: bool = True
    psql: bool = False
    adds_scheme: bool = False
    title: str = ""

    @property
    def differences(self) -> str:
        """What it has other than the app's usual one, in words that follow that one's name."""
        words = {
            "with psql for migrations": self.psql,
            "without the build's caches": not self.caches,
            "with `http://` before the API's address": self.adds_scheme,
        }
        return " and ".join(phrase for phrase, holds in words.items() if holds)

    @property
    def place(self) -> str:
        """Where its image runs, for a sentence; empty where that is anywhere."""
        return f", for {self.title}" if self.title else ""


def dockerfiles(stack: Stack) -> tuple[Dockerfile, ...]:
    """The Dockerfiles that every place builds from, unless it has its own."""
    return tuple(Dockerfile(app, app.dockerfile) for app in stack.apps)
