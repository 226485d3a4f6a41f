"""Who computes, and who only waits.

Python computes in one thread at a time, and each other one that wants to wakes up again and again
to ask for it. So only a few threads have a turn, and let go of it whenever they wait for somebody
else. Threads that a provider answers all at once have turns of their own, so that they keep no
other request waiting.

What each request does is a class here, and what few do a generator, which takes four times as long.

A turn is a courtesy and no lock: who has waited for it for `PATIENCE` goes on without.
"""

from __future__ import annotations

import threading
from collections import deque
from collections.abc import Callable, Iterator
from contextlib import contextmanager, nullcontext

PATIENCE = 1.0  # seconds


class _Here(threading.local):
    """What this thread has."""

    turns: Turns | None = None  # one of these
    has_let_go = False  # of it, since `Turns.take_or_keep`
    absence: tuple[Callable[[], None], Callable[[], None]] | None = None


_here = _Here()


class Turns:
    """So many at a time, first come, first served: first who had one before and let go of it, so
    that few requests are half done.

    Who waits for his is ``away``, if that is said: another request is served meanwhile. Of those
    who have one only ``connections`` are `at_database` at a time, if it is given: so that a slow
    database has connections left for others. ``when_unused`` is called when the last is given back.
    """

    def __init__(
        self,
        count: int,
        connections: int | None = None,
        *,
        away: bool = False,
        when_unused: Callable[[], None] | None = None,
    ) -> None:
        self._count = self._free = count
        self._when_unused = when_unused
        self._meanwhile = _absent if away else nullcontext
        self.connections = None if connections is None else Turns(connections)
        self._back: deque[threading.Lock] = deque()  # they had a turn before
        self._new: deque[threading.Lock] = deque()
        self._lock = threading.Lock()

    @contextmanager
    def one(self) -> Iterator[None]:
        """In the place of a turn of others, if this thread has one."""
        with let_go():
            self.take()
            try:
                yield
            finally:
                self.leave()

    def take_or_keep(self) -> None:
        """A turn for another request, unless this thread still has one."""
        _here.has_let_go = False
        if _here.turns is not self:
            self.take()

    def leave_or_keep(self) -> None:
        """After a request. Who has let others go first has a turn for the next one, too."""
        if not _here.has_let_go:
            self.leave()

    @property
    def waiting(self) -> int:
        """How many wait for one."""
        return len(self._back) + len(self._new)

    @property
    def is_mine(self) -> bool:
        """Whether this thread has one."""
        return _here.turns is self

    def take(self, *, again: bool = False) -> None:
        """``again``: it was let go of."""
        mine = self._place(self._back if again else self._new)
        if mine is None or self._comes(mine):
            _here.turns = self

    def leave(self) -> None:
        """This thread's turn is over, if it had one."""
        if _here.turns is self:
            _here.turns = None
            self.give_back()

    def _comes(self, mine: threading.Lock) -> bool:
        with self._meanwhile():
            if mine.acquire(timeout=PATIENCE):
                return True
        with self._lock:
            for waiting in (self._back, self._new):
                if mine in waiting:
                    waiting.remove(mine)
                    return False
        return True  # at this moment

    def take_without_turn(self) -> None:
        """For who has a turn of others: it is let go of if this takes time."""
        if mine := self._place(self._new):
            with wait_elsewhere():
                mine.acquire()

    def _place(self, waiting: deque[threading.Lock]) -> threading.Lock | None:
        """None: it is this thread's turn. Else it will be when it can acquire what is returned."""
        with self._lock:
            if self._free:
                self._free -= 1
                return None
            mine = threading.Lock()
            mine.acquire()
            waiting.append(mine)
            return mine

    def give_back(self) -> None:
        with self._lock:
            waiting = self._back or self._new
            following = waiting.popleft() if waiting else None
            self._free += following is None
            is_unused = self._free == self._count
        if following:
            following.release()
        elif is_unused and self._when_unused:
            self._when_unused()


def serve_others_meanwhile(leave: Callable[[], None], come_back: Callable[[], None]) -> None:
    """Have these called, in this thread, before and after each time that it waits for long."""
    _here.absence = leave, come_back


class at_database:  # noqa: N801 (as it reads behind "with")
    """Around all that needs a connection, and before one is asked for.

    Who has a connection may have to wait for its turn, and who has a turn for a connection: of
    these there are always some more.
    """

    def __enter__(self) -> None:
        turns = _here.turns
        self._connections = turns and turns.connections
        if self._connections:
            self._connections.take_without_turn()

    def __exit__(self, *_: object) -> None:
        if self._connections:
            self._connections.give_back()


class let_go:  # noqa: N801
    """Around a wait: of this thread's turn, if it has one."""

    def __enter__(self) -> None:
        self._turns = turns = _here.turns
        if turns:
            _here.turns, _here.has_let_go = None, True
            turns.give_back()

    def __exit__(self, *_: object) -> None:
        if self._turns:
            self._turns.take(again=True)


@contextmanager
def wait_elsewhere() -> Iterator[None]:
    """Around a wait that may take seconds: others are served meanwhile, too."""
    with let_go(), _absent():
        yield


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
