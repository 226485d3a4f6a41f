"""A network that fails on demand: a TCP proxy on the loopback interface, in front of a Postgres.

It knows just enough of PostgreSQL's protocol to tell one message from the next, so that it can
lose a chosen statement, or the answer to it. Clients are expected to wait for each answer before
they ask again, as psycopg2 does, and the server to refuse encryption, as a test's Postgres does.
"""

from __future__ import annotations

import enum
import random
import socket
import threading
from collections.abc import Callable
from contextlib import suppress
from dataclasses import dataclass
from typing import BinaryIO
from urllib.parse import urlsplit

from typing_extensions import Self

LOOPBACK = "127.0.0.1"
STATEMENTS = (b"Q", b"P")  # Query and Parse: the messages that carry SQL
READY = b"Z"  # ReadyForQuery: the end of an answer
SSL_REQUEST, GSS_REQUEST = (code.to_bytes(4, "big") for code in (80877103, 80877104))


class When(enum.Enum):
    BEFORE_REQUEST = enum.auto()
    BEFORE_REPLY = enum.auto()
    AFTER_REPLY = enum.auto()


@dataclass
class _Rule:
    when: When
    needle: bytes
    times: int


def _start(work: Callable[..., None], *args: object) -> threading.Thread:
    thread = threading.Thread(target=work, args=args, daemon=True)
    thread.start()
    return thread


def free_port() -> int:
    """A port that stays ours while nobody listens on it.

    It lies below those that systems give to outgoing connections: one of these could take the
    port in the meantime, or a client that keeps trying it could end up connected to itself.
    """
    while True:
        port = random.SystemRandom().randrange(20000, 32768)
        with suppress(OSError), socket.socket() as sock:
            sock.bind((LOOPBACK, port))
            return port


class Proxy:
    """Forwards until told otherwise, by any thread. Each order holds until the next `heal`.

    ``connections`` counts accepted ones. ``target`` is where new connections lead; a test may
    change it. While nobody listens there, connections are accepted and closed at once.
    """

    def __init__(self, host: str, port: int) -> None:
        self.target = (host, port)
        self.port = free_port()
        self.connections = 0
        self._rules: list[_Rule] = []
        self._silent = False
        self._changed = threading.Condition()
        self._all: list[_Connection] = []
        self._switching = threading.RLock()  # held by whoever opens or closes the listener
        self._listener: socket.socket | None = None
        self._listen()

    def __enter__(self) -> Self:
        return self

    def __exit__(self, *_: object) -> None:
        self.close()

    def url(self, of: str) -> str:
        """The given URL of the server, led through this proxy."""
        parts = urlsplit(of)
        user, at, _ = parts.netloc.rpartition("@")
        return parts._replace(netloc=f"{user}{at}{LOOPBACK}:{self.port}").geturl()

    def cut_before_request(self, needle: bytes, times: int = 1) -> None:
        """Lose the next statements that contain this: the server never gets them."""
        self._order(When.BEFORE_REQUEST, needle, times)

    def cut_before_reply(self, needle: bytes, times: int = 1) -> None:
        """Lose the answers to the next statements that contain this: the server has done them."""
        self._order(When.BEFORE_REPLY, needle, times)

    def cut_after_reply(self, needle: bytes, times: int = 1) -> None:
        """Close right after the answers to the next statements that contain this."""
        self._order(When.AFTER_REPLY, needle, times)

    @property
    def pending(self) -> int:
        """How many of the ordered cuts have not met their statement yet."""
        with self._changed:
            return sum(rule.times for rule in self._rules)

    def silence(self) -> None:
        """Go on accepting connections, but forward nothing more, either way: not even an end."""
        with self._changed:
            self._silent = True

    def cut(self) -> None:
        """Close all connections now; new ones are welcome."""
        with self._changed:
            connections = list(self._all)
        for connection in connections:
            connection.end()

    def refuse(self) -> None:
        """Close all connections, and refuse new ones."""
        with self._switching:
            if self._listener:
                with suppress(OSError):
                    self._listener.shutdown(socket.SHUT_RDWR)  # wakes the thread that accepts
                self._listener.close()
                self._acceptor.join()  # whatever it accepted is closed below, too
                self._listener = None
            self.cut()

    def heal(self) -> None:
        """Back to normal. What silence held back arrives; cuts still pending are forgotten."""
        with self._changed:
            self._rules.clear()
            self._silent = False
            self._changed.notify_all()
        self._listen()

    def close(self) -> None:
        """For good: every socket is closed and every thread has ended."""
        self.refuse()
        for connection in self._all:
            connection.thread.join()

    def _order(self, when: When, needle: bytes, times: int) -> None:
        with self._changed:
            self._rules.append(_Rule(when, needle, times))

    def _listen(self) -> None:
        with self._switching:
            if not self._listener:
                self._listener = socket.create_server((LOOPBACK, self.port))  # reuses the address
                self._acceptor = _start(self._accept, self._listener)

    def _accept(self, listener: socket.socket) -> None:
        with suppress(OSError):
            while True:
                sock, _ = listener.accept()
                with self._changed:  # which its thread waits for: none runs that `cut` can't see
                    self.connections += 1
                    self._all.append(_Connection(self, sock))

    def hold(self, connection: _Connection) -> None:
        """Return at once, or when a silence is over, or when this connection is."""
        with self._changed:
            self._changed.wait_for(lambda: not self._silent or connection.over)

    def wake(self) -> None:
        """Let the held connections look whether they are over."""
        with self._changed:
            self._changed.notify_all()

    def fate(self, message: bytes) -> When | None:
        """What was ordered for this message; that order is then used up."""
        if message[:1] not in STATEMENTS:
            return None
        with self._changed:
            rule = next((rule for rule in self._rules if rule.needle in message), None)
            if rule:
                rule.times -= 1
                self._rules = [rule for rule in self._rules if rule.times > 0]
            return rule.when if rule else None


class _Connection:
    """Two threads: ``thread`` carries the client's requests, one that it starts the answers."""

    def __init__(self, proxy: Proxy, client: socket.socket) -> None:
        self._proxy = proxy
        self._client = client
        self._sides = [client]
        self._fate: When | None = None
        self.over = False
        self.thread = _start(self._run)

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
            back = _start(self._carry_answers, answers)
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
            server.sendall(message)

    def _carry_answers(self, answers: BinaryIO) -> None:
        with suppress(OSError):
            while message := self._next(answers):
                if ended := self._fate is not None and message[:1] == READY:
                    self.over = True  # before the client can ask again
                if self._fate is not When.BEFORE_REPLY:
                    self._client.sendall(message)
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
