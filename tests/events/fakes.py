"""An outbox in memory that keeps the promises of `EventOutbox`, and what it is filled with."""

from __future__ import annotations

import threading
from collections.abc import Sequence
from dataclasses import dataclass, field, replace
from datetime import datetime, timezone

from otp_service.domain.errors import HomeUnreachable
from otp_service.domain.events import Endpoint, Event, EventType

KEY = bytes(range(32))
PHONE = "+919876543210"
AT = datetime(2026, 11, 29, 12, 30, 5, 123456, tzinfo=timezone.utc)
LEASE = 60.0


def endpoint(url: str = "http://127.0.0.1:9/", name: str = "we_1", **changes: object) -> Endpoint:
    whole = Endpoint(name, url, "shop", (), with_phone=True, key=KEY, created_at=AT)
    return replace(whole, **changes)  # type: ignore[arg-type]


def event(
    number: int = 1, of: str = "a", kind: EventType = EventType.STARTED, to: str = "we_1"
) -> Event:
    """The event with this number, of the verification ``of``."""
    return Event(
        id=f"evt_{number}",
        endpoint_id=to,
        type=kind,
        at=AT,
        client="shop",
        phone=PHONE,
        purpose="login",
        verification_id=of,
        message_id=None,
        channel="whatsapp",
        status="pending",
        failure=None,
        reason=None,
        tries=0,
    )


@dataclass
class Kept:
    event: Event
    due: float | None = 0.0


@dataclass
class FakeOutbox:
    """``now`` is its clock; whoever changes it lets time pass."""

    known: Sequence[Endpoint] = ()
    now: float = 0.0
    kept: dict[str, Kept] = field(default_factory=dict)
    asked: list[str] = field(default_factory=list)
    expired: int = 0
    trouble: set[str] = field(default_factory=set)
    lock: threading.RLock = field(default_factory=threading.RLock)

    def add(self, *events: Event) -> None:
        with self.lock:
            self.kept |= {each.id: Kept(each) for each in events}

    def endpoints(self) -> Sequence[Endpoint]:
        self._trouble("endpoints")
        return self.known

    def take(self, endpoint: Endpoint, count: int) -> Sequence[Event]:
        assert count > 0
        self.asked.append(endpoint.id)
        self._trouble(f"take {endpoint.id}")
        taken: list[Event] = []
        before: set[str | None] = set()
        with self.lock:
            for each in self.kept.values():
                if each.event.endpoint_id != endpoint.id or each.due is None:
                    continue
                is_next = each.event.verification_id not in before
                before.add(each.event.verification_id)
                if is_next and each.due <= self.now and len(taken) < count:
                    each.due = self.now + LEASE
                    taken.append(each.event)
        return taken

    def told(self, event: Event) -> None:
        self._trouble("told")
        with self.lock:
            self.kept[event.id] = Kept(event, due=None)

    def postpone(self, event: Event, due_in: float | None) -> None:
        self._trouble("postpone")
        with self.lock:
            due = None if due_in is None else self.now + due_in
            self.kept[event.id] = Kept(replace(event, tries=event.tries + 1), due)

    def end(self, endpoint: Endpoint) -> None:
        """The list of endpoints tells of it late, as the real one does."""
        self._trouble("end")
        with self.lock:
            for each in self.kept.values():
                if each.event.endpoint_id == endpoint.id:
                    each.due = None

    def expire(self) -> None:
        self._trouble("expire")
        self.expired += 1

    def _trouble(self, what: str) -> None:
        if what in self.trouble:
            raise HomeUnreachable
