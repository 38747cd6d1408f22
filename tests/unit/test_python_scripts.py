"""What a Python app without a framework begins with."""

from __future__ import annotations

from collections.abc import Mapping
from pathlib import Path

import pytest

from extensions.facts import read_facts
from tests.start.support import subject_of
from tests.unit.support import write_project

GUARD = "def run():\n    pass\n\n\nif __name__ == '__main__':\n    run()\n"
PLAIN = "x = 1\n"
SCRIPTS = '[project]\nname = "x"\nversion = "1"\n[project.scripts]\n'


@pytest.mark.parametrize(
    ("files", "command"),
    [
        ({"main.py": PLAIN, "bot.py": GUARD}, "python main.py"),
        ({"bot.py": GUARD, "helpers.py": PLAIN}, "python bot.py"),
        ({"anything.py": PLAIN}, "python anything.py"),
        ({"worker.py": PLAIN, "helpers.py": PLAIN}, "python worker.py"),
        ({"bot/__init__.py": "", "bot/__main__.py": GUARD}, "python -m bot"),
        ({"src/bot/__init__.py": "", "src/bot/__main__.py": GUARD}, "python -m bot"),
        ({"src/main.py": PLAIN, "src/helpers.py": PLAIN}, "python src/main.py"),
        ({"bot/__init__.py": "", "bot/main.py": GUARD}, "python -m bot.main"),
        ({"Procfile": "worker: python -u jobs.py\n", "jobs.py": "", "x.py": ""}, "python jobs.py"),
        ({"Procfile": "bot: python -m bot.go\n", "bot/__init__.py": "", "bot/go.py": ""},
         "python -m bot.go"),
        ({"pyproject.toml": SCRIPTS + 'b = "bot.cli:run"\n', "bot/__init__.py": "",
          "bot/cli.py": GUARD}, "python -m bot.cli"),
        ({"pyproject.toml": SCRIPTS + 'b = "bot.cli:run"\n', "bot/__init__.py": "",
          "bot/cli.py": "def run(): ...\n"},
         "python -c import sys; from bot.cli import run; sys.exit(run())"),
        ({"setup.py": GUARD, "conftest.py": "", "jobs.py": PLAIN}, "python jobs.py"),
    ],
)  # fmt: skip
def test_the_entry_is_found(files: Mapping[str, str], command: str, tmp_path: Path) -> None:
    (app,) = subject_of(tmp_path, files, USE_PYTHON="true").stack.apps
    assert " ".join(app.command) == command


def test_a_module_below_src_is_imported_from_there(tmp_path: Path) -> None:
    files = {"src/bot/__init__.py": "", "src/bot/__main__.py": GUARD}
    facts = read_facts(write_project(tmp_path, files, USE_PYTHON="true"))
    assert facts["python"]["source_root"] == "src"


@pytest.mark.parametrize(
    ("files", "overrides", "command"),
    [
        ({"a.py": GUARD, "b.py": GUARD}, {"python.entry": "b.py"}, "python b.py"),
        ({"p/__init__.py": "", "p/a.py": "", "p/b.py": ""}, {"python.entry": "p.b"},
         "python -m p.b"),
        ({"a.py": GUARD, "b.py": GUARD}, {"python.command": "python -X dev b.py"},
         "python -X dev b.py"),
        ({"lib/x.txt": ""}, {"python.command": "python -m http.server"}, "python -m http.server"),
    ],
)  # fmt: skip
def test_what_is_set_by_hand_always_helps(
    files: Mapping[str, str], overrides: Mapping[str, str], command: str, tmp_path: Path
) -> None:
    sources = {} if "a.py" in files or "p/a.py" in files else {"python.sources": ["lib/"]}
    subject = subject_of(tmp_path, files, {**overrides, **sources}, USE_PYTHON="true")
    (app,) = subject.stack.apps
    assert " ".join(app.command) == command
