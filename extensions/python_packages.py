"""Python dependencies: which files declare them, which tool locks them, which ones matter here."""

from __future__ import annotations

import re
import tomllib
from collections.abc import Collection, Iterable, Iterator
from pathlib import PurePosixPath
from typing import Any

from packaging.requirements import InvalidRequirement, Requirement
from packaging.utils import canonicalize_name

from .errors import ProjectError
from .origins import Fields, Found, and_more, only_line
from .tree import Tree, join

LOCKFILES = {"uv": "uv.lock", "poetry": "poetry.lock", "pdm": "pdm.lock"}
# A file for production wins over the mixed one.
_REQUIREMENTS = (
    "requirements.prod.txt",
    "requirements-prod.txt",
    "requirements/production.txt",
    "requirements/prod.txt",
    "requirements.txt",
    "requirements/base.txt",
)

_TEST_REQUIREMENTS = tuple(
    f"{folder}{name}.txt"
    for kind in ("dev", "test", "tests", "testing", "development", "local")
    for folder, name in (
        ("", f"requirements-{kind}"),
        ("", f"requirements.{kind}"),
        ("", f"requirements_{kind}"),
        ("", f"{kind}-requirements"),
        ("requirements/", kind),
    )
)

# Debian packages by Python library: (to build it, to run it). From each library's install notes.
SYSTEM_PACKAGES: dict[str, tuple[tuple[str, ...], tuple[str, ...]]] = {
    "psycopg2": (("gcc", "libc6-dev", "libpq-dev"), ("libpq5",)),
    "psycopg": ((), ("libpq5",)),
    "psycopg-c": (("gcc", "libc6-dev", "libpq-dev"), ("libpq5",)),
    "mysqlclient": (("gcc", "libc6-dev", "libmariadb-dev", "pkg-config"), ("libmariadb3",)),
    "pycairo": (("gcc", "libc6-dev", "libcairo2-dev", "pkg-config"), ("libcairo2",)),
    "cairosvg": ((), ("libcairo2",)),
    "weasyprint": ((), ("libpango-1.0-0", "libpangoft2-1.0-0", "libharfbuzz-subset0")),
    "python-magic": ((), ("libmagic1",)),
    "xmlsec": (("gcc", "libc6-dev", "libxmlsec1-dev", "pkg-config"), ("libxmlsec1-openssl",)),
    "opencv-python": ((), ("libgl1", "libglib2.0-0")),
    "opencv-contrib-python": ((), ("libgl1", "libglib2.0-0")),
    "ffmpeg-python": ((), ("ffmpeg",)),
    "pydub": ((), ("ffmpeg",)),
    "pdf2image": ((), ("poppler-utils",)),
    "pytesseract": ((), ("tesseract-ocr",)),
}
# What pulls torch in; its default wheels carry several GB of CUDA libraries.
TORCH_LIBRARIES = frozenset(
    {"torch", "torchvision", "torchaudio", "sentence-transformers", "accelerate", "easyocr"}
)
# What downloads models at run time, into the cache folder of the user.
MODEL_LIBRARIES = frozenset({"sentence-transformers", "transformers", "chromadb", "fastembed"})
ASGI_SERVERS = frozenset({"uvicorn"})
_OTHERS = frozenset(
    {"celery", "psycopg2-binary", "psycopg-binary", "asyncpg", "pgvector", "pytest"}
)
_RELEVANT = frozenset(SYSTEM_PACKAGES) | TORCH_LIBRARIES | MODEL_LIBRARIES | ASGI_SERVERS | _OTHERS

# pytest's own default (docs.pytest.org, "Conventions for Python test discovery").
_TEST_FILE = re.compile(r"(^|/)(test_[^/]*|[^/]*_test)\.py$")


def read_packages(tree: Tree, folder: str) -> Fields:
    """Read how the dependencies in `folder` are declared.

    Returns:
        `manager` (`uv`, `poetry`, `pdm` or `pip`; None where nothing declares dependencies),
        `manifests` (the files an installation reads, relative to `folder`, the main one first)
        and `libraries` (those dependencies that change what is generated).

    Raises:
        ProjectError: A file is broken, or its form is not supported.
    """
    has_pyproject = tree.has(join(folder, "pyproject.toml"))
    for manager, lockfile in LOCKFILES.items():
        if has_pyproject and tree.has(join(folder, lockfile)):
            dependencies = [*_declared(tree, folder), *_locked(tree, folder, lockfile)]
            locked = Found(manager, "lockfile", join(folder, lockfile))
            return _packages(folder, locked, ["pyproject.toml", lockfile], dependencies)
    requirements = tree.first(folder, *_REQUIREMENTS)
    if requirements is not None:
        paths = list(dict.fromkeys(_with_includes(tree, requirements, ())))
        dependencies = [found for path in paths for found in _required(tree, path)]
        base = PurePosixPath(folder)
        outside = [path for path in paths if not PurePosixPath(path).is_relative_to(base)]
        if outside:
            raise ProjectError(
                f"{requirements} includes {outside[0]}, which is not in {folder}/: move it there."
            )
        manifests = [str(PurePosixPath(path).relative_to(base)) for path in paths]
        pip = Found("pip", "requirements file", requirements)
        return _packages(folder, pip, manifests, dependencies)
    if has_pyproject:
        document = _toml(tree, join(folder, "pyproject.toml"))
        if "dependencies" not in _table(document, "project"):
            if "poetry" in _table(document, "tool"):
                raise ProjectError(
                    f"{join(folder, 'poetry.lock')} is missing: run `poetry lock` and commit it."
                )
            return _no_packages()
        pip = Found("pip", "dependencies without a lockfile", join(folder, "pyproject.toml"))
        return _packages(folder, pip, ["pyproject.toml"], _declared(tree, folder))
    if tree.has(join(folder, "Pipfile")):
        raise ProjectError(
            f"{join(folder, 'Pipfile')}: Pipenv is not supported; write its packages to "
            f"{join(folder, 'requirements.txt')} with `pipenv requirements`."
        )
    return _no_packages()


def find_tests(tree: Tree, folder: str, packages: Fields, others: Collection[str]) -> Fields:
    """How the app is tested.

    Args:
        tree: The project's files.
        folder: The app's.
        packages: What `read_packages` found there.
        others: Top folders that are not part of the app.

    Returns:
        `tests` (the command, or None where there are none) and `test_requirements` (the
        requirements files that tests need besides the manifests, relative to `folder`).
    """
    inside = [path for path in tree.below(folder, ".py") if path.split("/")[0] not in others]
    found = next((path for path in inside if _TEST_FILE.search(path)), None)
    tests: Found[str | None] = Found(None, "no test_*.py or *_test.py")
    if found:
        tests = Found("python -m pytest", "test file", found)
    more: Found[list[str]] = Found([], "no requirements file for tests or development")
    if packages["manager"].value == "pip":
        path = tree.first(folder, *_TEST_REQUIREMENTS)
        if path:
            name = str(PurePosixPath(path).relative_to(folder))
            more = Found([name], "requirements for tests or development", path)
    return {"tests": tests, "test_requirements": more}


def _no_packages() -> Fields:
    reason = "no requirements.txt, and no dependencies in a pyproject.toml"
    return {
        "manager": Found(None, reason),
        "manifests": Found([], reason),
        "libraries": Found([], reason),
    }


def _packages(
    folder: str, manager: Found[str], manifests: list[str], dependencies: Iterable[Found[str]]
) -> Fields:
    main = join(folder, manifests[0])
    return {
        "manager": manager,
        "manifests": Found(manifests, "declares the dependencies", main),
        "libraries": _libraries([d for d in dependencies if d.value in _RELEVANT], main),
    }


def _libraries(found: list[Found[str]], main: str) -> Found[list[str]]:
    if not found:
        return Found([], "no dependency that changes what is generated", main)
    names = sorted({dependency.value for dependency in found})
    first = found[0]
    return Found(names, f"depends on {first.value}{and_more(names)}", first.path, first.line)


def _with_includes(tree: Tree, path: str, seen: tuple[str, ...]) -> Iterator[str]:
    """A requirements file and, in order, those it includes with `-r` or `-c`."""
    if path in seen:
        return
    yield path
    for line in tree.read(path).splitlines():
        match = re.match(r"\s*(?:-[rc][\s=]*|--(?:requirement|constraint)[\s=]+)(\S+)", line)
        if match and "://" not in match[1]:
            included = _normalize(join(str(PurePosixPath(path).parent), match[1]))
            if not tree.has(included):
                raise ProjectError(
                    f"{path} includes {match[1]}, which is missing or ignored by git."
                )
            yield from _with_includes(tree, included, (*seen, path))


def _normalize(path: str) -> str:
    parts: list[str] = []
    for part in PurePosixPath(path).parts:
        if part == ".." and parts:
            parts.pop()
        else:
            parts.append(part)
    return "/".join(parts)


def _required(tree: Tree, path: str) -> Iterator[Found[str]]:
    for number, line in enumerate(tree.read(path).splitlines(), start=1):
        text = re.sub(r"(^|\s)#.*", "", line).strip().rstrip("\\").strip()
        if text and not text.startswith("-"):
            for name in _names(re.sub(r"\s+--hash.*", "", text)):
                yield Found(name, "requirement", path, number)


def _names(requirement: str) -> Iterator[str]:
    try:
        parsed = Requirement(requirement)
    except InvalidRequirement:
        return
    name = canonicalize_name(parsed.name)
    yield name
    if name == "fastapi" and parsed.extras & {"standard", "all"}:
        yield "uvicorn"
    if name == "psycopg" and "binary" in parsed.extras:
        yield "psycopg-binary"
    if name == "psycopg" and "c" in parsed.extras:
        yield "psycopg-c"


def _declared(tree: Tree, folder: str) -> Iterator[Found[str]]:
    path = join(folder, "pyproject.toml")
    document, text = _toml(tree, path), tree.read(path)
    dependencies = _table(document, "project").get("dependencies")
    for requirement in dependencies if isinstance(dependencies, list) else []:
        line = only_line(text, f"""["']{re.escape(str(requirement))}["']""")
        for name in _names(str(requirement)):
            yield Found(name, "dependency", path, line)
    for key in _table(_table(_table(document, "tool"), "poetry"), "dependencies"):
        line = only_line(text, rf"""^["']?{re.escape(key)}["']?\s*=""")
        yield Found(canonicalize_name(key), "dependency", path, line)


def _locked(tree: Tree, folder: str, lockfile: str) -> Iterator[Found[str]]:
    path = join(folder, lockfile)
    packages, text = _toml(tree, path).get("package"), tree.read(path)
    for package in packages if isinstance(packages, list) else []:
        raw = str(package.get("name", "")) if isinstance(package, dict) else ""
        # Only for these, as lockfiles are long.
        if (name := canonicalize_name(raw)) in _RELEVANT:
            line = only_line(text, rf'^name = "{re.escape(raw)}"')
            yield Found(name, "locked", path, line)


def _table(document: dict[str, Any], key: str) -> dict[str, Any]:
    value = document.get(key)
    return value if isinstance(value, dict) else {}


def _toml(tree: Tree, path: str) -> dict[str, Any]:
    try:
        return tomllib.loads(tree.read(path))
    except tomllib.TOMLDecodeError as error:
        raise ProjectError(f"{path} is not valid TOML ({error}): mend it first.") from None
