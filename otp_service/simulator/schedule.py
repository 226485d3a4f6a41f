"""Runs jobs when they are due."""

from __future__ import annotations

import heapq
import itertools
import threading
import time
from collections.abc import Callable
from concurrent.futures import ThreadPoolExecutor

Job = Callable[[], object]

AT_ONCE = 16  # jobs


class Schedule:
    """Safe between threads. Runs until `close`.

    ``generation`` counts how often it was cleared: a job that belongs to an earlier one, such as
    the next step of one that was under way then, is not taken any more.
    """

    def __init__(self) -> None:
        self.generation = 0
        self._changed = threading.Condition()
        self._due: list[tuple[float, int, Job]] = []
        self._numbers = itertools.count()
        self._busy = 0
        self._closed = False
        self._pool = ThreadPoolExecutor(AT_ONCE, "callback")
        self._clock = threading.Thread(target=self._watch, name="receipts", daemon=True)
        self._clock.start()

    def put(self, wait: float, job: Job, generation: int) -> None:
        """Run it in ``wait`` seconds."""
        with self._changed:
            if not self._closed and generation == self.generation:
                heapq.heappush(self._due, (time.monotonic() + wait, next(self._numbers), job))
                self._changed.notify_all()

    def settle(self, timeout: float) -> bool:
        """Wait until nothing is due or under way; whether that was so within ``timeout``."""
        with self._changed:
            return self._changed.wait_for(lambda: not self._due and not self._busy, timeout)

    def clear(self) -> None:
        """What is due is not run. What is under way ends."""
        with self._changed:
            self.generation += 1
            self._due.clear()
            self._changed.notify_all()

    def close(self) -> None:
        with self._changed:
            self._closed = True
            self._due.clear()
            self._changed.notify_all()
        self._clock.join()
        self._pool.shutdown()

    def _watch(self) -> None:
        with self._changed:
            while not self._closed:
                wait = self._due[0][0] - time.monotonic() if self._due else None
                if wait is None or wait > 0:
                    self._changed.wait(wait)
                    continue
                self._busy += 1
                self._pool.submit(self._run, heapq.heappop(self._due)[2])

    def _run(self, job: Job) -> None:
        try:
            job()
        finally:
            with self._changed:
                self._busy -= 1
                self._changed.notify_all()
