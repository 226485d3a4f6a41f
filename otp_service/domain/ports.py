"""What the domain needs from outside."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import field
from datetime import datetime
from typing import Protocol

from otp_service.domain.checks import Check, CheckResult
from otp_service.domain.drafts import Draft, Issued
from otp_service.domain.values import value
from otp_service.domain.verification import Delivery, Person, RelayedMessage, Verification


@value
class StoredMessage:
    """A message as it can be told again; ``secret_id`` names the secret of its code.

    ``expires_at`` is the code's own, ``mac`` what it is checked against; ``replaced`` means that a
    newer one took its place. ``sealed`` is the code if a caller made it, until it has ended.
    """

    verification: Verification
    delivery: Delivery
    secret_id: str
    expires_at: datetime
    replaced: bool
    mac: str = field(repr=False)
    sealed: str | None = field(default=None, repr=False)


@value
class PhoneQuery:
    """The newest ``count`` verifications of a phone: the client's, or for ``support`` everyone's.

    ``phone`` is E.164, ``phone_digest`` its pseudonym.
    """

    client: str
    phone: str = field(repr=False)
    phone_digest: str
    count: int
    support: bool = False


@value
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

    def issue(self, draft: Draft, /) -> Issued:
        """Store a new verification unless a rule forbids it: one live at a time, send limits."""

    def reissue(self, draft: Draft, verification_id: str, generation: int, /) -> Issued:
        """Store this generation of a live verification, unless a send limit forbids it."""

    def live(self, person: Person, /) -> Verification | None:
        """The person's live verification in the homes that can be reached."""

    def check(self, check: Check, /) -> CheckResult:
        """Judge a code once: count it, consume it if right, all in one transaction."""

    def get(
        self, client: str, verification_id: str, /, *, support: bool = False
    ) -> Verification | None:
        """With its deliveries. For ``support`` whoever's it is, which the audit trail tells."""

    def of_phone(self, query: PhoneQuery, /) -> Sequence[Verification]:
        """Those of all homes, the newest first, with their deliveries; audited for support.

        Raises `StorageUnavailable` if any home can't be asked: a part would pass for all.
        """

    def begun(self, verification_id: str, /) -> Verification | None:
        """With its deliveries, for who has begun it. It counts as no request of the client's."""

    def last_message(self, verification: Verification, /) -> Delivery | None:
        """The newest message with its newest code. It counts as no request of the client's."""

    def id_of(self, digits: str, /) -> str:
        """The id of these 32 digits in the home that has it; if none has, one that is nobody's."""

    def cancel(self, client: str, verification_id: str, /) -> Verification | None:
        """End it if it is pending; answer it as it is now."""

    def relay(self, draft: Draft, /) -> Issued:
        """Store a code that somebody else made, unless a send limit forbids it. What was relayed
        to the same person before and is not out yet never will be.

        One that is left to a worker is not stored where none would find it.
        """

    def relayed(
        self, client: str, message_id: str, /, *, support: bool = False
    ) -> RelayedMessage | None:
        """As `get` tells of a verification."""

    def recent_messages(self, provider: str, count: int, /) -> Sequence[StoredMessage]:
        """The newest messages of one provider, oldest first."""

    def state(self) -> StoreState:
        """Find out which homes would answer now."""
