"""What every module of `extensions/apps/` is given, and what all of them share."""

from __future__ import annotations

import shlex
from collections.abc import Iterable, Mapping
from dataclasses import dataclass
from typing import Any

from . import addresses, own_variables
from .errors import ProjectError
from .model import App, BackingService, Env, Variable, Volume
from .own_variables import Own
from .package_registries import FILES as REGISTRY_FILES
from .secret_files import matching, sentence
from .setting import Setting
from .tree import join

# What images and Compose set; WORKERS and RELOAD are Uvicorn's in development.
_ALWAYS_SET = frozenset(
    {
        "PORT", "HOST", "HOSTNAME", "NODE_ENV", "ENVIRONMENT", "WORKERS", "RELOAD",
        addresses.SITE_URLS, addresses.OWN_URL,
    }
)  # fmt: skip

# What an app takes itself for, as Spinbox's apps read it.
ENVIRONMENT = Variable(
    "ENVIRONMENT",
    "Application",
    "What the apps take themselves for: the name of the environment.",
    "production",
    per_environment=True,
)


@dataclass(frozen=True)
class Situation:
    """What an app of the stack is made from, beside its own facts.

    Attributes:
        kind: The name of its framework's module.
        title: The framework's name, for people.
        service: Its service name.
        backing: The backing services that it uses.
        beside_api: An app of the stack is an API, and there are others.
        first: The app before all others; None for that one itself.
        choices: Those of `build_stack`.
        fronted: Pages of the stack are where browsers begin, at this app or at another one.
        alone: There is no other app.
        pages: An app of the stack is pages alone, and none of an API.
        together: All apps have the site's address on all targets, as behind the proxy.
    """

    kind: str
    title: str
    service: str
    backing: tuple[BackingService, ...]
    beside_api: bool
    first: App | None
    choices: Mapping[str, Any]
    fronted: bool = False
    alone: bool = True
    pages: bool = False
    together: bool = True

    @property
    def dockerfile(self) -> str:
        """Name of its Dockerfile."""
        return "Dockerfile.prod" if self.first is None else f"Dockerfile.{self.service}.prod"

    @property
    def services(self) -> tuple[str, ...]:
        """Names of the backing services of the stack that it uses."""
        return tuple(service.name for service in self.backing if not service.external)

    @property
    def external(self) -> tuple[str, ...]:
        """The same of those that run elsewhere."""
        return tuple(service.name for service in self.backing if service.external)

    @property
    def connection(self) -> tuple[Env, ...]:
        """What it needs to connect to them."""
        return tuple(env for service in self.backing for env in service.app_environment)

    @property
    def uploads(self) -> tuple[Volume, ...]:
        """The volume for what users upload, where it is wanted."""
        path = self.choices.get("uploads")
        return (Volume("uploads", path, "Files that users upload"),) if path else ()


def settings(kind: str, title: str) -> tuple[Setting, ...]:
    """The keys of `--set` that every app has."""
    return (
        Setting(f"{kind}.dir", "text", f"Folder of the {title} app; it is read anew from there"),
        Setting(f"{kind}.image", "text", "Base image"),
        Setting(f"{kind}.command", "text", "Command that runs the app (no shell)"),
        Setting(f"{kind}.port", "number", "Port it listens on"),
        Setting(f"{kind}.health", "text", "Path of its health check"),
        Setting(
            f"{kind}.sources", "list", "At the root: files and folders (ending in /) in the image"
        ),
        Setting(f"{kind}.variables", "list", "Names of its own variables, passed on from .env"),
        Setting(f"{kind}.required", "list", "More of them that it does not start without"),
        Setting(f"{kind}.optional", "list", "Those of them that it does start without"),
        Setting(f"{kind}.ignored", "list", "Names that its code reads, but that are no settings"),
        Setting(f"{kind}.manifests", "list", "Files that an installation of dependencies reads"),
        Setting(
            f"{kind}.build_secrets",
            "list",
            "Names of the variables with which an installation logs in to registries, or off",
        ),
        Setting(
            f"{kind}.keep", "list", "Files in the image although secrets have such names, or off"
        ),
    )


def command(facts: Mapping[str, Any]) -> tuple[str, ...]:
    """The command that was found, or set by hand; empty for none."""
    return tuple(shlex.split(facts.get("command") or ""))


def sources(facts: Mapping[str, Any], situation: Situation) -> tuple[str, ...]:
    """What enters the image of an app at the root.

    Raises:
        ProjectError: Nothing does.
    """
    found = tuple(facts.get("sources", ()))
    if facts["dir"] == ".":
        tops = tuple(source for source in found if source.endswith("/"))
        more = (file for file in facts.get("keep") or () if not file.startswith(tops))
        found = tuple(dict.fromkeys((*found, *more)))
    if facts["dir"] == "." and not found:
        raise ProjectError(
            f"No source of the {situation.title} app was found: list it with "
            f"--set {situation.kind}.sources=src/,main.py."
        )
    return found


def routes(facts: Mapping[str, Any], situation: Situation) -> tuple[str, ...]:
    """Path prefixes that the proxy sends to an API; empty for all, where it stands alone."""
    if not situation.beside_api:
        return ()
    paths = list(facts.get("paths") or ["/api"])
    health = facts.get("health")
    if health and not any(_covers(path, health) for path in paths):
        paths.append(health)
    return tuple(paths)


def environment(facts: Mapping[str, Any]) -> tuple[Env, ...]:
    """`ENVIRONMENT`, where the app has it among its variables."""
    wanted = ENVIRONMENT.name in facts.get("variables", ())
    return (Env(ENVIRONMENT.name, variable=ENVIRONMENT.name),) if wanted else ()


def _covers(prefix: str, path: str) -> bool:
    return path == prefix or path.startswith(prefix.rstrip("/") + "/")


def kept(facts: Mapping[str, Any]) -> tuple[str, ...]:
    """Files that enter the image, or an installation, although secrets have such names."""
    manifests = (file for file in facts.get("manifests") or () if matching(file))
    return tuple(dict.fromkeys((*manifests, *(facts.get("keep") or ()))))


def warnings(facts: Mapping[str, Any], situation: Situation) -> tuple[str, ...]:
    """What is left out of the image, and what an installation needs, one sentence each."""
    kind, folder = situation.kind, facts["dir"]
    made = []
    keep = list(facts.get("keep") or ())
    if left := [file for file in facts.get("secret_files") or () if file not in keep]:
        made.append(sentence(kind, folder, keep, left))
    for file in facts.get("logins") or ():
        made.append(_about_login(join(folder, file), file, facts))
    if names := list(facts.get("build_secrets") or ()):
        made.append(
            f"An installation of the {situation.title} app logs in to a private registry with "
            f"{' and '.join(names)}: set {'it' if len(names) == 1 else 'them'} in .env, and as "
            f"{'a secret' if len(names) == 1 else 'secrets'} of the pipeline."
        )
    return tuple(made)


def _about_login(path: str, file: str, facts: Mapping[str, Any]) -> str:
    if file == "pip.conf":
        return (
            f"{path} is not read where the image is built, by uv: name its index in the "
            "requirements, as in --index-url https://${PIP_USERNAME}:${PIP_PASSWORD}@HOST/simple"
        )
    variable = "$NPM_TOKEN" if file == "bunfig.toml" else "${NPM_TOKEN}"
    if file in REGISTRY_FILES:
        return (
            f"{path} holds a login, so it is left out of the image and its installation: write "
            f"{variable} in place of the token, and run this again."
        )
    if facts.get("manager") in {"uv", "poetry"} or file == "pyproject.toml":
        return (
            f"{path} holds the login of an index, and enters the image: take it out of the "
            "address, and run this again."
        )
    return (
        f"{path} holds the login of an index, and enters the image: write "
        "${PIP_USERNAME}:${PIP_PASSWORD} in its place, and run this again."
    )


def own(facts: Mapping[str, Any], environment: Iterable[Env], situation: Situation) -> Own:
    """The app's own variables, but those that the stack sets for it."""
    taken = {variable.name for variable in environment} | _ALWAYS_SET
    taken |= set(facts.get("build_secrets") or ())
    for service in situation.backing:
        taken |= set(service.urls)
    filled = own_variables.fill(facts, situation.backing, taken)
    by_hand = {
        *(facts.get(own_variables.OPTIONAL) or ()),
        *(facts.get(own_variables.IGNORED) or ()),
    }
    found = addresses.fill(
        facts,
        {*taken, *filled, *by_hand},
        serves=bool(facts.get("port")) or situation.fronted,
        fronted=situation.fronted,
        calls=situation.beside_api and situation.first is not None,
        alone=situation.alone,
        together=situation.together,
    )
    group = own_group(situation.title, facts["dir"])
    return own_variables.define(facts, taken, group, filled, found)


def address_for_browsers(
    name: str, group: str, with_proxy: bool, public: tuple[str, str] = ("https://", "")
) -> Variable:
    """A variable with the API's address, which is built into what browsers load.

    Args:
        name: Its name.
        group: The heading it stands under.
        with_proxy: The stack's own proxy serves it under the site's domain.
        public: What stands before and after that domain.
    """
    before, after = public
    if with_proxy:
        end = f", followed by {after}" if after else ""
        help_text = f"The address that browsers call; by default {before} and DOMAIN{end}."
        return Variable(name, group, help_text, build=True, public=public)
    example = f"{before}example.com{after}"
    help_text = f"The address under which browsers reach the API, as in {example}"
    return Variable(name, group, help_text, required=True, build=True, public=public)


def own_group(title: str, directory: str) -> str:
    """The heading of an app's own variables."""
    return f"{title}'s own" + ("" if directory == "." else f" ({directory}/)")
