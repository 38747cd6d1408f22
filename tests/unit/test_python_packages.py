"""How the dependencies of a Python app are declared."""

from pathlib import Path
from typing import Any

import pytest

from extensions.errors import ProjectError
from extensions.facts import read_facts
from extensions.python_dependencies import SYSTEM_PACKAGES
from extensions.python_packages import read_packages

from .support import facts_of, stack_of, tree_of, values, write_project

PYPROJECT = '[project]\nname = "x"\ndependencies = ["fastapi", "uvicorn[standard]>=0.30"]\n'
POETRY = '[tool.poetry.dependencies]\npython = "^3.11"\nuvicorn = "^0.30"\n'


def packages(root: Path, files: dict[str, str], folder: str = ".") -> dict[str, Any]:
    """How the dependencies in `files` are declared."""
    return values(read_packages(tree_of(root, files), folder))


def libraries(root: Path, requirements: str) -> list[str]:
    """Those dependencies of a requirements.txt that matter."""
    found: list[str] = packages(root, {"requirements.txt": requirements})["libraries"]
    return found


@pytest.mark.parametrize(
    ("files", "manager", "manifests"),
    [
        ({"requirements.txt": ""}, "pip", ["requirements.txt"]),
        ({"pyproject.toml": PYPROJECT}, "pip", ["pyproject.toml"]),
        ({"pyproject.toml": PYPROJECT, "uv.lock": ""}, "uv", ["pyproject.toml", "uv.lock"]),
        (
            {"pyproject.toml": POETRY, "poetry.lock": ""},
            "poetry",
            ["pyproject.toml", "poetry.lock"],
        ),
        ({"pyproject.toml": PYPROJECT, "pdm.lock": ""}, "pdm", ["pyproject.toml", "pdm.lock"]),
        ({}, None, []),
        ({"pyproject.toml": "[tool.black]\n"}, None, []),
    ],
    ids=["requirements", "pyproject", "uv", "poetry", "pdm", "nothing", "tools-only"],
)
@pytest.mark.parametrize("folder", [".", "backend"])
def test_manager(
    files: dict[str, str], manager: str | None, manifests: list[str], folder: str, tmp_path: Path
) -> None:
    """The lockfile tells the package manager; manifests are relative to the app's folder."""
    prefix = "" if folder == "." else f"{folder}/"
    found = packages(tmp_path, {prefix + name: text for name, text in files.items()}, folder)
    assert (found["manager"], found["manifests"]) == (manager, manifests)


def test_a_lockfile_wins_over_requirements(tmp_path: Path) -> None:
    """What is locked is installed as locked."""
    files = {"pyproject.toml": PYPROJECT, "uv.lock": "", "requirements.txt": "flask\n"}
    assert packages(tmp_path, files)["manager"] == "uv"


def test_requirements_win_over_a_pyproject_for_tools(tmp_path: Path) -> None:
    """A pyproject.toml that only configures tools declares nothing."""
    files = {"pyproject.toml": "[tool.ruff]\nline-length = 100\n", "requirements.txt": "uvicorn\n"}
    found = packages(tmp_path, files)
    assert (found["manager"], found["libraries"]) == ("pip", ["uvicorn"])


def test_requirements_for_production_win(tmp_path: Path) -> None:
    """A file of its own for production leaves the development tools out."""
    files = {"requirements.txt": "pytest\n", "requirements-prod.txt": "uvicorn\n"}
    assert packages(tmp_path, files)["manifests"] == ["requirements-prod.txt"]


def test_poetry_without_its_lockfile_is_explained(tmp_path: Path) -> None:
    """The error names the command that makes it."""
    with pytest.raises(ProjectError, match="poetry lock"):
        packages(tmp_path, {"pyproject.toml": POETRY})


def test_a_lockfile_that_git_ignores_does_not_count(tmp_path: Path) -> None:
    """A clone would not have it."""
    files = {".gitignore": "uv.lock\n", "pyproject.toml": PYPROJECT, "uv.lock": ""}
    assert packages(tmp_path, files)["manager"] == "pip"


def test_a_pipfile_without_its_lockfile_is_explained(tmp_path: Path) -> None:
    """The error names the command that makes it."""
    with pytest.raises(ProjectError, match="pipenv lock"):
        packages(tmp_path, {"Pipfile": "[packages]\nfastapi = '*'\n"})


@pytest.mark.parametrize("name", ["environment.yml", "environment.yaml"])
def test_dependencies_in_other_forms_are_explained(name: str, tmp_path: Path) -> None:
    """Of Conda."""
    text = "dependencies:\n  - fastapi\n"
    with pytest.raises(ProjectError, match=rf"{name} is not read.*requirements\.txt"):
        packages(tmp_path, {name: text})
    assert packages(tmp_path / "b", {name: text, "requirements.txt": ""})["manager"] == "pip"
    assert packages(tmp_path / "c", {name: "name: none\n"})["manager"] is None


@pytest.mark.parametrize(
    "files",
    [
        {"requirements.txt": "lib @ git+https://example.com/lib.git@v1\n"},
        {"requirements.txt": "git+https://example.com/lib.git#egg=lib\n"},
        {"requirements.txt": "-e git+https://example.com/lib.git#egg=lib\n"},
        {"pyproject.toml": '[project]\ndependencies = ["l @ git+https://example.com/l"]\n'},
        {
            "pyproject.toml": '[project]\ndependencies = ["l"]\n'
            '[tool.uv.sources]\nl = { git = "https://example.com/l" }\n'
        },
        {
            "pyproject.toml": '[project]\ndependencies = ["l"]\n',
            "uv.lock": '[[package]]\nname = "l"\nsource = { git = "https://example.com/l" }\n',
        },
        {
            "pyproject.toml": '[tool.poetry.dependencies]\nl = "1"\n',
            "poetry.lock": '[[package]]\nname = "l"\n[package.source]\ntype = "git"\n',
        },
    ],
)
def test_a_dependency_from_a_repository_needs_git(files: dict[str, str], tmp_path: Path) -> None:
    """Whatever it is called, and whoever locks it."""
    assert "git" in packages(tmp_path, files)["libraries"]
    assert SYSTEM_PACKAGES["git"] == (("git",), ())


@pytest.mark.parametrize(
    "text", ["gitpython-fake\n", "lib @ https://example.com/lib.whl\n", "# git+https://x\n"]
)
def test_other_requirements_need_no_git(text: str, tmp_path: Path) -> None:
    """Addresses of files, comments and names alike."""
    assert "git" not in packages(tmp_path, {"requirements.txt": text})["libraries"]


@pytest.mark.parametrize(
    ("line", "manifest"),
    [
        ("-e ./libs/core", "libs/core/"),
        ("./libs/core", "libs/core/"),
        ("--editable libs/core[extra]", "libs/core/"),
        ("core @ file:./libs/core", "libs/core/"),
        ("./vendor/core-1-py3-none-any.whl", "vendor/core-1-py3-none-any.whl"),
    ],
)
def test_packages_of_the_project_are_there_before_the_installation(
    line: str, manifest: str, tmp_path: Path
) -> None:
    """Folders end in a slash."""
    files = {
        "requirements.txt": f"fastapi\n{line}\n",
        "libs/core/pyproject.toml": "",
        "vendor/core-1-py3-none-any.whl": "",
    }
    assert packages(tmp_path, files)["manifests"] == ["requirements.txt", manifest]


def test_members_of_a_uv_workspace_are_there_too(tmp_path: Path) -> None:
    """Those of its lockfile, but the project itself."""
    lock = (
        '[[package]]\nname = "app"\nsource = { virtual = "." }\n'
        '[[package]]\nname = "core"\nsource = { editable = "libs/core" }\n'
        '[[package]]\nname = "x"\nsource = { registry = "https://pypi.org/simple" }\n'
    )
    files = {"pyproject.toml": "", "uv.lock": lock, "libs/core/pyproject.toml": ""}
    assert packages(tmp_path, files)["manifests"] == ["pyproject.toml", "uv.lock", "libs/core/"]


@pytest.mark.parametrize(
    ("files", "manifests"),
    [
        ({"setup.cfg": "[options]\ninstall_requires =\n    uvicorn\n"}, ["setup.cfg"]),
        (
            {
                "setup.py": "setup(install_requires=['uvicorn>=0'], version=open('VERSION.txt'))",
                "VERSION.txt": "1",
                "README.md": "",
            },
            ["setup.py", "README.md", "VERSION.txt"],
        ),
        (
            {
                "setup.cfg": "[metadata]\nversion = attr: shop.__version__\n"
                "[options]\ninstall_requires = uvicorn\n",
                "shop/__init__.py": "",
            },
            ["setup.cfg", "shop/__init__.py"],
        ),
    ],
)
def test_setuptools_alone(files: dict[str, str], manifests: list[str], tmp_path: Path) -> None:
    """It is asked for the dependencies, with what its files read."""
    found = packages(tmp_path, files)
    assert (found["manager"], found["manifests"]) == ("pip", manifests)
    assert found["libraries"] == ["uvicorn"] and found["package"]


PIPFILE_LOCK = """{"default": {
    "uvicorn": {"version": "==0.30.1"}, "core": {"path": "./libs/core", "editable": true},
    "shop": {"path": ".", "editable": true}, "x": {"git": "https://example.com/x"}},
    "develop": {"pytest": {"version": "==8"}}}"""


def test_pipenv(tmp_path: Path) -> None:
    """What is for production, folders of the project, and the project itself."""
    files = {"Pipfile": "", "Pipfile.lock": PIPFILE_LOCK, "libs/core/setup.py": "", "setup.py": ""}
    found = packages(tmp_path, files)
    assert (found["manager"], found["manifests"], found["libraries"], found["asked"]) == (
        "pipenv",
        ["Pipfile", "Pipfile.lock", "libs/core/"],
        ["git", "uvicorn"],
        True,
    )


def test_what_requirements_share_with_other_apps(tmp_path: Path) -> None:
    """Lists and folders above the app's own, and folders of archives."""
    files = {
        "backend/requirements.txt": "-r ../base.txt\n-e ../libs/core\n--find-links=../wheels\n",
        "base.txt": "uvicorn\n",
        "libs/core/setup.py": "",
        "wheels/x-1-py3-none-any.whl": "",
    }
    found = packages(tmp_path, files, "backend")
    assert found["manifests"] == ["requirements.txt", "../base.txt", "../libs/core/", "../wheels/"]
    assert found["libraries"] == ["uvicorn"]


@pytest.mark.parametrize(
    ("files", "package"),
    [
        ({"src/shop/__init__.py": ""}, ["pyproject.toml"]),
        ({"shop/__init__.py": ""}, ["pyproject.toml"]),
        ({"app/__init__.py": ""}, []),
        ({"app/x.py": "", "BUILD": "[tool.hatch.build]\npackages = ['app']"}, ["pyproject.toml"]),
        ({"shop.py": "", "BUILD": "[tool.uv]\npackage = false\n"}, []),
        ({"shop.py": "", "README.md": ""}, ["pyproject.toml", "README.md"]),
    ],
)  # fmt: skip
def test_a_project_is_installed_where_its_build_finds_it(
    files: dict[str, str], package: list[str], tmp_path: Path
) -> None:
    """With the files that its description names."""
    text = PYPROJECT.replace('"x"', '"shop"\nreadme = "README.md"')
    text += '[build-system]\nrequires = ["hatchling"]\nbuild-backend = "hatchling.build"\n'
    files = dict(files)
    found = packages(tmp_path, {"pyproject.toml": text + files.pop("BUILD", ""), **files})
    assert found.get("package", []) == package


@pytest.mark.parametrize(
    ("backend", "files", "more", "installed"),
    [
        ("setuptools.build_meta", ["app/x.py"], "", True),
        ("setuptools.build_meta", ["app/x.py", "data/x.txt"], "", False),
        ("setuptools.build_meta", ["app/x.py", "tests/x.py", "docs/x.md"], "", True),
        ("setuptools.build_meta", ["src/app/x.py", "data/x.txt"], "", True),
        ("setuptools.build_meta", ["a.py", "b.py"], "", False),
        ("setuptools.build_meta", ["a.py", "b.py"], "[tool.setuptools]\npy-modules = []", True),
        ("uv_build", ["src/shop/__init__.py"], "", True),
        ("uv_build", ["shop/__init__.py"], "", False),
        ("uv_build", ["shop/__init__.py"], "[tool.uv.build-backend]\nmodule-root = ''", True),
        ("poetry.core.masonry.api", ["shop/x.py"], "", True),
        ("poetry.core.masonry.api", ["app/x.py"], "", False),
        ("poetry.core.masonry.api", ["app/x.py"], "[tool.poetry]\npackages = [1]", True),
        ("flit_core.buildapi", ["shop.py"], "", True),
        ("flit_core.buildapi", ["app.py"], "", False),
        ("pdm.backend", ["src/app/x.py"], "", True),
        ("maturin", ["src/lib.rs"], "", False),
    ],
)
def test_build_systems(
    backend: str, files: list[str], more: str, installed: bool, tmp_path: Path
) -> None:
    """Each finds the package in its own way."""
    text = PYPROJECT.replace('"x"', '"shop"')
    text += f'[build-system]\nrequires = []\nbuild-backend = "{backend}"\n{more}\n'
    found = packages(tmp_path, {"pyproject.toml": text, **dict.fromkeys(files, "")})
    assert ("package" in found) is installed


def test_a_version_of_git(tmp_path: Path) -> None:
    """No image has the repository."""
    text = PYPROJECT.replace('"x"', '"shop"')
    text += (
        '[build-system]\nrequires = ["setuptools-scm"]\nbuild-backend = "setuptools.build_meta"\n'
    )
    found = packages(tmp_path, {"pyproject.toml": text, "src/shop/__init__.py": ""})
    assert found["package_version"] == "git"


WORKSPACE = """
[[package]]
name = "top"
source = { virtual = "." }
[[package]]
name = "backend"
source = { editable = "backend" }
dependencies = [{ name = "core" }]
[[package]]
name = "core"
source = { editable = "libs/core" }
[[package]]
name = "jobs"
source = { virtual = "jobs" }
"""


def test_a_member_of_a_uv_workspace(tmp_path: Path) -> None:
    """The lockfile of the top folder, folders of what it needs, descriptions of the others."""
    members = ("", "backend/", "libs/core/", "jobs/", "other/")
    files = {f"{member}pyproject.toml": PYPROJECT for member in members}
    files["uv.lock"] = WORKSPACE
    found = packages(tmp_path, files, "backend")
    assert (found["manager"], found["manifests"]) == (
        "uv",
        [
            *("pyproject.toml", "../uv.lock", "../pyproject.toml"),
            *("../libs/core/", "../jobs/pyproject.toml"),
        ],
    )
    assert packages(tmp_path, files, "other")["manager"] == "pip"


@pytest.mark.parametrize(
    ("name", "text", "groups", "extras"),
    [
        ("uv.lock", "", None, None),
        ("uv.lock", "[tool.uv]\ndefault-groups = ['dev', 'metrics']", ["metrics"], None),
        ("uv.lock", "tool.uv.default-groups='all'\ndependency-groups={lint=[],x=[]}", ["x"], None),
        ("uv.lock", "[project.optional-dependencies]\nprod = []\ngpu = []", None, ["prod"]),
        ("poetry.lock", "[tool.poetry.group.dev]", None, None),
        ("poetry.lock", "[tool.poetry.group.metrics]\n[tool.poetry.group.test]", ["metrics"], None),
        ("poetry.lock", "[tool.poetry.group.metrics]\noptional = true", None, None),
        ("poetry.lock", "[tool.poetry.group.prod]\noptional = true", ["prod"], None),
        ("poetry.lock", "[tool.poetry.extras]\nproduction = ['x']", None, ["production"]),
    ],
)  # fmt: skip
def test_groups_that_stay(
    name: str, text: str, groups: list[str] | None, extras: list[str] | None, tmp_path: Path
) -> None:
    """Those that the tool takes itself but for development, and those for production."""
    found = packages(
        tmp_path,
        {
            "pyproject.toml": f"{text}\n{PYPROJECT}" if text[:1] == "t" else f"{PYPROJECT}{text}\n",
            name: "",
        },
    )
    assert (found.get("groups"), found.get("extras")) == (groups, extras)


def test_poetry_1_installs_what_it_locked(tmp_path: Path) -> None:
    """As its successor may leave some of it out."""
    lock = "# This file is automatically @generated by Poetry {} and should not be changed.\n"
    for version, expected in (("1.8.3", "1"), ("2.1.0", None)):
        files = {"pyproject.toml": POETRY, "poetry.lock": lock.format(version)}
        assert packages(tmp_path / version, files).get("locked_by") == expected


def test_pipfile_beside_requirements(tmp_path: Path) -> None:
    """Where the error's advice was followed, it goes away."""
    assert packages(tmp_path, {"Pipfile": "", "requirements.txt": ""})["manager"] == "pip"


@pytest.mark.parametrize(
    ("line", "library"),
    [
        ("uvicorn", "uvicorn"),
        ("uvicorn[standard]>=0.24.0", "uvicorn"),
        ("Uvicorn == 0.24", "uvicorn"),
        ("  uvicorn  # the server", "uvicorn"),
        ("uvicorn; python_version >= '3.8'", "uvicorn"),
        ("uvicorn @ https://example.com/uvicorn.whl", "uvicorn"),
        ("uvicorn==0.24 --hash=sha256:abc", "uvicorn"),
        ("uvicorn==0.24 \\\n    --hash=sha256:abc", "uvicorn"),
        ("fastapi[standard]", "uvicorn"),
        ("fastapi[all]>=0.100", "uvicorn"),
        ("psycopg2_binary", "psycopg2-binary"),
        ("psycopg[binary]>=3", "psycopg-binary"),
        ("psycopg[binary,pool]", "psycopg-binary"),
        ("sentence_transformers", "sentence-transformers"),
    ],
)
def test_names_in_requirements(line: str, library: str, tmp_path: Path) -> None:
    """Names are found in every form that pip reads."""
    assert library in libraries(tmp_path, f"{line}\n")


@pytest.mark.parametrize(
    "line",
    [
        "# uvicorn",
        "uvicorn-worker",
        "fastapi",
        "--index-url https://example.com/uvicorn",
        "-e .",
        "./uvicorn",
        "https://example.com/uvicorn.whl",
        "",
        "!!! broken line !!!",
    ],
)
def test_lines_that_name_no_server(line: str, tmp_path: Path) -> None:
    """Options, comments and other names are not taken for a server."""
    assert "uvicorn" not in libraries(tmp_path, f"{line}\n")


def test_repeated_lines_count_once(tmp_path: Path) -> None:
    """As `--with-deps` writes them, with other bounds."""
    text = "uvicorn[standard]>=0.24\npytest\nuvicorn[standard]>=0.30\n"
    assert libraries(tmp_path, text) == ["pytest", "uvicorn"]


@pytest.mark.parametrize("line_end", ["\n", "\r\n", "\r"])
def test_line_ends_of_requirements(line_end: str, tmp_path: Path) -> None:
    """Files of other systems are read too."""
    assert libraries(tmp_path, f"asyncpg{line_end}uvicorn{line_end}") == ["asyncpg", "uvicorn"]


def test_only_libraries_that_matter_are_kept(tmp_path: Path) -> None:
    """Facts do not change with every dependency."""
    assert libraries(tmp_path, "requests\nflask\nblack\n") == []


@pytest.mark.parametrize(
    "option",
    [
        "-r base.txt",
        "-rbase.txt",
        "--requirement base.txt",
        "--requirement=base.txt",
        "-r ./base.txt",
        "-r base.txt  # shared",
        "-c base.txt",
    ],
)
def test_included_files_are_manifests(option: str, tmp_path: Path) -> None:
    """An installation reads included files too."""
    files = {"requirements.txt": f"{option}\nasyncpg\n", "base.txt": "uvicorn\n"}
    assert packages(tmp_path, files)["manifests"] == ["requirements.txt", "base.txt"]


def test_included_files_are_read(tmp_path: Path) -> None:
    """Dependencies count wherever they are declared."""
    files = {"requirements.txt": "-r base.txt\nasyncpg\n", "base.txt": "uvicorn\n"}
    assert packages(tmp_path, files)["libraries"] == ["asyncpg", "uvicorn"]


def test_includes_are_relative_to_the_file(tmp_path: Path) -> None:
    """As in pip, and at any depth."""
    files = {
        "backend/requirements.txt": "-r requirements/prod.in\n",
        "backend/requirements/prod.in": "-r base.in\n-r ../extra.in\n",
        "backend/requirements/base.in": "uvicorn\n",
        "backend/extra.in": "asyncpg\n",
    }
    assert packages(tmp_path, files, "backend")["manifests"] == [
        "requirements.txt",
        "requirements/prod.in",
        "requirements/base.in",
        "extra.in",
    ]


def test_includes_in_a_circle_end(tmp_path: Path) -> None:
    """A file that includes itself is read once."""
    files = {"requirements.txt": "-r a.txt\n", "a.txt": "-r requirements.txt\nuvicorn\n"}
    assert packages(tmp_path, files)["manifests"] == ["requirements.txt", "a.txt"]


@pytest.mark.parametrize("name", ["missing.txt", "../missing.txt", "secret.txt"])
def test_an_include_that_no_clone_has_is_named(name: str, tmp_path: Path) -> None:
    """The error says which file includes what."""
    files = {
        ".gitignore": "secret.txt\n",
        "secret.txt": "",
        "requirements.txt": f"-r {name}\n",
    }
    with pytest.raises(ProjectError, match=rf"requirements\.txt.*{name.removeprefix('../')}"):
        packages(tmp_path, files)


def test_an_include_outside_the_folder_is_no_crash(tmp_path: Path) -> None:
    """A list shared between apps is either read or explained."""
    files = {"backend/requirements.txt": "-r ../shared.txt\n", "shared.txt": "uvicorn\n"}
    tree = tree_of(tmp_path, files)
    try:
        assert "uvicorn" in read_packages(tree, "backend")["libraries"].value
    except ProjectError as error:
        assert "shared.txt" in str(error)


@pytest.mark.parametrize(
    ("files", "expected"),
    [
        ({"pyproject.toml": PYPROJECT}, ["uvicorn"]),
        ({"pyproject.toml": POETRY, "poetry.lock": ""}, ["uvicorn"]),
        (
            {
                "pyproject.toml": PYPROJECT,
                "uv.lock": '[[package]]\nname = "uvicorn"\n[[package]]\nname = "torch"\n',
            },
            ["torch", "uvicorn"],
        ),
        (
            {"pyproject.toml": POETRY, "poetry.lock": '[[package]]\nname = "psycopg-binary"\n'},
            ["psycopg-binary", "uvicorn"],
        ),
    ],
    ids=["pyproject", "poetry", "uv-locked", "poetry-locked"],
)
def test_libraries_of_pyproject(files: dict[str, str], expected: list[str], tmp_path: Path) -> None:
    """Declared and locked dependencies both count."""
    assert packages(tmp_path, files)["libraries"] == expected


@pytest.mark.parametrize(
    ("name", "text"),
    [
        ("pyproject.toml", "[project\n"),
        ("pyproject.toml", "name = \n"),
        ("pyproject.toml", "<<<<<<< HEAD\n"),
        ("uv.lock", "[[package]\n"),
    ],
)
def test_broken_toml_is_named(name: str, text: str, tmp_path: Path) -> None:
    """The error says which file has to be mended."""
    files = {"pyproject.toml": PYPROJECT, "uv.lock": "", name: text}
    with pytest.raises(ProjectError, match=name.replace(".", r"\.")):
        packages(tmp_path, files)


@pytest.mark.parametrize(
    ("name", "text"),
    [
        ("pyproject.toml", "project = 1\n"),
        ("pyproject.toml", "tool = 1\n"),
        ("pyproject.toml", '[tool]\npoetry = "x"\n'),
        ("pyproject.toml", "[project]\ndependencies = 1\n"),
        ("uv.lock", 'package = "x"\n'),
        ("uv.lock", '[package]\nname = "x"\n'),
    ],
)
def test_toml_of_another_form_is_no_crash(name: str, text: str, tmp_path: Path) -> None:
    """Valid TOML with unexpected types is explained, or means nothing."""
    tree = tree_of(tmp_path, {"pyproject.toml": PYPROJECT, "uv.lock": "", name: text})
    try:
        read_packages(tree, ".")
    except ProjectError as error:
        assert name in str(error)


def build_with(root: Path, requirements: str, **choices: Any) -> Any:
    """The build of a FastAPI app with these requirements added."""
    facts = facts_of("fastapi", root)
    tree = tree_of(root / "only", {"requirements.txt": f"uvicorn\n{requirements}\n"})
    facts["fastapi"] |= values(read_packages(tree, "."))
    return stack_of(facts, **choices).apps[0].build


@pytest.mark.parametrize(
    ("requirement", "build", "run"),
    [
        ("requests", set(), set()),
        ("psycopg2", {"gcc", "libpq-dev"}, {"libpq5"}),
        ("psycopg2-binary", set(), set()),
        ("psycopg", set(), {"libpq5"}),
        ("psycopg[binary]", set(), set()),
        ("psycopg[c]", {"gcc", "libpq-dev"}, {"libpq5"}),
        ("mysqlclient", {"gcc", "pkg-config"}, {"libmariadb3"}),
        ("pycairo", {"gcc", "libcairo2-dev"}, {"libcairo2"}),
        ("ffmpeg-python", set(), {"ffmpeg"}),
        ("opencv-python-headless", set(), set()),
    ],
)
def test_system_packages(requirement: str, build: set[str], run: set[str], tmp_path: Path) -> None:
    """Packages are there where a dependency needs them, and only there."""
    found = build_with(tmp_path, requirement)
    assert build <= set(found.build_packages) and bool(build) == bool(found.build_packages)
    assert run == set(found.runtime_packages)


def test_build_packages_never_stay(tmp_path: Path) -> None:
    """No compiler and no header is a run-time package."""
    run = {name for _, names in SYSTEM_PACKAGES.values() for name in names}
    assert not [name for name in run if name.startswith("gcc") or name.endswith("-dev")]


@pytest.mark.parametrize(
    ("requirement", "gpu", "expected"),
    [
        ("torch", False, True),
        ("sentence-transformers", False, True),
        ("torch", True, False),
        ("requests", False, False),
    ],
)
def test_torch_comes_from_the_cpu_index(
    requirement: str, gpu: bool, expected: bool, tmp_path: Path
) -> None:
    """Several GB of CUDA stay out unless a GPU is asked for."""
    assert build_with(tmp_path, requirement, gpu=gpu).cpu_torch is expected


@pytest.mark.parametrize(
    ("locked", "gpu", "warned"),
    [
        ("nvidia-cublas-cu12", False, True),
        ("nvidia-cublas-cu12", True, False),
        ("numpy", False, False),
    ],
)
def test_a_lockfile_with_cuda_is_told(locked: str, gpu: bool, warned: bool, tmp_path: Path) -> None:
    """One that is locked for PyTorch's CPU index is not."""
    lock = "".join(f'[[package]]\nname = "{name}"\nversion = "1"\n' for name in ("torch", locked))
    facts = facts_of("fastapi", tmp_path)
    tree = tree_of(tmp_path / "only", {"pyproject.toml": PYPROJECT, "uv.lock": lock})
    facts["fastapi"] |= values(read_packages(tree, "."))
    warnings = stack_of(facts, gpu=gpu).apps[0].warnings
    assert any("CUDA" in warning for warning in warnings) is warned


def test_models_are_kept_and_other_caches_beside_them(tmp_path: Path) -> None:
    """By the library, or by choice; without a volume all of the user's folder is in memory."""
    facts = facts_of("fastapi", tmp_path)
    for libraries, models, kept in (
        (["nltk"], None, False),
        (["nltk"], True, True),
        (["faster-whisper", "nltk"], None, True),
        (["faster-whisper", "nltk"], False, False),
    ):
        fields = {"libraries": ["uvicorn", *libraries]} | (
            {} if models is None else {"models": models}
        )
        app = stack_of({**facts, "fastapi": facts["fastapi"] | fields}).apps[0]
        assert bool(app.volumes) is kept
        environment = {env.name: env.value for env in app.environment}
        assert environment.get("NLTK_DATA") == ("/home/app/.cache" if kept else None)


def test_wkhtmltopdf_comes_from_the_debian_that_has_it(tmp_path: Path) -> None:
    """Where the image names that release."""
    facts = facts_of("fastapi", tmp_path)
    for image, packages_of_debian in (
        ("python:3.11-slim-bookworm", ("wkhtmltopdf",)),
        ("python:3.13-slim", ()),
    ):
        fields = {"libraries": ["pdfkit", "uvicorn"], "image": image}
        build = stack_of({**facts, "fastapi": facts["fastapi"] | fields}).apps[0].build
        assert build.runtime_packages == packages_of_debian


@pytest.mark.parametrize(
    ("files", "manifest"),
    [
        (("requirements/common.txt", "requirements/dev.txt"), "requirements/common.txt"),
        (("requirements/requirements.txt",), "requirements/requirements.txt"),
        (("requirements.in",), "requirements.in"),
        (("requirements.in", "requirements.txt"), "requirements.txt"),
    ],
)
def test_lists_of_other_names(files: tuple[str, ...], manifest: str, tmp_path: Path) -> None:
    """What pip-tools would compile is a list, too."""
    assert packages(tmp_path, dict.fromkeys(files, "uvicorn\n"))["manifests"] == [manifest]


@pytest.mark.parametrize(
    ("path", "manifest"),
    [
        ("requirements.txt", "../requirements.txt"),
        ("backend/app/requirements.txt", "app/requirements.txt"),
    ],
)
def test_a_list_above_the_app_or_in_its_package(path: str, manifest: str, tmp_path: Path) -> None:
    """Where the app's own folder declares nothing."""
    found = packages(tmp_path, {path: "uvicorn\n", "backend/app/main.py": ""}, "backend")
    assert (found["manifests"], found["libraries"]) == ([manifest], ["uvicorn"])


def test_a_list_above_is_not_that_of_a_folder_with_its_own(tmp_path: Path) -> None:
    files = {"requirements.txt": "uvicorn\n", "backend/pyproject.toml": "[tool.black]\n"}
    assert packages(tmp_path, {**files, "backend/main.py": ""}, "backend")["manager"] is None


@pytest.mark.parametrize(
    ("listed", "extras", "groups"),
    [
        ('[project.optional-dependencies]\nserver = ["uvicorn"]\n', ["server"], None),
        ('[project.optional-dependencies]\ndev = ["uvicorn"]\n', None, None),
        ('[project.optional-dependencies]\npdf = ["reportlab"]\n', None, None),
        ('[dependency-groups]\nserver = ["uvicorn"]\ndev = ["pytest"]\n', None, ["server"]),
        ('[dependency-groups]\nprod = ["redis"]\n', None, ["prod"]),
    ],
)
@pytest.mark.parametrize("locked", [False, True])
def test_extras_and_groups_that_serve_the_app(
    listed: str, extras: list[str] | None, groups: list[str] | None, locked: bool, tmp_path: Path
) -> None:
    """What the app is served with is installed, whatever its group is called."""
    files = {"pyproject.toml": f'[project]\nname = "x"\ndependencies = ["fastapi"]\n{listed}'}
    found = packages(tmp_path, {**files, **({"uv.lock": ""} if locked else {})})
    assert (found.get("extras"), found.get("groups")) == (extras, groups)
    assert locked or ("uvicorn" in found["libraries"]) is ("server" in listed)


def test_programs_that_code_calls_are_in_the_image(tmp_path: Path) -> None:
    """Whatever is declared: they come from Debian."""
    main = "import subprocess\nfrom fastapi import FastAPI\n\napp = FastAPI()\n"
    main += "subprocess.run(['ffmpeg', '-version'])\n"
    files = {"main.py": main, "requirements.txt": "fastapi\nuvicorn\n"}
    facts = read_facts(write_project(tmp_path, files, USE_FASTAPI="true"))
    assert stack_of(facts).apps[0].build.runtime_packages == ("ffmpeg",)


def test_dependencies_of_a_file_that_pyproject_names(tmp_path: Path) -> None:
    """Dynamic ones of setuptools, and of Hatch's plugin."""
    dynamic = '[project]\nname = "x"\nversion = "1"\ndynamic = ["dependencies"]\n'
    own = (
        '[tool.setuptools.dynamic]\ndependencies = { file = ["reqs.txt"] }\n',
        '[tool.hatch.metadata.hooks.requirements_txt]\nfiles = ["reqs.txt"]\n',
    )
    for number, text in enumerate(own):
        files = {"pyproject.toml": dynamic + text, "reqs.txt": "uvicorn\n"}
        found = packages(tmp_path / str(number), files)
        assert (found["manifests"], found["libraries"]) == (["reqs.txt"], ["uvicorn"])


def test_a_list_that_the_description_reads_is_still_a_list(tmp_path: Path) -> None:
    """`setup.py` or `[tool.setuptools.dynamic]` may name it, too."""
    setup = "from setuptools import setup\nsetup(name='x', packages=['x'],\n"
    setup += "      install_requires=open('requirements.txt').read().split())\n"
    files = {
        "setup.py": setup,
        "requirements.txt": "fastapi\nuvicorn\n-e .\n",
        "x/__init__.py": "",
        "x/main.py": "from fastapi import FastAPI\n\napp = FastAPI()\n",
    }
    facts = read_facts(write_project(tmp_path, files, USE_FASTAPI="true"))
    build = stack_of(facts).apps[0].build
    assert "requirements.txt" in build.package
    assert build.requirement_lists == ("requirements.txt",)
