"""What managed platforms share: Fly.io, Railway and Render build and run the apps themselves."""

from __future__ import annotations

import re
from collections.abc import Iterator, Mapping
from dataclasses import dataclass, replace
from typing import ClassVar

from . import quoting
from .addresses import BACKEND_URL, OWN_URL, SITE_URLS
from .dockerfile import Dockerfile
from .image_reference import ImageReference
from .model import UPLOADS, App, BackingService, Env, PythonBuild, Volume, Worker
from .secrets import looks_secret
from .target import Surface
from .variables import Resolved, resolve, resolve_env

_ORIGINS = re.compile(r"(.*_)?ORIGINS")


@dataclass(frozen=True)
class Source:
    """Where a platform takes an environment variable of an app from.

    Either a fixed `value`, or `output` of the resource `resource`; with neither, it is a secret
    that is given to the platform by hand, or by the command `command`.

    Attributes:
        name: The variable.
        value: Its text.
        resource: A service or database of the platform.
        output: What of it: one of its variables, or a property such as `host`.
        command: What gives it to the platform, other than setting a secret.
        required: The app does not start without it, and has no default of its own.
        generate: A shell command that makes a good value.
        build: Read while the image is built, and baked into it.
    """

    name: str
    value: str | None = None
    resource: str = ""
    output: str = ""
    command: str = ""
    required: bool = True
    generate: str | None = None
    build: bool = False

    @property
    def by_hand(self) -> bool:
        """Whether whoever runs the stack gives it to the platform."""
        return self.value is None and not self.resource and not self.command

    @property
    def optional(self) -> bool:
        """Whether nobody has to give it."""
        return self.by_hand and not self.required


@dataclass(frozen=True)
class ManagedPlatform(Surface):
    """What the templates of a managed platform see.

    Attributes:
        output: From the project's top folder to the generated files, ending in `/`; or empty.
    """

    output: str

    # Its name, as of `--target` and of the folder in `deploy/`.
    target = ""
    title = ""
    # Whether builds may keep caches between them.
    build_caches = True
    # Whether a service can be given its own public address.
    names_itself = True
    # Whether it gives the address of another service without its scheme.
    bare_addresses = False
    # From where its patterns start, the repository's top folder, to the project's, ending in `/`.
    folder = ""
    # How many volumes a project may have, by plan; empty for any number.
    volumes_of_plan: ClassVar[Mapping[str, int]] = {}

    # --- What runs there --------------------------------------------------------------------------

    @property
    def apps(self) -> tuple[App, ...]:
        """The apps that keep running; one that ends by itself has no place there."""
        return tuple(app for app in self.stack.apps if not app.job)

    @property
    def workers(self) -> tuple[Worker, ...]:
        """What runs in the background, where the app whose image it runs is deployed."""
        return tuple(worker for worker in self.stack.workers if not worker.app.job)

    def workers_of(self, app: App) -> tuple[Worker, ...]:
        """Those that run this app's image."""
        return tuple(worker for worker in self.workers if worker.app == app)

    def health(self, app: App) -> str | None:
        """The path of an app's health check; None for one that listens on no port."""
        return app.health if app.port else None

    def kept(self, app: App) -> Volume | None:
        """The volume whose files are kept, the first of several; a cache of models is none."""
        return next((volume for volume in app.volumes if volume.kept), None)

    def uploads(self, app: App) -> str | None:
        """The folder whose files are kept, if there is one."""
        volume = self.kept(app)
        return volume.path if volume else None

    def caller(self, app: App) -> App | None:
        """The app that calls this one over the private network, if there is one."""
        names = {edge.source for edge in self.stack.edges if edge.target == app.name}
        if app.routes and self.stack.site:
            names.add(self.stack.site.name)
        return next((other for other in self.apps if other.name in names), None)

    def offers(self, service: BackingService) -> bool:
        """Whether the platform itself runs such a service."""
        offer = service.managed.get(self.target)
        return offer is not None and offer.replaces(service.image)

    @property
    def managed(self) -> tuple[BackingService, ...]:
        """The backing services that the platform itself runs."""
        return tuple(service for service in self.stack.services if self.offers(service))

    @property
    def own(self) -> tuple[BackingService, ...]:
        """Those that it does not offer: their images run there, with a volume."""
        return tuple(service for service in self.stack.services if not self.offers(service))

    @property
    def volumes(self) -> int:
        """How many volumes the stack has: each service holds one."""
        of_apps = sum(1 for app in self.apps if self.uploads(app))
        of_workers = sum(len(worker.volumes) for worker in self.workers)
        return len(self.stack.services) + of_apps + of_workers

    def version(self, service: BackingService) -> int | None:
        """The major version in which the platform has a service; None where it is the stack's."""
        return service.managed[self.target].nearest(ImageReference.parse(service.image).major)

    @property
    def missing_extensions(self) -> tuple[str, ...]:
        """The PostgreSQL extensions that the stack needs and the platform does not offer."""
        migrations = self.stack.migrations
        if not migrations or self.stack.service("postgres").external:
            return ()
        offer = self.stack.service("postgres").managed.get(self.target)
        if offer is None or offer.extensions is None:
            return ()
        return tuple(name for name in migrations.extensions if name not in offer.extensions)

    @property
    def lost(self) -> tuple[str, ...]:
        """What of the stack the platform cannot give it as it is, one sentence each."""
        stack, sentences = self.stack, list(self._other_versions())
        for app in stack.jobs:
            sentences.append(
                f"The {app.title} app ends by itself: it is not deployed. Run its image where you "
                "like."
            )
        if stack.migrations and stack.migrations.command and self.migrator is None:
            sentences.append(
                f"{stack.migrations.title} runs in that app: bring the database's schema up to "
                "date there."
            )
        for app in self.apps:
            if len(paths := [volume.path for volume in app.volumes if volume.kept]) > 1:
                sentences.append(
                    f"A service has one volume there: of {' and '.join(paths)}, only {paths[0]} is "
                    "kept. Put all of it into one folder."
                )
        for worker in self.workers:
            if kept := self.kept(worker.app):
                files = "uploaded files" if kept.name == UPLOADS else f"files of {kept.path}"
                sentences.append(
                    f"The {worker.name} sees no {files}: a volume belongs to one service."
                )
        if any(app.gpu for app in stack.apps):
            sentences.append("None of these machines has a GPU: the app has to do without.")
        return tuple(sentences)

    def _other_versions(self) -> Iterator[str]:
        for service in self.managed:
            theirs, ours = self.version(service), ImageReference.parse(service.image).major
            if theirs and ours and theirs != ours:
                yield (
                    f"{service.title} is version {theirs} there; the project was made with "
                    f"{ours}: try it before."
                )

    # --- Names and addresses ----------------------------------------------------------------------

    @property
    def prefix(self) -> str:
        """What the names of all services begin with; names are unique beyond the project."""
        return self.stack.name

    def name(self, unit: str) -> str:
        """What an app or service is called on the platform."""
        return self.prefix if unit == self.apps[0].name else f"{self.prefix}-{unit}"

    def file(self, unit: str) -> str:
        """The file that speaks of an app or service, relative to the output folder."""
        raise NotImplementedError

    def public(self, app: App, variable: str) -> Source:
        """A variable with an app's public address."""
        raise NotImplementedError

    def own_public(self, app: App, variable: str) -> Source | None:
        """The same as the app itself is told; None where the image finds it out."""
        return self.public(app, variable)

    def private(self, app: App, variable: str) -> Source:
        """A variable with the address that other apps of the stack call an app by."""
        raise NotImplementedError

    def host(self, service: BackingService, variable: str) -> Source:
        """A variable with the host of a backing service that runs from its image."""
        raise NotImplementedError

    def connection(self, service: BackingService) -> list[Source]:
        """How an app is told where a service is that the platform runs."""
        offer, resource = service.managed[self.target], self.name(service.name)
        outputs = offer.outputs
        if offer.command:
            # One secret; the image's entrypoint takes it apart.
            given = Source(service.urls[0], command=offer.command)
            return [given, *(Source(variable, required=False) for variable in offer.more)]
        if urls := [url for url in service.urls if url in outputs]:
            return [Source(url, resource=resource, output=outputs[url]) for url in urls]
        return [
            Source(env.name, resource=resource, output=outputs[env.name])
            if env.name in outputs
            else self.from_model(env)
            for env in service.app_environment
        ]

    # --- Variables --------------------------------------------------------------------------------

    def settings(self, app: App) -> tuple[Source, ...]:
        """Every environment variable of an app, in the model's order, and where it comes from."""
        found: dict[str, Source] = {}
        front = self.caller(app)
        filled = {address.name for address in app.addresses}
        for resolved in resolve(self.stack, app):
            service = resolved.service
            if service is not None and not service.external:
                for source in self._connection(service):
                    found.setdefault(source.name, source)
            elif resolved.name == SITE_URLS and resolved.calls is not None:
                for source in self._addresses(app, resolved.calls):
                    found[source.name] = source
            elif resolved.calls is not None:
                give = self.public if resolved.public else self.private
                called = resolved.calls
                if app.site and self.names_itself and resolved.public:
                    # It passes the API's paths on, so that browsers need no other address.
                    called = app
                if called == app:
                    give = self._own_or_by_hand
                source = _written(give(called, resolved.name), resolved)
                found[resolved.name] = replace(source, build=resolved.build)
            elif resolved.own and resolved.name in filled:
                found[resolved.name] = Source(resolved.name, required=False)
            elif resolved.own and front is not None and _ORIGINS.fullmatch(resolved.name):
                source = self.public(front, resolved.name)
                found[resolved.name] = replace(source, required=False)
            else:
                found[resolved.name] = replace(_from_model(resolved), build=resolved.build)
        api = next((other for other in self.apps if other.routes), None)
        if app.site and api:
            # Each has an address of its own here: the site passes the API's paths on.
            found[BACKEND_URL] = self.private(api, BACKEND_URL)
        for source in self.more_settings(app):
            found[source.name] = source
        return tuple(found.values())

    def _own_or_by_hand(self, app: App, variable: str) -> Source:
        return self.own_public(app, variable) or Source(variable, required=False)

    def _addresses(self, app: App, site: App) -> Iterator[Source]:
        """Where browsers find the site, and the app itself where that is another one."""
        if app == site:
            source = self.own_public(app, SITE_URLS)
            yield replace(source, required=False) if source else Source(SITE_URLS, required=False)
            return
        yield self.public(site, SITE_URLS)
        own = self.own_public(app, OWN_URL)
        if own and any(address.holds == "own" for address in app.addresses):
            yield own

    def more_settings(self, app: App) -> tuple[Source, ...]:
        """What the platform itself wants to have set for an app."""
        return ()

    def _connection(self, service: BackingService) -> list[Source]:
        if self.offers(service):
            return self.connection(service)
        resource = self.name(service.name)
        container = {env.variable: env.name for env in service.environment if env.variable}
        result = []
        for env in service.app_environment:
            if env.value == service.name:
                result.append(self.host(service, env.name))
            elif not self.shares_variables or env.variable not in container:
                result.append(self.from_model(env))
            else:
                result.append(Source(env.name, resource=resource, output=container[env.variable]))
        return result

    # Whether a variable can be another service's.
    shares_variables = True

    def from_model(self, env: Env) -> Source:
        """A variable as the stack has it: a fixed value, a default, or given by hand."""
        return _from_model(resolve_env(self.stack, env))

    def worker_settings(self, worker: Worker) -> tuple[Source, ...]:
        """A worker's: secrets are those of the app whose image it runs, given once."""
        app = worker.app
        resource = self.name(app.name)
        of_platform = {source.name for source in self.more_settings(app)}
        return tuple(
            replace(s, resource=resource, output=s.name) if s.by_hand and s.required else s
            for s in self._seen_elsewhere(app)
            if s.name not in of_platform
        ) + self.more_worker_settings(worker)

    def _seen_elsewhere(self, app: App) -> Iterator[Source]:
        """The settings of an app for a service beside it, which has no address of its own."""
        for source in self.settings(app):
            if source.name in {SITE_URLS, OWN_URL}:
                at = self.stack.front if source.name == SITE_URLS else app
                yield self.public(at or app, source.name)
            else:
                yield source

    def more_worker_settings(self, worker: Worker) -> tuple[Source, ...]:
        """What a worker needs only there."""
        return ()

    def own_settings(self, service: BackingService) -> tuple[Source, ...]:
        """The variables of a backing service that runs from its image."""
        read = (*service.image_environment, *service.own_folder)
        return tuple(self.from_model(env) for env in read)

    @property
    def by_hand(self) -> bool:
        """Whether an app, or a service that runs from its image, has variables given by hand."""
        of_apps = [source for app in self.apps for source in self.settings(app)]
        of_services = [source for service in self.own for source in self.own_settings(service)]
        return any(source.by_hand for source in (*of_apps, *of_services))

    def is_secret(self, name: str) -> bool:
        """Whether a variable is a secret: by the model, as a URL with a password, or by name."""
        known = {variable.name for variable in self.stack.variables if variable.secret}
        for service in self.stack.backing:
            known |= {*service.urls, *(v for o in service.managed.values() for v in o.more)}
        return name in known or looks_secret(name)

    # --- Commands and builds ----------------------------------------------------------------------

    @property
    def migrator(self) -> App | None:
        """The app whose image brings the schema up to date; None where nothing does."""
        migrations = self.stack.migrations
        if migrations is None:
            return None
        if migrations.app is not None:
            return migrations.app if migrations.app in self.apps else None
        return next((app for app in self.apps if "postgres" in app.backing), None)

    @property
    def migration(self) -> str:
        """The command that brings the schema up to date, run by `entrypoint`: words of a shell."""
        migrations = self.stack.migrations
        assert migrations is not None
        steps = []
        if migrations.in_database_image:
            steps.append(quoting.shell_words(["migrate", *migrations.extensions]))
        if migrations.command:
            steps.append(quoting.shell_words(migrations.command))
        return steps[0] if len(steps) == 1 else f"sh -c {quoting.shell(' && '.join(steps))}"

    def migrates(self, worker: Worker) -> bool:
        """Whether a worker runs migrations before it starts, where services start by themselves.

        A lock makes that safe, where there is one. A scheduler has no need of the database.
        """
        migrations = self.stack.migrations
        if worker.alone or migrations is None or not migrations.concurrent:
            return False
        return worker.app == self.migrator

    def dockerfile(self, app: App) -> Dockerfile:
        """What an app's image is built from: its Dockerfile, or one of the platform's own.

        It has its own where the image needs more than elsewhere: `migrate`, as the platform runs
        migrations in no other image; a build without caches; an address without its scheme.
        """
        migrations = self.stack.migrations
        psql = bool(migrations and migrations.in_database_image and app == self.migrator)
        caches = self.build_caches or not _has_caches(app)
        adds_scheme = self.bare_addresses and any(
            env.name == BACKEND_URL for env in app.build_arguments
        )
        if not psql and caches and not adds_scheme:
            return Dockerfile(app, app.dockerfile)
        path = f"deploy/{self.target}/{app.name}.Dockerfile"
        return Dockerfile(app, path, caches, psql, adds_scheme, self.title)

    @property
    def dockerfiles(self) -> tuple[Dockerfile, ...]:
        """The Dockerfiles that are its own."""
        found = (self.dockerfile(app) for app in self.apps) if self.wanted else ()
        return tuple(file for file in found if file.path != file.app.dockerfile)

    def watched(self, app: App) -> tuple[str, ...]:
        """What an image is built from, as patterns: a change of it is worth a deployment."""
        root, file, output = app.directory == ".", self.dockerfile(app), self.output
        paths = [*app.built_from]
        if root and app.env_production:
            paths.append(".env.production")
        paths += [f"{output}{file.path}", f"{output}{file.path}.dockerignore"]
        paths.append(f"{output}deploy/entrypoint.sh")
        if app.site:
            paths.append(f"{output}deploy/site/")
        if isinstance(app.build, PythonBuild) and app.build.manager:
            paths.append(f"{output}deploy/trim-symbols.py")
        migrations = self.stack.migrations
        if migrations and migrations.packages and migrations.app == app:
            paths.append(f"{output}deploy/migration-packages.cjs")
        if file.psql:
            paths.append(f"{output}deploy/migrate.sh")
            if self.stack.migrations and self.stack.migrations.folder:
                paths.append(f"{self.stack.migrations.folder}/")
        prefixed = (f"{self.folder}{path}" for path in dict.fromkeys(paths))
        return tuple(f"{path}**" if path.endswith("/") else path for path in prefixed)


def folder_prefix(folder: str) -> str:
    """A relative folder as what paths begin with: `a/` for `a`; empty for `.` or nothing."""
    return "" if folder in {"", "."} else f"{folder}/"


def _has_caches(app: App) -> bool:
    """Whether a build of its image would keep caches: all do but those without dependencies."""
    return app.build.manager is not None


def _written(source: Source, resolved: Resolved) -> Source:
    """An address with the scheme and path that it is built in with; by hand where it has none."""
    address = resolved.address
    if address is None or (address.kind == "url" and not address.path):
        return source
    if source.value is None:
        return Source(source.name, required=source.required)
    value = source.value
    if address.kind == "ws":
        value = value.replace("http", "ws", 1)
    return replace(source, value=value + address.path)


def _from_model(resolved: Resolved) -> Source:
    variable = resolved.variable
    if resolved.own:
        return Source(resolved.name, required=False)
    if variable is None:
        return Source(resolved.name, resolved.value or "")
    if variable.default and not variable.secret:
        return Source(resolved.name, variable.default, required=False)
    return Source(resolved.name, required=variable.required, generate=variable.generate)
