"""People who come at a steady rate, whether those before them were answered or not."""

from __future__ import annotations

import random
import threading
import time
from concurrent.futures import ThreadPoolExecutor
from types import TracebackType

from typing_extensions import Self

from scripts.load.answers import Journal
from scripts.load.caller import Caller
from scripts.load.ledger import Ledger
from scripts.load.person import Person, try_again
from scripts.load.phones import Phones

CROWD = 400  # people at once, at most
TICK = 0.05  # seconds
REQUESTS = 5  # what a person asks for, on average


class Load:
    """On the service at ``url``, some ``rate`` requests a second, from the clients that hold
    ``keys``. ``stalls`` tells how long this machine kept everybody waiting.
    """

    def __init__(self, url: str, keys: list[str], phones: Phones, rate: float) -> None:
        self.journal = Journal()
        self.ledger = Ledger()
        self.stalls: list[tuple[float, float]] = []
        """When, and how many seconds."""
        self._callers = [Caller(url, key, self.journal) for key in keys or [""]]
        self._phones = phones
        self._pause = REQUESTS / rate
        self._over = threading.Event()
        self._pool = ThreadPoolExecutor(CROWD)
        self._arrivals = threading.Thread(target=self._arrive, name="arrivals")
        self._watch = threading.Thread(target=self._watch_machine, name="machine")

    def __enter__(self) -> Self:
        self._arrivals.start()
        self._watch.start()
        return self

    def __exit__(
        self, kind: type[BaseException] | None, error: object, trace: TracebackType | None
    ) -> None:
        """Nobody comes any more; those who are there finish, unless something went wrong."""
        self._over.set()
        self._arrivals.join()
        self._watch.join()
        self._pool.shutdown(wait=kind is None, cancel_futures=kind is not None)

    def try_used_ones(self, since: float) -> None:
        """Each code that was accepted since then once more, from two threads at once."""
        used = self.ledger.used(since)
        with ThreadPoolExecutor(8) as pool:
            for verification in used * 2:
                pool.submit(try_again, verification)

    def _arrive(self) -> None:
        while not self._over.wait(random.expovariate(1 / self._pause)):
            caller = random.choice(self._callers)
            self._pool.submit(Person(caller, self._phones, self.ledger).sign_in)

    def _watch_machine(self) -> None:
        """Who sleeps for a moment, and wakes up late, tells how late everybody is."""
        while not self._over.is_set():
            began = time.monotonic()
            time.sleep(TICK)
            if (late := time.monotonic() - began - TICK) > TICK:
                self.stalls.append((began, late))
