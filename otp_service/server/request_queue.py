"""Which request is next: those of known clients overtake a crowd of strangers."""

from __future__ import annotations

import logging
import threading
from collections import deque
from typing import Any

from waitress.task import ThreadedTaskDispatcher


class RequestQueue:
    """The connections that wait for a thread, in two lanes, each first come, first served.

    Strangers never have more than an eighth of the threads. They have one always, or every other
    turn: a health check must be answered, however many clients there are. All methods are
    called under ``lock``.
    """

    def __init__(self, threads: int, lock: threading.Lock) -> None:
        self._most = max(1, threads // 8)
        self._lock = lock
        self._clients: deque[Any] = deque()
        self._strangers: deque[Any] = deque()
        self._served = 0  # strangers, at the moment
        self._client_was_last = False

    def __len__(self) -> int:
        return len(self._clients) + len(self._strangers)

    def __bool__(self) -> bool:
        """Whether one of them may have a thread now."""
        return bool(self._clients or (self._strangers and self._served < self._most))

    def append(self, channel: Any) -> None:
        (self._clients if channel.is_of_client else self._strangers).append(channel)

    def popleft(self) -> Any:
        due = self._served == 0 and self._client_was_last
        if self._clients and not (self._strangers and due):
            self._client_was_last = True
            return self._clients.popleft()
        self._client_was_last = False
        self._served += 1
        return _Stranger(self._strangers.popleft(), self, self._lock)

    def done(self) -> None:
        """A stranger's turn is over."""
        self._served -= 1


class _Stranger:
    """A connection, as waitress's threads take it, that tells when its request is done."""

    def __init__(self, channel: Any, lanes: RequestQueue, lock: threading.Lock) -> None:
        self._channel = channel
        self._lanes = lanes
        self._lock = lock

    def service(self) -> None:
        try:
            self._channel.service()
        finally:
            with self._lock:
                self._lanes.done()

    def cancel(self) -> None:
        self._lanes.done()
        self._channel.cancel()


def dispatcher(threads: int) -> ThreadedTaskDispatcher:
    """waitress's threads, which take what the lanes give them."""
    logging.getLogger("waitress.queue").setLevel(logging.ERROR)  # a line for each that waits
    made = ThreadedTaskDispatcher()
    made.queue = RequestQueue(threads, made.lock)
    made.set_thread_count(threads)
    return made
