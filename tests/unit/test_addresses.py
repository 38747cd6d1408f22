"""Names of addresses: which are found, in which form, and what fills them."""

from __future__ import annotations

import shutil
import subprocess
from collections.abc import Mapping
from pathlib import Path
from typing import Any

import jinja2
import pytest

from extensions.addresses import is_public, row_of
from extensions.facts import read_facts
from extensions.managed_platform import ManagedPlatform
from extensions.pipeline import test_environment as app_environment
from tests.unit.support import deployment_of, stack_of, write_project

ROOT = Path(__file__).resolve().parents[2]
MAIN = "from fastapi import FastAPI\napp = FastAPI()\n"
NEXT = '{"name": "web", "dependencies": {"next": "15"}, "scripts": {"build": "next build"}}'


def project(root: Path, code: str = "", page: str = "", **more: str) -> dict[str, Any]:
    """The facts of FastAPI, with Next.js beside it where there is a page."""
    files = {
        "backend/requirements.txt": "fastapi\nuvicorn\n",
        "backend/main.py": f"import json, os\n{MAIN}{code}\n",
        **({"frontend/package.json": NEXT, "frontend/app/page.tsx": page} if page else {}),
        **more,
    }
    flags = {"USE_FASTAPI": "true", **({"USE_NEXTJS": "true"} if page else {})}
    return read_facts(write_project(root, files, **flags))


@pytest.mark.parametrize(
    ("name", "holds"),
    [
        ("CORS_ORIGINS", "site"),
        ("BACKEND_CORS_ORIGINS", "site"),
        ("ALLOWED_ORIGINS", "site"),
        ("CORS_ALLOWED_ORIGINS", "site"),
        ("CORS_ALLOW_ORIGINS", "site"),
        ("CORS_ORIGIN", "site"),
        ("CLIENT_URL", "site"),
        ("FRONTEND_URL", "site"),
        ("SITE_URL", "site"),
        ("APP_URL", "site"),
        ("BASE_URL", "own"),
        ("PUBLIC_URL", "own"),
        ("NEXTAUTH_URL", "own"),
        ("AUTH_URL", "own"),
        ("BETTER_AUTH_URL", "own"),
        ("ALLOWED_HOSTS", "own"),
        ("DJANGO_ALLOWED_HOSTS", "own"),
        ("TRUSTED_HOSTS", "own"),
        ("CSRF_TRUSTED_ORIGINS", "own"),
        ("API_URL", "api"),
        ("API_BASE_URL", "api"),
        ("BACKEND_URL", "api"),
        ("INTERNAL_API_URL", "api"),
        ("BACKEND_API_URL", "api"),
        ("CORS_ALLOW_CREDENTIALS", None),
        ("DATABASE_URL", None),
        ("OPENAI_API_URL", None),
        ("STRIPE_API_BASE", None),
        ("AUTH_SECRET", None),
    ],
)
def test_the_table(name: str, holds: str | None) -> None:
    row = row_of(name)
    assert (row.holds if row else None) == holds


@pytest.mark.parametrize(
    ("code", "found"),
    [
        ('X = os.getenv("CORS_ORIGINS", "http://localhost:3000").split(",")', "origins-comma"),
        ('X = json.loads(os.environ["CORS_ORIGINS"])', "origins-json"),
        ('X = os.environ.get("CORS_ORIGINS", "")\nY = X.split(" ")', "origins-space"),
        ('X = os.environ.get("CORS_ORIGIN")', None),
    ],
)
def test_the_form_is_that_of_the_code(code: str, found: str | None, tmp_path: Path) -> None:
    facts = project(tmp_path, code)
    name = "CORS_ORIGIN" if found is None else "CORS_ORIGINS"
    assert facts["fastapi"]["addresses"] == [f"{name}={found or 'origins-one'}"]


@pytest.mark.parametrize(
    ("annotation", "found"),
    [
        ("list[str]", "json"),
        ("List[AnyHttpUrl]", "json"),
        ("set[str]", "json"),
        ("Optional[List[str]]", "json"),
        ("list[str] | str", "comma"),
        ("Union[List[AnyHttpUrl], str]", "comma"),
        ("Annotated[list[str], NoDecode]", "comma"),
        ("Annotated[list[AnyUrl] | str, BeforeValidator(parse_cors)]", "comma"),
        ("str", "comma"),
    ],
)
def test_pydantic_s_lists_are_json(annotation: str, found: str, tmp_path: Path) -> None:
    code = (
        "from typing import *\nfrom pydantic import *\n"
        "from pydantic_settings import BaseSettings, NoDecode\n"
        f"class Settings(BaseSettings):\n    CORS_ORIGINS: {annotation} = []\nS = Settings()"
    )
    assert project(tmp_path, code)["fastapi"]["addresses"] == [f"CORS_ORIGINS=origins-{found}"]


@pytest.mark.parametrize(
    "code",
    [
        'X = os.getenv("FRONTEND_URL", "https://app.shop.io")',
        'X = os.getenv("CORS_ORIGINS", "*")',
        'X = os.getenv("CORS_ORIGINS", "https://shop.io,http://localhost:3000").split(",")',
        'X = os.getenv("ALLOWED_HOSTS", "shop.io,localhost").split(",")',
        'X = os.getenv("API_URL", "https://api.weather.gov")',
        'X = os.getenv("BASE_URL", "/shop")',
    ],
)
def test_a_default_that_holds_in_production_is_left_alone(code: str, tmp_path: Path) -> None:
    assert project(tmp_path, code)["fastapi"]["addresses"] == []


def test_an_example_s_value_tells_the_form(tmp_path: Path) -> None:
    example = 'CORS_ORIGINS=["http://localhost:3000"]\nSITE_URL=https://your-domain.com\n'
    facts = project(tmp_path, **{"backend/.env.example": example})
    assert facts["fastapi"]["addresses"] == ["CORS_ORIGINS=origins-json", "SITE_URL=url"]


PAGE = (
    "const a = process.env.API_URL || 'http://localhost:8000/api/v1'\n"
    "const b = process.env.NEXTAUTH_URL ?? 'http://localhost:3000'\n"
    "const c = process.env.SERVER_URL ?? ''\n"
    "export default () => <p>{a}{b}{c}</p>\n"
)


def test_a_frontend_calls_the_api_inside_the_stack(tmp_path: Path) -> None:
    stack = stack_of(project(tmp_path, 'X = os.environ["FRONTEND_URL"]', PAGE))
    api, front = stack.apps
    assert [(a.name, a.holds, a.path) for a in front.addresses] == [
        ("API_URL", "api", "/api/v1"),
        ("NEXTAUTH_URL", "own", ""),
    ]
    assert [(a.name, a.holds, a.required) for a in api.addresses] == [
        ("FRONTEND_URL", "site", True)
    ]
    assert not stack.variable("FRONTEND_URL").required
    assert "SITE_URLS" in {env.name for env in api.environment}


def test_an_api_alone_does_not_know_its_frontend(tmp_path: Path) -> None:
    code = (
        'X = os.environ["FRONTEND_URL"]\nY = os.environ["CORS_ORIGINS"]\n'
        'Z = os.environ["ALLOWED_HOSTS"].split(",")'
    )
    stack = stack_of(project(tmp_path, code))
    assert [address.name for address in stack.addresses] == ["ALLOWED_HOSTS"]
    assert stack.variable("FRONTEND_URL").required and stack.variable("CORS_ORIGINS").required


@pytest.mark.parametrize("field", ["optional", "ignored"])
def test_what_the_user_names_is_the_user_s(field: str, tmp_path: Path) -> None:
    facts = project(tmp_path, 'X = os.environ["ALLOWED_HOSTS"]')
    assert stack_of(facts).addresses
    assert not stack_of(facts, {f"fastapi.{field}": ["ALLOWED_HOSTS"]}).addresses


def test_facts_of_before_fill_nothing(tmp_path: Path) -> None:
    facts = project(tmp_path, 'X = os.environ["ALLOWED_HOSTS"]')
    del facts["fastapi"]["addresses"]
    stack = stack_of(facts)
    assert not stack.addresses and stack.variable("ALLOWED_HOSTS").required
    assert "SITE_URLS" not in {variable.name for variable in stack.variables}


def test_a_name_that_two_apps_use_otherwise_is_filled_for_the_first(tmp_path: Path) -> None:
    page = "export default () => JSON.parse(process.env.ALLOWED_ORIGINS ?? '[]')\n"
    stack = stack_of(project(tmp_path, 'X = os.environ["ALLOWED_ORIGINS"].split(",")', page))
    assert [len(app.addresses) for app in stack.apps] == [1, 0]


@pytest.mark.parametrize(
    ("target", "site", "own"),
    [
        ("fly", "https://demo-frontend.fly.dev", "https://demo.fly.dev"),
        (
            "railway",
            "https://${{frontend.RAILWAY_PUBLIC_DOMAIN}}",
            "https://${{RAILWAY_PUBLIC_DOMAIN}}",
        ),
    ],
)
def test_platforms_give_two_addresses(target: str, site: str, own: str, tmp_path: Path) -> None:
    facts = project(tmp_path, 'X = os.environ["ALLOWED_HOSTS"]', PAGE)
    surface = deployment_of(facts, targets=[target]).surfaces[target]
    assert isinstance(surface, ManagedPlatform)
    found = {source.name: source for source in surface.settings(surface.apps[0])}
    assert (found["SITE_URLS"].value, found["OWN_URL"].value) == (site, own)
    assert found["ALLOWED_HOSTS"].optional
    front = {source.name: source for source in surface.settings(surface.apps[1])}
    assert front["SITE_URLS"].value and "OWN_URL" not in front


def test_render_sets_an_app_s_own_address(tmp_path: Path) -> None:
    facts = project(tmp_path, 'X = os.environ["ALLOWED_HOSTS"]', PAGE)
    surface = deployment_of(facts, targets=["render"]).surfaces["render"]
    assert isinstance(surface, ManagedPlatform)
    found = {source.name: source for source in surface.settings(surface.apps[0])}
    assert found["SITE_URLS"].resource == "demo-frontend" and "OWN_URL" not in found
    front = {source.name: source for source in surface.settings(surface.apps[1])}
    assert front["SITE_URLS"].optional


CODE = """
A = os.environ["ALLOWED_HOSTS"].split(",")
B = os.environ["DJANGO_ALLOWED_HOSTS"].split()
C = json.loads(os.environ["CORS_ORIGINS"])
D = os.environ["CSRF_TRUSTED_ORIGINS"].split(",")
E = os.environ["FRONTEND_URL"]
F = os.environ["BASE_URL"]
"""


def filled(root: Path, given: Mapping[str, str], **choices: Any) -> dict[str, str]:
    """What a container's command sees, of what it is given."""
    deployment = deployment_of(project(root, CODE, PAGE), **choices)
    environment = jinja2.Environment(
        loader=jinja2.FileSystemLoader(ROOT), trim_blocks=True, keep_trailing_newline=True
    )
    template = environment.get_template("template/deploy/entrypoint.sh.jinja")
    script = root / "entrypoint.sh"
    script.write_text(template.render(deployment.context))
    shell = shutil.which("dash") or "/bin/sh"
    result = subprocess.run(
        [shell, str(script), "env", "-0"],
        env={"PATH": "/usr/local/bin:/usr/bin:/bin", **given},
        cwd=root,
        capture_output=True,
        check=True,
    )
    assert result.stderr == b""
    return dict(item.split("=", 1) for item in result.stdout.decode().split("\0") if item)


def test_a_domain_fills_all_of_them(tmp_path: Path) -> None:
    (tmp_path / "project").mkdir()
    found = filled(
        tmp_path / "project",
        {"SITE_URLS": "https://shop.io, www.shop.io", "BACKEND_URL": "http://api:8000"},
    )
    hosts = found["ALLOWED_HOSTS"].split(",")
    assert hosts[:4] == ["shop.io", "www.shop.io", "localhost", "127.0.0.1"]
    assert hosts[-3:] == ["app", "frontend", "api"]
    assert found["DJANGO_ALLOWED_HOSTS"].split(" ") == hosts
    assert found["CORS_ORIGINS"] == '["https://shop.io","https://www.shop.io"]'
    assert found["CSRF_TRUSTED_ORIGINS"] == "https://shop.io,https://www.shop.io"
    assert found["FRONTEND_URL"] == found["BASE_URL"] == found["NEXTAUTH_URL"] == "https://shop.io"
    assert found["API_URL"] == "http://api:8000/api/v1"


def test_without_a_domain_the_ports_count(tmp_path: Path) -> None:
    given = "https://localhost:127.0.0.1:8443,http://localhost:80"
    found = filled(tmp_path, {"SITE_URLS": given})
    assert found["ALLOWED_HOSTS"] == "*"
    assert found["CORS_ORIGINS"] == '["https://localhost:8443","http://localhost"]'
    assert found["FRONTEND_URL"] == "https://localhost:8443"
    assert "API_URL" not in found


def test_the_user_s_own_value_wins(tmp_path: Path) -> None:
    given = {"SITE_URLS": "https://shop.io", "FRONTEND_URL": "https://x.io", "CORS_ORIGINS": "[]"}
    found = filled(tmp_path, given)
    assert (found["FRONTEND_URL"], found["CORS_ORIGINS"]) == ("https://x.io", "[]")


def test_nothing_is_filled_of_nothing(tmp_path: Path) -> None:
    found = filled(tmp_path, {})
    assert not {"ALLOWED_HOSTS", "CORS_ORIGINS", "FRONTEND_URL", "BASE_URL"} & found.keys()


def test_an_api_of_a_platform_has_an_address_of_its_own(tmp_path: Path) -> None:
    given = {"SITE_URLS": "https://web.onrender.com", "RENDER_EXTERNAL_URL": "https://api.run"}
    found = filled(tmp_path, given, targets=["render"])
    assert found["ALLOWED_HOSTS"].startswith("web.onrender.com,api.run,localhost")
    assert (found["FRONTEND_URL"], found["BASE_URL"]) == (given["SITE_URLS"], "https://api.run")


def test_tests_of_a_pipeline_find_what_is_required(tmp_path: Path) -> None:
    api = stack_of(facts := project(tmp_path, CODE, PAGE)).apps[0]
    found = app_environment(api, stack_of(facts), beside=True)
    assert found["ALLOWED_HOSTS"] == "localhost"
    assert found["CORS_ORIGINS"] == '["http://localhost"]'
    assert "SITE_URLS" not in found


BROWSER = (
    "const a = process.env.NEXT_PUBLIC_API_URL ?? 'http://localhost:8000/api/v1'\n"
    "const b = process.env.NEXT_PUBLIC_WS_URL ?? 'ws://localhost:8000/ws'\n"
    "const c = process.env.NEXT_PUBLIC_SITE_URL ?? 'http://localhost:3000'\n"
    "const d = process.env.NEXT_PUBLIC_BACKEND_URL ?? 'http://localhost:8000'\n"
    "const e = process.env.NEXT_PUBLIC_MAPS_URL ?? 'http://localhost:9000'\n"
    "const f = process.env.NEXT_PUBLIC_SERVER_URL ?? 'https://api.elsewhere.io'\n"
    "export default () => <p>{a}{b}{c}{d}{e}{f}</p>\n"
)


def test_what_browsers_see_is_built_in(tmp_path: Path) -> None:
    stack = stack_of(project(tmp_path, page=BROWSER))
    assert {v.name: v.public_at("shop.io") for v in stack.api_urls} == {
        "NEXT_PUBLIC_API_URL": "https://shop.io/api/v1",
        "NEXT_PUBLIC_WS_URL": "wss://shop.io/ws",
        "NEXT_PUBLIC_SITE_URL": "https://shop.io",
        "NEXT_PUBLIC_BACKEND_URL": "https://shop.io",
    }
    assert not stack.addresses


def test_what_a_committed_file_says_is_left_alone(tmp_path: Path) -> None:
    committed = {"frontend/.env.production": "NEXT_PUBLIC_SITE_URL=https://shop.io\n"}
    stack = stack_of(project(tmp_path, page=BROWSER, **committed))
    assert "NEXT_PUBLIC_SITE_URL" not in {variable.name for variable in stack.api_urls}


def test_platforms_build_in_each_address(tmp_path: Path) -> None:
    deployment = deployment_of(project(tmp_path, page=BROWSER), targets=["fly", "render"])
    fly, render = (deployment.surfaces[name] for name in ("fly", "render"))
    assert isinstance(fly, ManagedPlatform) and isinstance(render, ManagedPlatform)
    found = {source.name: source.value for source in fly.settings(fly.apps[1]) if source.build}
    assert found["NEXT_PUBLIC_API_URL"] == "https://demo.fly.dev/api/v1"
    assert found["NEXT_PUBLIC_WS_URL"] == "wss://demo.fly.dev/ws"
    assert found["NEXT_PUBLIC_SITE_URL"] == "https://demo-frontend.fly.dev"
    by_name = {source.name: source for source in render.settings(render.apps[1])}
    # Render gives another service's address as it is.
    assert by_name["NEXT_PUBLIC_BACKEND_URL"].output == "RENDER_EXTERNAL_URL"
    assert by_name["NEXT_PUBLIC_API_URL"].by_hand and by_name["NEXT_PUBLIC_API_URL"].required
    assert by_name["NEXT_PUBLIC_SITE_URL"].optional


@pytest.mark.parametrize("name", ["VITE_API_URL", "REACT_APP_BACKEND_URL", "VITE_API_BASE_URL"])
def test_other_frameworks_call_them_otherwise(name: str) -> None:
    row = row_of(name)
    assert row and row.holds == "api" and is_public(name)


@pytest.mark.parametrize("name", ["VITE_API_KEY", "NEXT_PUBLIC_APP_NAME", "VITE_SENTRY_URL"])
def test_others_are_none(name: str) -> None:
    assert row_of(name) is None


def test_a_settings_class_has_a_prefix(tmp_path: Path) -> None:
    code = (
        "from pydantic_settings import BaseSettings, SettingsConfigDict\n"
        "class Settings(BaseSettings):\n"
        '    model_config = SettingsConfigDict(env_prefix="SHOP_")\n'
        "    cors_origins: list[str] = []\n    base_url: str\n"
        'S = Settings()\nX = os.getenv("STRIPE_API_URL", "http://localhost:9000")'
    )
    facts = project(tmp_path, code)
    assert facts["fastapi"]["addresses"] == [
        "SHOP_BASE_URL=url",
        "SHOP_CORS_ORIGINS=origins-json",
    ]
    assert [address.name for address in stack_of(facts).addresses] == ["SHOP_BASE_URL"]


@pytest.mark.parametrize(
    ("code", "form"),
    [
        (
            "from decouple import config, Csv\n"
            "ALLOWED_HOSTS = config('ALLOWED_HOSTS', default='localhost', cast=Csv())",
            "comma",
        ),
        (
            "import environ\nenv = environ.Env()\n"
            "ALLOWED_HOSTS = env.list('ALLOWED_HOSTS', default=['localhost'])",
            "comma",
        ),
        (
            "from environs import Env\nenv = Env()\nALLOWED_HOSTS = env.json('ALLOWED_HOSTS')",
            "json",
        ),
        (
            "ALLOWED_HOSTS = os.environ.get('ALLOWED_HOSTS', 'localhost 127.0.0.1').split(' ')",
            "space",
        ),
        ("ALLOWED_HOSTS = [os.environ['ALLOWED_HOSTS']]", "one"),
    ],
)
def test_libraries_of_settings_tell_the_form(code: str, form: str, tmp_path: Path) -> None:
    assert project(tmp_path, code)["fastapi"]["addresses"] == [f"ALLOWED_HOSTS=hosts-{form}"]
