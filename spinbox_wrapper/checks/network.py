"""The network: free ports, and a domain that leads here."""

from __future__ import annotations

import errno
import ipaddress
import socket
from collections.abc import Mapping
from contextlib import closing
from dataclasses import dataclass

from .engine import Engine
from .model import Check, Context, failed, passed, warned

IDS = {
    "network.ports": "The ports that the stack opens are free, or its own",
    "network.domain": "`DOMAIN` resolves to this machine (with `--online` alone)",
}


@dataclass(frozen=True)
class Port:
    """A port of the host: the variable that names it, address, number, and as UDP too."""

    variable: str
    address: str
    number: int | None
    udp: bool = False


def ports_of(context: Context) -> list[Port]:
    """The ports that the stack opens, by what the settings say."""
    settings, stack = context.settings or {}, context.stack
    if stack.with_proxy:
        return [
            _port("HTTP_PORT", settings, "80", "0.0.0.0"),
            _port("HTTPS_PORT", settings, "443", "0.0.0.0", udp=True),
        ]
    address = settings.get("BIND_ADDRESS") or "127.0.0.1"
    return [
        _port(f"{app.name.upper()}_PORT", settings, str(app.port), address)
        for app in stack.web_apps
    ]


def _port(
    variable: str, settings: Mapping[str, str], default: str, address: str, *, udp: bool = False
) -> Port:
    host, _, number = (settings.get(variable) or default).rpartition(":")
    valid = number.isascii() and number.isdigit() and 0 < int(number) < 65536
    return Port(variable, host.strip("[]") or address, int(number) if valid else None, udp)


def look_at_ports(context: Context, engine: Engine) -> list[Check]:
    """Whether the ports can be opened."""
    ports = ports_of(context)
    if not ports:
        return []
    id_, file = "network.ports", context.settings_name
    own = _own_ports(context, engine)
    others = {n: c.project for c in engine.containers for n in c.ports if n not in own}
    for port in ports:
        if port.number is None:
            seen = f"{port.variable} in {file} is not a port."
            return [failed(id_, seen, f"Set {port.variable} in {file} to a number.")]
        if port.number in own:
            continue
        if port.number in others or is_taken(port):
            holder = others.get(port.number)
            by = f" by the Compose project {holder}" if holder else ""
            seen = f"Port {port.number} is taken{by}."
            return [failed(id_, seen, f"Stop what holds it, or set {port.variable} in {file}.")]
    numbers = " and ".join(str(port.number) for port in ports)
    state = "this stack's own" if own.issuperset(p.number for p in ports) else "free"
    if len(ports) == 1:
        return [passed(id_, f"Port {numbers} is {state}.")]
    return [passed(id_, f"Ports {numbers} are {state}.")]


def _own_ports(context: Context, engine: Engine) -> frozenset[int]:
    """Ports that containers of this very stack hold."""
    names = {context.compose_project, (context.settings or {}).get("COMPOSE_PROJECT_NAME")}
    return frozenset().union(*(c.ports for c in engine.containers if c.project in names))


def is_taken(port: Port) -> bool:
    """Whether something listens on a port of this machine."""
    assert port.number is not None
    kinds = [socket.SOCK_STREAM, *([socket.SOCK_DGRAM] if port.udp else [])]
    return any(_is_taken(port.address, port.number, kind) for kind in kinds)


def _is_taken(address: str, number: int, kind: socket.SocketKind) -> bool:
    family = socket.AF_INET6 if ":" in address else socket.AF_INET
    try:
        with closing(socket.socket(family, kind)) as probe:
            if kind is socket.SOCK_STREAM:
                probe.setsockopt(socket.SOL_SOCKET, socket.SO_REUSEADDR, 1)
            probe.bind((address, number))
    except OSError as error:
        if error.errno == errno.EADDRINUSE:
            return True
        # Only the administrator may open low ports; whether it answers tells as well.
        return kind is socket.SOCK_STREAM and _answers(address, number)
    return False


def _answers(address: str, number: int) -> bool:
    host = {"0.0.0.0": "127.0.0.1", "::": "::1"}.get(address, address)
    try:
        with closing(socket.create_connection((host, number), timeout=2)):
            return True
    except OSError:
        return False


def look_at_domain(context: Context) -> list[Check]:
    """Whether the domain leads here; asks the resolver, and nobody else."""
    if not context.stack.with_proxy or not context.online:
        return []
    settings = context.settings or {}
    names = [settings.get("DOMAIN", ""), *settings.get("MORE_DOMAINS", "").split(",")]
    domains = [name.strip() for name in names if name.strip()]
    id_ = "network.domain"
    if not domains:
        mend = f"Set DOMAIN in {context.settings_name}."
        return [warned(id_, "DOMAIN is not set: the site has no public HTTPS.", mend)]
    found = {domain: resolve(domain) for domain in domains}
    local = {a for addresses in found.values() for a in addresses if is_local(a)}
    return [judge_domain(found, local)]


def judge_domain(found: Mapping[str, list[str]], local: set[str]) -> Check:
    """Whether domains lead here.

    Args:
        found: Addresses by domain; none where it does not resolve.
        local: Those of them that are this machine's.
    """
    id_ = "network.domain"
    for domain, addresses in found.items():
        if not addresses:
            mend = f"Add an A record for {domain} at your DNS provider."
            return failed(id_, f"{domain} does not resolve.", mend)
        if foreign := [address for address in addresses if address not in local]:
            kind = "AAAA" if ":" in foreign[0] else "A"
            # Behind NAT the public address is nowhere on this machine.
            seen = f"{domain} leads to {foreign[0]}, which is no address of this machine."
            mend = f"Unless that is its public address: mend the {kind} record of {domain}."
            return warned(id_, seen, mend)
    return passed(id_, f"{', '.join(found)} leads to this machine.")


def resolve(domain: str) -> list[str]:
    """The IPv4 and IPv6 addresses of a domain; none where it does not resolve."""
    try:
        answers = socket.getaddrinfo(domain, 443, type=socket.SOCK_STREAM)
    except (OSError, UnicodeError):
        return []
    return list(dict.fromkeys(str(answer[4][0]) for answer in answers))


def is_local(address: str) -> bool:
    """Whether an address is this machine's: only then can it be listened on."""
    version = ipaddress.ip_address(address.partition("%")[0]).version
    family = socket.AF_INET6 if version == 6 else socket.AF_INET
    try:
        with closing(socket.socket(family, socket.SOCK_STREAM)) as probe:
            probe.bind((address, 0))
    except OSError:
        return False
    return True
