"""What is found out once a second at most, however many ask."""

from __future__ import annotations

import threading
import time
from collections.abc import Callable
from typing import Generic, TypeVar

from otp_service.turns import let_go

Found = TypeVar("Found")
Known = tuple[Found, object, float]


class TimedCache(Generic[Found]):
    """What ``look`` found, so many seconds ago at most, and while ``sign`` says the same.

    One thread looks at a time. Those that ask meanwhile are told what is known, even if it is
    older, so that none waits for what may be hanging; only who asks first has to.
    """

    def __init__(
        self, look: Callable[[], Found], sign: Callable[[], object], seconds: float = 1.0
    ) -> None:
        self._look = look
        self._sign = sign
        self._seconds = seconds
        self._lock = threading.Lock()
        self._known: Known[Found] | None = None

    def now(self) -> Found:
        known = self._known
        if known is None or not self._is_fresh(known):
            known = self._looked(known) or known
        assert known
        return known[0]

    def _is_fresh(self, known: Known[Found]) -> bool:
        _, sign, at = known
        return time.monotonic() - at < self._seconds and sign == self._sign()

    def _looked(self, before: Known[Found] | None) -> Known[Found] | None:
        """None if somebody else is looking, and something is known."""
        with let_go():
            is_mine = self._lock.acquire(blocking=before is None)
        if not is_mine:
            return None
        try:
            if self._known is None or not self._is_fresh(self._known):
                sign = self._sign()  # before: what changes meanwhile is looked at again
                self._known = (self._look(), sign, time.monotonic())
            return self._known
        finally:
            self._lock.release()
