"""The threads: they wait for connections, read what these say, and answer it."""

from __future__ import annotations

import logging
import threading
import time
from collections.abc import Callable

from otp_service import turns
from otp_service.server.poller import Event, Poller
from otp_service.server.request_queue import Connection, Done, RequestQueue, Taken

log = logging.getLogger(__name__)

AWAY = 112  # threads, beside those that run, that may wait for a provider: of sends so many at most
COMPUTE = 2  # threads: while one is at the system another has the interpreter
Ready = Callable[[Event], Connection | None]
wait_elsewhere = turns.wait_elsewhere
"""For an application, around a wait of its own: others are served meanwhile."""


class Workers:
    """Threads on one ``poller``; what waitress calls its task dispatcher.

    ``ready`` lets a connection read or write, and returns it if it has a request now. At most
    ``running`` requests are answered at a time. One that waits for a provider does not count:
    another thread is made, if there is none, that takes the next request.

    Only one thread waits at the poller: who computes has the interpreter, and others that were
    woken meanwhile would only wait for that. So nobody does while one computes, who looks at all
    connections when he has done, before he takes the next request: a client's is found among any
    crowd. Where nobody computes any more, since all wait for somebody, the thread is sent that has
    been idle the shortest; and once a second, for who waits without saying so.
    """

    def __init__(self, running: int, poller: Poller, ready: Ready) -> None:
        self._poller, self._ready = poller, ready
        self._queue = RequestQueue(running, AWAY)
        self._may_run, self._run, self._away = running, 0, 0
        self._turns = turns.Turns(COMPUTE, when_unused=self.look_out)
        self._lock = threading.Lock()  # for all below
        self._idle: list[threading.Lock] = []  # each thread sleeps on its own
        self._lookout: threading.Lock | None = None  # whose thread waits at the poller, or is to
        self._lookout_waits = False
        self._stopping = False
        self._threads: list[threading.Thread] = []
        for _ in range(running):
            self._add_thread()

    @property
    def are_idle(self) -> bool:
        """Whether nothing is done, nor waits to be."""
        with self._lock:
            idle = len(self._idle) + self._lookout_waits
            nothing_waits = not len(self._queue) and self._poller.is_quiet()
            return nothing_waits and idle == len(self._threads)

    def add_task(self, connection: Connection) -> None:
        """From outside of these threads."""
        self._append(connection)
        self.look_out()
        self._poller.ring()

    def look_out(self) -> None:
        """Have a thread wait at the poller, unless one does or is to."""
        with self._lock:
            woken = self._next_lookout()
        if woken:
            woken.release()

    def shutdown(self, timeout: float = 5) -> None:
        """Threads that have not ended after ``timeout`` seconds are left alone."""
        with self._lock:
            self._stopping, idle, self._idle = True, self._idle, []
        for bed in idle:
            bed.release()
        self._poller.ring()
        until = time.monotonic() + timeout
        for thread in self._threads:
            thread.join(max(0, until - time.monotonic()))
        if running := sum(thread.is_alive() for thread in self._threads):
            log.warning("%d thread(s) still running", running)
        with self._lock:
            given_up = self._queue.clear()
        if given_up:
            log.warning("Canceling %d pending task(s)", len(given_up))
        for connection in given_up:
            connection.cancel()

    def _append(self, connection: Connection) -> None:
        is_of_client = connection.is_of_client
        with self._lock:
            self._queue.append(connection, is_of_client=is_of_client)

    def _add_thread(self) -> threading.Lock:
        bed = threading.Lock()
        bed.acquire()
        name = f"request-{len(self._threads)}"
        thread = threading.Thread(target=self._work, args=[bed], name=name, daemon=True)
        self._threads.append(thread)
        thread.start()
        return bed

    def _work(self, bed: threading.Lock) -> None:
        turns.serve_others_meanwhile(self._leave, self._come_back)
        while not self._stopping:
            self._look(block=self._is_to_wait(bed))
            if taken := self._next(bed):
                self._serve(bed, *taken)

    def _is_to_wait(self, bed: threading.Lock) -> bool:
        with self._lock:
            is_lookout = self._lookout is bed
            waits = is_lookout and not (self._queue or self._stopping or self._turns.is_mine)
            if is_lookout:
                self._lookout_waits = waits
            return waits

    def _look(self, *, block: bool) -> None:
        for event in self._poller.wait(block=block):
            try:
                if connection := self._ready(event):
                    self._append(connection)
            except BaseException:
                log.exception("Exception when reading")

    def _next(self, bed: threading.Lock) -> Taken | None:
        """A request, if there is one; else this thread is the lookout, or sleeps until it is."""
        taken, woken, sleeps = None, None, False
        with self._lock:
            if self._lookout is bed:
                self._lookout, self._lookout_waits = None, False
            if self._run >= self._may_run:  # some have come back
                sleeps = True
            elif self._queue:
                taken, self._run = self._queue.popleft(), self._run + 1
                woken = self._next_lookout() if self._queue else None
            elif self._lookout is None:
                self._lookout = bed
            else:
                sleeps = True
            sleeps = sleeps and not self._stopping
            if sleeps:
                self._idle.append(bed)
            another = bool(self._queue) and self._lookout_waits
        if woken:
            woken.release()
        if another:
            self._poller.ring()
        if taken is None:
            self._turns.leave()
        if sleeps:
            bed.acquire()
        return taken

    def _next_lookout(self) -> threading.Lock | None:
        """Who is to be woken, if one is needed. Where too many are away for that, one is made."""
        if self._lookout is not None or self._run >= self._may_run or self._stopping:
            return None
        if self._idle:
            self._lookout = self._idle.pop()
            return self._lookout
        if len(self._threads) < self._may_run + self._away:
            self._lookout = self._add_thread()
        return None

    def _serve(self, bed: threading.Lock, connection: Connection, done: Done) -> None:
        try:
            self._turns.take_or_keep()
            if connection.service():
                self._append(connection)
        except BaseException:
            log.exception("Exception when servicing %r", connection)
        finally:
            with self._lock:
                self._run -= 1
                done()
                if self._lookout is None:
                    self._lookout = bed
            self._turns.leave_or_keep()

    def _leave(self) -> None:
        """This thread waits for somebody."""
        with self._lock:
            self._run, self._away = self._run - 1, self._away + 1
        self.look_out()

    def _come_back(self) -> None:
        """It goes on at once: the next one to be done makes up for it."""
        with self._lock:
            self._run, self._away = self._run + 1, self._away - 1
