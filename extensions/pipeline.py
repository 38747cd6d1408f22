"""What the pipelines of CI platforms are rendered from, beside the stack."""

from __future__ import annotations

import re
from collections.abc import Iterable, Mapping, Set
from dataclasses import dataclass
from pathlib import Path
from typing import Any

from . import addresses
from .errors import ProjectError, shown
from .git import git
from .image_reference import ImageReference
from .model import App, BackingService, Env, Stack
from .own_variables import stand_in
from .pipeline_platform import APART
from .pipelines import PLATFORMS

_REGISTRY = re.compile(
    r"(?P<host>[a-z0-9](?:[a-z0-9.-]*[a-z0-9])?(?::[0-9]{1,5})?)"
    r"(?P<path>(?:/[a-z0-9]+(?:(?:[._]|__|-+)[a-z0-9]+)*)*)"
)
# Registries where images lie below somebody's name.
_SHARED = {"docker.io", "ghcr.io", "quay.io", "registry.gitlab.com"}


@dataclass(frozen=True)
class Pipeline:
    """The pipelines of a project.

    Attributes:
        platforms: `github`, `gitlab`.
        tests: The apps' tests run first.
        deploys: The images are deployed over SSH.
        staging: To a staging environment first.
        architectures: What the images are built for: `amd64`, `arm64`, or both.
        registry: Where images are pushed, as in `docker.io/acme`; empty for the platform's own.
        branch: The branch whose images are pushed (GitHub).
        folder: From the repository's top folder to the project's; empty for the same.
        github_workflow: Path of GitHub's workflow; empty for none.
        github_rollback: The same of the one that rolls back.
        gitlab_file: Path of GitLab's pipeline; empty for none.
        dependabot: Dependabot's settings are generated.
        renovate: Renovate's settings are generated.
    """

    platforms: tuple[str, ...]
    tests: bool
    deploys: bool
    staging: bool
    architectures: tuple[str, ...]
    registry: str
    branch: str
    folder: str
    github_workflow: str
    github_rollback: str
    gitlab_file: str
    dependabot: bool
    renovate: bool

    @property
    def github_is_copied(self) -> bool:
        """Whether the user has to copy the workflows to where GitHub looks for them."""
        return self.github_workflow.startswith(APART)

    @property
    def gitlab_is_included(self) -> bool:
        """Whether the user's own `.gitlab-ci.yml` has to include the pipeline."""
        return self.gitlab_file.startswith(APART)

    @property
    def merged(self) -> bool:
        """Whether each image is put together of one for each architecture."""
        return len(self.architectures) > 1

    @property
    def registry_host(self) -> str:
        """The registry's host and port; empty for the platform's own."""
        return self.registry.partition("/")[0]

    def tested(self, stack: Stack) -> tuple[App, ...]:
        """The apps whose tests run."""
        return tuple(app for app in stack.apps if app.tests) if self.tests else ()


def build_pipeline(answers: Mapping[str, Any], stack: Stack) -> Pipeline:
    """Derive the pipelines.

    Args:
        answers: All of them, complete (`choices.complete`).
        stack: What runs.

    Raises:
        ProjectError: The registry is none.
    """
    platforms = tuple(answers["ci"])
    folder = answers["ci_folder"]
    apart = folder != "" or answers["output"] != "."
    # Beside those of other projects of the repository.
    name = stack.name if apart else answers["ci_workflow"]
    github = "github" in platforms
    workflows = f"{APART}/github" if apart else ".github/workflows"
    gitlab = f"{APART}/gitlab.yml" if apart or answers["ci_include"] else ".gitlab-ci.yml"
    deploys = bool(platforms and answers["ci_deploy"] and stack.rolled and answers["compose"])
    return Pipeline(
        platforms=platforms,
        tests=answers["ci_test"],
        deploys=deploys,
        staging=deploys and answers["ci_staging"],
        architectures=_architectures(answers),
        registry=check_registry(answers["ci_registry"]),
        branch=answers["ci_branch"],
        folder=folder,
        github_workflow=f"{workflows}/{name}.yml" if github else "",
        github_rollback=f"{workflows}/{name}-rollback.yml" if github and deploys else "",
        gitlab_file=gitlab if "gitlab" in platforms else "",
        # Two bots would propose the same twice, and Dependabot knows GitHub alone.
        dependabot=platforms == ("github",) and not apart and answers["ci_dependabot"],
        renovate="gitlab" in platforms and not apart and answers["ci_renovate"],
    )


def _architectures(answers: Mapping[str, Any]) -> tuple[str, ...]:
    if answers["ci_multiarch"]:
        return ("amd64", "arm64")
    return ("arm64",) if answers["ci_arm64"] else ("amd64",)


def notes(pipeline: Pipeline, stack: Stack, wanted: bool, created: Set[str]) -> list[str]:
    """What is left to the user, one sentence each.

    Args:
        pipeline: The pipelines.
        stack: What runs.
        wanted: Deployment was asked for.
        created: Files that were not there before.
    """
    found = []
    if created & {pipeline.github_workflow, pipeline.github_rollback, pipeline.gitlab_file}:
        needed = stack.builds_api_url or stack.build_secrets or pipeline.registry
        found.append(
            'The pipeline needs some settings: deploy/README.md has the commands, under "Pipeline".'
            if needed or pipeline.deploys
            else "The pipeline works without any settings: deploy/README.md says what it does, "
            'under "Pipeline".'
        )
    if pipeline.platforms and wanted and not pipeline.deploys:
        found.append(
            "The pipeline has nothing to deploy: no app of the project keeps running, or there is "
            "no docker-compose.prod.yml."
        )
    if pipeline.github_is_copied:
        found.append(
            "GitHub reads workflows in the repository's top folder alone: Copy those in "
            f"{APART}/github to its .github/workflows, as deploy/README.md says."
        )
    if pipeline.gitlab_is_included:
        found.append(
            "Your own .gitlab-ci.yml has to include the generated one, as deploy/README.md says."
        )
    return found


_SECRET = "only-for-tests"


def service_environment(service: BackingService, stack: Stack) -> dict[str, str]:
    """What a backing service is started with for tests, by its image's own command."""
    # What is set up by a command of ours is without a password there.
    return _resolved(service.image_environment, stack)


def test_environment(app: App, stack: Stack, *, beside: bool) -> dict[str, str]:
    """What an app's tests find set: the names are those of production.

    Args:
        app: The app.
        stack: Its stack.
        beside: The services run beside the tests, on localhost; else under their own names.
    """
    open_ones = {
        service.password.name
        for service in stack.backing
        if service.password
        and service.password.name not in {env.variable for env in service.image_environment}
    }
    # Tests never reach a service that runs elsewhere: one of their own takes its place.
    urls = {url for service in stack.external for url in service.urls}
    hosts = {service.app_environment[0].name: service.name for service in stack.external}
    wanted = [
        Env(env.name, hosts[env.name]) if env.name in hosts else env
        for env in app.environment
        if env.name not in _ONLY_IN_PRODUCTION | urls and env.variable not in open_ones
    ]
    environment = {e.name: "test" for e in app.environment if e.name == "ENVIRONMENT"}
    environment |= _resolved(wanted, stack)
    # The entrypoint, which fills these, is no part of a test.
    environment |= {a.name: addresses.stand_in(a) for a in app.addresses if a.required}
    names = {service.name for service in stack.backing}
    if beside:
        environment |= {key: "localhost" for key, value in environment.items() if value in names}
    return environment


_ONLY_IN_PRODUCTION = frozenset(
    {"ENVIRONMENT", "WEB_CONCURRENCY", "FORWARDED_ALLOW_IPS", "BACKEND_URL", "SITE_URLS"}
)


def _resolved(variables: Iterable[Env], stack: Stack) -> dict[str, str]:
    resolved = {}
    for env in variables:
        variable = stack.variable(env.variable) if env.variable else None
        value = env.value if variable is None else variable.default
        if variable is not None and variable.own:
            value = _SECRET if variable.generate else stand_in(env.name)
        elif variable is not None and variable.secret:
            value = _SECRET
        if value is not None:
            resolved[env.name] = value
    return resolved


def language_version(app: App) -> str:
    """The version of Python or Node in the app's base image, as far as its tag says it."""
    version = ImageReference.parse(app.build.image).version
    return str(version) if version else app.runtime.version


def check_registry(registry: str) -> str:
    """A registry in the form that image names have: without scheme, in small letters.

    Raises:
        ProjectError: Not of the form `host`, `host:port` or `host:port/path`.
    """
    if not registry:
        return ""
    address = registry.removeprefix("https://").strip("/").lower()
    match = _REGISTRY.fullmatch(address)
    if match is None or (not re.search(r"[.:]|^localhost$", match["host"])):
        raise ProjectError(
            f"{shown(registry)} is not a registry: name it as in docker.io/NAME, ghcr.io/NAME or "
            "registry.example.com:5000."
        )
    if match["host"] in _SHARED and not match["path"]:
        raise ProjectError(
            f"{match['host']} holds images below a name: --registry {match['host']}/NAME."
        )
    return address


def propose(root: Path) -> dict[str, Any]:
    """What only the project's folder can say of a pipeline, to be stored when it is first wanted.

    Args:
        root: The project's top folder.

    Returns:
        `ci_folder` (from the repository's top folder to the project's), and what each platform
        asks of its own, such as a name that is free.
    """
    proposed: dict[str, Any] = {"ci_folder": git(root, "rev-parse", "--show-prefix").strip("/")}
    for platform in PLATFORMS.values():
        proposed |= platform.propose(root)
    return proposed
