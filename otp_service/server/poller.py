"""Which connections have something to say, or room for more of an answer.

A connection is told of once, to one thread, which has it to itself until it arms it again: so
nothing about a connection needs a lock, and nobody is woken who finds nothing to do.
"""

from __future__ import annotations

import os
import select
import threading
from contextlib import suppress
from typing import Protocol

from otp_service import syscalls

READ, WRITE = select.POLLIN, select.POLLOUT
Event = tuple[int, int]  # a file descriptor, and what it is ready for


class Poller(Protocol):
    def watch(self, fd: int, events: int) -> None:
        """For the first time."""

    def arm(self, fd: int, events: int) -> None:
        """Tell of it again, once."""

    def forget(self, fd: int) -> None:
        """It is about to be closed."""

    def wait(self, *, block: bool) -> list[Event]:
        """All events; an empty list if there are none and it may not block."""

    def ring(self) -> None:
        """Have a thread that waits stop waiting, now or when it begins to."""

    def is_quiet(self) -> bool:
        """Whether there is no event that nobody has taken."""

    def close(self) -> None: ...


class Epoll:
    """Linux. Any thread may arm while another waits."""

    def __init__(self) -> None:
        self._epoll = select.epoll()
        self._fd = self._epoll.fileno()
        self._bell = os.eventfd(1)  # always readable: it rings whenever it is armed
        self._epoll.register(self._bell, select.EPOLLONESHOT)

    def watch(self, fd: int, events: int) -> None:
        self._epoll.register(fd, events | select.EPOLLONESHOT)

    def arm(self, fd: int, events: int) -> None:
        syscalls.epoll_arm(self._fd, fd, events)

    def forget(self, fd: int) -> None:
        with suppress(OSError):
            self._epoll.unregister(fd)

    def wait(self, *, block: bool) -> list[Event]:
        return self._epoll.poll() if block else syscalls.epoll_events(self._fd)

    def ring(self) -> None:
        self.arm(self._bell, READ)

    def is_quiet(self) -> bool:
        return not syscalls.is_ready(self._fd, READ)

    def close(self) -> None:
        self._epoll.close()
        os.close(self._bell)


class Poll:
    """Elsewhere. Who waits begins anew at each change; who may not wait finds nothing then."""

    def __init__(self) -> None:
        self._turn = threading.Lock()
        self._poll = select.poll()
        self._bell, self._rope = os.pipe()
        for end in (self._bell, self._rope):
            os.set_blocking(end, False)
        self._poll.register(self._bell, READ)

    def watch(self, fd: int, events: int) -> None:
        self._poll.register(fd, events)
        self.ring()  # who waits now does not know of it yet

    arm = watch

    def forget(self, fd: int) -> None:
        with suppress(KeyError):
            self._poll.unregister(fd)

    def wait(self, *, block: bool) -> list[Event]:
        if not self._turn.acquire(blocking=block):
            return []
        try:
            events = self._poll.poll(None if block else 0)
            for fd, _ in events:
                if fd != self._bell:
                    self.forget(fd)
                else:
                    os.read(fd, 4096)
            return events
        finally:
            self._turn.release()

    def ring(self) -> None:
        with suppress(BlockingIOError):  # it rings
            os.write(self._rope, b"x")

    def is_quiet(self) -> bool:
        return True  # who waits is told at once

    def close(self) -> None:
        os.close(self._bell)
        os.close(self._rope)


def make() -> Poller:
    return Epoll() if hasattr(select, "epoll") else Poll()
