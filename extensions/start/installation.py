"""What keeps a Python app's dependencies from being installed, or lacks when they are."""

from __future__ import annotations

import ast
import re
import shlex
from collections.abc import Iterator

from packaging.specifiers import InvalidSpecifier, SpecifierSet
from packaging.utils import canonicalize_name
from packaging.version import Version

from .. import finding, package_managers, python_locks, started
from ..finding import Finding
from ..image_reference import ImageReference
from ..model import App, PythonBuild
from ..origins import only_line
from ..package_managers import pip
from ..python_dependencies import read_toml, table
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
# What FastAPI and Pydantic ask for when it is first used: the word in the code, the package, and
# whether the import fails without it.
_ASKED_FOR = (
    (re.compile(r"\b(?:UploadFile|Form|OAuth2PasswordRequestForm)\b"), "python-multipart", True),
    (re.compile(r"\bEmailStr\b"), "email-validator", True),
    (re.compile(r"\bJinja2Templates\b"), "jinja2", True),
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
        yield from _programs(subject, app, app.build)
        yield from _own_metadata(subject, app)
        yield from _libraries(subject, app, app.build)
        yield from _asked_for(subject, app, app.build)


def _python(subject: Subject, app: App, build: PythonBuild) -> Iterator[Finding]:
    """`requires-python`, or what other tools are told, against the image's version."""
    image = ImageReference.parse(build.image)
    if not image.is_official("python") or not (version := image.version):
        return
    for file, said, allowed in _wanted(subject, app, build):
        if _fits(version, allowed):
            continue
        fitting = next((m for m in _MINORS if _fits(Version(f"3.{m}"), allowed)), None)
        place = finding.where(file, only_line(subject.tree.read(file), re.escape(said)))
        certain = build.manager == "uv" and file.endswith("pyproject.toml")
        suffix = (image.tag or "").partition("-")[2]
        tag = f"3.{fitting}" + (f"-{suffix}" if suffix else "")
        yield Finding(
            "start.python",
            certain,
            f"{place} asks for Python {said}, but the image has {version} ({build.image})"
            f"{': uv refuses to install' if certain else ''}.",
            f"spinbox build --prod --set {app.kind}.image={image.name}:{tag}"
            if fitting
            else f"Let {file} allow Python {version}.",
            file,
        )
        return


def _fits(version: Version, allowed: SpecifierSet) -> bool:
    if len(version.release) > 2:
        return allowed.contains(version)
    return any(allowed.contains(f"{version.major}.{version.minor}.{p}") for p in range(30))


def _wanted(
    subject: Subject, app: App, build: PythonBuild
) -> Iterator[tuple[str, str, SpecifierSet]]:
    tree = subject.tree
    if path := tree.first(app.directory, "pyproject.toml"):
        document = read_toml(tree, path)
        said = table(document, "project").get("requires-python")
        own = table(table(document, "tool"), "poetry")
        said = said or table(own, "dependencies").get("python")
        if isinstance(said, str) and (allowed := _specifier(said)) is not None:
            yield path, said, allowed
    for name in (".python-version", "runtime.txt", ".tool-versions"):
        for folder in dict.fromkeys((app.directory, ".")):
            path = tree.first(folder, name)
            match = path and re.search(
                r"(?m)^(?:python[- ]|cpython-)?(3\.\d+)(?:\.\d+)?\s*$", tree.read(path)
            )
            if path and match:
                yield path, match[1], SpecifierSet(f"=={match[1]}.*")


def _specifier(text: str) -> SpecifierSet | None:
    """Also in Poetry's form, with `^` and `~` (python-poetry.org, "Dependency specification")."""
    parts = []
    for part in filter(None, (one.strip() for one in text.split(","))):
        if match := re.fullmatch(r"([~^])\s*(\d+)(?:\.(\d+))?(\S*)", part):
            major, minor = int(match[2]), int(match[3] or 0)
            top = f"{major}.{minor + 1}" if match[1] == "~" and match[3] else f"{major + 1}"
            parts.append(f">={major}.{minor}{match[4]},<{top}")
        elif part != "*":
            parts.append(f"=={part}" if part[0].isdigit() else part)
    try:
        return SpecifierSet(",".join(parts))
    except InvalidSpecifier:
        return None


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
                    else f"Move that package into {inside}, and name its folder there.",
                    path,
                    line,
                )
    yield from _sources_of_pyproject(subject, app, build)


def _sources_of_pyproject(subject: Subject, app: App, build: PythonBuild) -> Iterator[Finding]:
    path = join(app.directory, "pyproject.toml")
    if "pyproject.toml" not in build.manifests:
        return
    tools = table(read_toml(subject.tree, path), "tool")
    own = {**table(table(tools, "uv"), "sources"), **table(table(tools, "poetry"), "dependencies")}
    text = subject.tree.read(path)
    for name, source in own.items():
        if not isinstance(source, dict):
            continue
        local = next((k for k in ("path", "workspace", "develop") if k in source), None)
        outside = str(source.get("path", "")).startswith("..")
        fails = (
            (build.manager in {"poetry", "pdm"} and (local or "git" in source))
            or (build.manager == "pip" and local)
            or outside
        )
        if fails:
            line = only_line(text, rf"^[\"']?{re.escape(name)}[\"']?\s*=")
            kind = "a folder" if local else "a repository"
            why = (
                f"and {build.manager}'s lockfile is installed by its hashes, which that has none of"
                if build.manager in {"poetry", "pdm"} and not outside
                else "which is not there where the image installs dependencies"
            )
            yield Finding(
                "start.install",
                True,
                f"{finding.where(path, line)} takes {name} from {kind}, {why}.",
                f"Publish {name} in an index, or lock with uv (uv lock) inside "
                f"{app.directory if app.directory != '.' else 'the top folder'}.",
                path,
                line,
            )


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
    found = python_locks.installed(subject.tree, app.directory, build.manager, lockfile)
    return lockfile, found


def _declared(subject: Subject, app: App, build: PythonBuild) -> dict[str, tuple[str, int | None]]:
    """Names of the dependencies, those of a lockfile too, each with its place."""
    if not build.manager:
        return {}
    relevant = _BROWSERS | _CONVERTERS | {*_PROGRAMS.values(), *_BRING}
    relevant |= {tool} if (tool := _migration_tool(subject, app)) else set()
    found = package_managers.get(build.manager).find(subject.tree, app.directory, relevant)
    if found is None:
        return {}
    return {one.value: (one.path, one.line) for one in reversed(found.dependencies)}


def _own_metadata(subject: Subject, app: App) -> Iterator[Finding]:
    """A project that asks for its own version, although it is not installed."""
    path = subject.tree.first(app.directory, "pyproject.toml")
    if path is None:
        return
    document = read_toml(subject.tree, path)
    name = table(document, "project").get("name")
    name = name or table(table(document, "tool"), "poetry").get("name")
    if not isinstance(name, str):
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
        what = "a browser" if name in _BROWSERS else "wkhtmltopdf" if name in _CONVERTERS else ""
        if what:
            yield Finding(
                "start.libraries",
                False,
                f"{name} needs {what}, which the image lacks ({finding.where(path, line)}).",
                f"Connect to {what} in a container of its own, or take a base image that has it: "
                f"spinbox build --prod --set {app.kind}.image=IMAGE"
                if name in _BROWSERS
                else f"Take a library that needs none, such as weasyprint, in place of {name}.",
                path,
                line,
            )
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
