"""A circuit breaker: what is known to be down is not waited for."""

from __future__ import annotations

import threading
import time


class Circuit:
    """Closed while calls go well. Open: don't call; whoever opened it finds out when it is over.

    A failure that leaves no doubt (refused, silent) opens it at once; of others, such as one lost
    connection among many, it takes `DOUBTS` in a row.
    """

    DOUBTS = 3

    def __init__(self) -> None:
        self._lock = threading.Lock()
        self.failures = 0
        """In a row: without any there is no success to tell of."""
        self.is_open = False

    def succeeded(self) -> None:
        """A call went well. One that began before the circuit opened does not close it."""
        if self.failures and not self.is_open:
            with self._lock:
                self.failures = 0

    def failed(self, *, certain: bool) -> bool:
        """A call failed; whether that opened the circuit, which it does for one caller only."""
        with self._lock:
            self.failures += 1
            if self.is_open or not (certain or self.failures >= self.DOUBTS):
                return False
            self.is_open = True
            return True

    def close(self) -> None:
        """A probe went well."""
        with self._lock:
            self.failures = 0
            self.is_open = False


class TriedCircuit(Circuit):
    """One that callers close: once it has been open for ``rest`` seconds, one call may try."""

    def __init__(self, rest: float = 10.0) -> None:
        super().__init__()
        self._rest = rest
        self._next_try = 0.0

    @property
    def rests_for(self) -> float:
        """Seconds until a call may try, 0 if one may now."""
        return max(0.0, self._next_try - time.monotonic()) if self.is_open else 0.0

    def admits(self) -> bool:
        """Whether this caller may call; while open, one may in each ``rest``."""
        with self._lock:
            if self.rests_for:
                return False
            if self.is_open:
                self._next_try = time.monotonic() + self._rest
            return True

    def succeeded(self) -> None:
        if self.is_open:
            self.close()
        super().succeeded()

    def failed(self, *, certain: bool) -> bool:
        self._next_try = time.monotonic() + self._rest
        return super().failed(certain=certain)
