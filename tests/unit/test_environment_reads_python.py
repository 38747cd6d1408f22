"""Which variables Python code reads, and which of them it does not start without."""

from __future__ import annotations

from collections.abc import Mapping
from pathlib import Path

import pytest

from extensions.environment_reads import python
from extensions.python_source import parse_modules
from extensions.tree import Tree
from tests.unit.support import write_files

SETTINGS = "from pydantic_settings import BaseSettings\n"
ENTRY = ("uvicorn", "app.main:app")


def reads(
    root: Path, files: Mapping[str, str], *command: str, scripts: tuple[str, ...] = ()
) -> dict[str, bool]:
    """Whether each variable is required, by its name."""
    write_files(root, files)
    tree = Tree(root)
    modules, problem = parse_modules(tree, ".")
    assert problem is None
    found: dict[str, bool] = {}
    for read in python.reads(tree, ".", modules, [command or ENTRY], scripts):
        found[read.name] = found.get(read.name, False) or read.required
    return found


def main(code: str) -> dict[str, str]:
    return {"app/__init__.py": "", "app/main.py": code}


@pytest.mark.parametrize(
    "code",
    [
        'import os\nX = os.environ["NAME"]\n',
        'import os as o\nX = o.environ["NAME"]\n',
        'from os import environ\nX = environ["NAME"]\n',
        'from os import environ as env\nclass A:\n    x = env["NAME"]\n',
        'import os\nKEY = "NAME"\nX = os.environ[KEY]\n',
        'import os\nP = "NA"\nX = os.environ[f"{P}ME"]\n',
        'import os\nX = int(os.getenv("NAME"))\n',
        'import os\nX = os.getenv("NAME").split(",")\n',
        'import os\nX = os.getenv("NAME")\nif not X:\n    raise RuntimeError("NAME")\n',
        'import os, sys\nif (x := os.getenv("NAME")) is None:\n    sys.exit(1)\n',
        'import os\nif "NAME" not in os.environ:\n    raise KeyError\n',
        'import os\nX = os.environ.get("NAME", "")\nassert X\n',
        'import os\nfor n in ("NAME", "OTHER"):\n    if not os.getenv(n):\n        raise A\n',
        'import os\nN = ["NAME"]\nlack = [n for n in N if not os.getenv(n)]\n'
        "if lack:\n    raise ValueError(lack)\n",
        'import os\ntry:\n    X = os.environ["NAME"]\nexcept KeyError:\n    raise SystemExit(1)\n',
        'import os\ndef make():\n    return os.environ["NAME"]\nX = make()\n',
        'import os\nclass A:\n    def __init__(self):\n        self.x = os.environ["NAME"]\nA()\n',
        'import os\nfrom fastapi import FastAPI\nasync def up(app):\n    os.environ["NAME"]\n'
        "app = FastAPI(lifespan=up)\n",
        'import os\n@app.on_event("startup")\ndef up():\n    os.environ["NAME"]\n',
        'import os\ndef need(n):\n    return os.environ[n]\nX = need("NAME")\n',
        "import os\ndef need(n, default=None):\n    v = os.getenv(n, default)\n"
        '    if v is None:\n        raise A\n    return v\nX = need("NAME")\n',
        'from decouple import config\nX = config("NAME")\n',
        'from decouple import AutoConfig\nc = AutoConfig("/app")\nX = c("NAME", cast=int)\n',
        'from environs import Env\nenv = Env()\nenv.read_env()\nX = env.str("NAME")\n',
        'from environs import env\nX = env("NAME")\n',
        'from environs import Env\ne = Env()\nwith e.prefixed("NA"):\n    X = e.int("ME")\n',
        'import environ\nenv = environ.Env()\nX = env("NAME")\n',
        'from starlette.config import Config\nc = Config(".env")\nX = c("NAME", cast=str)\n',
        "from pydantic_settings import BaseSettings\nclass S(BaseSettings):\n    name: str\nS()\n",
        "from pydantic import BaseSettings\nclass S(BaseSettings):\n    name: str\ns = S()\n",
        "from dynaconf import Dynaconf, Validator\nsettings = Dynaconf(envvar_prefix='NA',\n"
        "    validators=[Validator('ME', must_exist=True)])\n",
    ],
)
def test_required(tmp_path: Path, code: str) -> None:
    found = reads(tmp_path, main(code))
    names = {name for name, required in found.items() if required} - {"OTHER"}
    assert names in ({"NAME"}, {"NA_ME"})


@pytest.mark.parametrize(
    "code",
    [
        'import os\nX = os.getenv("NAME")\n',
        'import os\nX = os.environ.get("NAME", "x")\n',
        'import os\nX = int(os.getenv("NAME", "1"))\n',
        'import os\nX = int(os.getenv("NAME") or 1)\n',
        'import os\nX = os.environ.get("NAME", None) or "x"\n',
        'import os\ndef f():\n    return os.environ["NAME"]\n',
        'import os\ntry:\n    X = os.environ["NAME"]\nexcept KeyError:\n    X = ""\n',
        "import os\nfrom contextlib import suppress as s\nwith s(Exception):\n"
        '    os.environ["NAME"]\n',
        'import os\nif os.getenv("NAME"):\n    X = os.environ["NAME"]\n',
        'import os\nX = os.environ["NAME"] if "NAME" in os.environ else ""\n',
        'import os\nX = "NAME" in os.environ and os.environ["NAME"]\n',
        'import os\nX = lambda: os.environ["NAME"]\n',
        'import os\nif __name__ == "__main__":\n    X = os.environ["NAME"]\n',
        'import os\nfrom typing import TYPE_CHECKING\nX = os.getenv("NAME")\n'
        'if not X:\n    print("NAME is not set")\n',
        'import os\nos.environ.setdefault("NAME", "x")\nX = os.environ["NAME"]\n',
        'import os\nA, B = os.getenv("NAME"), 1\nif not (A or B):\n    raise ValueError\n',
        'import os\ndef get(n, d):\n    return os.getenv(n, d)\nX = get("NAME", "x")\n',
        "import os\ndef need(n, default=None):\n    v = os.getenv(n, default)\n"
        '    if v is None:\n        raise A\n    return v\nX = need("NAME", "x")\n',
        'from decouple import config\nX = config("NAME", default="x")\n',
        'from decouple import config\nX = config("NAME", "x")\n',
        'from environs import Env\nenv = Env()\nX = env.str("NAME", "x")\n',
        'import environ\nenv = environ.Env(NAME=(bool, False))\nX = env("NAME")\n',
        'from starlette.config import Config\nc = Config()\nX = c("NAME", cast=str, default="x")\n',
        f"{SETTINGS}class S(BaseSettings):\n    name: str = ''\nS()\n",
        "from pydantic_settings import BaseSettings\nclass S(BaseSettings):\n    name: str\n",
        f"{SETTINGS}class S(BaseSettings):\n    name: str\nS(name='')\n",
        "from pydantic import BaseSettings, Field\nfrom typing import Optional\n"
        "class S(BaseSettings):\n    name: Optional[str]\nS()\n",
        "from pydantic_settings import BaseSettings\nclass S(BaseSettings):\n    name: str\n"
        "class T(S):\n    name = 'x'\nT()\n",
        "from pydantic import model_validator\nfrom pydantic_settings import BaseSettings\n"
        "class S(BaseSettings):\n    name: str\n    @model_validator(mode='before')\n"
        "    def fill(cls, v):\n        return v\nS()\n",
    ],
)
def test_read_but_not_required(tmp_path: Path, code: str) -> None:
    assert reads(tmp_path, main(code)) == {"NAME": False}


def test_a_client_that_ends_without_its_key(tmp_path: Path) -> None:
    code = "from openai import AsyncOpenAI\nimport groq\nc = AsyncOpenAI()\n"
    code += "def f():\n    return groq.Groq()\n"
    assert reads(tmp_path, main(code)) == {"OPENAI_API_KEY": True, "GROQ_API_KEY": False}


@pytest.mark.parametrize(
    "code",
    [
        "from openai import OpenAI\nc = OpenAI(api_key=key)\n",
        'import os\nos.environ["NAME"] = "1"\n',
        'X = "os.environ[NAME]"  # os.environ["NAME"]\n',
        'environ = {}\nX = environ.get("NAME")\n',
        'import os\nX = os.environ["PATH"], os.getenv("PYTHONPATH"), os.getenv("PORT")\n',
        'config = dict\nX = config("NAME")\n',
        "from pydantic import BaseModel\nclass S(BaseModel):\n    name: str\nS(name='x')\n",
    ],
)
def test_not_read(tmp_path: Path, code: str) -> None:
    assert reads(tmp_path, main(code)) == {}


V2 = "from pydantic import AliasChoices, BaseModel, Field\n" + (
    "from pydantic_settings import BaseSettings, SettingsConfigDict\n"
)


@pytest.mark.parametrize(
    ("code", "required", "others"),
    [
        (
            'class S(BaseSettings):\n    model_config = SettingsConfigDict(env_prefix="app_")\n'
            "    key: str\n    debug: bool = False\n",
            {"APP_KEY"},
            {"APP_DEBUG"},
        ),
        (
            "class S(BaseSettings):\n    class Config:\n        env_prefix = 'APP_'\n"
            "    key: str\n",
            {"APP_KEY"},
            set(),
        ),
        (
            'class S(BaseSettings, env_prefix="APP_"):\n    key: str = Field(alias="THE_KEY")\n',
            {"THE_KEY"},
            set(),
        ),
        (
            "class S(BaseSettings):\n"
            '    key: str = Field(validation_alias=AliasChoices("A", "B"))\n',
            {"A"},
            {"B"},
        ),
        (
            "class S(BaseSettings):\n    model_config = SettingsConfigDict(case_sensitive=True)\n"
            "    key: str\n",
            {"key"},
            set(),
        ),
        (
            "class D(BaseModel):\n    host: str\n    port: int = 5432\n"
            'class S(BaseSettings):\n    model_config = {"env_nested_delimiter": "__"}\n'
            "    database: D\n",
            {"DATABASE__HOST"},
            {"DATABASE__PORT"},
        ),
        (
            "class D(BaseSettings):\n    host_name: str\n"
            "class S(BaseSettings):\n    d: D = Field(default_factory=D)\n",
            {"HOST_NAME"},
            set(),
        ),
        ("class S(BaseSettings):\n    key: str = Field(..., env='X')\n", {"KEY"}, set()),
        ("class S(BaseSettings):\n    key: str | None\n", {"KEY"}, set()),
        ("class S(BaseSettings):\n    key: str = ...\n    _private: str\n", {"KEY"}, set()),
    ],
)
def test_settings_of_pydantic_2(
    tmp_path: Path, code: str, required: set[str], others: set[str]
) -> None:
    found = reads(tmp_path, main(f"{V2}{code}settings = S()\n"))
    assert found == dict.fromkeys(required, True) | dict.fromkeys(others, False)


def test_settings_of_pydantic_1(tmp_path: Path) -> None:
    code = (
        "from pydantic import BaseSettings, Field\nclass S(BaseSettings):\n"
        "    key: str = Field(..., env='THE_KEY')\n    other: str\n"
        "    class Config:\n        fields = {'other': {'env': 'OTHER_KEY'}}\nS()\n"
    )
    assert reads(tmp_path, main(code)) == {"THE_KEY": True, "OTHER_KEY": True}


GETTER = (
    "from functools import lru_cache\nfrom .config import Settings\n@lru_cache\n"
    "def get_settings() -> Settings:\n    return Settings()\n"
)


def test_settings_that_a_dependency_makes_are_required(tmp_path: Path) -> None:
    files = {
        **main("from fastapi import Depends\nfrom app.deps import get_settings\n"),
        "app/config.py": V2 + "class Settings(BaseSettings):\n    key: str\n",
        "app/deps.py": GETTER,
    }
    assert reads(tmp_path, files) == {"KEY": True}


def test_what_no_entry_imports_is_not_required(tmp_path: Path) -> None:
    code = 'import os\nX = os.environ["NAME"]\n'
    files = {**main("import app.used\n"), "app/used.py": code.replace("NAME", "USED")}
    assert reads(tmp_path, {**files, "app/unused.py": code}) == {"USED": True, "NAME": False}


def test_imports_are_followed_through_packages(tmp_path: Path) -> None:
    files = {
        **main("from .core import settings\nfrom . import other\n"),
        "app/core/__init__.py": "from .config import *\n",
        "app/core/config.py": 'import os\nsettings = os.environ["CORE"]\n',
        "app/other.py": 'import os\nX = os.environ["SIDE"]\n',
    }
    assert reads(tmp_path, files) == {"CORE": True, "SIDE": True}


def test_a_reader_of_another_module(tmp_path: Path) -> None:
    files = {
        **main('from app.env import env\nX = env.str("NAME")\n'),
        "app/env.py": "from environs import Env\nenv = Env()\n",
    }
    assert reads(tmp_path, files) == {"NAME": True}


def test_a_factory_is_called(tmp_path: Path) -> None:
    code = 'import os\ndef create():\n    return os.environ["NAME"]\n'
    assert reads(tmp_path, main(code), "uvicorn", "app.main:create", "--factory") == {"NAME": True}


def test_a_worker_is_an_entry(tmp_path: Path) -> None:
    files = {**main(""), "app/worker.py": 'import os\nX = os.environ["BROKER"]\n'}
    command = ("celery", "--app", "app.worker:celery", "worker")
    assert reads(tmp_path, files, *command) == {"BROKER": True}


@pytest.mark.parametrize("command", [("python", "run.py"), ("python", "-m", "run")])
def test_a_script_runs_its_main_part(tmp_path: Path, command: tuple[str, ...]) -> None:
    code = (
        'import os\ndef main():\n    os.environ["NAME"]\nif __name__ == "__main__":\n    main()\n'
    )
    assert reads(tmp_path, {"run.py": code}, *command) == {"NAME": True}


def test_alembic_runs_its_own_file(tmp_path: Path) -> None:
    files = {**main(""), "alembic/env.py": 'import os\nX = os.environ["NAME"]\n'}
    assert reads(tmp_path, files, scripts=("alembic/env.py",)) == {"NAME": True}


def test_a_default_is_told(tmp_path: Path) -> None:
    write_files(tmp_path, main('import os\nX = os.getenv("NAME", "x")\nY = os.getenv("B", 5)\n'))
    tree = Tree(tmp_path)
    found = python.reads(tree, ".", parse_modules(tree, ".")[0], [ENTRY])
    assert [(read.name, read.path, read.line, read.default) for read in found] == [
        ("NAME", "app/main.py", 2, "x"),
        ("B", "app/main.py", 3, "5"),
    ]
