"""Before a stop: proxies learn that this server goes, while it still answers."""

from __future__ import annotations

import logging
import signal
from collections.abc import Callable
from dataclasses import dataclass

log = logging.getLogger(__name__)


def _nothing() -> None: ...


@dataclass(frozen=True)
class LastCall:
    """For ``seconds`` from SIGTERM on: who stops by hand (SIGINT) does not wait.

    ``announce`` is called when they begin, ``over`` when nothing new is taken any more.
    """

    seconds: float = 0
    announce: Callable[[], None] = _nothing
    over: Callable[[], None] = _nothing

    def seconds_after(self, number: int | None) -> float:
        """Of a stop by this signal, or by the program; they begin now."""
        if not self.seconds or number != signal.SIGTERM:
            return 0
        self.announce()
        log.info("stopping soon: /ready says so", extra={"seconds": self.seconds})
        return self.seconds


AT_ONCE = LastCall()
