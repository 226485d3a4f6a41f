"""What a verification, its deliveries and their states are."""

from __future__ import annotations

import math
from datetime import datetime
from enum import Enum

from otp_service.domain.values import value

PURPOSE = "[a-z0-9_-]{1,32}"
"""How a purpose is written: a regular expression that it matches in full."""
VERIFICATION_ID = "[a-z0-9]{8,40}"
"""How an id is written that was ever given out, in the same way."""


class Status(str, Enum):
    """Where a verification stands. Only a pending one can be verified."""

    PENDING = "pending"
    VERIFIED = "verified"
    FAILED = "failed"
    EXPIRED = "expired"
    CANCELED = "canceled"


class DeliveryStatus(str, Enum):
    """How far one message came."""

    QUEUED = "queued"
    SUBMITTED = "submitted"
    SENT = "sent"
    DELIVERED = "delivered"
    READ = "read"
    FAILED = "failed"


class Channel(str, Enum):
    WHATSAPP = "whatsapp"
    SMS = "sms"


@value
class Person:
    """Who is asked to prove what, and for which client. ``phone`` is E.164, once it is read."""

    client: str
    phone: str
    purpose: str


@value
class Price:
    """What a provider told of a message's price: no amount, but what it is reckoned by.

    ``category`` and ``type`` are Meta's words (``authentication``, ``regular``), ``model`` is PMP
    for a price per message. What was not told is None.
    """

    category: str | None = None
    billable: bool | None = None
    model: str | None = None
    type: str | None = None


@value
class Delivery:
    """One message. Times are aware; ``error_code`` is stable, ``reason`` the provider's own."""

    id: str
    generation: int
    channel: Channel
    provider: str
    status: DeliveryStatus
    created_at: datetime
    submitted_at: datetime | None = None
    sent_at: datetime | None = None
    delivered_at: datetime | None = None
    read_at: datetime | None = None
    failed_at: datetime | None = None
    error_code: str | None = None
    reason: str | None = None
    background: bool | None = None
    """Whether the caller did not wait for it."""
    expires_at: datetime | None = None
    """The end of its code; None if the code is void since the message was refused."""
    price: Price | None = None
    """None until the provider told of it."""


@value
class RelayedMessage:
    """A code that somebody else made and checks, and what became of its messages.

    ``as_of`` is the deciding store's clock when this was read.
    """

    id: str
    client: str
    phone: str
    purpose: str
    channel: Channel
    created_at: datetime
    expires_at: datetime
    as_of: datetime
    deliveries: tuple[Delivery, ...]

    @property
    def status(self) -> DeliveryStatus:
        """How far it came: the message that came furthest, of several the newest."""
        return max(self.deliveries, key=_how_far).status


def _how_far(delivery: Delivery) -> tuple[bool, datetime]:
    return delivery.delivered_at is not None or delivery.read_at is not None, delivery.created_at


@value
class Verification:
    """One attempt to prove that a person holds a phone.

    ``phone`` is E.164; ``as_of`` is the deciding store's clock when this was read, so that
    remaining times never depend on this machine's clock.
    """

    id: str
    client: str
    phone: str
    purpose: str
    channel: Channel
    status: Status
    generation: int
    attempts: int
    max_attempts: int
    created_at: datetime
    expires_at: datetime
    as_of: datetime
    verified_at: datetime | None = None
    canceled_at: datetime | None = None
    deliveries: tuple[Delivery, ...] = ()
    repeated: bool = False
    """Whether a request is told of it that was made before, with the same idempotency key."""

    @property
    def expires_in(self) -> int:
        """Whole seconds in which it can be verified, 0 once it has ended, however it did."""
        return self.seconds_left if self.status is Status.PENDING else 0

    @property
    def seconds_left(self) -> int:
        """Until it would expire, whatever became of it; 0 when that is over."""
        return max(0, math.ceil((self.expires_at - self.as_of).total_seconds()))

    @property
    def attempts_remaining(self) -> int:
        return max(0, self.max_attempts - self.attempts)
