"""Requests from several clients at once, one after the other; none is ever repeated."""

from __future__ import annotations

import http.client
import ssl
import threading
import time
from collections import Counter
from dataclasses import dataclass, field
from types import TracebackType
from typing import Self

_NO_CHECKS = ssl._create_unverified_context()


@dataclass
class Load:
    """Clients that ask until they are told to stop; use it as a context manager.

    Attributes:
        http_port: The proxy's port for plain HTTP.
        https_port: Its port for HTTPS.
        path: What is asked for.
        kept: Clients that keep their connection.
        fresh: Clients that open a new one for each request.
        pause: Seconds between an answer and the next request, so that deployments get on.
        methods: Taken in turns; no proxy may send a request with a body twice.
        secure: One client in four uses HTTPS.
        answers: How many answers there were, by body.
        failures: Every other outcome.
    """

    http_port: int
    https_port: int
    path: str
    kept: int = 4
    fresh: int = 4
    pause: float = 0.01
    secure: bool = True
    methods: tuple[str, ...] = ("GET", "POST")
    answers: Counter[str] = field(default_factory=Counter)
    failures: list[str] = field(default_factory=list)
    _stop: threading.Event = field(default_factory=threading.Event)
    _lock: threading.Lock = field(default_factory=threading.Lock)
    _threads: list[threading.Thread] = field(default_factory=list)

    @property
    def total(self) -> int:
        """Requests so far."""
        return sum(self.answers.values()) + len(self.failures)

    def __enter__(self) -> Self:
        for number in range(self.kept + self.fresh):
            keep = number < self.kept
            thread = threading.Thread(
                target=self._ask, args=(keep, self.secure and number % 4 == 3)
            )
            thread.start()
            self._threads.append(thread)
        return self

    def __exit__(
        self,
        kind: type[BaseException] | None,
        error: BaseException | None,
        trace: TracebackType | None,
    ) -> None:
        self._stop.set()
        for thread in self._threads:
            thread.join()

    def _connect(self, secure: bool) -> http.client.HTTPConnection:
        if secure:
            return http.client.HTTPSConnection(
                "localhost", self.https_port, timeout=60, context=_NO_CHECKS
            )
        return http.client.HTTPConnection("127.0.0.1", self.http_port, timeout=60)

    def _ask(self, keep: bool, secure: bool) -> None:
        connection = self._connect(secure)
        turn = 0
        while not self._stop.is_set():
            turn += 1
            time.sleep(self.pause)
            method = self.methods[turn % len(self.methods)]
            try:
                connection.request(method, self.path, body=None if method == "GET" else b"{}")
                response = connection.getresponse()
                body = response.read().decode()
                if response.status == 200:
                    with self._lock:
                        self.answers[body] += 1
                else:
                    self._fail(f"{method}: {response.status} {body[:200]}")
            except (OSError, http.client.HTTPException) as error:
                self._fail(f"{method}: {type(error).__name__}: {error}")
                connection.close()
            if not keep:
                connection.close()
        connection.close()

    def _fail(self, text: str) -> None:
        with self._lock:
            self.failures.append(text)
