"""A framework, package manager or worker is added by a file of its own, and by nothing else."""

import shutil
import sys
from collections.abc import Callable, Iterator
from importlib import import_module
from pathlib import Path
from types import ModuleType
from typing import Any

import pytest

from extensions.apps import FRAMEWORKS
from extensions.loader import load
from extensions.package_managers import of as managers_of

from .support import write_files, write_project

REPOSITORY = Path(__file__).resolve().parents[2]

KILN = '''
"""Kiln, which serves itself."""

from .. import framework
from ..errors import ProjectError
from ..model import Env, password
from ..origins import Found
from ..project import Place
from ..runtimes import python
from ..setting import Setting

TITLE = "Kiln"
RUNTIME = python.RUNTIME
RANK = 10
GENERIC = False
FLAG = "USE_KILN"
SERVICE = "kiln"
LEAVES_DATA = False
SETTINGS = (*python.settings("kiln", TITLE), Setting("kiln.paths", "list", "Its paths"))


def find(project, taken):
    if origin := project.wanted("kiln", FLAG):
        found = project.tree.first("web", "kiln_app.py")
        folder = Found("web", "holds kiln_app.py", found) if found else Found(None, "no app")
        return Place(origin, project.by_hand("kiln.dir") or folder)
    return None


def read(project, folder):
    modules, _ = python.modules(project, folder)
    return {
        "port": Found(8080, "Kiln's usual port"),
        "health": Found(None, "not looked for"),
        "source_root": Found(".", "the app's folder"),
        **python.read(project, folder, modules, {"waitress"}),
    }


def is_api(facts):
    return True


def define(facts, situation):
    if "waitress" not in facts["libraries"] and not facts.get("command"):
        raise ProjectError("There is no WSGI server: add waitress.")
    return python.define(
        facts,
        situation,
        framework.command(facts) or ("waitress-serve", "kiln_app:app"),
        environment=(Env("COOKIE_KEY", variable="COOKIE_KEY"),),
        variables=(password("COOKIE_KEY", "Application", "Signs cookies."),),
    )
'''
WORKER = '''
"""A queue that is told by a class."""

from ..origins import Found

RANK = 9
SIGN = "Leaf queue"


def find(modules):
    for module in modules:
        if module.name == "leaves":
            return Found("leaf run", SIGN, module.path)
    return None


def health(words):
    return "leaf ping" if words[0] == "leaf" else None


def additions(libraries, services):
    return ()
'''
MANAGER = '''
"""A package manager of its own lockfile."""

from ..python_dependencies import find_locked

RUNTIME = "python"
RANK = 5
LOCKFILES = ("leaf.lock",)
LOCK = "leaf lock"


def find(tree, folder, relevant):
    return find_locked(tree, folder, "leaf", LOCKFILES[0], relevant)


def problem(tree, folder):
    return None


def registries(tree, folder, manifests):
    return ()

def test_install(manifests, requirements):
    return "leaf install"
'''
FILES = {
    "main.py": "",
    "web/kiln_app.py": "import kiln\napp = kiln.Kiln()\n",
    "web/leaves.py": "",
    "web/test_app.py": "",
    "web/pyproject.toml": "[project]\nname = 'x'\nversion = '1'\ndependencies = ['waitress']\n",
    "web/leaf.lock": "",
}


@pytest.fixture(scope="module")
def extended(tmp_path_factory: pytest.TempPathFactory) -> Iterator[Callable[[str], ModuleType]]:
    """The modules of a copy of the derivation code with one more of each."""
    folder = tmp_path_factory.mktemp("copy") / "extensions"
    ignore = shutil.ignore_patterns("__pycache__")
    shutil.copytree(REPOSITORY / "extensions", folder, ignore=ignore)
    added = {"apps/kiln.py": KILN, "workers/leaf.py": WORKER}
    write_files(folder, {**added, "package_managers/leaf.py": MANAGER})
    package = load(folder).__name__
    yield lambda name: import_module(f"{package}.{name}")
    for name in [name for name in sys.modules if name.split(".")[0] == package]:
        del sys.modules[name]


def stack_with(
    extended: Callable[[str], ModuleType], root: Path, overrides: dict[str, Any] | None = None
) -> Any:
    """The stack of a project that has the flag of the new framework."""
    settings = extended("settings")
    checked = settings.check_overrides(overrides or {})
    flags = {"USE_PYTHON": "true", "USE_KILN": "true", "USE_NEXTJS": "true"}
    next_app = {"frontend/package.json": '{"dependencies": {"next": "16"}}'}
    project = write_project(root, {**FILES, **next_app}, **flags)
    facts = extended("facts").read_facts(project, settings.hints(checked))
    return extended("stack").build_stack(facts, checked, extended("choices").complete({}))


class TestFramework:
    """One module makes a framework known."""

    def test_its_app_runs(self, extended: Callable[[str], ModuleType], tmp_path: Path) -> None:
        """It is the first app, as Next.js is the frontend."""
        app, frontend = stack_with(extended, tmp_path).apps
        assert (app.name, app.kind, app.title, app.directory) == ("app", "kiln", "Kiln", "web")
        assert app.command == ("waitress-serve", "kiln_app:app")
        assert (frontend.name, frontend.dockerfile) == ("frontend", "Dockerfile.frontend.prod")
        assert frontend.calls_api and app.routes == ("/api",)

    def test_its_variables(self, extended: Callable[[str], ModuleType], tmp_path: Path) -> None:
        """They stand among the stack's."""
        stack = stack_with(extended, tmp_path)
        assert stack.variable("COOKIE_KEY").secret
        assert "COOKIE_KEY" in {env.name for env in stack.apps[0].environment}

    def test_its_settings(self, extended: Callable[[str], ModuleType], tmp_path: Path) -> None:
        """They are taken, and stand behind those of its language's other frameworks."""
        overrides = {"kiln.dir": "web", "kiln.command": "run it", "kiln.port": 9000}
        app = stack_with(extended, tmp_path, overrides).apps[0]
        assert (app.command, app.port) == (("run", "it"), 9000)
        assert extended("apps").NAMES[-3:] == ("kiln", "nextjs", "node")

    def test_it_can_be_left_out(
        self, extended: Callable[[str], ModuleType], tmp_path: Path
    ) -> None:
        """As any other."""
        kinds = [app.kind for app in stack_with(extended, tmp_path, {"kiln": "off"}).apps]
        assert kinds == ["nextjs"]

    def test_beside_another_app(
        self, extended: Callable[[str], ModuleType], tmp_path: Path
    ) -> None:
        """Its service and Dockerfile have its own name then."""
        overrides = {"fastapi": "on", "fastapi.dir": "api", "fastapi.command": "serve"}
        stack = stack_with(extended, tmp_path, overrides)
        names = [(app.name, app.dockerfile) for app in stack.apps]
        assert names[1] == ("kiln", "Dockerfile.kiln.prod")

    def test_its_errors_are_its_own(
        self, extended: Callable[[str], ModuleType], tmp_path: Path
    ) -> None:
        """They come from its module."""
        with pytest.raises(extended("errors").ProjectError, match="add waitress"):
            stack_with(extended, tmp_path, {"kiln.libraries": []})

    def test_it_is_named(self, extended: Callable[[str], ModuleType]) -> None:
        """Where the frameworks are listed."""
        error = extended("errors").ProjectError
        with pytest.raises(error, match=r"FastAPI, Python, .*, Kiln, Next\.js or Node app"):
            extended("stack").build_stack({"name": "x"}, {}, extended("choices").complete({}))


class TestPackageManager:
    """One module makes a package manager known; its partial is a template's."""

    def test_it_installs(self, extended: Callable[[str], ModuleType], tmp_path: Path) -> None:
        """What its lockfile holds."""
        app = stack_with(extended, tmp_path).apps[0]
        assert app.build.manager == "leaf"
        assert app.build.manifests == ("pyproject.toml", "leaf.lock")
        assert (app.build.locking.command, app.tests.install[1]) == ("leaf lock", "leaf install")

    def test_it_can_be_chosen(self, extended: Callable[[str], ModuleType]) -> None:
        """By --set."""
        assert extended("settings").parse_setting("python.manager", "leaf") == "leaf"


def test_a_worker(extended: Callable[[str], ModuleType], tmp_path: Path) -> None:
    """One module makes it known, with its health check."""
    (worker,) = stack_with(extended, tmp_path).workers
    assert (worker.command, worker.health) == (("leaf", "run"), "leaf ping")


def test_every_framework_has_its_own_names() -> None:
    """Services, flags and settings do not meet."""
    modules = FRAMEWORKS.values()
    for names in ([m.SERVICE for m in modules], [m.FLAG for m in modules]):
        assert len(set(names)) == len(names)
    for kind, module in FRAMEWORKS.items():
        assert {setting.key.partition(".")[0] for setting in module.SETTINGS} == {kind}
        assert module.SERVICE.isalnum() and module.SERVICE != "app"


def test_every_python_manager_has_its_partial() -> None:
    """It is included by name."""
    folder = REPOSITORY / "template/_partials/package_managers"
    assert {path.stem for path in folder.iterdir()} == set(managers_of("python"))
