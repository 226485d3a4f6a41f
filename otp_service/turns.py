"""Who computes, and who only waits.

Python computes in one thread at a time. Threads that a provider answers all at once would keep
every other request waiting: so of such work only a few threads have a turn, and let go of it
whenever they wait for somebody else.
"""

from __future__ import annotations

import threading
from collections import deque
from collections.abc import Callable, Iterator
from contextlib import contextmanager


class _Here(threading.local):
    """What this thread has."""

    turns: Turns | None = None  # one of these
    absence: tuple[Callable[[], None], Callable[[], None]] | None = None


_here = _Here()


class Turns:
    """So many at a time, first come, first served.

    Of those who `let_go` of theirs only ``waits`` wait at a time, if it is given: so that a slow
    database has connections left for others.
    """

    def __init__(self, count: int, waits: int | None = None) -> None:
        self._free = count
        self.waits = None if waits is None else Turns(waits)
        self._waiting: deque[threading.Lock] = deque()
        self._lock = threading.Lock()

    @contextmanager
    def one(self) -> Iterator[None]:
        self.take()
        _here.turns = self
        try:
            yield
        finally:
            _here.turns = None
            self.give_back()

    def take(self) -> None:
        with self._lock:
            if self._free:
                self._free -= 1
                return
            mine = threading.Lock()
            mine.acquire()
            self._waiting.append(mine)
        with _absent():
            mine.acquire()

    def give_back(self) -> None:
        with self._lock:
            if not self._waiting:
                self._free += 1
                return
            following = self._waiting.popleft()
        following.release()


def serve_others_meanwhile(leave: Callable[[], None], come_back: Callable[[], None]) -> None:
    """Have these called, in this thread, before and after each time that it waits for long."""
    _here.absence = leave, come_back


@contextmanager
def let_go() -> Iterator[None]:
    """Around a wait for a database: of this thread's turn, if it has one."""
    with _without_turn() as turns:
        if turns is None or turns.waits is None:
            yield
            return
        turns.waits.take()
        try:
            yield
        finally:
            turns.waits.give_back()


@contextmanager
def wait_elsewhere() -> Iterator[None]:
    """Around a wait that may take seconds: others are served meanwhile, too."""
    with _without_turn(), _absent():
        yield


@contextmanager
def _without_turn() -> Iterator[Turns | None]:
    turns = _here.turns
    if turns is None:
        yield None
        return
    _here.turns = None
    turns.give_back()
    try:
        yield turns
    finally:
        turns.take()
        _here.turns = turns


@contextmanager
def _absent() -> Iterator[None]:
    absence = _here.absence
    if absence is None:
        yield
        return
    leave, come_back = absence
    leave()
    try:
        yield
    finally:
        come_back()
