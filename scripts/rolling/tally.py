"""What became of each request, by the phase in which it began."""

from __future__ import annotations

import math
import threading
from collections import Counter
from dataclasses import dataclass, field
from datetime import datetime, timezone


@dataclass
class Phase:
    """``lost`` requests got no answer of the service's; ``wrong`` got another than they should, or
    none at all in the end. ``may_lose``: a replica is killed in it.
    """

    name: str
    may_lose: bool = False
    began: datetime = field(default_factory=lambda: datetime.now(timezone.utc))
    milliseconds: list[float] = field(default_factory=list)
    lost: Counter[str] = field(default_factory=Counter)
    wrong: Counter[str] = field(default_factory=Counter)

    @property
    def is_clean(self) -> bool:
        return not self.wrong and (self.may_lose or not self.lost)

    def __str__(self) -> str:
        times = sorted(self.milliseconds) or [0.0]
        p99 = times[math.ceil(0.99 * len(times)) - 1]
        lost = f"{self.lost.total()} lost{' and repeated' * self.may_lose}"
        line = (
            f"{self.name:<40} {len(self.milliseconds):>6} requests, {lost}, "
            f"{self.wrong.total()} failed; p99 {p99:.0f} ms, longest {times[-1]:.0f} ms"
        )
        reasons = (self.lost + self.wrong).most_common(5)
        return "\n".join([line, *(f"    {count} x {reason}" for reason, count in reasons)])


class Tally:
    """Safe between threads."""

    def __init__(self) -> None:
        self._lock = threading.Lock()
        self.phases = [Phase("the start")]

    def begin(self, name: str, *, may_lose: bool = False) -> None:
        with self._lock:
            self.phases.append(Phase(name, may_lose))

    @property
    def now(self) -> Phase:
        return self.phases[-1]

    def answered(self, phase: Phase, milliseconds: float) -> None:
        with self._lock:
            phase.milliseconds.append(milliseconds)

    def lost(self, reason: str) -> None:
        """Now: what ended the connection was of this phase, however long ago it began."""
        with self._lock:
            self.now.lost[reason] += 1

    def wrong(self, phase: Phase, reason: str) -> None:
        with self._lock:
            phase.wrong[reason] += 1
