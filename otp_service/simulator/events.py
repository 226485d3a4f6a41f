"""Events of a service, as they came to a receiver: the newest, in memory."""

from __future__ import annotations

import json
import threading
from collections import deque
from collections.abc import Callable, Iterator
from contextlib import contextmanager
from dataclasses import asdict, dataclass, field
from datetime import datetime
from typing import Any

from otp_service.simulator.messages import now
from otp_service.simulator.options import Options


@dataclass
class Event:
    """One try to tell an event. ``at`` is when it came.

    ``verified`` is None where no secret is known to check it with; ``problem`` is why it was
    refused. ``seen_before`` counts how often this ``webhook_id`` came before, refused ones apart.
    ``answer`` is empty while it is not answered.
    """

    webhook_id: str
    headers: list[tuple[str, str]]
    body: str
    verified: bool | None
    problem: str
    type: str = ""
    timestamp: str = ""
    data: dict[str, Any] = field(default_factory=dict)
    at: datetime = field(default_factory=now)
    number: int = 0
    seen_before: int = 0
    fault: str = "ok"
    answer: str = ""

    @property
    def about(self) -> str:
        """The id of the verification, or of the message that only carried another's code."""
        return str(self.data.get("verification_id") or self.data.get("message_id") or "")

    @property
    def phone(self) -> str:
        """Empty if the service doesn't tell phones to this endpoint."""
        return str(self.data.get("phone_number") or "")

    def as_json(self) -> dict[str, Any]:
        return {**asdict(self), "about": self.about, "at": self.at.isoformat()}


def read(body: bytes) -> dict[str, Any] | None:
    """``type``, ``timestamp`` and ``data`` of an event's body; None if they are not there."""
    try:
        event = json.loads(body)
        parts = {"type": event["type"], "timestamp": event["timestamp"], "data": event["data"]}
    except (ValueError, TypeError, KeyError, RecursionError):
        return None
    texts = isinstance(parts["type"], str) and isinstance(parts["timestamp"], str)
    return parts if texts and isinstance(parts["data"], dict) else None


def _is_repeated(earlier: Event, event: Event) -> bool:
    return bool(event.webhook_id) and earlier.webhook_id == event.webhook_id and not earlier.problem


class EventLog:
    """The newest ``options.keep`` tries, in the order in which they came. Safe between threads."""

    def __init__(self, options: Options) -> None:
        self._lock = threading.Lock()
        self._events: deque[Event] = deque(maxlen=options.keep)
        self._count = 0
        self.narrate: Callable[[str], object] = lambda line: None  # not a log: it shows numbers
        self.version = 0  # grows with every change, so that a page knows whether to draw

    def add(self, event: Event) -> None:
        with self._changing():
            self._count += 1
            event.number = self._count
            event.seen_before = sum(_is_repeated(each, event) for each in self._events)
            self._events.append(event)

    def set_answer(self, event: Event, answer: str) -> None:
        with self._changing():
            event.answer = answer
        verdict = {True: "verified", False: event.problem, None: "not checked"}[event.verified]
        told = f"event {event.type or 'without a type'} of {event.about or 'nothing'}, {verdict}"
        self.narrate(f"{event.phone or 'no phone'}  {told}: {answer}")

    def events(self, about: str = "") -> list[Event]:
        """In the order in which they came; of one verification or message if its id is given."""
        with self._lock:
            return [each for each in self._events if about in ("", each.about)]

    def clear(self) -> None:
        with self._changing():
            self._events.clear()

    @contextmanager
    def _changing(self) -> Iterator[None]:
        with self._lock:
            self.version += 1
            yield
