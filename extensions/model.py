"""The stack model that every target renders from. Plain data; nothing of Compose in it."""

from __future__ import annotations

import posixpath
import re
from collections.abc import Iterable, Mapping
from dataclasses import dataclass, field

from . import limits, quoting
from .image_reference import ImageReference
from .limits import Resources as Resources


@dataclass(frozen=True)
class Variable:
    """One environment variable that whoever runs the stack may or must set.

    Attributes:
        name: Its name.
        group: The heading it stands under in the example of `.env`.
        help: One line for the reader.
        default: What holds when it is not set; None for none.
        required: The stack does not start without it.
        secret: Never to be shown, logged or committed.
        build: Read while an image is built, and baked into it.
        generate: A shell command that makes a good value.
        per_environment: It is the environment's name where nobody sets it; `default` is
            production's.
        own: One of an app's own, which the stack knows by its name alone.
    """

    name: str
    group: str
    help: str
    default: str | None = None
    required: bool = False
    secret: bool = False
    build: bool = False
    generate: str | None = None
    per_environment: bool = False
    own: bool = False


def password(name: str, group: str, help_text: str) -> Variable:
    """A secret that has to be set, of 256 random bits."""
    generate = "openssl rand -hex 32"
    return Variable(name, group, help_text, required=True, secret=True, generate=generate)


@dataclass(frozen=True)
class Env:
    """What one environment variable of a container is set to.

    Either a fixed `value`, or what the stack's variable `variable` holds.
    """

    name: str
    value: str | None = None
    variable: str | None = None


@dataclass(frozen=True)
class Address:
    """A variable that the image's entrypoint fills from an address, where the user does not.

    Attributes:
        name: The variable.
        holds: Whose address: `site`, where browsers find the pages; `own`, where they find the app
            itself; `api`, where it finds the API inside the stack.
        form: How it is written: `url`, `ws`, `origins-FORM` or `hosts-FORM`, where `FORM` is
            `json`, `comma`, `space`, or `one` for the main one alone.
        path: What follows the address, as in `/api/v1`; or empty.
        required: The app does not start without it.
    """

    name: str
    holds: str
    form: str
    path: str = ""
    required: bool = False

    @property
    def scheme(self) -> str:
        """That of an address for browsers."""
        return "wss" if self.kind == "ws" else "https"

    @property
    def kind(self) -> str:
        """`url`, `ws`, `origins` or `hosts`."""
        return self.form.partition("-")[0]

    @property
    def written(self) -> str:
        """How a list is written; empty for an address."""
        return self.form.partition("-")[2]


@dataclass(frozen=True)
class Volume:
    """A named volume, its mount path in the container, and why it is there.

    On an engine, the setting `setting` may name another one in its place. What is in one that is
    `kept` can be had from nowhere else: it is backed up.
    """

    name: str
    path: str
    reason: str = ""
    setting: str | None = None
    kept: bool = False


@dataclass(frozen=True)
class Tmpfs:
    """A writable folder in memory under the read-only root; `size` as in `64m`.

    What it is for, beside temporary files, is in `reason`, one sentence without a full stop.
    """

    path: str
    size: str = "64m"
    uid: int | None = None
    reason: str = ""


# The name of the volume for what users upload.
# What the names of Next.js' settings for browsers begin with.
_NEXT = "NEXT_PUBLIC_"
UPLOADS = "uploads"


@dataclass(frozen=True)
class Health:
    """A health check of a backing service: a command line, run by a shell if `shell`."""

    command: tuple[str, ...]
    shell: bool = False
    interval: str = "30s"


@dataclass(frozen=True)
class ServiceKind:
    """What is known of a backing service before a project has one.

    Attributes:
        title: The product's name, for people.
        flag: What switches it on in `.config/project.conf`.
        folder: Spinbox's folder of its development files and sample code, at the project's top.
        images: The repositories of the images that it is run from.
        rank: Its place in facts, keys of `--set` and lists; those of one rank come by name.
        tagged: `versions.conf` may name its version alone, a tag of the image of its name.
        settings: Its keys of `--set` beside `image`: the last part, the kind and the help of each,
            as in `Setting` of `settings.py`.
    """

    title: str
    flag: str
    folder: str
    images: tuple[str, ...]
    rank: int = 100
    tagged: bool = False
    settings: tuple[tuple[str, str, str], ...] = ()


@dataclass(frozen=True)
class Managed:
    """A backing service as a managed platform offers it.

    Attributes:
        outputs: What the platform calls the parts of its address, by the variable of an app that
            holds it: a property or variable of the resource. Where one of the service's URLs is
            among them, it is all that an app is given.
        command: What gives an app the first of its URLs, as a secret, in place of `outputs`.
        more: Variables that can be given by hand beside that URL.
        versions: The major versions offered, in ascending order; empty where any is, or none
            can be chosen.
        extensions: The extensions offered; None for all that the stack can have.
        image: The official image that the platform's own can take the place of; None for any.
        title: What the platform calls it, for people; empty where that is not said.
        kind: What the platform's file calls the resource.
        constructor: The function of the platform's package that makes it.
    """

    outputs: Mapping[str, str] = field(default_factory=dict)
    command: str = ""
    more: tuple[str, ...] = ()
    versions: tuple[int, ...] = ()
    extensions: frozenset[str] | None = None
    image: str | None = None
    title: str = ""
    kind: str = ""
    constructor: str = ""

    def replaces(self, image: str) -> bool:
        """Whether the platform's own can take the place of an image."""
        return self.image is None or ImageReference.parse(image).is_official(self.image)

    def nearest(self, version: int | None) -> int | None:
        """The version offered that is nearest to a major version; the newest to an unknown one."""
        if not self.versions:
            return None
        wanted = version or self.versions[-1]
        return min(self.versions, key=lambda offered: abs(offered - wanted))


@dataclass(frozen=True)
class BackingService:
    """A database or the like that apps connect to.

    One that is `external` runs elsewhere, as a managed service: the stack has no container, volume
    or backup of it, and its address is a setting.

    Attributes:
        name: Service and host name.
        title: The product's name, for people.
        image: Image reference.
        port: The port it listens on.
        user: `uid:gid` to run as, or None for the image's own.
        command: Arguments or command line instead of the image's.
        environment: The container's own variables.
        app_environment: What an app needs to connect; the host's name comes first.
        urls: Names of the URLs that the image's entrypoint makes of those.
        variables: What whoever runs the stack sets.
        volume: Where its data lies.
        version: Its major version, where that can be told and matters.
        upgrade: The script (`deploy/NAME.sh`) that moves its data into another major version, which
            does not read the files of the one before; empty where it does.
        setup: Where it looks for the file that sets up a new database; empty where nothing has to
            be set up.
        tmpfs: Writable folders beside it.
        health: The check that tells when it accepts connections.
        resources: Limits.
        memory_variable: What it is told of the memory that it may fill; its limit is larger.
        shared_memory: Size of /dev/shm, where the default of 64 MB is too small.
        paused_backup: Its script (`template/_partials/data/`) makes a backup of the files in its
            volume, in a container beside it, while it is paused; else inside it, while it runs.
        stopped_restore: The same for a restore, while it is stopped.
        reads_secret_files: Its image takes a secret from the file that NAME_FILE names.
        own_folder: Variables that move its data into a folder of the volume, where that is a file
            system of its own and has more in it (`lost+found`).
        test_health: A command line that tells when it is ready, where its image is started for
            tests without `command`.
        backup: What is said of its backup, in sentences that follow its title.
        host_variable: The variable that tells its script where it is; None where that only ever
            runs beside it.
        rank: Its place in guides; those of one rank come by name.
        names: What apps call its address and its parts beside that: a pattern of whole names, and
            the variable or URL above that each of them gets the value of.
        schemes: Those of URLs that lead to such services alone, as http does not.
        optional_password: Elsewhere it may have none.
        is_open: Its password was taken away by hand: what keeps others out is its network alone.
        parts: What is said of the parts of its address elsewhere, by the variable of an app that
            holds them, where that is more than the usual.
        both_passwords: While it is given a new password the old one holds as well, until it is
            started anew; else the old one opens no new connection.
        needs_password: Its scripts log in with its container's password: so it starts anew with
            the new one, before the apps do.
        product: Its name in the table of ends of life; None where it has no calendar.
        product_images: The last parts of the images' names whose tags tell the product's version.
        machine: What it needs of a server, as an item of a list.
        development: What is said of files that production never sees; else empty.
        import_file: What a file of data from elsewhere is called, as in `FILE.sql`.
        import_form: What that file is, in words that follow its title.
        troubles: What goes wrong with it: what is seen and what to do, as Markdown.
        macros: Those of `template/_partials/services/NAME.jinja`, where a guide says more:
            `import_form()`, in place of the above, and `elsewhere(file)`, what it has to be like
            where it runs elsewhere.
        managed: It as managed platforms offer it, by the platform's name; on any other, its own
            image runs with a volume.
        warnings: What the user should know, one sentence each.
    """

    name: str
    title: str
    image: str
    port: int
    environment: tuple[Env, ...]
    app_environment: tuple[Env, ...]
    urls: tuple[str, ...]
    variables: tuple[Variable, ...]
    volume: Volume
    health: Health
    resources: Resources
    test_health: str
    backup: str
    user: str | None = None
    command: tuple[str, ...] = ()
    tmpfs: tuple[Tmpfs, ...] = ()
    memory_variable: str | None = None
    shared_memory: str | None = None
    paused_backup: bool = False
    stopped_restore: bool = False
    external: bool = False
    reads_secret_files: bool = True
    own_folder: tuple[Env, ...] = ()
    setup: str = ""
    host_variable: str | None = None
    rank: int = 100
    names: tuple[tuple[str, str], ...] = ()
    schemes: tuple[str, ...] = ()
    optional_password: bool = False
    is_open: bool = False
    parts: Mapping[str, str] = field(default_factory=dict)
    both_passwords: bool = False
    needs_password: bool = False
    product: str | None = None
    product_images: frozenset[str] = frozenset()
    machine: str = ""
    development: str = ""
    import_file: str = "FILE"
    import_form: str = ""
    troubles: tuple[tuple[str, str], ...] = ()
    macros: frozenset[str] = frozenset()
    managed: Mapping[str, Managed] = field(default_factory=dict)
    version: int | None = None
    upgrade: str = ""
    warnings: tuple[str, ...] = ()

    def source_of(self, name: str) -> str | None:
        """The variable or URL that another name of an app's is filled from; None for no such."""
        return next((to for pattern, to in self.names if re.fullmatch(pattern, name)), None)

    def lacks(self, source: str | None) -> bool:
        """Whether that is a part of its address that it does not have."""
        given = {*self.urls, *(env.name for env in self.app_environment)}
        return source is not None and source not in given

    @property
    def secrets(self) -> tuple[Env, ...]:
        """Those of its container's variables that are secret."""
        names = {variable.name for variable in self.variables if variable.secret}
        return tuple(env for env in self.environment if env.variable in names)

    def secret_files(self, folder: str) -> dict[str, str]:
        """Variables that name the files with its secrets, which lie in that folder."""
        if not self.reads_secret_files:
            return {}
        return {f"{env.name}_FILE": f"{folder}/{env.variable}" for env in self.secrets}

    def secret_exports(self, folder: str) -> str:
        """Words of a shell, one line, that read its secrets from files; empty without secrets."""
        return "; ".join(
            f"{env.name}=$(cat {folder}/{env.variable}); export {env.name}" for env in self.secrets
        )

    @property
    def setup_file(self) -> str:
        """The name of that file in `deploy/`."""
        return f"{self.name}-init.sql"

    @property
    def image_environment(self) -> tuple[Env, ...]:
        """What is left of its variables where the image's own command runs, and not `command`."""
        read = " ".join(self.command)
        return tuple(env for env in self.environment if f"${env.name}" not in read)

    @property
    def password(self) -> Variable | None:
        """The variable that holds its password, if it has one."""
        return next((variable for variable in self.variables if variable.secret), None)


@dataclass(frozen=True)
class Runtime:
    """The language that an app is written in, as far as it is the same for all its frameworks.

    Attributes:
        name: `python` or `node`; the image is built by `template/_partials/Dockerfile.NAME`.
        title: Its name, for people.
        image: The base image where the project names none.
        image_suffix: What follows a version of `versions.conf` in the tag of such an image.
        version: The language's version where the base image's tag does not say it.
        interpreter: The program that a shell in a container is started with.
        runs_workers: Background workers are looked for (`extensions/workers/`).
        rank: Its place in the stack's apps.
        ignored: What its tools leave behind, which no image gets, as patterns.
    """

    name: str
    title: str
    image: str
    image_suffix: str
    version: str
    interpreter: str
    runs_workers: bool
    ignored: tuple[str, ...]
    rank: int


@dataclass(frozen=True)
class Locking:
    """How the versions of an app's dependencies are fixed.

    Attributes:
        names: The lockfiles of its language, whichever package manager wrote them.
        makes: The lockfile that is missing, for people.
        command: The command that makes it; None where the package manager has no lockfile.
    """

    names: tuple[str, ...]
    makes: str = "lockfile"
    command: str | None = None


@dataclass(frozen=True)
class BuildStep:
    """A command that runs in the app's folder while its image is built.

    Attributes:
        command: What runs, without a shell.
        reason: Why, one sentence without a full stop.
        environment: What it needs of the environment to load the app; nothing of it is kept.
    """

    command: tuple[str, ...]
    reason: str
    environment: tuple[tuple[str, str], ...] = ()

    @property
    def assignments(self) -> tuple[str, ...]:
        """The environment as words of a shell."""
        return tuple(f"{name}={quoting.shell(value)}" for name, value in self.environment)


@dataclass(frozen=True)
class PythonBuild:
    """How a Python image is built.

    Attributes:
        image: Base image.
        manager: The package manager: the name of its module in `extensions/package_managers/`; None
            for no dependencies at all.
        manifests: The files an installation reads, relative to the app's folder; folders end
            in a slash.
        locking: How versions are fixed.
        additions: Requirements that the project's own list leaves out, but its code needs.
        build_packages: Debian packages needed to build dependencies.
        runtime_packages: Debian packages needed to run them.
        cpu_torch: PyTorch comes from its CPU index.
        source_root: The folder that modules are imported from, relative to the app's.
        ignored: What the package manager writes that no image gets, as patterns.
        servers: Packages of the server that the project's own list leaves out.
        steps: What is run once the code is there, in this order.
        environment: What the image tells the app.
        package: Files that an installation of the project itself reads beside its source, relative
            to the app's folder; empty where it is not installed.
        package_version: `git`, where the project's version comes from there; else empty.
        asked: A list of dependencies names the project itself.
        groups: Groups of dependencies beside the main ones; None for what the tool takes.
        extras: The same of the project's extras.
        locked_by: The major version of the tool that wrote the lockfile, where that is an old one.
        unhashed: Dependencies come from folders or repositories, of which no lockfile has a hash.
    """

    image: str
    manager: str | None
    manifests: tuple[str, ...]
    locking: Locking
    additions: tuple[str, ...]
    build_packages: tuple[str, ...]
    runtime_packages: tuple[str, ...]
    cpu_torch: bool
    source_root: str
    ignored: tuple[str, ...] = ()
    servers: tuple[str, ...] = ()
    steps: tuple[BuildStep, ...] = ()
    environment: tuple[tuple[str, str], ...] = ()
    package: tuple[str, ...] = ()
    package_version: str = ""
    asked: bool = False
    groups: tuple[str, ...] | None = None
    extras: tuple[str, ...] = ()
    locked_by: str = ""
    unhashed: bool = False

    def outside(self, directory: str) -> tuple[str, ...]:
        """The manifests beside the app's folder, relative to the project's top folder."""
        return tuple(
            posixpath.normpath(posixpath.join(directory, path)) + "/" * path.endswith("/")
            for path in self.manifests
            if path.startswith("../")
        )

    def place(self, directory: str) -> str:
        """Where dependencies are installed: the same way from the manifests beside the folder."""
        return f"/src/{directory}" if self.outside(directory) else "/app"

    @property
    def manifest_lists(self) -> tuple[str, ...]:
        """The manifests that list dependencies: no folders, and no packages."""
        packages = ("/", ".whl", ".gz", ".zip")
        return tuple(path for path in self.manifests if not path.endswith(packages))

    @property
    def requirement_lists(self) -> tuple[str, ...]:
        """Those of them that are pip's."""
        # The project's own description may read one of them as well.
        lists = (".txt", ".in")
        return tuple(
            path for path in self.manifest_lists if path not in self.package or path.endswith(lists)
        )

    @property
    def description(self) -> str | None:
        """The manifest that describes the project itself."""
        names = ("pyproject.toml", "setup.py", "setup.cfg")
        return next((name for name in names if name in self.manifests), None)

    @property
    def manifest_folders(self) -> tuple[str, ...]:
        """The manifests that are folders: packages of the project itself."""
        return tuple(
            path for path in self.manifests if path.endswith("/") and not path.startswith("../")
        )


@dataclass(frozen=True)
class NodeTool:
    """A package manager of Node as it is had and called, in one version.

    Attributes:
        package: What npm installs to get it, as in `pnpm@10`; None for npm itself.
        install: Command that installs everything, from the lockfile where there is one.
        prune: Command that removes what only the build needs.
        add: Command that adds a dependency, without its name.
        cache: Its cache folder.
        cache_setting: The variable that moves that folder.
        cached_by_github: GitHub's setup-node can keep its cache (actions/setup-node, "cache").
        in_images: Node's images may have another version of it.
        variables: What it is told by the environment.
        leavings: What it leaves in the app's folder that only an installation needs.
        ignored: What it writes into the app's folder that no image gets, as patterns.
    """

    package: str | None
    install: str
    prune: str
    add: str
    cache: str
    cache_setting: str
    cached_by_github: bool = True
    in_images: bool = False
    variables: tuple[tuple[str, str], ...] = ()
    leavings: tuple[str, ...] = ("node_modules",)
    ignored: tuple[str, ...] = ()

    @property
    def own_install(self) -> str | None:
        """Command that installs the package manager; None for npm, which is there."""
        if not self.package:
            return None
        force = ("--force",) if self.in_images else ()
        return quoting.shell_words(("npm", "install", "--global", *force, self.package))


@dataclass(frozen=True)
class Member:
    """An app on Node that is installed from the top of a workspace, in whose folder it lies.

    Attributes:
        top: The top folder, relative to the project's.
        folder: The app's, relative to the top one like all others here; `.` for the top itself.
        built: What its build needs of the workspace, without the top.
        runs: What runs with it.
        others: The other members, of which only the package.json is there.
    """

    top: str
    folder: str
    built: tuple[str, ...]
    runs: tuple[str, ...]
    others: tuple[str, ...] = ()

    @property
    def prefix(self) -> str:
        """What paths in the app's folder begin with; empty for the top."""
        return "" if self.folder == "." else f"{self.folder}/"


@dataclass(frozen=True)
class Site:
    """Static files, and how they are served.

    Attributes:
        image: The image of the server, Caddy.
        output: The folder that the build writes, relative to the app's.
        base: The path that it lies below, which begins and ends with a slash.
        fallback: The file there that answers addresses which none has; None for no such.
        hashed: A regular expression of the addresses whose content never changes; empty for none.
        plain: The same of those among them of which that is not so; empty for none.
        source_maps: Browsers may load them.
    """

    image: str
    output: str
    base: str = "/"
    fallback: str | None = None
    hashed: str = ""
    plain: str = ""
    source_maps: bool = False

    @property
    def folder(self) -> str:
        """Where it lies in its image."""
        return f"/srv{self.base}"


@dataclass(frozen=True)
class NodeBuild:
    """How the image of an app that runs on Node is built.

    Attributes:
        image: Base image.
        manager: The package manager: the name of its module in `extensions/package_managers/`.
        tool: How that is called.
        manifests: The files an installation reads, relative to the folder where that is made (the
            app's, or the top of its workspace); folders end in a slash.
        lockfile: The manifest that fixes every version, or None.
        locking: How versions are fixed.
        build: Command that builds the app; None for none.
        build_environment: What the build is told by the environment.
        build_cache: Name and path of the folder that one build leaves to the next.
        bundles: Its build makes pages, which takes much memory.
        outputs: What of the build runs in production, from where in the app's folder to where:
            it holds all it needs. Empty: the whole folder, with the dependencies beside it.
        with_dependencies: What the build makes needs the dependencies of production as well.
        environment: What the app is told by the environment of its image.
        runs_tool: The package manager runs the app.
        generate: Command that makes what the dependencies lack, after they were installed.
        generated: The name of the folders that it makes among them.
        member: The workspace that it is installed from; None where it stands alone.
        build_packages: System packages that an installation of its dependencies needs.
        runtime_packages: Those that its dependencies load.
        site: What was built are static files, which a web server serves without Node.
    """

    image: str
    manager: str
    tool: NodeTool
    manifests: tuple[str, ...]
    lockfile: str | None
    locking: Locking
    build: str | None
    build_environment: tuple[tuple[str, str], ...] = ()
    build_cache: tuple[str, str] | None = None
    bundles: bool = False
    outputs: tuple[tuple[str, str], ...] = ()
    with_dependencies: bool = False
    environment: tuple[tuple[str, str], ...] = ()
    runs_tool: bool = False
    generate: str | None = None
    generated: str | None = None
    member: Member | None = None
    site: Site | None = None
    build_packages: tuple[str, ...] = ()
    runtime_packages: tuple[str, ...] = ()

    @property
    def left_behind(self) -> tuple[str, ...]:
        """What an installation reads in the top folder and no image runs with."""
        tops = (path.rstrip("/") for path in self.manifests if "/" not in path.rstrip("/"))
        return tuple(path for path in tops if path not in {"package.json", "prisma"})

    @property
    def ignored(self) -> tuple[str, ...]:
        """What the package manager writes that no image gets, where its folder is a manifest."""
        return self.tool.ignored if self.manifest_folders else ()

    @property
    def manifest_files(self) -> dict[str, tuple[str, ...]]:
        """The manifests that are files, by the folder that they lie in (`` or ending in `/`)."""
        found: dict[str, tuple[str, ...]] = {}
        for path in self.manifests:
            if not path.endswith("/"):
                folder = path[: path.rfind("/") + 1] if self.member else ""
                found[folder] = (*found.get(folder, ()), path)
        return found

    @property
    def manifest_folders(self) -> tuple[str, ...]:
        """The manifests that are folders."""
        return tuple(path for path in self.manifests if path.endswith("/"))


@dataclass(frozen=True)
class Tests:
    """How an app is tested before an image is built of it.

    Attributes:
        command: The command line: of a Python module or program, or Node's script runner.
        install: Commands of a shell that install what the tests need, run in the app's folder.
        activate: Command that lets the shell find what was installed; None for none.
        requirements: Requirements files beside the manifests, relative to the app's folder.
    """

    command: tuple[str, ...]
    install: tuple[str, ...]
    activate: str | None = None
    requirements: tuple[str, ...] = ()


@dataclass(frozen=True)
class App:
    """One image built from the project, and how its container runs.

    Attributes:
        name: Service name: `app` for the first, else its framework's, as in `frontend`.
        kind: The framework: the name of its module in `extensions/apps/`.
        title: The framework's name, for people.
        runtime: What it is written in.
        directory: Its folder in the project, `.` for the root.
        dockerfile: Name of its Dockerfile.
        sources: At the root: what enters the image. Empty: the whole folder does.
        env_production: A committed `.env.production` enters the build.
        build: How the image is built.
        command: What runs, without a shell.
        port: The port it serves HTTP on, or None.
        health: Path of its health check; None to look at the port only.
        job: It ends by itself: started by hand, not kept running.
        environment: The container's variables.
        passed_on: Names of the app's own variables, set only where the user sets them.
        filled: Those of them that the image's entrypoint fills where the user does not, each with
            the variable or URL of a backing service that it gets the value of.
        addresses: The same from an address of the site, or of another app.
        build_arguments: Variables baked into the image.
        built_addresses: Those of them that are addresses for browsers, set where the user does not.
        build_secrets: Names of the variables with which an installation of dependencies logs in to
            registries, and of `build_needs`. The image is built with them, but nothing of it holds
            them.
        build_needs: Names of its own variables that its build does not do without.
        keep: Files that enter the image, or the installation, although secrets have such names,
            relative to its folder.
        services: Names of the backing services of the stack that it connects to.
        external: The same of those that run elsewhere.
        routes: Path prefixes the proxy sends to it; empty for all that is left.
        volumes: Named volumes under its read-only root.
        tmpfs: Writable folders in memory.
        resources: Limits.
        gpu: It gets the machine's GPUs.
        alone: Its process keeps what another one would not have: there is one container of it.
        tests: How it is tested; None where it has no tests.
        variables: What whoever runs the stack sets for it, beside its own.
        package: The dependency whose version is the framework's, where that has a calendar: the
            product of the app's kind in `end_of_life.yml`.
        closed: Path prefixes that the proxy passes nobody on to.
        cautions: What to look after where it can be reached, one sentence each, in Markdown.
        warnings: What the user should know, one sentence each.
    """

    name: str
    kind: str
    title: str
    runtime: Runtime
    directory: str
    dockerfile: str
    sources: tuple[str, ...]
    build: PythonBuild | NodeBuild
    command: tuple[str, ...]
    port: int | None
    health: str | None
    resources: Resources
    env_production: bool = False
    job: bool = False
    environment: tuple[Env, ...] = ()
    passed_on: tuple[str, ...] = ()
    filled: tuple[tuple[str, str], ...] = ()
    addresses: tuple[Address, ...] = ()
    build_arguments: tuple[Env, ...] = ()
    built_addresses: tuple[Address, ...] = ()
    build_secrets: tuple[str, ...] = ()
    build_needs: tuple[str, ...] = ()
    keep: tuple[str, ...] = ()
    services: tuple[str, ...] = ()
    external: tuple[str, ...] = ()
    routes: tuple[str, ...] = ()
    volumes: tuple[Volume, ...] = ()
    tmpfs: tuple[Tmpfs, ...] = ()
    gpu: bool = False
    alone: bool = False
    tests: Tests | None = None
    variables: tuple[Variable, ...] = ()
    package: str | None = None
    closed: tuple[str, ...] = ()
    cautions: tuple[str, ...] = ()
    warnings: tuple[str, ...] = ()

    @property
    def build_logins(self) -> tuple[str, ...]:
        """Those of the `build_secrets` that log in to registries."""
        return tuple(name for name in self.build_secrets if name not in self.build_needs)

    @property
    def base(self) -> str:
        """The folder that its image is built from: its own, or the top of its workspace."""
        member = self.build.member if isinstance(self.build, NodeBuild) else None
        return member.top if member else self.directory

    @property
    def built_from(self) -> tuple[str, ...]:
        """Files and folders (ending in `/`) of the project that its image is built from."""
        member = self.build.member if isinstance(self.build, NodeBuild) else None
        if member is None:
            python = self.build if isinstance(self.build, PythonBuild) else None
            if self.directory != ".":
                return (f"{self.directory}/", *(python.outside(self.directory) if python else ()))
            package = python.package if python else ()
            return tuple(dict.fromkeys((*self.build.manifests, *package, *self.sources)))
        top = "" if self.base == "." else f"{self.base}/"
        folders = [f"{folder}/" for folder in member.built]
        paths = dict.fromkeys((*self.build.manifests, *self.sources, *folders))
        inside = tuple(path for path in paths if path.endswith("/"))
        return tuple(
            top + path
            for path in paths
            if not any(path != other and path.startswith(other) for other in inside)
        )

    @property
    def site(self) -> Site | None:
        """The static files that it consists of; None for what runs code."""
        return self.build.site if isinstance(self.build, NodeBuild) else None

    @property
    def base_image(self) -> str:
        """The image that its own begins with."""
        return self.site.image if self.site else self.build.image

    @property
    def interpreter(self) -> str:
        """The program that a shell in its container is started with."""
        return "sh" if self.site else self.runtime.interpreter

    @property
    def calls_api(self) -> bool:
        """Whether it calls another app, at an address that it is given, or built with."""
        built = any(env.name == "BACKEND_URL" for env in self.build_arguments)
        return built or any(address.holds == "api" for address in self.addresses)

    @property
    def filled_names(self) -> frozenset[str]:
        """Names that the entrypoint fills, from a backing service or from an address."""
        return frozenset((*(name for name, _ in self.filled), *(a.name for a in self.addresses)))

    @property
    def public_arguments(self) -> tuple[str, ...]:
        """Names of the settings for browsers that are baked into its image."""
        return tuple(env.name for env in self.build_arguments if env.name != "BACKEND_URL")

    @property
    def builds_api_url(self) -> bool:
        """Whether the API's public address is baked into its image."""
        return any(address.holds == "api" for address in self.built_addresses)

    @property
    def backing(self) -> tuple[str, ...]:
        """Names of all backing services it connects to."""
        return (*self.services, *self.external)


@dataclass(frozen=True)
class Worker:
    """What runs in the background: another command in the image of an app.

    Attributes:
        name: Service name.
        app: The app.
        command: What runs, without a shell.
        resources: Limits.
        health: A shell's command that tells whether it works; None where there is none.
        alive: The same that fails only where a new start would help.
        alone: Two would do everything twice: one container, and the old one stops before the new
            one starts.
        volumes: Named volumes beside the app's.
    """

    name: str
    app: App
    command: tuple[str, ...]
    resources: Resources
    health: str | None = None
    alive: str | None = None
    alone: bool = False
    volumes: tuple[Volume, ...] = ()

    @property
    def purpose(self) -> str:
        """What it is for, a sentence without a full stop."""
        return "Starts scheduled jobs" if self.alone else "Background jobs"

    @property
    def mounts(self) -> tuple[Volume, ...]:
        """All of its named volumes."""
        return (*self.app.volumes, *self.volumes)


@dataclass(frozen=True)
class Migrations:
    """How the database's schema comes about: what psql does, then a command in an app's image.

    Attributes:
        kind: The tool's module in `migrations/`, or `none`: extensions are all there is.
        title: The tool's name, for people.
        extensions: PostgreSQL extensions that psql creates before anything else.
        folder: Where the numbered SQL files lie that psql runs, in the project; None where it runs
            none.
        app: The app whose image has the tool; None where psql does all.
        command: What runs in that image, without a shell; empty without `app`.
        concurrent: It may be started twice at once: a lock lets the second wait.
        in_project: The command where all dependencies of the project are installed, if it is
            another one there.
        shown: The command as guides show it.
        packages: Of an app on Node: dependencies that the command needs and the app's own folder
            in the image has not; they have one of their own there.
        files: What the command reads with them, below the folder that they are installed in;
            folders end in a slash.
        place: Of an app in a workspace: the folder with its migrations, below the top one and
            ending in a slash; empty for that, and for an app that stands alone.
    """

    kind: str
    title: str
    extensions: tuple[str, ...]
    folder: str | None = None
    app: App | None = None
    command: tuple[str, ...] = ()
    concurrent: bool = False
    in_project: tuple[str, ...] = ()
    shown: str = ""
    packages: tuple[str, ...] = ()
    files: tuple[str, ...] = ()
    place: str = ""

    @property
    def migrates(self) -> bool:
        """Whether tables change; else extensions are created, and no more."""
        return bool(self.folder or self.command)

    @property
    def in_database_image(self) -> bool:
        """Whether psql has something to do, in the database's image."""
        return bool(self.folder or self.extensions)

    @property
    def psql_job(self) -> str:
        """What psql's part is called: `migrate`, or `extensions` where a command follows it."""
        return "extensions" if self.command else "migrate"


@dataclass(frozen=True)
class KeptFolder:
    """A folder of containers whose files are kept in a volume, and backed up.

    Attributes:
        name: The volume's.
        path: The folder.
        app: The app whose image reads and writes them.
    """

    name: str
    path: str
    app: App

    @property
    def title(self) -> str:
        """What is in it, for people."""
        return "uploaded files" if self.name == UPLOADS else f"the files in {self.path}"


@dataclass(frozen=True)
class Edge:
    """Who connects to whom inside the stack, and on which port."""

    source: str
    target: str
    port: int


@dataclass(frozen=True)
class Stack:
    """All that runs in production.

    Attributes:
        name: The project's name; valid as a Compose project, image and host name.
        apps: Images built from the project, the primary one (`app`) first.
        workers: What runs in the background.
        services: Backing services.
        external: Those that run elsewhere.
        migrations: Present with PostgreSQL where there is something to do.
        variables: Every variable once, in the order of the example of `.env`.
        with_proxy: Caddy stands in front of the apps that serve HTTP.
        headers: What it adds to answers that have no such header, by name.
        warnings: What the user should know, one sentence each.
    """

    name: str
    apps: tuple[App, ...]
    workers: tuple[Worker, ...]
    services: tuple[BackingService, ...]
    external: tuple[BackingService, ...]
    migrations: Migrations | None
    variables: tuple[Variable, ...]
    with_proxy: bool
    headers: Mapping[str, str] = field(default_factory=dict)
    warnings: tuple[str, ...] = field(default=())

    @property
    def backing(self) -> tuple[BackingService, ...]:
        """All backing services, wherever they run."""
        return (*self.services, *self.external)

    @property
    def web_apps(self) -> tuple[App, ...]:
        """The apps that serve HTTP, the one with the remaining paths last."""
        return tuple(
            sorted((a for a in self.apps if a.port and not a.job), key=lambda a: not a.routes)
        )

    def network(self, app: App) -> str:
        """The network that an app shares with the proxy.

        Where an app calls another one by the proxy, it has one of its own: an API takes the
        proxy's word on who a visitor is, so nothing else may reach it.
        """
        alone = self.calls_api_through_proxy and app != self.apps[0]
        return app.name if alone else "web"

    @property
    def web_networks(self) -> tuple[str, ...]:
        """The networks of the apps that serve HTTP."""
        return tuple(dict.fromkeys(self.network(a) for a in self.apps if a in self.web_apps))

    @property
    def probes(self) -> dict[str, str]:
        """By the name of each app that serves HTTP, a path that the proxy sends to it."""
        prefixes = [prefix.rstrip("/*") for app in self.web_apps for prefix in app.routes]

        def is_below(path: str, prefix: str) -> bool:
            return path == prefix or path.startswith(f"{prefix}/")

        found = {}
        for app in self.web_apps:
            own = [prefix.rstrip("/*") for prefix in app.routes]
            path = app.health or "/"
            if own and not any(is_below(path, prefix) for prefix in own):
                path = own[0] or "/"
            elif not own and any(is_below(path, prefix) for prefix in prefixes):
                path = "/"
            found[app.name] = path
        return found

    @property
    def jobs(self) -> tuple[App, ...]:
        """The apps that end by themselves."""
        return tuple(app for app in self.apps if app.job)

    @property
    def rolled(self) -> tuple[App | Worker, ...]:
        """What a new version replaces: the apps that keep running, and the workers."""
        return (*(app for app in self.apps if not app.job), *self.workers)

    @property
    def alone(self) -> tuple[Worker, ...]:
        """The workers of which there are never two."""
        return tuple(worker for worker in self.workers if worker.alone)

    @property
    def replicas(self) -> dict[str, int]:
        """How many containers there are of each on several servers, where that can be chosen."""
        counts = {
            app.name: 2 if app.port and not app.alone else 1 for app in self.apps if not app.job
        }
        return counts | {worker.name: 1 for worker in self.workers if not worker.alone}

    def mounted(self, app: App) -> tuple[Volume, ...]:
        """The named volumes of all containers of an app's image."""
        own = (volume for worker in self.workers if worker.app == app for volume in worker.volumes)
        return (*app.volumes, *own)

    @property
    def kept_folders(self) -> tuple[KeptFolder, ...]:
        """The folders whose files are backed up, each once."""
        found: dict[str, KeptFolder] = {}
        for app in self.apps:
            for volume in app.volumes:
                if volume.kept:
                    found.setdefault(volume.name, KeptFolder(volume.name, volume.path, app))
        return tuple(found.values())

    @property
    def kept(self) -> tuple[str, ...]:
        """What is backed up: the backing services and the folders, by name."""
        services = (service.name for service in self.services)
        return (*services, *(folder.name for folder in self.kept_folders))

    @property
    def guided(self) -> tuple[BackingService, ...]:
        """The backing services of the stack in the order of guides."""
        return tuple(sorted(self.services, key=lambda service: (service.rank, service.name)))

    @property
    def has_data(self) -> bool:
        """Whether there is something to back up."""
        return bool(self.kept)

    @property
    def protected(self) -> tuple[BackingService, ...]:
        """The backing services that have a password."""
        return tuple(service for service in self.services if service.password)

    @property
    def own_variables(self) -> tuple[str, ...]:
        """Names of the apps' own variables, each once; some of them are secrets."""
        return tuple(dict.fromkeys(name for app in self.apps for name in app.passed_on))

    @property
    def filled(self) -> tuple[tuple[str, str], ...]:
        """What the entrypoint of all images fills: names and what they get the value of."""
        return tuple(dict.fromkeys(pair for app in self.apps for pair in app.filled))

    @property
    def addresses(self) -> tuple[Address, ...]:
        """The same of addresses, each name once."""
        found: dict[str, Address] = {}
        for address in (one for app in self.apps for one in app.addresses):
            found.setdefault(address.name, address)
        return tuple(found.values())

    @property
    def built_addresses(self) -> tuple[Address, ...]:
        """The addresses for browsers that are built into images, each name once."""
        found: dict[str, Address] = {}
        for address in (one for app in self.apps for one in app.built_addresses):
            found.setdefault(address.name, address)
        return tuple(found.values())

    def built_address(self, name: str) -> Address | None:
        """The one of that name."""
        return next((one for one in self.built_addresses if one.name == name), None)

    @property
    def front(self) -> App | None:
        """The app whose pages browsers begin with; None where they reach none."""
        return self.web_apps[-1] if self.web_apps else None

    @property
    def build_secrets(self) -> tuple[str, ...]:
        """Names of the variables with which images are built, and that none holds, once."""
        return tuple(dict.fromkeys(name for app in self.apps for name in app.build_secrets))

    @property
    def build_logins(self) -> tuple[str, ...]:
        """Those of the `build_secrets` that log in to registries."""
        return tuple(dict.fromkeys(name for app in self.apps for name in app.build_logins))

    @property
    def build_needs(self) -> tuple[str, ...]:
        """Those of the `build_secrets` that a build of the app's own source does not do without."""
        return tuple(dict.fromkeys(name for app in self.apps for name in app.build_needs))

    @property
    def site(self) -> App | None:
        """The app that consists of static files."""
        return next((app for app in self.apps if app.site), None)

    @property
    def image_files(self) -> tuple[str, ...]:
        """The names of its Dockerfiles and of what belongs to them."""
        return tuple(n for a in self.apps for n in (a.dockerfile, f"{a.dockerfile}.dockerignore"))

    @property
    def build_paths(self) -> list[str]:
        """Files and folders of the project that images are built from."""
        paths: dict[str, None] = {}
        for app in self.apps:
            whole = app.directory != "."
            paths |= dict.fromkeys(p.rstrip("/") if whole else p for p in app.built_from)
        return list(paths)

    @property
    def builds_api_url(self) -> bool:
        """Whether an image has the API's public address baked in."""
        return any(app.builds_api_url for app in self.apps)

    @property
    def builds_public(self) -> bool:
        """Whether an image has settings for browsers baked in."""
        return bool(self.public_names)

    @property
    def public_names(self) -> tuple[str, ...]:
        """The names of settings for browsers, as a regular expression each."""
        names = (
            name if app.site or not name.startswith(_NEXT) else f"{_NEXT}[A-Za-z0-9_]*"
            for app in self.apps
            for name in app.public_arguments
        )
        return tuple(dict.fromkeys(names))

    @property
    def public_arguments(self) -> tuple[str, ...]:
        """The names of the settings for browsers that pipelines have among their own."""
        names = [(app, name) for app in self.apps for name in app.public_arguments]
        of_next = any(name.startswith(_NEXT) for app, name in names if not app.site)
        found = [
            address.name for app in self.apps if not app.site for address in app.built_addresses
        ]
        found = found or (["NEXT_PUBLIC_API_URL"] if of_next else [])
        found += [name for app, name in names if app.site or not name.startswith(_NEXT)]
        return tuple(dict.fromkeys(found))

    @property
    def calls_api_through_proxy(self) -> bool:
        """Whether one app calls another: by the proxy, which knows the version in service."""
        return self.with_proxy and self.calls_api

    @property
    def calls_api(self) -> bool:
        """Whether one app calls another, at an address that it is given, or built with."""
        return any(app.calls_api for app in self.apps)

    @property
    def edges(self) -> tuple[Edge, ...]:
        """Every connection inside the stack, but the proxy's to the apps and those of backups."""
        users = [(app.name, app.services) for app in self.apps]
        users += [(worker.name, worker.app.services) for worker in self.workers]
        if self.migrations and not self.service("postgres").external:
            users.append(("migrate", ("postgres",)))
        edges = [Edge(u, name, self.service(name).port) for u, names in users for name in names]
        for app in self.apps:
            if app.calls_api:
                edges.append(Edge(app.name, self.apps[0].name, self.apps[0].port or 0))
        return tuple(edges)

    @property
    def tells_site(self) -> bool:
        """Whether an app is told where browsers find the site."""
        return any(env.name == "SITE_URLS" for app in self.apps for env in app.environment)

    @property
    def memory_needed(self) -> int:
        """Memory of a server in GB that runs it and takes its new versions."""
        jobs = {job.name for job in self.jobs}
        kept = [one for name, one in self.limits.items() if name not in {"migrate", *jobs}]
        second = [one.resources for one in self.rolled if one not in self.alone]
        brief = [self.limits[name] for name in ("migrate", *jobs) if name in self.limits]
        return limits.server(kept, second, brief)

    @property
    def memory_to_build(self) -> int:
        """Memory of a server in GB that builds its images as well."""
        return max(2 if self.builds_pages else 1, self.memory_needed)

    @property
    def builds_pages(self) -> bool:
        """Whether what builds an image is known to need much memory."""
        return any(isinstance(app.build, NodeBuild) and app.build.bundles for app in self.apps)

    @property
    def served_by_postgres(self) -> bool:
        """Whether an app that keeps running uses PostgreSQL."""
        return any("postgres" in app.backing for app in self.web_apps)

    @property
    def installs_python(self) -> bool:
        """Whether an image holds installed Python packages."""
        return any(isinstance(a.build, PythonBuild) and a.build.manager for a in self.apps)

    @property
    def volumes(self) -> tuple[Volume, ...]:
        """Every named volume of apps and backing services, once."""
        volumes = [volume for app in self.apps for volume in self.mounted(app)]
        volumes += [service.volume for service in self.services]
        found: dict[str, Volume] = {}
        for volume in volumes:
            found.setdefault(volume.name, volume)
        return tuple(found.values())

    @property
    def volume_names(self) -> tuple[str, ...]:
        """Their names."""
        return tuple(volume.name for volume in self.volumes)

    @property
    def upgraded(self) -> tuple[BackingService, ...]:
        """The backing services whose major versions do not read each other's files."""
        return tuple(service for service in self.services if service.upgrade)

    @property
    def set_up(self) -> tuple[BackingService, ...]:
        """The backing services that a file of `deploy/` sets up, when they make a new database."""
        return tuple(service for service in self.services if service.setup)

    @property
    def tested_with_postgres(self) -> bool:
        """Whether an app has tests that use PostgreSQL."""
        return any(app.tests and "postgres" in app.backing for app in self.apps)

    @property
    def limits(self) -> dict[str, Resources]:
        """What each container may use, by service name."""
        found = {"caddy": limits.PROXY} if self.with_proxy else {}
        found |= {app.name: app.resources for app in self.apps}
        found |= {worker.name: worker.resources for worker in self.workers}
        if self.migrations:
            found["migrate"] = self.migration_limits
        return found | {service.name: service.resources for service in self.services}

    @property
    def migration_limits(self) -> Resources:
        """What the job for migrations may use, and every other that is no app."""
        app = self.migrations.app if self.migrations else None
        return limits.of_migrations(app.resources) if app else limits.of_migrations()

    @property
    def variable_groups(self) -> dict[str, tuple[Variable, ...]]:
        """The variables by group, in their order."""
        names = dict.fromkeys(variable.group for variable in self.variables)
        return {n: tuple(v for v in self.variables if v.group == n) for n in names}

    def plain(self, variables: Iterable[Env]) -> tuple[Env, ...]:
        """The variables of a container without those that hold a secret."""
        return tuple(e for e in variables if not (e.variable and self.variable(e.variable).secret))

    @property
    def secret_files(self) -> tuple[str, ...]:
        """The secrets that are given as files, each its own: those that are always set."""
        return tuple(v.name for v in self.variables if v.secret and v.required)

    @property
    def optional_secrets(self) -> tuple[str, ...]:
        """Names of what is given in one file, `variables`: other secrets, and the apps' own."""
        others = (v.name for v in self.variables if v.secret and not v.required)
        return tuple(dict.fromkeys((*others, *self.own_variables)))

    def variable(self, name: str) -> Variable:
        """The variable of that name."""
        return next(variable for variable in self.variables if variable.name == name)

    def service(self, name: str) -> BackingService:
        """The backing service of that name."""
        return next(service for service in self.backing if service.name == name)
