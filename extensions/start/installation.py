"""What keeps a Python app's dependencies from being installed, or lacks when they are."""

from __future__ import annotations

import ast
import posixpath
import re
import shlex
from collections.abc import Iterator

from packaging.requirements import InvalidRequirement, Requirement
from packaging.utils import canonicalize_name
from packaging.version import Version

from .. import (
    finding,
    package_managers,
    python_builds,
    python_locks,
    python_project,
    python_version,
    started,
)
from ..finding import Finding
from ..image_reference import ImageReference
from ..model import App, PythonBuild
from ..origins import only_line
from ..package_managers import pip
from ..python_dependencies import local_place, read_toml, system_packages, table
from ..python_source import Module, called_name
from ..subject import Subject
from ..tree import join

RUNTIME = "python"
IDS = {
    "start.python": "The image has the version of Python that the app asks for",
    "start.install": "The image can install the apps' dependencies",
    "start.programs": "The image has the programs that are started",
    "start.libraries": "The image has what libraries load at run time",
}

# The package that brings a program, by the program.
_PROGRAMS = {
    **{name: name for name in ("uvicorn", "gunicorn", "hypercorn", "granian", "daphne", "flask")},
    **{name: name for name in ("celery", "arq", "dramatiq", "rq", "taskiq")},
    "fastapi": "fastapi-cli",
    "huey_consumer": "huey",
}
# What is no package of Debian's that an image could have: the library, and what it lacks.
_BROWSERS = frozenset(
    {"playwright", "patchright", "selenium", "pyppeteer", "undetected-chromedriver", "nodriver"}
)
_CONVERTERS = frozenset({"pdfkit", "imgkit"})
_GENERATED = frozenset({"prisma"})
# What needs a vendor's client or a screen: a word in code, what it is, and what does without.
_LACKING = (
    (re.compile(r"\binit_oracle_client\("), "Oracle's client",
     "Leave the call out: oracledb connects without it."),
    (re.compile(r"^\s*(?:import|from) cx_Oracle\b", re.M), "Oracle's client",
     "Take oracledb, which connects without it."),
    (re.compile(r"^(?:import|from) (?:tkinter|pyautogui|turtle)\b", re.M), "a screen and Tk",
     "Take the import out of what runs on a server."),
)  # fmt: skip
# What FastAPI and Pydantic ask for when it is first used: the word in the code, the package, and
# whether the import fails without it.
_ASKED_FOR = (
    (re.compile(r"\b(?:UploadFile|Form|OAuth2PasswordRequestForm)\b"), "python-multipart", True),
    (re.compile(r"\bEmailStr\b"), "email-validator", True),
    # fastapi-cache2 imports what answers with templates, and does not declare it.
    (re.compile(r"\bJinja2Templates\b|\bFastAPICache\b"), "jinja2", True),
    (re.compile(r"\bSessionMiddleware\b"), "itsdangerous", True),
    (re.compile(r"\bwebsocket\b"), "websockets", False),
)
# Others that bring these along, or do what they do.
_BRING = {
    "python-multipart": {"fastapi-users", "gradio", "mcp", "starlette-admin", "sqladmin"},
    "email-validator": {"fastapi-users", "flask-security"},
    "jinja2": {"flask", "gradio", "torch", "sqladmin", "starlette-admin", "litellm", "prefect"},
    "itsdangerous": {"flask", "sqladmin", "starlette-admin"},
    "websockets": {"wsproto", "python-socketio", "gradio", "google-genai", "realtime"},
}
_METADATA = frozenset({"version", "distribution", "metadata", "get_distribution", "requires"})
_MINORS = range(8, 21)


def find(subject: Subject) -> Iterator[Finding]:
    """What each Python app's installation stumbles over."""
    for app in subject.of("python"):
        assert isinstance(app.build, PythonBuild)
        yield from _python(subject, app, app.build)
        yield from _sources(subject, app, app.build)
        yield from _stale(subject, app, app.build)
        yield from _programs(subject, app, app.build)
        yield from _builds(subject, app, app.build)
        yield from _own_packages(subject, app, app.build)
        yield from _own_metadata(subject, app, app.build)
        yield from _libraries(subject, app, app.build)
        yield from _asked_for(subject, app, app.build)


def _python(subject: Subject, app: App, build: PythonBuild) -> Iterator[Finding]:
    """`requires-python`, or what other tools are told, against the image's version."""
    image = ImageReference.parse(build.image)
    if not image.is_official("python") or not (version := image.version):
        return
    for one in python_version.wanted(subject.tree, app.directory):
        if python_version.fits(version, one.versions):
            continue
        place = finding.where(one.path, one.line(subject.tree))
        if one.versions is None:
            yield Finding(
                "start.python",
                False,
                f"{place} asks for Python without its lock ({one.said}), but the image has the "
                f"usual one ({build.image}).",
                f"Take a base image that has it: spinbox build --prod --set {app.kind}.image=IMAGE",
                one.path,
            )
            return
        fitting = next(
            (m for m in _MINORS if python_version.fits(Version(f"3.{m}"), one.versions)), None
        )
        certain = build.manager == "uv" and one.required
        suffix = (image.tag or "").partition("-")[2]
        tag = f"3.{fitting}" + (f"-{suffix}" if suffix else "")
        yield Finding(
            "start.python",
            certain,
            f"{place} asks for Python {one.said}, but the image has {version} ({build.image})"
            f"{': uv refuses to install' if certain else ''}.",
            f"spinbox build --prod --set {app.kind}.image={image.name}:{tag}"
            if fitting
            else f"Let {one.path} allow Python {version}.",
            one.path,
        )
        return


def _sources(subject: Subject, app: App, build: PythonBuild) -> Iterator[Finding]:
    """Dependencies that are no package of an index."""
    tree, folder = subject.tree, app.directory
    inside = "the top folder" if folder == "." else f"{folder}/"
    for name in build.manifest_lists:
        path = join(folder, name)
        text = tree.read(path)
        if match := re.search(r"(?m)^(?!\s*#).*(?:git\+ssh://|ssh://git@|git\+git@)\S*", text):
            line = text.count("\n", 0, match.start()) + 1
            yield Finding(
                "start.install",
                True,
                f"{finding.where(path, line)} takes a dependency from git over SSH, but where the "
                "image is built there is no key.",
                "Write its address as git+https://…",
                path,
                line,
            )
        if build.manager != "pip" or name == "pyproject.toml":
            continue
        for place, line in pip.local_paths(tree, folder, path):
            if place is None:
                said = text.splitlines()[line - 1].strip()
                yield Finding(
                    "start.install",
                    True,
                    f"{finding.where(path, line)} installs `{said}`, which is not there where "
                    "the image installs dependencies.",
                    f"Take the line out: the app's own code is imported from {inside} as it is."
                    if re.search(r"(^|\s)\.(\[|\s|$)", said)
                    else "Name a folder of this project there that git does not ignore.",
                    path,
                    line,
                )
    yield from _sources_of_pyproject(subject, app, build)


def _sources_of_pyproject(subject: Subject, app: App, build: PythonBuild) -> Iterator[Finding]:
    path = join(app.directory, "pyproject.toml")
    if "pyproject.toml" not in build.manifests:
        return
    tree = subject.tree
    tools = table(read_toml(tree, path), "tool")
    own = {**table(table(tools, "uv"), "sources"), **table(table(tools, "poetry"), "dependencies")}
    for name, source in own.items():
        if not isinstance(source, dict):
            continue
        place = source.get("path")
        missing = isinstance(place, str) and not local_place(tree, app.directory, place)
        member = build.manager == "pip" and "workspace" in source
        if missing or member:
            line = only_line(tree.read(path), rf"^[\"']?{re.escape(name)}[\"']?\s*=")
            yield Finding(
                "start.install",
                True,
                f"{finding.where(path, line)} takes {name} from "
                f"{'a workspace that is not locked' if member else 'a folder'}, which is not there "
                "where the image installs dependencies.",
                "Run uv lock in the workspace's top folder, and commit uv.lock."
                if member
                else f"Name a folder of this project for {name} that git does not ignore.",
                path,
                line,
            )


def _stale(subject: Subject, app: App, build: PythonBuild) -> Iterator[Finding]:
    """A lockfile without what the project depends on by now."""
    tree, path = subject.tree, join(app.directory, "pyproject.toml")
    lockfile = next((name for name in build.manifests if name.endswith(".lock")), None)
    if lockfile is None or build.manager not in {"uv", "poetry"} or not tree.has(path):
        return
    document = read_toml(tree, path)
    own = table(table(table(document, "tool"), "poetry"), "dependencies")
    listed = table(document, "project").get("dependencies")
    wanted = {one for text in (listed if isinstance(listed, list) else ()) for one in _name(text)}
    # An optional one may be in no extra, and one with a marker may be for no machine.
    wanted |= {
        canonicalize_name(name)
        for name, said in own.items()
        if name != "python" and not (isinstance(said, dict) and {"optional", "markers"} & {*said})
    }
    locked = python_locks.names(tree, join(app.directory, lockfile))
    missing = sorted(wanted - locked)
    if missing and build.manager in {"uv", "poetry"}:
        place = posixpath.normpath(join(app.directory, lockfile))
        folder = posixpath.dirname(place)
        python = ImageReference.parse(build.image).version
        version = f" --python {python}" if build.manager == "uv" and python else ""
        yield Finding(
            "start.install",
            True,
            f"{place} lacks {missing[0]}, which {path} depends on: {build.manager} refuses to "
            "install it.",
            f"{f'cd {shlex.quote(folder)} && ' if folder else ''}{build.manager} lock{version}",
            place,
        )


def _builds(subject: Subject, app: App, build: PythonBuild) -> Iterator[Finding]:
    """Packages of the project whose build lacks something, or is none that the image makes."""
    tree, folder = subject.tree, app.directory
    places = [join(folder, one) for one in build.manifests if one.endswith("/")]
    for place in [*([folder] if build.package else ()), *places]:
        if found := python_builds.missing_for_setup(tree, place):
            name, line = found
            path, description = join(place, "setup.py"), join(place, "pyproject.toml")
            yield Finding(
                "start.install",
                True,
                f"{finding.where(path, line)} imports {name}, which its build does not have: a "
                "build gets only what [build-system] lists.",
                f'Write it there, in {description}: requires = ["setuptools", "{name.lower()}"]',
                path,
                line,
            )
    top = tree.first(folder, "pyproject.toml")
    system = table(read_toml(tree, top), "build-system") if top else {}
    if top and str(system.get("build-backend")) == "mesonpy" and not build.package:
        yield Finding(
            "start.install",
            False,
            f"{top} builds the app with Meson, but the image takes the app's code as it is: its "
            "compiled modules are missing.",
            "Move them to a package in a folder of its own, and depend on that folder.",
            top,
        )


def _name(requirement: object) -> Iterator[str]:
    """The name in a requirement without a marker; nothing else."""
    try:
        parsed = Requirement(str(requirement))
    except InvalidRequirement:
        return
    if parsed.marker is None:
        yield canonicalize_name(parsed.name)


def _programs(subject: Subject, app: App, build: PythonBuild) -> Iterator[Finding]:
    """Programs of commands that only a development group has, or nobody."""
    if not build.manager:
        return
    lockfile, brought = _brought(subject, app, build)
    declared = _declared(subject, app, build)
    commands = [app.command]
    commands += [worker.command for worker in subject.stack.workers if worker.app == app]
    tool = _migration_tool(subject, app)
    commands += [(tool,)] if tool else []
    main = join(app.directory, build.manifests[0])
    for program in dict.fromkeys(words[0] for words in commands if words):
        package = tool if program == tool else _PROGRAMS.get(program)
        if any(re.split(r"[\[<>=~!]", name)[0] == package for name in build.servers):
            continue
        if package is None or package in (declared if brought is None else brought):
            continue
        if brought is None and (lockfile or package == "fastapi-cli" or "celery" in package):
            continue
        folder = "" if app.directory == "." else f"cd {shlex.quote(app.directory)} && "
        adds = f"{folder}{build.manager} add {package}"
        yield Finding(
            "start.programs",
            brought is not None,
            f"{program} is started, but {package} is no dependency of {main} outside of "
            "development: the image lacks it.",
            adds if build.manager != "pip" else f"Add {package} to {main}.",
            main,
        )


def _migration_tool(subject: Subject, app: App) -> str | None:
    """The program that migrates in the app's image, which is its package's, too."""
    migrations = subject.stack.migrations
    found = migrations and migrations.app == app and migrations.command
    return found[0] if found and found[0] != "python" else None


def _brought(
    subject: Subject, app: App, build: PythonBuild
) -> tuple[str | None, frozenset[str] | None]:
    """The lockfile, and what it brings without development groups, where it tells."""
    lockfile = next((name for name in build.manifests if name.endswith(".lock")), None)
    if not lockfile or not build.manager:
        return lockfile, None
    named = (*(build.groups or ()), *build.extras)
    found = python_locks.installed(subject.tree, app.directory, build.manager, lockfile, named)
    return lockfile, found


def _declared(subject: Subject, app: App, build: PythonBuild) -> dict[str, tuple[str, int | None]]:
    """Names of the dependencies, those of a lockfile too, each with its place."""
    if not build.manager:
        return {}
    relevant = _BROWSERS | _CONVERTERS | _GENERATED | {*_PROGRAMS.values(), *_BRING}
    relevant |= {tool} if (tool := _migration_tool(subject, app)) else set()
    found = package_managers.get(build.manager).find(subject.tree, app.directory, relevant)
    if found is None:
        return {}
    return {one.value: (one.path, one.line) for one in reversed(found.dependencies)}


def _own_packages(subject: Subject, app: App, build: PythonBuild) -> Iterator[Finding]:
    """A setup.py or setup.cfg that names packages: setuptools wants them where it only reads."""
    for name in ("setup.py", "setup.cfg"):
        path = join(app.directory, name)
        if build.manager != "pip" or name not in build.manifests or not subject.tree.has(path):
            continue
        line, folders = python_project.listed_packages(path, subject.tree.read(path))
        # What an installation reads of a folder is there, and so is the folder.
        missing = (f for f in folders if not any(m.startswith(f"{f}/") for m in build.manifests))
        if package := next(missing, None):
            find_them = "find_packages()" if name == "setup.py" else "find:"
            yield Finding(
                "start.install",
                True,
                f"{finding.where(path, line)} names its packages, and {package}/ is not there yet "
                "where the image installs dependencies: setuptools ends with an error.",
                f"Write packages = {find_them} there.",
                path,
                line,
            )


def _own_metadata(subject: Subject, app: App, build: PythonBuild) -> Iterator[Finding]:
    """A project that asks for its own version, although it is not installed."""
    path = subject.tree.first(app.directory, "pyproject.toml")
    if path is None:
        return
    name = python_project.name_of(read_toml(subject.tree, path))
    if build.package or name is None:
        return
    run = started.of(subject, app)
    for module in run.modules:
        text = module.text
        if "metadata" not in text and "pkg_resources" not in text:
            continue
        handled = {
            id(call)
            for node in ast.walk(module.body)
            if isinstance(node, ast.Try) and node.handlers
            for call in ast.walk(node)
        }
        for call, sure in run.calls(module):
            asked = call.args[0] if call.args else None
            if called_name(call) not in _METADATA or id(call) in handled or asked is None:
                continue
            package = module.name.partition(".")[0]
            own = isinstance(asked, ast.Name) and asked.id in {"__name__", "__package__"}
            word = package if own else run.program.text(module, asked)
            if word is None or canonicalize_name(word) != canonicalize_name(name):
                continue
            yield Finding(
                "start.install",
                sure,
                f"{finding.where(module.path, call.lineno)} asks for the version of {name}, but "
                "the image has the project's code without installing it: PackageNotFoundError.",
                f"Catch PackageNotFoundError there, or write the version into {module.path}.",
                module.path,
                call.lineno,
            )
            return


def _libraries(subject: Subject, app: App, build: PythonBuild) -> Iterator[Finding]:
    """Browsers and drivers that no package of Debian brings."""
    declared = _declared(subject, app, build)
    _, brought = _brought(subject, app, build)
    for name, (path, line) in declared.items():
        if brought is not None and name not in brought:
            continue
        if name in _GENERATED:
            yield Finding(
                "start.libraries",
                False,
                f"{name} needs a client that `prisma generate` writes, and engines that it "
                f"downloads, which the image lacks ({finding.where(path, line)}).",
                "Take a library that needs neither, such as SQLAlchemy, or a base image that has "
                f"both: spinbox build --prod --set {app.kind}.image=IMAGE",
                path,
                line,
            )
        there = name in system_packages(build.image)
        what = "a browser" if name in _BROWSERS else "wkhtmltopdf" if name in _CONVERTERS else ""
        what = "" if there else what
        if what:
            yield Finding(
                "start.libraries",
                False,
                f"{name} needs {what}, which the image lacks ({finding.where(path, line)}).",
                f"Connect to {what} in a container of its own, or take a base image that has it: "
                f"spinbox build --prod --set {app.kind}.image=IMAGE"
                if name in _BROWSERS
                else f"Take a library that needs none, such as weasyprint, in place of {name}, "
                "or the last release of Debian that has it: "
                f"spinbox build --prod --set {app.kind}.image={_on_bookworm(build.image)}",
                path,
                line,
            )
    yield from _lacking(subject, app)
    if not {"pyodbc", "aioodbc"} & set(subject.facts[app.kind].get("libraries") or ()):
        return
    for module in subject.modules(app):
        match = re.search(r"ODBC Driver \d+ for SQL Server", module.text)
        if match:
            yield Finding(
                "start.libraries",
                False,
                f"{match[0]} is Microsoft's, and the image lacks it ({module.path}).",
                "Connect with pymssql, which needs no driver, or take a base image that has it: "
                f"spinbox build --prod --set {app.kind}.image=IMAGE",
                module.path,
            )
            return


def _lacking(subject: Subject, app: App) -> Iterator[Finding]:
    """What code uses, and no package of Debian's brings to a server."""
    for module in started.of(subject, app).modules:
        for word, what, mend in _LACKING:
            if match := word.search(module.text):
                line = module.text.count("\n", 0, match.start()) + 1
                yield Finding(
                    "start.libraries",
                    False,
                    f"{finding.where(module.path, line)} needs {what}, which the image lacks.",
                    mend,
                    module.path,
                    line,
                )


def _on_bookworm(image: str) -> str:
    """The image of the same Python on Debian 12."""
    reference = ImageReference.parse(image)
    version = reference.version
    tag = f"{version.major}.{version.minor}-" if version else "3-"
    return f"{reference.name if reference.is_official('python') else 'python'}:{tag}slim-bookworm"


def _asked_for(subject: Subject, app: App, build: PythonBuild) -> Iterator[Finding]:
    """Packages that FastAPI and Pydantic need for some of their features alone."""
    if app.kind != "fastapi" or not build.manager:
        return
    lockfile, brought = _brought(subject, app, build)
    if lockfile and brought is None:
        return
    known = brought if brought is not None else frozenset(_declared(subject, app, build))
    run = started.of(subject, app)
    main = join(app.directory, build.manifests[0])
    for word, package, fails in _ASKED_FOR:
        if package in known or known & _BRING[package]:
            continue
        module = next(
            (m for m in run.modules if word.search(m.text) and _uses(m, word, fails)), None
        )
        if module is None:
            continue
        yield Finding(
            "start.libraries",
            brought is not None and fails and module.name in run.surely,
            f"{package} is no dependency of {main}, but {module.path} needs it.",
            f"Add {package} to {main}."
            if build.manager == "pip"
            else f"Add it with {build.manager} add {package}.",
            main,
        )


def _uses(module: Module, word: re.Pattern[str], alone: bool) -> bool:
    """Whether code has that name, alone or only as an attribute, not a comment or a text."""
    return any(
        word.fullmatch(name)
        for node in ast.walk(module.body)
        if (name := getattr(node, "attr", None) or (alone and getattr(node, "id", None)))
    )
