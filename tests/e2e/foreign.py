"""The world outside as it is at its worst: a resolver that knows every name, a server behind it."""

from __future__ import annotations

import socket
import socketserver
import threading
from collections.abc import Iterator
from contextlib import contextmanager
from dataclasses import dataclass, field

HEADER = "foreign"


@dataclass
class Outside:
    """What came to the resolver and to the server.

    Attributes:
        address: Where both are.
        asked: Names that the resolver was asked for, in small letters and without the last dot.
        connections: Ports of the server that somebody connected to.
    """

    address: str
    asked: list[str] = field(default_factory=list)
    connections: list[int] = field(default_factory=list)


@contextmanager
def outside(address: str, ports: tuple[int, ...]) -> Iterator[Outside]:
    """Serve DNS on port 53 of an address of this machine, and HTTP on others.

    Args:
        address: As that of an engine's bridge, which containers reach.
        ports: Where every request gets a 403 with the header `Server: foreign`.
    """
    seen = Outside(address)

    class Names(socketserver.BaseRequestHandler):
        def handle(self) -> None:
            packet, reply = self.request
            reply.sendto(_answer(packet, seen), self.client_address)

    class Web(socketserver.BaseRequestHandler):
        def handle(self) -> None:
            seen.connections.append(self.request.getsockname()[1])
            self.request.settimeout(2)
            try:
                self.request.recv(65536)
                self.request.sendall(
                    f"HTTP/1.1 403 Forbidden\r\nServer: {HEADER}\r\nContent-Length: 0\r\n"
                    "Connection: close\r\n\r\n".encode()
                )
            except OSError:
                pass

    class Tcp(socketserver.ThreadingTCPServer):
        allow_reuse_address = True
        daemon_threads = True

    servers: list[socketserver.BaseServer] = [socketserver.ThreadingUDPServer((address, 53), Names)]
    servers += [Tcp((address, port), Web) for port in ports]
    for server in servers:
        threading.Thread(target=server.serve_forever, daemon=True).start()
    try:
        yield seen
    finally:
        for server in servers:
            server.shutdown()
            server.server_close()


def _answer(packet: bytes, seen: Outside) -> bytes:
    """Every name has that one IPv4 address (RFC 1035, 4.1)."""
    at, labels = 12, []
    while packet[at]:
        labels.append(packet[at + 1 : at + 1 + packet[at]].decode("ascii", "replace"))
        at += packet[at] + 1
    seen.asked.append(".".join(labels).lower())
    question = packet[12 : at + 5]
    wants_ipv4 = packet[at + 1 : at + 3] == b"\0\1"
    header = packet[:2] + b"\x81\x80\0\1" + (b"\0\1" if wants_ipv4 else b"\0\0") + b"\0\0\0\0"
    if not wants_ipv4:
        return header + question
    record = b"\xc0\x0c\0\1\0\1\0\0\0\x05\0\4" + socket.inet_aton(seen.address)
    return header + question + record
