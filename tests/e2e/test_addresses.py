"""Apps that read the site's address, and each other's: nothing has to be set for them."""

from __future__ import annotations

import json
import subprocess
from pathlib import Path

from tests.e2e.first_deployment import copy_app, first_deployment


def allowed_origin(url: str, origin: str) -> str:
    """What the API answers a page of another origin."""
    command = ["curl", "-ksi", "-H", f"Origin: {origin}", url]
    answer = subprocess.run(command, check=True, capture_output=True, text=True).stdout
    lines = [line for line in answer.lower().splitlines() if "access-control-allow-origin" in line]
    return lines[0].partition(": ")[2].strip() if lines else ""


def test_without_a_domain_the_ports_of_the_settings_count(tmp_path: Path) -> None:
    with first_deployment(copy_app("addresses-of-two", tmp_path / "addresses-plain")) as stack:
        site = f"https://localhost:{stack.https_port}"
        found = stack.get("/")
        assert (found["site"], found["status"]) == (site, 200)
        api = found["api"]
        assert api["backend_cors_origins"] == [site, f"http://localhost:{stack.http_port}"]
        assert (api["frontend_url"], api["base_url"]) == (site, f"{site}/api")
        health = f"{site}/api/health"
        assert allowed_origin(health, f"http://localhost:{stack.http_port}") != ""
        assert allowed_origin(health, "https://elsewhere.io") == ""


def test_a_domain_and_the_user_s_own_value(tmp_path: Path) -> None:
    settings = {
        "DOMAIN": "shop.localhost",
        "MORE_DOMAINS": "www.shop.localhost",
        "APP_URL": "https://cdn.io",
    }
    project = copy_app("addresses-of-two", tmp_path / "addresses-domain")
    with first_deployment(project, settings=settings) as stack:
        host = f"shop.localhost:{stack.https_port}:127.0.0.1"
        command = ["curl", "-ks", "--resolve", host, f"https://shop.localhost:{stack.https_port}/"]
        result = subprocess.run(command, check=True, capture_output=True, text=True)
        found = json.loads(result.stdout)
        assert (found["site"], found["status"]) == ("https://cdn.io", 200)
        origins = ["https://shop.localhost", "https://www.shop.localhost"]
        assert found["api"]["backend_cors_origins"] == origins
        hosts = found["api"]["allowed_hosts"].split(",")
        assert hosts[:3] == ["shop.localhost", "www.shop.localhost", "localhost"]
        refused = ["curl", "-ks", "-H", "Host: other.io", "-o", "/dev/null", "-w", "%{http_code}"]
        url = f"https://shop.localhost:{stack.https_port}/api/health"
        code = subprocess.run([*refused, "--resolve", host, url], check=False, capture_output=True)
        assert code.stdout in {b"421", b"400"}


def lock(project: Path) -> None:
    """The lockfiles of both apps, without the addresses of a registry."""
    for folder in (project, project / "frontend"):
        command = ["npm", "install", "--package-lock-only", "--omit-lockfile-registry-resolved"]
        subprocess.run([*command, "--no-audit", "--no-fund"], cwd=folder, check=True)


def test_an_api_on_node_beside_pages(tmp_path: Path) -> None:
    project = copy_app("node-api-and-pages", tmp_path / "node-api-and-pages")
    with first_deployment(project, prepare=lock) as stack:
        site = f"https://localhost:{stack.https_port}"
        page = subprocess.run(
            ["curl", "-ks", f"{site}/"], check=True, capture_output=True, text=True
        ).stdout.replace("<!-- -->", "")
        assert '<p id="server">Ada</p>' in page
        assert f'<p id="site">{site}</p>' in page
        assert f'<p id="api">{site}/api/v1</p>' in page
        assert f'<p id="socket">{site.replace("https", "wss")}/ws</p>' in page
        assert stack.get("/api/v1/users") == [{"id": 1, "name": "Ada"}]
        assert stack.get("/health") == {"status": "ok"}
        assert stack.get("/api/v1/origins")[0] == site
