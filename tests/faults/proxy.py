"""A network that fails on demand: a TCP proxy on the loopback interface, in front of a Postgres.

It can lose a chosen statement, or the answer to it, or pass on another one.
"""

from __future__ import annotations

import socket
import threading
from contextlib import suppress
from urllib.parse import urlsplit

from typing_extensions import Self

from tests.faults.connection import QUERY, STATEMENTS, Connection, Rule, When, start
from tests.faults.loopback import LOOPBACK, free_port


class Proxy:
    """Forwards until told otherwise, by any thread. Each order holds until the next `heal`.

    ``connections`` counts accepted ones. ``target`` is where new connections lead; a test may
    change it. While nobody listens there, connections are accepted and closed at once.
    """

    def __init__(self, host: str, port: int) -> None:
        self.target = (host, port)
        self.port = free_port()
        self.connections = 0
        self._rules: list[Rule] = []
        self._others: dict[bytes, bytes] = {}
        self._silent = False
        self._changed = threading.Condition()
        self._all: list[Connection] = []
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

    def put(self, other: bytes, instead_of: bytes) -> None:
        """From now on the server gets these words of a statement in the place of those."""
        with self._changed:
            self._others[instead_of] = other

    def passed_on(self, message: bytes) -> bytes:
        """What the server gets for this message."""
        if message[:1] != QUERY:
            return message
        with self._changed:
            sql = message[5:]
            for words, others in self._others.items():
                sql = sql.replace(words, others)
        return QUERY + (len(sql) + 4).to_bytes(4, "big") + sql

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
        """Back to normal. What silence held back arrives; orders still pending are forgotten."""
        with self._changed:
            self._rules.clear()
            self._others.clear()
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
            self._rules.append(Rule(when, needle, times))

    def _listen(self) -> None:
        with self._switching:
            if not self._listener:
                self._listener = socket.create_server((LOOPBACK, self.port))  # reuses the address
                self._acceptor = start(self._accept, self._listener)

    def _accept(self, listener: socket.socket) -> None:
        with suppress(OSError):
            while True:
                sock, _ = listener.accept()
                with self._changed:  # which its thread waits for: none runs that `cut` can't see
                    self.connections += 1
                    self._all.append(Connection(self, sock))

    def hold(self, connection: Connection) -> None:
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
