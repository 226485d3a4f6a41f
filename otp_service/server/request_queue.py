"""Which request is next: those of known clients overtake a crowd of strangers."""

from __future__ import annotations

from collections import deque
from collections.abc import Callable
from typing import Protocol


class Connection(Protocol):
    """A connection with a request on it."""

    @property
    def is_of_client(self) -> bool: ...

    @property
    def is_send(self) -> bool:
        """Whether the request may wait for a provider."""

    def service(self) -> bool:
        """Answer the request; whether the connection has another one already."""

    def cancel(self) -> None:
        """Nobody will."""


Done = Callable[[], None]
Taken = tuple[Connection, Done]
"""The next one, and what is to be called when it is done."""


class RequestQueue:
    """The connections that wait for a thread, in two lanes, each first come, first served.

    Strangers never have more than an eighth of the threads. They have one always, or every other
    turn: a health check must be answered, however many clients there are. Of sends no more than
    ``sends`` are in the lane or have a thread: further ones wait beside it, so that threads are
    left, however long a provider takes. Its user has the lock.
    """

    def __init__(self, threads: int, sends: int) -> None:
        self._most = max(1, threads // 8)
        self._clients: deque[Taken] = deque()
        self._strangers: deque[Connection] = deque()
        self._further_sends: deque[Connection] = deque()
        self._sends_left = sends
        self._served = 0  # strangers, at the moment
        self._client_was_last = False

    def __len__(self) -> int:
        return len(self._clients) + len(self._strangers) + len(self._further_sends)

    def __bool__(self) -> bool:
        """Whether one of them may have a thread now."""
        return bool(self._clients or (self._strangers and self._served < self._most))

    def append(self, connection: Connection, *, is_of_client: bool) -> None:
        if not is_of_client:
            self._strangers.append(connection)
        elif not connection.is_send:
            self._clients.append((connection, _nothing))
        elif self._sends_left:
            self._sends_left -= 1
            self._clients.append((connection, self._send_done))
        else:
            self._further_sends.append(connection)

    def popleft(self) -> Taken:
        due = self._served == 0 and self._client_was_last
        self._client_was_last = bool(self._clients and not (self._strangers and due))
        if self._client_was_last:
            return self._clients.popleft()
        self._served += 1
        return self._strangers.popleft(), self._stranger_done

    def _stranger_done(self) -> None:
        self._served -= 1

    def _send_done(self) -> None:
        if self._further_sends:
            self._clients.append((self._further_sends.popleft(), self._send_done))
        else:
            self._sends_left += 1

    def clear(self) -> list[Connection]:
        """All that wait, which do so no more."""
        waiting = [connection for connection, _ in self._clients]
        waiting += [*self._strangers, *self._further_sends]
        for lane in (self._clients, self._strangers, self._further_sends):
            lane.clear()
        return waiting


def _nothing() -> None: ...
