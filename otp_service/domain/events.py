"""What callers are told of their verifications and messages: to whom, what, and until when.

Not to be mixed up with `provider_events`, which providers tell us.
"""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import field
from datetime import datetime
from enum import Enum
from typing import Protocol

from otp_service.domain.values import value


class EventType(str, Enum):
    """What may be told. The values are public and never change their meaning."""

    STARTED = "verification.started"
    VERIFIED = "verification.verified"
    FAILED = "verification.failed"
    EXPIRED = "verification.expired"
    CANCELED = "verification.canceled"
    MESSAGE_SUBMITTED = "message.submitted"
    MESSAGE_DELIVERED = "message.delivered"
    MESSAGE_READ = "message.read"
    MESSAGE_FAILED = "message.failed"


@value
class Endpoint:
    """An address that gets events.

    ``client`` is whose events it gets, None for everybody's; ``types`` which of them, all if it is
    empty. ``key`` signs (raw bytes; empty if its secret is gone). ``ended_at`` is when it was
    removed, or asked for no more (410).
    """

    id: str
    url: str
    client: str | None
    types: tuple[EventType, ...]
    with_phone: bool
    key: bytes = field(repr=False)
    created_at: datetime
    ended_at: datetime | None = None


@value
class Event:
    """One event for one endpoint, as it is stored. ``id`` is the same at each try.

    ``verification_id`` names a verification, ``message_id`` a code of somebody else's that was
    only delivered: one of them is None. ``delivery_id`` is of what a message's event tells of: a
    verification has one for each message. ``channel``, ``status``, ``failure`` (a stable code) and
    ``reason`` (the provider's own words) are as of ``at``; ``tries`` were made before.
    """

    id: str
    endpoint_id: str
    type: EventType
    at: datetime
    client: str
    phone: str = field(repr=False)
    purpose: str
    verification_id: str | None
    message_id: str | None
    channel: str
    status: str
    failure: str | None
    reason: str | None
    tries: int
    delivery_id: str | None = None
    home: str = ""
    """The letter of the home that it is stored in."""
    number: int = 0
    """Which one of that home: later ones have higher numbers."""
    lease: str | None = None


class EventOutbox(Protocol):
    """The events that are to be told. All but `endpoints` and `take` raise `StorageUnavailable`."""

    def endpoints(self) -> Sequence[Endpoint]:
        """Those that get events now; as of a few seconds ago."""

    def take(self, endpoint: Endpoint, count: int) -> Sequence[Event]:
        """Lease events that are due, oldest first, from each home that can be reached.

        None of them has an earlier one of the same verification or message before it that this
        endpoint has neither got nor been given up for.
        """

    def told(self, event: Event) -> None:
        """The endpoint has it."""

    def postpone(self, event: Event, due_in: float | None) -> None:
        """It has not: try again in so many seconds; None: never by itself, see `replay`."""

    def end(self, endpoint: Endpoint) -> None:
        """It asks for no more: nothing is told there again."""

    def expire(self) -> None:
        """Write down what has expired, so that this is told."""
