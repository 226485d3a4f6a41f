"""What the domain needs from outside."""

from __future__ import annotations

from collections.abc import Callable, Sequence
from dataclasses import dataclass, field
from datetime import datetime
from enum import Enum
from typing import Any, Protocol

from otp_service.domain.limits import Limit, seconds_until
from otp_service.domain.messages import Outgoing
from otp_service.domain.verification import Channel, Delivery, Person, Verification


@dataclass(frozen=True)
class RequestKey:
    """A client's ``Idempotency-Key`` and the request it came with, both as digests.

    ``fingerprints`` has one for each secret, newest first.
    """

    idempotency_key: str
    fingerprints: Sequence[str]


@dataclass(frozen=True)
class Wish:
    """How a message is wanted: ``channel`` may be `AUTO`, ``locale`` a tag as
    `languages.read` gives it.

    ``background``: the caller does not wait, a worker sends it.
    """

    channel: str = Channel.WHATSAPP.value
    locale: str | None = None
    background: bool = False
    key: RequestKey | None = None
    address: str | None = field(default=None, repr=False)
    """The end user's, IPv4 or IPv6."""


@dataclass(frozen=True)
class Draft:
    """One generation of a verification, ready to be stored. ``lifetime`` is in seconds.

    Generation 1 is a new verification; a later one is the next of the one with ``id``.
    ``exempt`` is a test number: no send limit counts. With ``sms_provider`` the message may be
    followed by an SMS of that provider's, or be one if the phone is known not to be on WhatsApp.
    ``phone_digest`` and ``address`` are pseudonyms; what is None is not counted.
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
    phone_digest: str
    address: str | None = None
    prefix: str | None = None
    country: str | None = None


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
    ends_at: datetime | None = None
    """By the store's clock, if there is something to wait for."""


@dataclass(frozen=True)
class Block:
    """A limit that is met: whole seconds until it may not be, and by the store's clock when."""

    limit: Limit
    retry_after: int
    ends_at: datetime | None = None

    @classmethod
    def until(cls, limit: Limit, ends_at: datetime, now: datetime) -> Block:
        return cls(limit, seconds_until(ends_at, now), ends_at)

    @classmethod
    def of(cls, quota: Quota, limit: Limit | None) -> Block | None:
        """None unless the quota says that ``limit`` is met."""
        return cls(limit, quota.retry_after, quota.ends_at) if limit else None

    def told(self) -> dict[str, Any]:
        """For the refusal."""
        ends = {"resets_at": self.ends_at} if self.ends_at else {}
        return {"retry_after": self.retry_after, **self.limit.told(), **ends}


@dataclass(frozen=True)
class Lock:
    """Why no verification of a phone can be given a guess.

    ``too_many``: so many were wrong that checks by phone alone have ended; otherwise what is left
    is out on verifications that are live.
    """

    block: Block
    too_many: bool


@dataclass(frozen=True)
class Issued:
    """``stored`` tells whether the draft was; ``live`` is the person's live verification now.

    ``outgoing`` is the message, if stored; ``limit`` the send limit that it met, if any;
    ``earlier`` what the same request led to before, if it was made before. ``block`` is another
    limit that is met, ``lock`` what leaves no guess for a new verification. ``suspicions``
    name the rules against pumping that it seems to break, ``blocked`` whether it was not stored
    for that.
    """

    draft: Draft
    stored: bool
    live: Verification | None
    quota: Quota
    outgoing: Outgoing | None = None
    limit: Limit | None = None
    earlier: Earlier | None = None
    block: Block | None = None
    lock: Lock | None = None
    suspicions: tuple[str, ...] = ()
    blocked: bool = False

    @property
    def refused(self) -> bool:
        """Whether something else than a live verification stood in its way."""
        is_new = self.draft.generation == 1
        other = None if is_new and self.live else self.block or self.lock
        return not self.stored and bool(self.limit or other or self.blocked)


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
    """A code that a person typed. ``tags`` are its candidates, one for each secret; ``exempt`` says
    that it is a test number's.
    """

    person: Person
    verification_id: str | None
    tags: Sequence[str] = field(repr=False)
    phone_digest: str
    key: RequestKey | None = None
    exempt: bool = False


@dataclass(frozen=True)
class Judged:
    """``verification`` is None when missing or the key was reused; ``block`` is there only when
    locked.
    """

    verdict: Verdict
    verification: Verification | None = None
    block: Block | None = None


@dataclass(frozen=True)
class PhoneQuestion:
    """The newest ``count`` verifications of a phone: the client's, or for ``support`` everyone's.

    ``phone`` is E.164, ``phone_digest`` its pseudonym.
    """

    client: str
    phone: str = field(repr=False)
    phone_digest: str
    count: int
    support: bool = False


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
    its subclass `HomeUnreachable`. Those that a client asks for raise `RequestLimitExceeded`.
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

    def get(
        self, client: str, verification_id: str, *, support: bool = False
    ) -> Verification | None:
        """With its deliveries. For ``support`` whoever's it is, which the audit trail tells."""

    def of_phone(self, asked: PhoneQuestion) -> Sequence[Verification]:
        """Those of all homes, the newest first, with their deliveries; audited for support.

        Raises `StorageUnavailable` if any home can't be asked: a part would pass for all.
        """

    def last_message(self, verification: Verification) -> Delivery | None:
        """The newest message with its newest code. It counts as no request of the client's."""

    def cancel(self, client: str, verification_id: str) -> Verification | None:
        """End it if it is pending; answer it as it is now."""

    def recent_messages(self, provider: str, count: int) -> Sequence[StoredMessage]:
        """The newest messages of one provider, oldest first."""

    def state(self) -> StoreState:
        """Find out which homes would answer now."""
