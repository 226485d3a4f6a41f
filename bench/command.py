"""How a bench's command begins and ends."""

from __future__ import annotations

import signal
import sys
from collections.abc import Callable, Sequence

from bench import postgres, running, wrk


def exit_code(measure: Callable[[], Sequence[str]]) -> int:
    """0, or 1 if ``measure`` finds something that is not as it should be, which is told."""
    signal.signal(signal.SIGTERM, lambda *_: sys.exit("stopped"))  # and no server stays
    try:
        failures = measure()
    except (postgres.Unusable, running.Broken, wrk.Failed) as reason:
        failures = [str(reason)]
    for failure in failures:
        print(f"FAILED: {failure}")
    if not failures:
        print("passed")
    return 1 if failures else 0
