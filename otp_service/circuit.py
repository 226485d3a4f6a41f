"""A circuit breaker: what is known to be down is not waited for."""

from __future__ import annotations

import threading


class Circuit:
    """Closed while calls go well. Open: don't call; whoever opened it finds out when it is over.

    A failure that leaves no doubt (refused, silent) opens it at once; of others, such as one lost
    connection among many, it takes `DOUBTS` in a row.
    """

    DOUBTS = 3

    def __init__(self) -> None:
        self._lock = threading.Lock()
        self._failures = 0
        self.is_open = False

    def succeeded(self) -> None:
        """A call went well. One that began before the circuit opened does not close it."""
        if self._failures and not self.is_open:
            with self._lock:
                self._failures = 0

    def failed(self, *, certain: bool) -> bool:
        """A call failed; whether that opened the circuit, which it does for one caller only."""
        with self._lock:
            self._failures += 1
            if self.is_open or not (certain or self._failures >= self.DOUBTS):
                return False
            self.is_open = True
            return True

    def close(self) -> None:
        """A probe went well."""
        with self._lock:
            self._failures = 0
            self.is_open = False
