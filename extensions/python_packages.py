"""How a Python app is installed and tested: what its package manager finds in its folder."""

from __future__ import annotations

import re
from collections.abc import Collection, Iterable
from dataclasses import replace
from pathlib import PurePosixPath

from . import package_managers, package_registries, python_builds, python_project
from .errors import ProjectError
from .origins import Fields, Found, and_more
from .python_dependencies import RELEVANT, Packages
from .tree import Tree, join

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

# What lists dependencies in a form that is not read: the word that begins them, and how to turn it
# into one that is.
_UNREADABLE = {
    "environment.yml": ("dependencies:", " (`pip list --format freeze` prints them)"),
    "environment.yaml": ("dependencies:", " (`pip list --format freeze` prints them)"),
}

# pytest's own default (docs.pytest.org, "Conventions for Python test discovery").
_TEST_FILE = re.compile(r"(^|/)(test_[^/]*|[^/]*_test)\.py$")


def read_packages(tree: Tree, folder: str, also: Collection[str] = ()) -> Fields:
    """Read how the dependencies in `folder` are declared.

    Args:
        tree: The project's files.
        folder: The app's.
        also: Dependencies that matter to the app's framework, beside those that matter to all.

    Returns:
        `manager` (`uv`, `poetry`, `pdm` or `pip`; None where nothing declares dependencies),
        `manifests` (the files an installation reads, relative to `folder`, the main one first),
        `libraries` (those dependencies that change what is generated), those facts that only one
        package manager has, and those of `python_project.find` and `package_registries.fields`.

    Raises:
        ProjectError: A file is broken, or its form is not supported.
    """
    relevant = RELEVANT.union(also)
    managers = package_managers.of("python").values()
    for manager in managers:
        if packages := manager.find(tree, folder, relevant):
            registries = manager.registries(tree, folder, packages.manifests)
            own = python_project.find(
                tree, folder, asked=packages.asked, packaged=packages.packaged
            )
            places = [join(folder, one.rstrip("/")) for one in packages.manifests if one[-1] == "/"]
            built = python_builds.find(tree, [*([folder] if own else ()), *places])
            packages = replace(packages, dependencies=(*packages.dependencies, *built))
            return {
                **_fields(packages, folder, relevant),
                **own,
                **_asked(packages.asked),
                **packages.more,
                **package_registries.fields(registries, folder),
            }
    for manager in managers:
        if problem := manager.problem(tree, folder):
            raise ProjectError(problem)
    for name, (word, command) in _UNREADABLE.items():
        if tree.has(path := join(folder, name)) and word in tree.read(path):
            raise ProjectError(
                f"{path} is not read where images are built: write its packages to "
                f"{join(folder, 'requirements.txt')}{command}."
            )
    return _no_packages()


def with_programs(fields: Fields, programs: Iterable[Found[str]]) -> Fields:
    """What `read_packages` gives, with the programs that code calls among its `libraries`."""
    found = list(programs)
    if not found:
        return fields
    libraries, first = fields["libraries"], found[0]
    names = sorted({*libraries.value, *(one.value for one in found)})
    if libraries.value:
        return {**fields, "libraries": replace(libraries, value=names)}
    return {**fields, "libraries": Found(names, first.reason, first.path, first.line)}


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


def _asked(path: str | None) -> Fields:
    """`asked`: a list of dependencies names the project itself; nothing where none does."""
    if path is None or path.endswith((".py", ".cfg")):
        return {}
    return {"asked": Found(True, "names the project itself", path)}


def _no_packages() -> Fields:
    reason = "no requirements.txt, and no dependencies in a pyproject.toml"
    return {
        "manager": Found(None, reason),
        "manifests": Found([], reason),
        "libraries": Found([], reason),
        **package_registries.fields((), "."),
    }


def _fields(packages: Packages, folder: str, relevant: Collection[str]) -> Fields:
    main = join(folder, packages.manifests[0])
    found = [dependency for dependency in packages.dependencies if dependency.value in relevant]
    return {
        "manager": packages.manager,
        "manifests": Found(packages.manifests, "declares the dependencies", main),
        "libraries": _libraries(found, main),
    }


def _libraries(found: list[Found[str]], main: str) -> Found[list[str]]:
    if not found:
        return Found([], "no dependency that changes what is generated", main)
    names = sorted({dependency.value for dependency in found})
    first = found[0]
    return Found(names, f"depends on {first.value}{and_more(names)}", first.path, first.line)
