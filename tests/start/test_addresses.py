"""Addresses that the stack fills: nothing is said of them."""

from pathlib import Path

from tests.start.support import find, find_api

NEXT = '{"name": "web", "dependencies": {"next": "15"}, "scripts": {"build": "next build"}}'


def test_what_is_filled_is_not_told(tmp_path: Path) -> None:
    files = {
        "backend/requirements.txt": "fastapi\nuvicorn\n",
        "backend/main.py": "import os\nfrom fastapi import FastAPI\n"
        'A = os.environ["FRONTEND_URL"]\n'
        'B = os.getenv("CLIENT_URL", "http://localhost:3000")\napp = FastAPI()\n',
        "frontend/package.json": NEXT,
        "frontend/package-lock.json": '{"lockfileVersion": 3, "packages": {}}',
        "frontend/app/page.tsx": "export default async () => "
        "(await fetch(process.env.API_URL ?? 'http://localhost:8000/api')).text()\n",
    }
    found = find(tmp_path, files, USE_FASTAPI="true", USE_NEXTJS="true")
    assert [one for one in found if one.rule in {"start.settings", "start.defaults"}] == []


def test_an_unknown_frontend_is_told(tmp_path: Path) -> None:
    main = (
        "import os\nfrom fastapi import FastAPI\n"
        'A = os.getenv("CLIENT_URL", "http://localhost:3000")\napp = FastAPI()\n'
    )
    found = [one for one in find_api(tmp_path, {"main.py": main}) if one.rule == "start.defaults"]
    assert [one.variable for one in found] == ["CLIENT_URL"]
