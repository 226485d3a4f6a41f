"""What a client of the service was answered, and how long it took: its view is what counts."""

from __future__ import annotations

import threading
from collections import Counter
from collections.abc import Callable
from dataclasses import dataclass, field
from typing import Any

LOST = 0
"""The status of a request that got no answer: refused, reset, or not HTTP."""


@dataclass(frozen=True)
class Answer:
    """``what`` was asked: "send", "check". ``code`` is "ok", the refusal's, or what went wrong.

    ``at`` is when it came, by `time.monotonic`; ``seconds`` is how long that took.
    """

    what: str
    status: int
    code: str
    seconds: float
    at: float
    is_replayed: bool = False
    data: dict[str, Any] = field(default_factory=dict)

    def __str__(self) -> str:
        kind = "replayed " if self.is_replayed else ""
        return f"{self.at:.2f} {self.what} {self.status} {kind}{self.code} in {self.seconds:.2f} s"

    @property
    def is_ok(self) -> bool:
        return self.code == "ok"

    @property
    def is_unclear(self) -> bool:
        """Whether to ask again with the same key: it may have happened."""
        return self.status in (LOST, 503, 504) or self.code == "idempotency_in_progress"

    @property
    def began(self) -> float:
        return self.at - self.seconds


class Journal:
    """Every answer that anybody got. Safe between threads."""

    def __init__(self) -> None:
        self._answers: list[Answer] = []
        self._lock = threading.Lock()

    def note(self, answer: Answer) -> None:
        with self._lock:
            self._answers.append(answer)

    def since(
        self, moment: float, wanted: Callable[[Answer], bool] = lambda answer: True
    ) -> list[Answer]:
        """In the order in which they came; of those that began before it none."""
        with self._lock:
            answers = list(self._answers)
        return [each for each in answers if each.began >= moment and wanted(each)]

    def counts(self, since: float = 0.0) -> Counter[str]:
        """As "check 503 storage_unavailable"."""
        return Counter(f"{each.what} {each.status} {each.code}" for each in self.since(since))

    def slowest(self, since: float = 0.0) -> Answer | None:
        return max(self.since(since), key=lambda each: each.seconds, default=None)
