"""What a command line names of a Python app."""

from __future__ import annotations

import ast

import pytest

from extensions.python_command import named
from extensions.python_source import Module

MODULES = {
    name: Module(f"backend/{path}", name, root, ast.parse(""))
    for path, name, root in (
        ("main.py", "main", "."),
        ("app/__init__.py", "app", "."),
        ("app/main.py", "app.main", "."),
        ("tool/__main__.py", "tool.__main__", "."),
        ("src/shop/api.py", "shop.api", "src"),
    )
}


@pytest.mark.parametrize(
    ("command", "module", "attribute", "is_script"),
    [
        ("uvicorn main:app", "main", "app", False),
        ("uvicorn --factory app.main:create_app", "app.main", "create_app", False),
        ("gunicorn app.main:create_app()", "app.main", "create_app", False),
        ("celery --app=app.main.celery worker", "app.main", "celery", False),
        ("python main.py", "main", "", True),
        ("python ./app/main.py", "app.main", "", True),
        ("python src/shop/api.py", "shop.api", "", True),
        ("python -m app.main", "app.main", "", True),
        ("python -m tool", "tool.__main__", "", True),
    ],
)
def test_a_command_names(command: str, module: str, attribute: str, is_script: bool) -> None:
    (found,) = named(MODULES, "backend", command.split())
    assert (found.module.name, found.attribute, found.is_script) == (module, attribute, is_script)


def test_a_library_s_module_is_none_of_the_app() -> None:
    assert named(MODULES, "backend", ["python", "-m", "http.server", "8000"]) == []
