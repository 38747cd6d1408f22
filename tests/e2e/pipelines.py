"""Runs the jobs of generated pipelines as their platforms do: what they say, word for word.

A runner's own work (a checkout, a login, artifacts) is done here; every command is the pipeline's.
"""

from __future__ import annotations

import base64
import itertools
import json
import os
import re
import shutil
import socket
import subprocess
import sys
import urllib.error
import urllib.request
from collections.abc import Iterator, Mapping
from contextlib import contextmanager
from dataclasses import dataclass, field
from functools import partial
from pathlib import Path
from typing import Any

import bcrypt
import yaml

from tests.downloads import patient
from tests.e2e.engines import second_engine
from tests.e2e.stacks import eventually, fixed_ports, free_port, run

REPOSITORY = Path(__file__).parents[2]
USER, PASSWORD = "robot", "p@ss w0rd"
_OWN = REPOSITORY / ".venv/bin"
# The public repository is this one.
_GIT = {
    "GIT_CONFIG_COUNT": "2",
    "GIT_CONFIG_KEY_0": f"url.file://{REPOSITORY}.insteadOf",
    "GIT_CONFIG_VALUE_0": "https://github.com/Gonzillaaa/spinbox-deploy",
    "GIT_CONFIG_KEY_1": "safe.directory",
    "GIT_CONFIG_VALUE_1": "*",
}


class JobError(Exception):
    """A command of a job failed; what it printed."""


@dataclass
class Run:
    """One run of a pipeline.

    Attributes:
        folder: The repository's checkout.
        docker: The address of the runner's engine.
        ref: `refs/heads/main`, `refs/tags/v1.2.3`, `refs/pull/1/merge`.
        event: GitHub's name of what started it.
        variables: Variables of the repository, and secrets.
        output: What every job printed.
        failed: Jobs that failed.
        ended: Jobs that succeeded, or are taken to have.
    """

    folder: Path
    docker: str
    ref: str = "refs/heads/main"
    event: str = "push"
    variables: Mapping[str, str] = field(default_factory=dict)
    output: str = ""
    failed: list[str] = field(default_factory=list)
    ended: list[str] = field(default_factory=list)

    @property
    def commit(self) -> str:
        return run("git", "rev-parse", "HEAD", cwd=self.folder).strip()

    @property
    def ref_name(self) -> str:
        return self.ref.split("/", 2)[2]

    @property
    def ref_type(self) -> str:
        return "tag" if self.ref.startswith("refs/tags/") else "branch"

    def machine(self) -> dict[str, str]:
        """The environment of a runner: uv and Docker are installed, nobody is logged in."""
        tools, config = self.folder.parent / "tools", self.folder.parent / "docker-config"
        if not tools.exists():
            tools.mkdir()
            for name in ("uv", "uvx"):
                (tools / name).symlink_to(_OWN / name)
            config.mkdir()
            if "DOCKER_CONFIG" in os.environ:
                plugins = Path(os.environ["DOCKER_CONFIG"], "cli-plugins")
                (config / "cli-plugins").symlink_to(plugins)
        kept = ("HOME", "LANG", "SSL_CERT_FILE", "PIP_CERT", "NODE_EXTRA_CA_CERTS")
        path = [entry for entry in os.environ["PATH"].split(":") if entry != str(_OWN)]
        return {name: os.environ[name] for name in kept if name in os.environ} | {
            "PATH": ":".join([str(tools), *path]),
            "DOCKER_HOST": self.docker,
            "DOCKER_CONFIG": str(config),
            "CI": "true",
            **_GIT,
        }

    def shell(self, command: list[str], cwd: Path, variables: dict[str, str]) -> None:
        """Run a script of a job.

        Raises:
            JobError: It ended with an error.
        """
        result = patient(
            lambda: subprocess.run(
                command,
                cwd=cwd,
                env=self.machine() | variables,
                stdin=subprocess.DEVNULL,
                stdout=subprocess.PIPE,
                stderr=subprocess.STDOUT,
                text=True,
                check=False,
            )
        )
        self.output += result.stdout
        if result.returncode != 0:
            raise JobError(self.output[-6000:])


class GitHub(Run):
    """A run of a workflow of GitHub Actions."""

    def workflow(self, path: Path, **inputs: str) -> None:
        """Run every job whose needs are met and whose condition holds."""
        document = yaml.safe_load(path.read_text())
        outputs: dict[str, dict[str, str]] = {}
        for name, job in document["jobs"].items():
            needed = job.get("needs", [])
            needed = [needed] if isinstance(needed, str) else needed
            context = self._context(inputs) | {
                f"needs.{n}.{k}": v for n in outputs for k, v in outputs[n].items()
            }
            if name in self.ended or not all(n in self.ended for n in needed):
                continue
            if "if" in job and not evaluate(job["if"], context):
                continue
            try:
                for values in _matrix_of_github(job.get("strategy", {}).get("matrix", {})):
                    found = self._job(
                        document, job, context | {f"matrix.{k}": v for k, v in values.items()}
                    )
                outputs[name] = found
                self.ended.append(name)
            except JobError:
                self.failed.append(name)

    def _context(self, inputs: Mapping[str, str]) -> dict[str, Any]:
        return {
            "github.ref": self.ref,
            "github.ref_type": self.ref_type,
            "github.event_name": self.event,
            "github.event.repository.visibility": "private",
            "github.actor": USER,
            "github.token": PASSWORD,
            "runner.temp": str(self.folder.parent),
            **{f"inputs.{key}": value for key, value in inputs.items()},
            **{f"vars.{key}": value for key, value in self.variables.items()},
            **{f"secrets.{key}": value for key, value in self.variables.items()},
        }

    def _job(
        self, document: dict[str, Any], job: dict[str, Any], context: dict[str, Any]
    ) -> dict[str, str]:
        files = {
            name: self.folder.parent / name.lower() for name in ("GITHUB_ENV", "GITHUB_OUTPUT")
        }
        summary = self.folder.parent / "summary"
        variables = {
            "GITHUB_REPOSITORY": "Acme/Shop",
            "GITHUB_SHA": self.commit,
            "GITHUB_REF": self.ref,
            "GITHUB_REF_NAME": self.ref_name,
            "GITHUB_REF_TYPE": self.ref_type,
            "GITHUB_EVENT_NAME": self.event,
            "GITHUB_WORKSPACE": str(self.folder),
            "GITHUB_STEP_SUMMARY": str(summary),
            "RUNNER_TEMP": str(self.folder.parent),
            **{name: str(path) for name, path in files.items()},
        }
        for path in (*files.values(), summary):
            path.write_text("")
        variables |= _filled(job.get("env", {}), context)
        # A job's own defaults replace the workflow's, all of them.
        defaults = {**document, **job}.get("defaults", {}).get("run", {})
        shell = ["bash", "-e"]
        if defaults.get("shell") == "bash":
            shell = ["bash", "--noprofile", "--norc", "-eo", "pipefail"]
        with fixed_ports(), services(job.get("services", {}), published=True):
            for step in job["steps"]:
                context |= {f"env.{key}": value for key, value in variables.items()}
                if "if" in step and not evaluate(step["if"], context):
                    continue
                if "uses" in step:
                    self._use(
                        step["uses"].split("@")[0],
                        _filled(step.get("with", {}), context),
                        variables,
                    )
                    continue
                script = self.folder.parent / "script"
                script.write_text(step["run"])
                folder = step.get("working-directory", defaults.get("working-directory", "."))
                environment = variables | _filled(step.get("env", {}), context)
                self.shell([*shell, str(script)], self.folder / folder, environment)
                variables |= _pairs(files["GITHUB_ENV"])
                if "id" in step:
                    found = _pairs(files["GITHUB_OUTPUT"])
                    context |= {f"steps.{step['id']}.outputs.{key}": found[key] for key in found}
        return {f"outputs.{k}": str(v) for k, v in _filled(job.get("outputs", {}), context).items()}

    def _use(self, action: str, given: dict[str, str], variables: dict[str, str]) -> None:
        if action == "docker/login-action":
            words = ["docker", "login", "--username", given["username"], given["registry"]]
            self.shell([*words, "--password", given["password"]], self.folder, {})
        elif action == "astral-sh/setup-uv" and "python-version" in given:
            variables["UV_PYTHON"] = python_version(given["python-version"])
        # The rest is the machine's: the checkout, artifacts (they stay where they are), Buildx.


class GitLab(Run):
    """A run of a pipeline of GitLab CI/CD."""

    def pipeline(self, path: Path, *names: str) -> None:
        """Run the named jobs, or all that are not started by hand, where their needs are met."""
        document = yaml.safe_load(path.read_text())
        for name in names or [key for key in document if not key.startswith(".")]:
            job = self._extended(document, name)
            rule = self._rule(job)
            if rule is None or (not names and rule.get("when") == "manual"):
                continue
            if not all(needed in self.ended for needed in job.get("needs", ())):
                continue
            try:
                for row in job.get("parallel", {}).get("matrix", [{}]):
                    for values in _crossed(row):
                        self._job(job, {**rule.get("variables", {}), **values})
                self.ended.append(name)
            except JobError:
                self.failed.append(name)

    def _extended(self, document: dict[str, Any], name: str) -> dict[str, Any]:
        job = document[name]
        if "extends" not in job:
            return dict(job)
        below = self._extended(document, job["extends"])
        merged = {**below.get("variables", {}), **job.get("variables", {})}
        return {**below, **job, "variables": merged}

    def _rule(self, job: dict[str, Any]) -> dict[str, Any] | None:
        conditions = {
            '$CI_PIPELINE_SOURCE == "merge_request_event"': self.event == "pull_request",
            "$CI_COMMIT_BRANCH == $CI_DEFAULT_BRANCH": self.ref == "refs/heads/main",
            "$CI_COMMIT_TAG =~ /^v/": self.ref.startswith("refs/tags/v"),
        }
        return next((rule for rule in job["rules"] if conditions[rule["if"]]), None)

    def _job(self, job: dict[str, Any], more: dict[str, str]) -> None:
        tag = self.ref_name if self.ref_type == "tag" else ""
        known = {
            "CI": "true",
            "CI_PROJECT_DIR": str(self.folder),
            "CI_COMMIT_SHA": self.commit,
            "CI_COMMIT_TAG": tag,
            "CI_COMMIT_REF_NAME": self.ref_name,
            "CI_REGISTRY_USER": USER,
            "CI_REGISTRY_PASSWORD": PASSWORD,
            **self.variables,
            **more,
        }
        variables = dict(known)
        for key, value in job.get("variables", {}).items():
            variables[key] = re.sub(r"\$(\w+)", lambda m: str(variables.get(m[1], "")), value)
        # The runner's engine is the one at hand, not one that a service brings.
        for key in [key for key in variables if key.startswith("DOCKER_")]:
            del variables[key]
        script = "set -eo pipefail\n" + "\n".join(job["script"]) + "\n"
        if "docker:" in job["image"]:
            self.shell(["busybox", "sh", "-c", script], self.folder, variables)
            return
        with services(
            {
                s["alias"]: {"image": s["name"], "env": s.get("variables", {})}
                for s in job.get("services", ())
            }
        ) as network:
            environment = [
                word for key, value in variables.items() for word in ("--env", f"{key}={value}")
            ]
            mounts = ["--volume", f"{self.folder}:{self.folder}", "--workdir", str(self.folder)]
            git = [word for key, value in _GIT.items() for word in ("--env", f"{key}={value}")]
            mounts += ["--volume", f"{REPOSITORY}:{REPOSITORY}:ro"]
            command = [
                "docker",
                "run",
                "--rm",
                "--network",
                network,
                *mounts,
                *environment,
                *git,
                job["image"],
            ]
            self.shell(
                [*command, "bash" if "alpine" not in job["image"] else "sh", "-c", script],
                self.folder,
                {"DOCKER_HOST": os.environ.get("DOCKER_HOST", "")},
            )


def _matrix_of_github(matrix: Mapping[str, Any]) -> list[dict[str, str]]:
    """The rows of a matrix, of which ours have either `include` or lists of values."""
    included: list[dict[str, str]] = matrix.get("include", [])
    return included or list(_crossed(matrix))


def _crossed(row: Mapping[str, str | list[str]]) -> Iterator[dict[str, str]]:
    """Every combination of a row's values, where these are lists."""
    lists = [value if isinstance(value, list) else [value] for value in row.values()]
    yield from (dict(zip(row, values, strict=True)) for values in itertools.product(*lists))


def evaluate(expression: str, context: Mapping[str, Any]) -> Any:
    """The value of an expression of GitHub's: comparisons, `!`, `||` and `&&`."""
    text = re.sub(r"^\$\{\{ *(.*?) *\}\}$", r"\1", expression)
    text = text.replace("||", " or ").replace("&&", " and ")
    text = re.sub(r"!(?!=)", " not ", text)
    parts = re.split(r"('[^']*')", text)
    names = re.compile(r"\b[a-z]+(?:\.[\w-]+)+\b")
    text = "".join(
        p if p.startswith("'") else names.sub(lambda m: repr(context.get(m[0], "")), p)
        for p in parts
    )
    functions = {"__builtins__": {}, "startsWith": lambda whole, part: str(whole).startswith(part)}
    return eval(text, functions)


def _filled(mapping: Mapping[str, Any], context: Mapping[str, Any]) -> dict[str, str]:
    def fill(value: Any) -> str:
        def expression(match: re.Match[str]) -> str:
            found = evaluate(match[0], context)
            return str(found).lower() if isinstance(found, bool) else str(found)

        return re.sub(r"\$\{\{.*?\}\}", expression, str(value))

    return {key: fill(value) for key, value in mapping.items()}


def _pairs(file: Path) -> dict[str, str]:
    return dict(line.split("=", 1) for line in file.read_text().splitlines())


def python_version(wanted: str) -> str:
    """That version, where this machine has it; else this one's, as nothing can be fetched here."""
    found = subprocess.run(
        [REPOSITORY / ".venv/bin/uv", "python", "find", "--no-project", wanted], capture_output=True
    )
    return wanted if found.returncode == 0 else f"{sys.version_info[0]}.{sys.version_info[1]}"


@contextmanager
def services(wanted: Mapping[str, Any], *, published: bool = False) -> Iterator[str]:
    """Services of a job: on ports of this machine, or by name on a network of their own."""
    network = f"e2e-pipeline-{os.getpid()}"
    names = []
    run("docker", "network", "create", network)
    try:
        for name, service in wanted.items():
            words = [
                "docker",
                "run",
                "--detach",
                "--name",
                f"{network}-{name}",
                "--network",
                network,
            ]
            words += ["--network-alias", name]
            for key, value in service.get("env", {}).items():
                words += ["--env", f"{key}={value}"]
            if published:
                words += [
                    w for port in service["ports"] for w in ("--publish", f"127.0.0.1:{port}")
                ]
                words += [
                    part.strip('"') for part in re.findall(r'"[^"]*"|[^ \n]+', service["options"])
                ]
            names.append(f"{network}-{name}")
            run(*words, service["image"])
        for name in names:
            eventually(partial(_is_ready, name, published=published))
        yield network
    finally:
        for name in names:
            subprocess.run(["docker", "rm", "--force", "--volumes", name], capture_output=True)
        subprocess.run(["docker", "network", "rm", network], capture_output=True)


def _is_ready(container: str, *, published: bool) -> bool:
    """As GitHub sees it, by its health; as GitLab does, by a port that answers."""
    inspected = json.loads(run("docker", "inspect", container))[0]
    if published:
        return bool(inspected["State"]["Health"]["Status"] == "healthy")
    (network,) = inspected["NetworkSettings"]["Networks"].values()
    ports = [int(port.partition("/")[0]) for port in inspected["Config"]["ExposedPorts"]]
    with socket.create_connection((network["IPAddress"], ports[0]), timeout=1):
        return True


@contextmanager
def runner_engine(folder: Path, images: list[str]) -> Iterator[str]:
    """A runner's engine, which can attest: the one at hand, or a second one beside the lab's."""
    present = run("docker", "info", "--format", "{{json .DriverStatus}}")
    if "containerd.snapshotter" in present:
        yield os.environ.get("DOCKER_HOST", "unix:///var/run/docker.sock")
        return
    settings = {"features": {"containerd-snapshotter": True}}
    with second_engine(folder, "e2epipeline", 213, images, settings) as host:
        yield host


@contextmanager
def registry(folder: Path) -> Iterator[str]:
    """A registry that asks for a password; its host and port."""
    folder.mkdir(parents=True)
    hashed = bcrypt.hashpw(PASSWORD.encode(), bcrypt.gensalt(5)).decode()
    (folder / "htpasswd").write_text(f"{USER}:{hashed}\n")
    settings = {
        "REGISTRY_AUTH": "htpasswd",
        "REGISTRY_AUTH_HTPASSWD_REALM": "tests",
        "REGISTRY_AUTH_HTPASSWD_PATH": "/auth/htpasswd",
    }
    environment = [word for key in settings for word in ("--env", f"{key}={settings[key]}")]
    with open_registry(*environment, "--volume", f"{folder}:/auth:ro") as address:
        yield address


@contextmanager
def open_registry(*options: str) -> Iterator[str]:
    """A registry for everybody, unless options of `docker run` change that; its host and port."""
    port = free_port()
    name = f"e2e-registry-{os.getpid()}-{port}"
    publish = ["--publish", f"127.0.0.1:{port}:5000"]
    run("docker", "run", "--detach", "--name", name, *options, *publish, "registry:2")
    try:
        eventually(lambda: listing(f"127.0.0.1:{port}", "") == {})
        yield f"127.0.0.1:{port}"
    finally:
        subprocess.run(["docker", "rm", "--force", "--volumes", name], capture_output=True)


def listing(address: str, path: str) -> Any:
    """What the registry's API says (distribution.github.io, "HTTP API V2"); None where nothing."""
    login = base64.b64encode(f"{USER}:{PASSWORD}".encode()).decode()
    accepted = "application/vnd.oci.image.index.v1+json, application/vnd.oci.image.manifest.v1+json"
    request = urllib.request.Request(
        f"http://{address}/v2/{path}",
        headers={"Authorization": f"Basic {login}", "Accept": accepted},
    )
    try:
        with urllib.request.urlopen(request, timeout=30) as response:
            return json.loads(response.read())
    except urllib.error.HTTPError:
        return None


@contextmanager
def ssh_server(folder: Path) -> Iterator[dict[str, str]]:
    """A server on this machine; the settings to reach it as this user."""
    daemon = shutil.which("sshd") or "/usr/sbin/sshd"
    folder.mkdir(parents=True, mode=0o700)
    for name in ("host", "key"):
        run("ssh-keygen", "-q", "-t", "ed25519", "-N", "", "-f", folder / name)
    (folder / "authorized_keys").write_text(f"restrict {(folder / 'key.pub').read_text()}")
    port = free_port()
    kept = ("PATH", "DOCKER_HOST", "DOCKER_CONFIG")
    environment = " ".join(f"{name}={os.environ[name]}" for name in kept if name in os.environ)
    (folder / "config").write_text(
        f"Port {port}\nListenAddress 127.0.0.1\nHostKey {folder}/host\nPidFile none\n"
        f"AuthorizedKeysFile {folder}/authorized_keys\nStrictModes no\nUsePAM no\n"
        f"PasswordAuthentication no\nSetEnv {environment}\n"
    )
    Path("/run/sshd").mkdir(exist_ok=True)
    process = subprocess.Popen(
        [daemon, "-D", "-e", "-f", folder / "config"], stderr=(folder / "log").open("w")
    )
    try:
        kind, key, _ = (folder / "host.pub").read_text().split()
        yield {
            "SSH_HOST": "127.0.0.1",
            "SSH_PORT": str(port),
            "SSH_USER": run("id", "-un").strip(),
            "SSH_KNOWN_HOSTS": f"[127.0.0.1]:{port} {kind} {key}",
            "SSH_KEY": (folder / "key").read_text(),
        }
    finally:
        process.terminate()
        process.wait(10)
