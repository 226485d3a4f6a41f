"""Waiting for what takes a moment."""

from __future__ import annotations

import time
from collections.abc import Callable

PATIENCE = 30
"""Seconds for what takes a fraction of one on an idle machine. What a test holds up meanwhile is
held up for longer: else it would go on by itself, and what comes after would pass for before.
"""


def until(true: Callable[[], bool], seconds: float = PATIENCE) -> None:
    """Return as soon as it is so; fail if that takes longer."""
    end = time.monotonic() + seconds
    while not true():
        assert time.monotonic() < end, "it did not come to that"
        time.sleep(0.05)
