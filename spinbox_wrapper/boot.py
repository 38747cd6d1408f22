"""`spinbox deploy --check --boot`: build and start a copy of the stack, ask it, remove it.

The copy has a Compose project, images, volumes, secrets and ports of its own, so that a stack
that runs beside it is not touched.
"""

from __future__ import annotations

import http.client
import json
import os
import re
import secrets
import shutil
import signal
import socket
import ssl
import subprocess
import time
from collections.abc import Callable, Iterator, Mapping, Sequence
from contextlib import ExitStack, closing, contextmanager
from dataclasses import dataclass
from pathlib import Path
from tempfile import TemporaryDirectory
from typing import Any

from . import derivation, log_cause
from .checks.model import Check, Context, failed, passed, warned
from .checks.settings import required
from .derivation import programs

IDS = {
    "boot.build": "The images can be built (with `--boot` alone, as those below)",
    "boot.start": "The stack starts with new secrets and becomes healthy",
    "boot.health.APP": "Every app answers its health path, through the proxy",
}
_FILE = "docker-compose.prod.yml"
_TAG = "check"
_BUILD_SECONDS = 3600
_START_SECONDS = 300
_ANSWER_SECONDS = 30
_LOG_LINES = 30
_READ_LINES = 300
_STDERR = 2


def boot(
    context: Context,
    *,
    report: Callable[[Check], None],
    say: Callable[[str], None],
    verbose: bool = False,
) -> list[Check]:
    """Build, start, ask and remove a copy of the stack.

    Args:
        context: The project.
        report: Called with each check as soon as it is done.
        say: Called with a line of progress, or of a log.
        verbose: Let Docker's own output through to standard error.

    Raises:
        KeyboardInterrupt: Interrupted or terminated; everything is removed first.
    """
    checks: list[Check] = []

    def done(check: Check) -> bool:
        checks.append(check)
        report(check)
        return not check.mend

    stack = context.stack
    if not (context.root / _FILE).is_file():
        done(failed("boot.build", f"{_FILE} is missing.", context.command))
        return checks
    if shutil.which("docker") is None:
        done(
            failed("boot.build", "Docker is not installed here.", "Install it, see engine.docker.")
        )
        return checks
    with _copy(context, say, verbose) as copy:
        say("Building the images …")
        if not done(_build(copy)):
            return checks
        if not stack.web_apps and not stack.services:
            return checks
        if stack.external:
            done(_refused(stack))
            return checks
        say("Starting the stack …")
        began = time.monotonic()
        if not done(_start(copy, stack)):
            return checks
        for app in stack.web_apps:
            done(_ask(copy, app, began))
    return checks


def _refused(stack: derivation.model.Stack) -> Check:
    """A copy of the stack would change the data of what runs elsewhere."""
    names = " and ".join(service.title for service in stack.external)
    verb = "runs" if len(stack.external) == 1 else "run"
    seen = f"{names} {verb} elsewhere, so nothing was started: a copy could change its data."
    return warned("boot.start", seen, "Deploy to staging first, with a database of its own.")


@dataclass(frozen=True)
class Copy:
    """A copy of the stack while it is there.

    Attributes:
        name: Its Compose project's, and what its images' names start with.
        root: The folder of the Compose file.
        files: Settings files, of which the last counts.
        ports: Ports of the host, by the variable that names them.
        say: Called with a line of progress.
        verbose: Let Docker's own output through.
        domain: The site's name; empty for none.
    """

    name: str
    root: Path
    files: tuple[Path, ...]
    ports: Mapping[str, int]
    say: Callable[[str], None]
    verbose: bool
    domain: str = ""

    def compose(self, *arguments: str, timeout: float) -> programs.Result:
        """Run Compose on this copy, and capture what it prints."""
        return run(self._command(arguments), cwd=self.root, timeout=timeout)

    def work(self, *arguments: str, timeout: float) -> programs.Result:
        """The same for what only its output tells how far it is."""
        return run(self._command(arguments), cwd=self.root, timeout=timeout, loud=self.verbose)

    def _command(self, arguments: Sequence[str]) -> list[str]:
        settings = [word for file in self.files for word in ("--env-file", str(file))]
        return ["docker", "compose", "-f", _FILE, "-p", self.name, *settings, *arguments]


@contextmanager
def _copy(context: Context, say: Callable[[str], None], verbose: bool) -> Iterator[Copy]:
    """A copy that is gone afterwards, whatever happens."""
    with ExitStack() as exits:
        exits.enter_context(_interruptible())
        folder = Path(exits.enter_context(TemporaryDirectory(prefix="spinbox-")))
        name = f"{context.stack.name}-check-{secrets.token_hex(4)}"
        ports = free_ports(port_variables(context.stack))
        own = folder / "check.env"
        values = settings(context, name, ports)
        values["SECRETS_DIR"] = str(folder / "secrets")
        write_secrets(context, values, folder / "secrets")
        with os.fdopen(os.open(own, os.O_WRONLY | os.O_CREAT | os.O_EXCL, 0o600), "w") as file:
            file.writelines(f"{key}={value}\n" for key, value in values.items())
        root = context.root.resolve()
        theirs = [] if context.settings is None else [root / context.settings_path]
        named = (context.settings or {}).get("DOMAIN", "")
        domain = re.sub(r"^[a-z]+://|[/, ].*", "", named).replace("*", "www")
        copy = Copy(name, root, (*theirs, own), ports, say, verbose, domain)
        exits.callback(_remove, copy)
        yield copy


@contextmanager
def _interruptible() -> Iterator[None]:
    """SIGTERM and SIGHUP end the block as Ctrl-C does, so that it can clean up."""

    def interrupt(number: int, frame: object) -> None:
        raise KeyboardInterrupt

    with _handled(interrupt, signal.SIGTERM, signal.SIGHUP):
        yield


@contextmanager
def _handled(handler: Any, *numbers: signal.Signals) -> Iterator[None]:
    """Signals in other hands for a while; what is ignored, as under nohup, stays ignored."""
    before = {number: signal.getsignal(number) for number in numbers}
    changed = {number: old for number, old in before.items() if old not in {signal.SIG_IGN, None}}
    try:
        for number in changed:
            signal.signal(number, handler)
        yield
    finally:
        for number, old in changed.items():
            signal.signal(number, old)


def port_variables(stack: derivation.model.Stack) -> list[str]:
    """The variables that name the ports which the stack opens."""
    if stack.with_proxy:
        return ["HTTP_PORT", "HTTPS_PORT"]
    return [f"{app.name.upper()}_PORT" for app in stack.web_apps]


def free_ports(names: Sequence[str]) -> dict[str, int]:
    """A port that nothing listens on, for each name."""
    with ExitStack() as listeners:
        sockets = [listeners.enter_context(closing(socket.socket())) for _ in names]
        for listener in sockets:
            listener.bind(("127.0.0.1", 0))
        return {name: s.getsockname()[1] for name, s in zip(names, sockets, strict=True)}


def settings(context: Context, name: str, ports: Mapping[str, int]) -> dict[str, str]:
    """What the copy's settings are, where they are not the user's own.

    Every secret is new; what only the user could know is the user's, else harmless.
    """
    stack, theirs = context.stack, context.settings or {}
    values = dict.fromkeys(["MORE_DOMAINS", "COMPOSE_PROFILES"], "")
    # The apps know the domain, but nobody fetches a certificate for it.
    site = {"SITE_ADDRESS": "localhost, http://"} if stack.with_proxy else {}
    stand_in = derivation.own_variables.stand_in
    values |= {variable: stand_in(variable) for variable in required(context)}
    values = {n: v for n, v in values.items() if not v or not theirs.get(n)}
    made = (v for v in stack.variables if v.secret and (v.generate or not v.own))
    values |= {v.name: secrets.token_hex(32) for v in made}
    values |= {f"IMAGE_{app.name.upper()}": f"{name}-{app.name}" for app in stack.apps}
    values |= {"TAG": _TAG, "BIND_ADDRESS": "127.0.0.1"} | site
    prefix = "127.0.0.1:" if stack.with_proxy else ""
    return values | {variable: f"{prefix}{port}" for variable, port in ports.items()}


def write_secrets(context: Context, values: Mapping[str, str], folder: Path) -> None:
    """The files that containers see in /run/secrets, where that was chosen (`secrets=files`).

    Args:
        context: The project.
        values: The copy's own settings, which win over the user's.
        folder: Where the files go; nobody else can look into its parent.
    """
    known = {**(context.settings or {}), **values}
    folder.mkdir()
    texts = {name: known.get(name, "") for name in context.stack.secret_files}
    optional = [name for name in context.stack.optional_secrets if known.get(name)]
    texts["variables"] = "".join(f"{name}={known[name]}\n" for name in optional)
    for name, text in texts.items():
        (folder / name).write_text(text)
        # Each container has another user.
        (folder / name).chmod(0o644)


def _build(copy: Copy) -> Check:
    began = time.monotonic()
    result = copy.work("--profile", "job", "build", timeout=_BUILD_SECONDS)
    if result.returncode != 0:
        # The steps' own output is on the one, the reason for the end on the other.
        _show("build", f"{result.text}\n{result.error}", copy)
        seen = "An image cannot be built: the log above says why."
        return failed("boot.build", seen, f"docker compose -f {_FILE} build")
    return passed("boot.build", f"The images were built in {_since(began)}.")


def _start(copy: Copy, stack: derivation.model.Stack) -> Check:
    id_ = "boot.start"
    began = time.monotonic()
    limit = str(_START_SECONDS)
    result = copy.work(
        "up", "-d", "--no-build", "--wait", "--wait-timeout", limit, timeout=_START_SECONDS + 60
    )
    ill = unhealthy(copy.compose("ps", "--all", "--format", "json", timeout=60).text)
    # When its time is over, Compose may end as if all were well.
    if result.returncode == 0 and not ill:
        return passed(id_, f"The stack was healthy {_since(began)} after its start.")
    logs = {service: _log(copy, service) for service in ill}
    for service, log in logs.items():
        _show(service, log, copy)
    if not ill:
        _show("up", result.error, copy)
    names = " and ".join(ill) or "The stack"
    verb = "do" if len(ill) > 1 else "does"
    seen = _because(f"{names} {verb} not become healthy", *logs.values())
    return failed(id_, seen, f"Mend {names if ill else 'what the log names'}, then check again.")


def unhealthy(text: str) -> list[str]:
    """The services that keep a stack from being healthy.

    Args:
        text: What `docker compose ps --all --format json` prints: one object a line, or a list.
    """
    lines = text.strip()
    documents = json.loads(lines) if lines.startswith("[") else map(json.loads, lines.splitlines())
    return [
        str(document["Service"])
        for document in documents
        if document.get("Health") in {"unhealthy", "starting"}
        or document.get("State") in {"restarting", "dead"}
        or (document.get("State") == "exited" and document.get("ExitCode") != 0)
    ]


def _ask(copy: Copy, app: derivation.model.App, began: float) -> Check:
    """Ask an app until it answers, as it may have been healthy before the proxy was."""
    id_, path = f"boot.health.{app.name}", app.health or "/"
    # Where no health path is known, any page will do that is not the server's own fault.
    accepted = 400 if app.health else 500
    until = time.monotonic() + _ANSWER_SECONDS
    while True:
        answer = _get(copy, app, path)
        if isinstance(answer, int) and answer < accepted:
            seen = f"GET {path} answered {answer}, {_since(began)} after the start."
            return passed(id_, seen)
        if time.monotonic() > until:
            break
        time.sleep(0.2)
    log = _log(copy, app.name)
    _show(app.name, log, copy)
    said = f"answered {answer}" if isinstance(answer, int) else f"got no answer ({answer})"
    seen = _because(f"GET {path} {said}", log, otherwise="")
    return failed(id_, seen, f"Mend {app.name}: its log is above.")


def _log(copy: Copy, service: str) -> str:
    """The end of a service's log, with more than is shown: a cause can stand above a traceback."""
    lines = str(_READ_LINES)
    return copy.compose("logs", "--no-color", "--tail", lines, service, timeout=60).text


def _because(what: str, *logs: str, otherwise: str = ": the log above says why") -> str:
    """What went wrong, and the cause where a log names one of the known kinds."""
    cause = next(filter(None, map(log_cause.find, logs)), None)
    return f"{what}. {cause}" if cause else f"{what}{otherwise}."


def _get(copy: Copy, app: derivation.model.App, path: str) -> int | str:
    """The status of an answer, or why there is none."""
    domain = copy.domain if "HTTP_PORT" in copy.ports else ""
    port = copy.ports.get("HTTPS_PORT") or copy.ports[f"{app.name.upper()}_PORT"]
    if domain:
        # By HTTP alone: there is no certificate for it.
        port = copy.ports["HTTP_PORT"]
    connection = http.client.HTTPConnection("localhost", port, timeout=10)
    if "HTTPS_PORT" in copy.ports and not domain:
        # The certificate for localhost is the proxy's own, which nobody vouches for.
        unverified = ssl._create_unverified_context()
        connection = http.client.HTTPSConnection("localhost", port, timeout=10, context=unverified)
    with closing(connection):
        try:
            headers = {"User-Agent": "spinbox-check"} | ({"Host": domain} if domain else {})
            connection.request("GET", path, headers=headers)
            return connection.getresponse().status
        except (OSError, http.client.HTTPException) as error:
            return str(error) or type(error).__name__


def _remove(copy: Copy) -> None:
    """Take everything away; a second Ctrl-C must not leave half of it."""
    with _handled(signal.SIG_IGN, signal.SIGINT, signal.SIGTERM, signal.SIGHUP):
        copy.say("Removing the copy …")
        copy.work(
            "--profile", "*", "down", "--volumes", "--remove-orphans", "--timeout", "3", timeout=300
        )
        # What a broken file keeps `down` from finding, or an aborted start made after it.
        label = f"label=com.docker.compose.project={copy.name}"
        for listing, removal in (
            (["container", "ls", "--all", "--quiet"], ["container", "rm", "--force", "--volumes"]),
            (["volume", "ls", "--quiet"], ["volume", "rm", "--force"]),
            (["network", "ls", "--quiet"], ["network", "rm"]),
        ):
            _remove_listed([*listing, "--filter", label], removal, copy)
        images = ["image", "ls", "--format", "{{.Repository}}:{{.Tag}}"]
        _remove_listed([*images, "--filter", f"reference={copy.name}-*"], ["image", "rm"], copy)


def _remove_listed(listing: list[str], removal: list[str], copy: Copy) -> None:
    names = run(["docker", *listing], cwd=copy.root, timeout=60).text.split()
    if names:
        run(["docker", *removal, *names], cwd=copy.root, timeout=300)


def run(command: list[str], *, cwd: Path, timeout: float, loud: bool = False) -> programs.Result:
    """Run a program that Ctrl-C does not reach: it is told to end by us, and waited for.

    Unlike what `programs.run` kills, a build or a start has to end in order.

    Args:
        command: The program and its arguments.
        cwd: Where it runs.
        timeout: Seconds after which it is ended and counts as failed.
        loud: Let all that it prints through to standard error instead of capturing it.
    """
    with subprocess.Popen(
        command,
        cwd=cwd,
        env=programs.for_docker(),
        stdin=subprocess.DEVNULL,
        stdout=_STDERR if loud else subprocess.PIPE,
        stderr=None if loud else subprocess.PIPE,
        start_new_session=True,
    ) as process:
        try:
            out, error = process.communicate(timeout=timeout)
        except subprocess.TimeoutExpired:
            _end(process)
            out, _ = process.communicate()
            return programs.timed_out(timeout, out or b"")
        except BaseException:
            _end(process)
            raise
    return programs.Result(programs.Ending.DONE, process.returncode, out or b"", error or b"")


def _end(process: subprocess.Popen[bytes]) -> None:
    """Ask it and its plugin to end as Ctrl-C does, then make them."""
    os.killpg(process.pid, signal.SIGINT)
    try:
        process.wait(timeout=10)
    except subprocess.TimeoutExpired:
        os.killpg(process.pid, signal.SIGKILL)


def _show(title: str, text: str, copy: Copy) -> None:
    lines = [line.rstrip() for line in text.splitlines() if line.strip()][-_LOG_LINES:]
    copy.say("\n".join([f"--- {title}", *lines, "---"]))


def _since(began: float) -> str:
    return f"{time.monotonic() - began:.1f} s"
