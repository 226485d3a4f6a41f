"""What the domain needs from outside."""

from __future__ import annotations

from collections.abc import Callable, Sequence
from dataclasses import dataclass, field
from datetime import datetime
from enum import Enum
from typing import Protocol

from otp_service.domain.errors import DeliveryError
from otp_service.domain.failures import Failure
from otp_service.domain.limits import Limit
from otp_service.domain.verification import (
    Channel,
    Delivery,
    DeliveryStatus,
    Person,
    Verification,
)


@dataclass(frozen=True)
class Message:
    """What a sender carries. ``phone`` is E.164, ``expires_in`` whole seconds."""

    phone: str = field(repr=False)
    code: str = field(repr=False)
    expires_in: int
    locale: str | None = None


class Sender(Protocol):
    """A provider's adapter."""

    provider: str
    channel: Channel

    @property
    def is_available(self) -> bool:
        """False while the provider is known to be down: a call would fail at once."""

    def send(self, message: Message) -> str:
        """Hand the message over; answer the provider's own id for it.

        Raises `DeliveryFailed`, `DeliveryUnavailable` or `DeliveryUnconfirmed`. Returns or
        raises within 8 seconds, and holds neither code nor key in what it raises.
        """


@dataclass(frozen=True)
class Receipt:
    """What a provider told later of a message it took.

    ``status`` is sent, delivered, read or failed; ``at`` the provider's aware time, None if it
    told none; ``failure`` is there only when failed, ``reason`` being the provider's own words.
    """

    provider: str
    message_id: str
    status: DeliveryStatus
    at: datetime | None = None
    failure: Failure | None = None
    reason: str = ""


@dataclass(frozen=True)
class RequestKey:
    """A client's ``Idempotency-Key`` and the request it came with, both as digests.

    ``fingerprints`` has one for each secret, newest first.
    """

    idempotency_key: str
    fingerprints: Sequence[str]


@dataclass(frozen=True)
class Wish:
    """How a message is wanted: ``channel`` may be `AUTO`, ``locale`` is BCP 47.

    ``background``: the caller does not wait, a worker sends it.
    """

    channel: str = Channel.WHATSAPP.value
    locale: str | None = None
    background: bool = False
    key: RequestKey | None = None


@dataclass(frozen=True)
class Draft:
    """One generation of a verification, ready to be stored. ``lifetime`` is in seconds.

    Generation 1 is a new verification; a later one is the next of the one with ``id``.
    ``exempt`` is a test number: no send limit counts. With ``sms_provider`` the message may be
    followed by an SMS of that provider's, or be one if the phone is known not to be on WhatsApp.
    """

    id: str
    delivery_id: str
    person: Person
    channel: Channel
    provider: str
    sms_provider: str | None
    wish: Wish
    generation: int
    lifetime: int
    max_attempts: int
    mac: str = field(repr=False)
    secret_id: str
    exempt: bool


@dataclass(frozen=True)
class Outgoing:
    """A stored message, with all that it takes to send it.

    ``expires_in`` are the seconds that its code has left, ``tries`` the calls of providers so far,
    ``auto`` whether an SMS may follow, ``error_code`` why it failed. ``is_current`` is False once
    its code has ended or been replaced; ``lease`` is a worker's hold on it.
    """

    verification_id: str
    delivery_id: str
    phone: str = field(repr=False)
    generation: int
    secret_id: str
    channel: Channel
    provider: str
    locale: str | None
    expires_in: int
    auto: bool
    tries: int = 0
    status: DeliveryStatus = DeliveryStatus.QUEUED
    error_code: str | None = None
    is_current: bool = True
    lease: str | None = None


@dataclass(frozen=True)
class Earlier:
    """The message that an earlier request with the same idempotency key led to."""

    verification_id: str
    delivery_id: str
    fingerprint: str


@dataclass(frozen=True)
class Quota:
    """What a phone may still be sent: messages left, and seconds until the next one may go."""

    remaining: int
    retry_after: int = 0


@dataclass(frozen=True)
class Issued:
    """``stored`` tells whether the draft was; ``live`` is the person's live verification now.

    ``outgoing`` is the message, if stored; ``limit`` the send limit that the phone has met, if
    any; ``earlier`` what the same request led to before, if it was made before.
    """

    draft: Draft
    stored: bool
    live: Verification | None
    quota: Quota
    outgoing: Outgoing | None = None
    limit: Limit | None = None
    earlier: Earlier | None = None


@dataclass(frozen=True)
class StoredMessage:
    """A message as it can be told again; ``secret_id`` names the secret of its code.

    ``expires_at`` is the code's own; ``replaced`` means that a newer one took its place.
    """

    verification: Verification
    delivery: Delivery
    secret_id: str
    expires_at: datetime
    replaced: bool


class Verdict(str, Enum):
    """What became of one check."""

    RIGHT = "right"
    WRONG = "wrong"
    MISSING = "missing"
    USED_UP = "used up"
    LOCKED = "locked"
    KEY_REUSED = "key reused"


@dataclass(frozen=True)
class Check:
    """A code that a person typed. ``tags`` are its candidates, one for each secret."""

    person: Person
    verification_id: str | None
    tags: Sequence[str] = field(repr=False)
    key: RequestKey | None = None


@dataclass(frozen=True)
class Judged:
    """``verification`` is None when missing or the key was reused; ``limit`` only when locked."""

    verdict: Verdict
    verification: Verification | None = None
    retry_after: int = 0
    limit: Limit | None = None


@dataclass(frozen=True)
class StoreState:
    """How the homes are.

    ``database`` is ok or unavailable; ``fallback`` is off, standby, active (new verifications
    go there), draining (the database is back, some codes still live there) or unavailable.
    """

    database: str
    fallback: str


class Store(Protocol):
    """Where verifications live: in one home or two.

    Every method but `state` raises `StorageUnavailable`; where the connection to a home failed,
    its subclass `HomeUnreachable`.
    """

    def issue(self, person: Person, draft_for: Callable[[str], Draft]) -> Issued:
        """Store a new verification unless a rule forbids it: one live at a time, send limits.

        ``draft_for`` makes the draft for an id, which names the home; it may be asked twice.
        """

    def reissue(self, draft: Draft) -> Issued:
        """Store the next generation of a live verification, unless a send limit forbids it."""

    def live(self, person: Person) -> Verification | None:
        """The person's live verification in the homes that can be reached."""

    def check(self, check: Check) -> Judged:
        """Judge a code once: count it, consume it if right, all in one transaction."""

    def get(self, client: str, verification_id: str) -> Verification | None: ...

    def cancel(self, client: str, verification_id: str) -> Verification | None:
        """End it if it is pending; answer it as it is now."""

    def recent_messages(self, provider: str, count: int) -> Sequence[StoredMessage]:
        """The newest messages of one provider, oldest first."""

    def state(self) -> StoreState:
        """Find out which homes would answer now."""


class Outbox(Protocol):
    """The stored messages and what becomes of them. All but `take` raise what `Store` raises.

    ``due_in`` are the seconds until a worker looks at the message again; None: it does not.
    """

    def submitted(
        self, message: Outgoing, provider_message_id: str, grace: int, due_in: float | None
    ) -> None:
        """The provider took it: it replaces the codes before it, but for the last ``grace``."""

    def postpone(self, message: Outgoing, error: DeliveryError, due_in: float | None) -> None:
        """It failed with this error, or may have; a worker looks at it again, or nobody does."""

    def refused(self, message: Outgoing, error: DeliveryError) -> None:
        """It certainly was not sent and will not be: unless another message carries it, its code
        is void, and it costs the phone no quota.
        """

    def follow(
        self,
        message: Outgoing,
        channel: Channel,
        provider: str,
        error: DeliveryError | None = None,
        due_in: float | None = None,
    ) -> Outgoing | None:
        """Put another message with the same code in its place: for ``error``, which it failed
        with now, or because it has not arrived. None if the code has ended, the message arrived
        after all, or the verification has had its SMS.
        """

    def close(self, message: Outgoing) -> None:
        """No worker has to look at it again; if it was not sent, it never will be."""

    def take(self, count: int) -> Sequence[Outgoing]:
        """Lease messages that are due, up to ``count`` in each home that can be reached: nobody
        else gets them until the lease ends.
        """


class Receipts(Protocol):
    """Receipts, stored until they are applied to the deliveries they belong to."""

    def keep(self, receipts: Sequence[Receipt]) -> None: ...

    def settle(self, count: int, look_in: Callable[[Receipt], float]) -> int:
        """Apply the oldest ones, in whatever order and however often they came; how many.

        ``look_in`` tells in how many seconds a worker should look at a delivery that failed. What
        belongs to no delivery is tried again, and dropped after an hour.
        """
