"""What the proxy answers to requests that no browser would send, and whose word it takes."""

from __future__ import annotations

import http.client
import json
import re
import socket
import ssl
import subprocess
from collections.abc import Iterator

import pytest

from tests.e2e.stacks import Stack, run
from tests.e2e.test_deploy import deploy, deployed, in_service, serving, write_version
from tests.projects.compose import compose
from tests.runs import build

NAME = "e2e-proxy"
DOMAIN = "app.example.com"
FETCH = "fetch('{url}', {{headers: {headers}}}).then(r => r.text()).then(console.log)"
UPLOAD = """
const h2 = require('http2').connect('https://caddy', {servername: 'localhost',
    rejectUnauthorized: false});
const request = h2.request({':method': 'POST', ':path': '/', ':authority': 'localhost'});
request.on('response', headers => { console.log(headers[':status']); process.exit() });
request.on('error', error => { console.log(error.message); process.exit() });
request.end(Buffer.alloc(3000000));
"""


@pytest.fixture(scope="module")
def site(tmp_path_factory: pytest.TempPathFactory) -> Iterator[Stack]:
    """FastAPI and Next.js under two names, with limits that a test can wait for."""
    folder = compose("e2e-web-app", tmp_path_factory.mktemp("proxy") / "project")
    build(folder, "--set", f"name={NAME}")
    stack = Stack(folder)
    file = folder / "docker-compose.prod.yml"
    split = file.read_text()
    try:
        stack.write_env(
            SITE_ADDRESS=f"http://{DOMAIN}, localhost", UPLOAD_TIMEOUT="3s", MAX_REQUEST_BODY="1MB"
        )
        write_version(stack, "first")
        # As an earlier version of these files had it: all in one network.
        file.write_text(_in_one_network(split))
        deployed(stack)
        file.write_text(split)
        write_version(stack, "second")
        deployed(stack)
        yield stack
    finally:
        file.write_text(split)
        stack.remove()
        for app in ("app", "frontend"):
            images = run("docker", "image", "ls", "-q", f"{NAME}-{app}").split()
            subprocess.run(["docker", "image", "rm", "-f", *set(images)], check=False)


def _in_one_network(text: str) -> str:
    text = text.replace("    networks: [frontend]\n", "    networks: [web]\n")
    text = re.sub(r"      web:\n      frontend: (\{aliases.*\}).*", r"      web: \1", text)
    return text.replace("  web:\n  frontend:\n", "  web:\n")


def _plain(stack: Stack, request: str) -> bytes:
    """The first line that a request gets, word for word, at the port for plain HTTP."""
    with socket.create_connection(("127.0.0.1", stack.http_port), timeout=60) as connection:
        connection.sendall(request.replace("\n", "\r\n").encode())
        return connection.makefile("rb").readline()


def _secure(stack: Stack, path: str, **headers: str) -> http.client.HTTPResponse:
    context = ssl._create_unverified_context()
    connection = http.client.HTTPSConnection("localhost", stack.https_port, context=context)
    connection.request("GET", path, headers=headers)
    return connection.getresponse()


def test_a_proxy_of_older_files_joins_the_networks_of_newer_ones(site: Stack) -> None:
    assert serving(site) == "second"
    assert site.request("/api/health").status == 200
    containers = site.containers()
    networks = {n: set(c["NetworkSettings"]["Networks"]) for n, c in containers.items()}
    assert networks["app"] & networks["frontend"] == set()
    assert networks["frontend"] < networks["caddy"]


def test_a_body_that_comes_too_slowly_is_ended(site: Stack) -> None:
    with socket.create_connection(("127.0.0.1", site.http_port)) as connection:
        head = f"POST /api/v1/version HTTP/1.1\r\nHost: {DOMAIN}\r\nContent-Length: 600\r\n\r\n"
        connection.sendall(head.encode())
        connection.settimeout(1)
        sent, answer = 0, b""
        while sent < 600 and not answer:
            connection.sendall(b"x")
            sent += 1
            try:
                answer = connection.recv(4096) or b"closed"
            except TimeoutError:
                pass
            except ConnectionError:
                answer = b"closed"
    assert answer
    assert sent < 600


def test_a_long_answer_is_not_ended_with_that(site: Stack) -> None:
    answer = site.request("/api/v1/stream/12")
    assert answer.body.split() == [str(number) for number in range(12)]


def test_another_name_gets_no_site(site: Stack) -> None:
    assert b" 421 " in _plain(site, "GET / HTTP/1.1\nHost: other.example.com\n\n")
    assert b" 421 " in _plain(site, "GET / HTTP/1.0\n\n")
    assert _secure(site, "/", Host="other.example.com").status == 421
    assert _secure(site, "/").status == 200


def test_a_tunnel_is_refused(site: Stack) -> None:
    request = f"CONNECT {DOMAIN}:443 HTTP/1.1\nHost: {DOMAIN}:443\n\n"
    assert b" 405 " in _plain(site, request)
    assert b" 421 " in _plain(site, request.replace(DOMAIN, "other.example.com"))


def test_an_upload_over_the_limit_by_http_2_is_a_413(site: Stack) -> None:
    assert site.compose("exec", "-T", "frontend", "node", "-e", UPLOAD).strip() == "413"


@pytest.mark.parametrize("path", ["/", "/api/v1/version", "/api/v1/none"])
def test_no_answer_names_the_software(site: Stack, path: str) -> None:
    names = {name.lower() for name in site.request(path).headers}
    assert not names & {"server", "x-powered-by", "via"}


def test_an_app_takes_the_proxy_s_word_alone(site: Stack) -> None:
    headers = json.dumps({"X-Forwarded-For": "192.0.2.1", "X-Forwarded-Proto": "https"})
    frontend = ("exec", "-T", "frontend", "node", "-e")
    asked = FETCH.format(url="http://api:8000/api/v1/client", headers=headers)
    told = json.loads(site.compose(*frontend, asked))
    assert (told["host"] != "192.0.2.1", told["scheme"]) == (True, "http")
    with pytest.raises(AssertionError, match=r"ENOTFOUND|EAI_AGAIN|ENODATA"):
        site.compose(*frontend, asked.replace("//api:", "//app:"))


def test_an_app_that_is_away_is_a_502_without_a_name(site: Stack) -> None:
    site.compose("stop", "app")
    answer = site.request("/api/v1/version")
    site.compose("start", "app")
    site.compose("up", "-d", "--wait", "app")
    assert (answer.status, answer.body) == (502, "502 Bad Gateway")
    assert "Server" not in answer.headers


def test_a_version_that_the_proxy_does_not_reach_fails(site: Stack) -> None:
    """Healthy inside its container, as it listens there alone."""
    in_service(site, "good")
    file = site.folder / "Dockerfile.prod"
    before = file.read_text()
    file.write_text(before.replace('"0.0.0.0"', '"127.0.0.1"'))
    write_version(site, "alone")
    code, output = deploy(site, "--no-backup")
    file.write_text(before)
    assert (code, "The proxy does not reach app" in output) == (1, True), output
    assert serving(site) == "good"


def test_a_caddyfile_that_leads_nowhere_fails_and_goes_back(site: Stack) -> None:
    in_service(site, "good")
    file = site.folder / "deploy/Caddyfile"
    before = file.read_text()
    file.write_text(before.replace("import to app 8000", "import to app 8001"))
    code, output = deploy(site, "--no-backup")
    file.write_text(before)
    assert (code, "The proxy answers 502 for app" in output) == (1, True), output
    assert "Failed while asking the proxy" in output
    assert serving(site) == "good"


def test_a_deployment_ends_with_the_address(site: Stack) -> None:
    write_version(site, "last")
    output = deployed(site, "--no-backup")
    (line,) = [line for line in output.splitlines() if line.startswith("Version ")]
    address = f"http://{DOMAIN}:{site.http_port}"
    assert re.fullmatch(rf"Version \S+ is in service at {address} after \d+ s\.", line)
