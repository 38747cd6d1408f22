"""Defaults of code and of example files that hold on a developer's machine alone."""

from __future__ import annotations

from pathlib import Path

import pytest

from extensions.finding import Finding
from tests.start.support import find, find_api

OS = "import os\n"
SETTINGS = "from pydantic_settings import BaseSettings\n\n\nclass Settings(BaseSettings):\n    {}\n"
NODE = {"package.json": '{"scripts": {"start": "node server.js"}}'}


def of_code(root: Path, line: str, files: dict[str, str] | None = None) -> list[Finding]:
    return find_api(root, {"config.py": OS + line + "\n", **(files or {})})


@pytest.mark.parametrize(
    ("line", "name", "host"),
    [
        ('os.getenv("SEARCH_URL", "http://localhost:9200")', "SEARCH_URL", "localhost"),
        ('os.environ.get("SMTP_HOST", "127.0.0.1")', "SMTP_HOST", "127.0.0.1"),
        ('os.getenv("AMQP_URL", "amqp://a:b@localhost:5672/")', "AMQP_URL", "localhost"),
        ('os.getenv("API", "http://host.docker.internal:1")', "API", "host.docker.internal"),
    ],
)
def test_an_address_of_this_machine_is_told(
    line: str, name: str, host: str, tmp_path: Path
) -> None:
    (found,) = of_code(tmp_path, line)
    assert found.rule == "start.defaults" and not found.certain
    assert found.seen == (
        f"{name} leads to {host} in config.py:2, and nothing sets it in production."
    )
    assert found.mend == f"Set {name} in .env to the address in production."
    assert (found.path, found.line, found.variable) == ("config.py", 2, name)


def test_a_variable_that_is_set_aside_is_not_told(tmp_path: Path) -> None:
    code = {"config.py": 'import os\nos.getenv("SEARCH_URL", "http://localhost:9200")\n'}
    assert find_api(tmp_path, code, {"fastapi.ignored": ["SEARCH_URL"]}) == []


def test_a_field_of_settings(tmp_path: Path) -> None:
    (found,) = find_api(
        tmp_path, {"config.py": SETTINGS.format('search_url: str = "http://localhost:9200"')}
    )
    assert found.seen.startswith("SEARCH_URL leads to localhost in config.py:5")


def test_a_service_of_development_s_compose_file_is_no_host_of_production(tmp_path: Path) -> None:
    compose = "services: {search: {image: python}}\n"
    line = 'os.getenv("SEARCH_URL", "http://search:9200")'
    (found,) = of_code(tmp_path, line, {"docker-compose.yml": compose})
    assert found.seen.startswith("SEARCH_URL leads to search in config.py:2")


@pytest.mark.parametrize(
    "line",
    [
        'os.getenv("SEARCH_URL")',
        'os.getenv("SEARCH_URL", "")',
        'os.getenv("SEARCH_URL", "https://search.example.com")',
        'os.getenv("SEARCH_URL", "https://localhost.example.com")',
        'os.getenv("CORS_ORIGINS", "http://localhost:3000")',
        'os.getenv("ALLOWED_HOSTS", "localhost,127.0.0.1")',
        'os.getenv("SERVER_HOST", "localhost")',
        'os.getenv("REDIS_HOST", "localhost")',
        'os.getenv("GREETING", "localhost")',
        'x = "http://localhost:9200"',
    ],
)
def test_what_is_no_such_default(line: str, tmp_path: Path) -> None:
    assert of_code(tmp_path, line) == []


def test_what_the_stack_sets_is_not_told(tmp_path: Path) -> None:
    line = 'os.getenv("DATABASE_URL", "postgresql://a:b@localhost/x")'
    files = {"config.py": OS + line + "\n"}
    assert find_api(tmp_path, files, None, USE_POSTGRESQL="true") == []


def test_a_secret_in_the_code_is_told_without_its_value(tmp_path: Path) -> None:
    (found,) = of_code(tmp_path, 'os.getenv("WEBHOOK_SECRET", "dev-only-1234")')
    assert found.seen == (
        "WEBHOOK_SECRET has a default in config.py:2, which everybody knows who reads the code."
    )
    assert "dev-only-1234" not in found.seen + found.mend


@pytest.mark.parametrize(
    "line",
    [
        'os.getenv("CACHE_KEY", "users")',
        'os.getenv("API_KEY", "")',
        'os.getenv("TLS_PRIVATE_KEY", "/etc/tls/key.pem")',
        'os.getenv("API_KEY_HEADER", "X-API-Key")',
    ],
)
def test_what_is_no_secret(line: str, tmp_path: Path) -> None:
    assert of_code(tmp_path, line) == []


def test_an_example_s_address_where_the_code_has_no_default(tmp_path: Path) -> None:
    files = {".env.example": "MODE=x\nSEARCH_URL=http://localhost:9200\n"}
    (found,) = of_code(tmp_path, 'os.environ["SEARCH_URL"]', files)
    assert found.seen.startswith("SEARCH_URL leads to localhost in .env.example:2,")


def test_an_example_s_address_that_the_code_does_not_need(tmp_path: Path) -> None:
    files = {".env.example": "SEARCH_URL=http://localhost:9200\n"}
    assert of_code(tmp_path, 'os.getenv("SEARCH_URL", "https://search.io")', files) == []


@pytest.mark.parametrize(
    "code",
    [
        'const url = process.env.SEARCH_URL || "http://localhost:9200";\n',
        'const url = process.env.SEARCH_URL ?? "http://localhost:9200";\n',
    ],
)
def test_the_same_of_javascript(code: str, tmp_path: Path) -> None:
    (found,) = find(tmp_path, {**NODE, "server.js": code}, None, USE_NODE="true")
    assert found.seen.startswith("SEARCH_URL leads to localhost in server.js:1")
