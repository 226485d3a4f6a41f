"""One connection through a `Proxy`, and what may be ordered for the messages on it.

It knows just enough of PostgreSQL's protocol to tell one message from the next. Clients are
expected to wait for each answer before they ask again, as psycopg2 does, and the server to refuse
encryption, as a test's Postgres does.
"""

from __future__ import annotations

import enum
import socket
import threading
from collections.abc import Callable
from contextlib import suppress
from dataclasses import dataclass
from typing import TYPE_CHECKING, BinaryIO

if TYPE_CHECKING:
    from tests.faults.proxy import Proxy

QUERY = b"Q"
STATEMENTS = (QUERY, b"P")  # Query and Parse: the messages that carry SQL
READY = b"Z"  # ReadyForQuery: the end of an answer
SSL_REQUEST, GSS_REQUEST = (code.to_bytes(4, "big") for code in (80877103, 80877104))


class When(enum.Enum):
    BEFORE_REQUEST = enum.auto()
    BEFORE_REPLY = enum.auto()
    AFTER_REPLY = enum.auto()


@dataclass
class Rule:
    when: When
    needle: bytes
    times: int


def start(work: Callable[..., None], *args: object) -> threading.Thread:
    thread = threading.Thread(target=work, args=args, daemon=True)
    thread.start()
    return thread


class Connection:
    """Two threads: ``thread`` carries the client's requests, one that it starts the answers."""

    def __init__(self, proxy: Proxy, client: socket.socket) -> None:
        self._proxy = proxy
        self._client = client
        self._sides = [client]
        self._fate: When | None = None
        self.over = False
        self.thread = start(self._run)

    def end(self) -> None:
        """Close both sides, at once. The threads wake up and clean up."""
        self.over = True
        for sock in list(self._sides):
            with suppress(OSError):
                sock.shutdown(socket.SHUT_RDWR)
        self._proxy.wake()

    def _run(self) -> None:
        with suppress(OSError), self._client:
            self._proxy.hold(self)
            with socket.create_connection(self._proxy.target, timeout=5) as server:
                server.settimeout(None)
                self._sides.append(server)
                if not self.over:  # looked at after the line above: `end` can't miss the server
                    self._converse(server)

    def _converse(self, server: socket.socket) -> None:
        for sock in self._sides:
            sock.setsockopt(socket.IPPROTO_TCP, socket.TCP_NODELAY, 1)
        with self._client.makefile("rb") as requests, server.makefile("rb") as answers:
            self._greet(requests, answers, server)
            back = start(self._carry_answers, answers)
            try:
                self._carry_requests(requests, server)
            finally:
                self.end()
                back.join()

    def _greet(self, requests: BinaryIO, answers: BinaryIO, server: socket.socket) -> None:
        """Up to the client's startup packet; questions about encryption get a byte as answer."""
        while packet := self._next(requests, head=4):
            server.sendall(packet)
            if packet[4:] not in (SSL_REQUEST, GSS_REQUEST):
                return
            answer = answers.read(1)
            self._proxy.hold(self)
            if answer != b"N":
                raise ConnectionAbortedError("an encrypted connection can't be looked into")
            self._client.sendall(answer)

    def _carry_requests(self, requests: BinaryIO, server: socket.socket) -> None:
        while message := self._next(requests):
            if fate := self._proxy.fate(message):
                self._fate = fate
                if fate is When.BEFORE_REQUEST:
                    return
            server.sendall(self._proxy.passed_on(message))

    def _carry_answers(self, answers: BinaryIO) -> None:
        with suppress(OSError):
            while message := self._next(answers):
                if ended := self._fate is not None and message[:1] == READY:
                    self.over = True  # before the client can ask again
                if self._fate is not When.BEFORE_REPLY:
                    # The last one waits for the end, and both arrive at once: a client that asks
                    # again at once must not find the connection open still.
                    self._client.sendall(message, socket.MSG_MORE if ended else 0)
                if ended:
                    break
        self.end()

    def _next(self, stream: BinaryIO, head: int = 5) -> bytes:
        """The next message, once it may pass; empty when the connection is over."""
        try:
            message = stream.read(head)
            if len(message) == head:  # which ends with the length of itself and what follows
                message += stream.read(int.from_bytes(message[-4:], "big") - 4)
        except OSError:
            message = b""
        self._proxy.hold(self)
        return b"" if self.over else message
