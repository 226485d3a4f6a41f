"""Which request is next: those of known clients overtake a crowd of strangers."""

from __future__ import annotations

from collections import deque
from typing import Protocol


class Connection(Protocol):
    """A connection with a request on it."""

    @property
    def is_of_client(self) -> bool: ...

    def service(self) -> bool:
        """Answer the request; whether the connection has another one already."""

    def cancel(self) -> None:
        """Nobody will."""


class RequestQueue:
    """The connections that wait for a thread, in two lanes, each first come, first served.

    Strangers never have more than an eighth of the threads. They have one always, or every other
    turn: a health check must be answered, however many clients there are. Its user has the lock.
    """

    def __init__(self, threads: int) -> None:
        self._most = max(1, threads // 8)
        self._clients: deque[Connection] = deque()
        self._strangers: deque[Connection] = deque()
        self._served = 0  # strangers, at the moment
        self._client_was_last = False

    def __len__(self) -> int:
        return len(self._clients) + len(self._strangers)

    def __bool__(self) -> bool:
        """Whether one of them may have a thread now."""
        return bool(self._clients or (self._strangers and self._served < self._most))

    def append(self, connection: Connection, *, is_of_client: bool) -> None:
        (self._clients if is_of_client else self._strangers).append(connection)

    def popleft(self) -> tuple[Connection, bool]:
        """The next one, and whether it is a client's; if not, `done` is to be called after it."""
        due = self._served == 0 and self._client_was_last
        self._client_was_last = bool(self._clients and not (self._strangers and due))
        if self._client_was_last:
            return self._clients.popleft(), True
        self._served += 1
        return self._strangers.popleft(), False

    def done(self) -> None:
        """A stranger's turn is over."""
        self._served -= 1

    def clear(self) -> list[Connection]:
        """All that wait, which do so no more."""
        waiting = [*self._clients, *self._strangers]
        self._clients.clear()
        self._strangers.clear()
        return waiting
