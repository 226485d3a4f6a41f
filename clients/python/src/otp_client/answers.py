"""What calls are answered, as values. Times are aware, in UTC; durations are whole seconds.

Fields that a newer server adds are left out. States, channels and failures are text, so that one
that is new is no error. Codes, proofs and phone numbers are in no ``repr``.
"""

from __future__ import annotations

from dataclasses import dataclass, field
from datetime import datetime


@dataclass(frozen=True, slots=True)
class LastMessage:
    """The message that carries a live code: whether a person should go on waiting for it."""

    channel: str
    status: str
    failure: str | None = None
    explanation: str | None = None
    reason: str | None = None


@dataclass(frozen=True, slots=True)
class Sent:
    """A verification that waits for its code.

    ``expires_in`` and ``resend_after`` are for a page's countdowns. ``otp`` is the code itself,
    which only a sandbox tells; ``delivery`` comes with `OtpAlreadySent` only.
    """

    verification_id: str
    phone_number: str = field(repr=False)
    purpose: str
    status: str
    channel: str
    expires_at: datetime
    expires_in: int
    attempts_remaining: int
    sends_remaining: int
    resend_after: int
    otp: str | None = field(default=None, repr=False)
    delivery: LastMessage | None = None


@dataclass(frozen=True, slots=True)
class Verified:
    """The code was right. ``proof`` is a signed JWT that says so, where the service gives them."""

    phone_number: str = field(repr=False)
    purpose: str
    verification_id: str
    verified_at: datetime
    proof: str | None = field(default=None, repr=False)


@dataclass(frozen=True, slots=True)
class Pricing:
    """What the provider told of a message's price, in its words; no amount is told."""

    billable: bool | None = None
    pricing_model: str | None = None
    category: str | None = None
    type: str | None = None


@dataclass(frozen=True, slots=True)
class Delivery:
    """One message, and when it came how far."""

    channel: str
    provider: str
    status: str
    queued_at: datetime
    submitted_at: datetime | None = None
    sent_at: datetime | None = None
    delivered_at: datetime | None = None
    read_at: datetime | None = None
    failed_at: datetime | None = None
    error_code: str | None = None
    explanation: str | None = None
    reason: str | None = None
    pricing: Pricing | None = None


@dataclass(frozen=True, slots=True)
class Verification:
    """A verification with its messages, in order. ``client`` is told to support keys only."""

    verification_id: str
    phone_number: str = field(repr=False)
    purpose: str
    channel: str
    status: str
    attempts: int
    attempts_remaining: int
    created_at: datetime
    expires_at: datetime
    expires_in: int
    verified_at: datetime | None = None
    canceled_at: datetime | None = None
    deliveries: tuple[Delivery, ...] = ()
    client: str | None = None


@dataclass(frozen=True, slots=True)
class Message:
    """A code that somebody else made and checks; this service only delivers it.

    Times and ``deliveries`` are told by `get_message`; ``client`` is told to support keys only.
    """

    message_id: str
    phone_number: str = field(repr=False)
    purpose: str
    channel: str
    status: str
    created_at: datetime | None = None
    expires_at: datetime | None = None
    deliveries: tuple[Delivery, ...] = ()
    client: str | None = None
