"""Which variables of a site hold the API's address, and what it is in production."""

from __future__ import annotations

from pathlib import Path

import pytest

from extensions import site_addresses, site_reads
from extensions.tree import Tree


def found(root: Path, code: str, **files: str) -> list[str]:
    (root / "src").mkdir()
    (root / "src/main.ts").write_text(code)
    for name, text in files.items():
        (root / name).write_text(text)
    tree = Tree(root)
    return site_addresses.find(tree, ".", site_reads.reads(tree, ".", ("VITE_",)), ("VITE_",)).value


@pytest.mark.parametrize(
    ("code", "form"),
    [
        ('import.meta.env.VITE_API_URL ?? "http://localhost:8000"', "https://"),
        ('import.meta.env.VITE_API_URL || "http://127.0.0.1:8000/api/v1"', "https:///api/v1"),
        ('import.meta.env.VITE_WS_URL || "ws://localhost:8000/ws"', "wss:///ws"),
        ("import.meta.env.VITE_API_URL", "https://"),
        ("import.meta.env.VITE_BACKEND_URL", "https://"),
    ],
)
def test_an_address_of_development(code: str, form: str, tmp_path: Path) -> None:
    (one,) = found(tmp_path, f"export const at = {code};\n")
    assert one.partition("=")[2] == form


@pytest.mark.parametrize(
    "code",
    [
        'import.meta.env.VITE_API_URL ?? ""',
        'import.meta.env.VITE_API_URL ?? "/api"',
        'import.meta.env.VITE_API_URL ?? "https://api.example.com"',
        'import.meta.env.VITE_LOGIN_URL ?? "http://localhost:8080"',
        "import.meta.env.VITE_MAPS_API_URL",
        "import.meta.env.VITE_API_KEY",
        'process.env.API_URL ?? "http://localhost:8000"',
    ],
)
def test_what_is_none(code: str, tmp_path: Path) -> None:
    assert found(tmp_path, f"export const at = {code};\n") == []


def test_the_file_of_development_says_its_path(tmp_path: Path) -> None:
    code = "export const at = import.meta.env.VITE_API_URL;\n"
    files = {".env.development": "VITE_API_URL=http://localhost:8000/api\n"}
    assert found(tmp_path, code, **files) == ["VITE_API_URL=https:///api"]


def test_what_the_file_of_production_sets_stays(tmp_path: Path) -> None:
    code = 'export const at = import.meta.env.VITE_API_URL ?? "http://localhost:8000";\n'
    assert found(tmp_path, code, **{".env.production": "VITE_API_URL=https://a.example\n"}) == []


def test_its_parts() -> None:
    assert site_addresses.split("VITE_WS=wss:///ws") == ("VITE_WS", ("wss://", "/ws"))
