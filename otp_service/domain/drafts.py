"""What is stored before a message goes out, and what the store answers."""

from __future__ import annotations

from collections.abc import Callable, Sequence
from dataclasses import field

from otp_service.domain.limits import Limit
from otp_service.domain.messages import Outgoing
from otp_service.domain.quotas import Block, Lock, Quota
from otp_service.domain.values import value
from otp_service.domain.verification import Channel, Person, Verification


@value
class RequestKey:
    """A client's ``Idempotency-Key`` and the request it came with, both as digests.

    ``fingerprints`` has one for each secret, newest first.
    """

    idempotency_key: str
    fingerprints: Sequence[str]


@value
class SendOptions:
    """How a message is wanted: ``channel`` may be `AUTO`, ``locale`` a tag as
    `languages.read` gives it.

    ``background``: the caller does not wait, a worker sends it. ``code``: 4 to 10 digits that the
    caller made; None: ours.
    """

    channel: str = Channel.WHATSAPP.value
    locale: str | None = None
    background: bool = False
    key: RequestKey | None = None
    address: str | None = field(default=None, repr=False)
    """The end user's, IPv4 or IPv6."""
    code: str | None = field(default=None, repr=False)


@value
class Draft:
    """A message that is ready to be stored with its code. ``lifetime`` is in seconds.

    The code follows from the id that the store gives its verification: ``mac_for`` makes what is
    stored of it out of that id and the generation, and ``seal_for`` the code itself, sealed, if it
    is one that the caller made. ``exempt`` is a test number: no send limit
    counts. With ``sms_provider`` the message may be followed by an SMS of that provider's, or be
    one if the phone is known not to be on WhatsApp. ``phone_digest`` and ``address`` are
    pseudonyms; what is None is not counted.
    """

    person: Person
    channel: Channel
    provider: str
    sms_provider: str | None
    options: SendOptions
    lifetime: int
    max_attempts: int
    mac_for: Callable[[str, int], str] = field(repr=False)
    secret_id: str
    exempt: bool
    phone_digest: str
    address: str | None = None
    prefix: str | None = None
    country: str | None = None
    seal_for: Callable[[str, int], str] | None = field(default=None, repr=False)


@value
class Earlier:
    """The message that an earlier request with the same idempotency key led to."""

    verification_id: str
    delivery_id: str
    fingerprint: str


@value
class Issued:
    """``live`` is the person's live verification now; ``outgoing`` the draft's message, if it was
    stored.

    ``limit`` is the send limit that it met, if any; ``earlier`` what the same request led to
    before, if it was made before. ``block`` is another limit that is met, ``lock`` what leaves no
    guess for a new verification. ``suspicions`` name the rules against pumping that it seems to
    break, ``blocked`` whether it was not stored for that.
    """

    draft: Draft
    generation: int
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
        is_new = self.generation == 1
        other = None if is_new and self.live else self.block or self.lock
        return not self.outgoing and bool(self.limit or other or self.blocked)
