"""When an event that was not taken is tried again."""

from __future__ import annotations

from collections.abc import Sequence

_MINUTE, _HOUR = 60.0, 3_600.0
WAITS = (
    5.0,
    5 * _MINUTE,
    30 * _MINUTE,
    2 * _HOUR,
    5 * _HOUR,
    10 * _HOUR,
    14 * _HOUR,
    20 * _HOUR,
    24 * _HOUR,
)
"""Seconds after each try that failed: about three days in all, as Standard Webhooks advises."""


def wait_after(tries: int, waits: Sequence[float] = WAITS) -> float | None:
    """Seconds until the next try, if so many had failed before this one; None: no more."""
    return waits[tries] if tries < len(waits) else None
