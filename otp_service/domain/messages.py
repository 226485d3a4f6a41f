"""Messages: who carries them, and where they are kept until it is known what became of them."""

from __future__ import annotations

from collections.abc import Callable, Sequence
from dataclasses import field
from datetime import datetime
from typing import Protocol

from otp_service.domain.errors import DeliveryError
from otp_service.domain.failures import Failure
from otp_service.domain.values import value
from otp_service.domain.verification import Channel, DeliveryStatus, Price


@value
class Message:
    """What a sender carries. ``phone`` is E.164, ``expires_in`` whole seconds.

    ``delivery_id`` is our name for it: a provider that gives it back in its receipts lets those
    be matched where its answer, and so its own name for it, was lost.
    """

    phone: str = field(repr=False)
    code: str = field(repr=False)
    expires_in: int
    locale: str | None = None
    delivery_id: str = ""


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


@value
class Receipt:
    """What a provider told later of a message it took.

    ``status`` is sent, delivered, read or failed; ``at`` the provider's aware time, None if it
    told none; ``failure`` is there only when failed, ``reason`` being the provider's own words.
    ``delivery_id`` is `Message.delivery_id`, from providers that give it back.
    """

    provider: str
    message_id: str
    status: DeliveryStatus
    at: datetime | None = None
    failure: Failure | None = None
    reason: str = ""
    delivery_id: str | None = None
    price: Price | None = None


@value
class Outgoing:
    """A stored message, with all that it takes to send it.

    ``expires_in`` are the seconds that its code has left, ``tries`` the calls of providers so far,
    ``auto`` whether an SMS may follow, ``error_code`` why it failed. ``is_current`` is False once
    its code has ended or been replaced; ``lease`` is a worker's hold on it. ``sealed`` is the code
    if a caller made it, None if it is to be derived.
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
    sealed: str | None = field(default=None, repr=False)


class Outbox(Protocol):
    """The stored messages and what becomes of them. All but `take` raise what `Store` raises.

    ``due_in`` are the seconds until a worker looks at the message again; None: it does not.
    """

    def submitted(
        self, message: Outgoing, provider_message_id: str, grace: int, due_in: float | None
    ) -> None:
        """The provider took it: it replaces the codes before it, but for the last ``grace``.

        A code that is ``sealed`` is wiped, unless a worker is to look at the message again.
        """

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
        *,
        due_in: float | None = None,
    ) -> Outgoing | None:
        """Put another message with the same code in its place: for ``error``, which it failed
        with now, or because it has not arrived. None if the code has ended, the message arrived
        after all, or the verification has had its SMS.
        """

    def hand_over(self, verification_id: str, delivery_id: str) -> None:
        """To a worker, what nobody has and of which nobody knows whether it was sent."""

    def close(self, message: Outgoing) -> None:
        """No worker has to look at it again; if it was not sent, it never will be."""

    def take(self, count: int) -> Sequence[Outgoing]:
        """Lease messages that are due, up to ``count`` in each home that can be reached: nobody
        else gets them until the lease ends.
        """


class Receipts(Protocol):
    """Receipts, stored until they are applied to the deliveries they belong to."""

    def keep(self, receipts: Sequence[Receipt]) -> None: ...

    def settle(
        self,
        count: int,
        look_in: Callable[[Receipt], float],
        on_price: Callable[[str, Price], object] = lambda provider, price: None,
    ) -> int:
        """Apply the oldest ones, in whatever order and however often they came; how many.

        ``look_in`` tells in how many seconds a worker should look at a delivery that failed. What
        belongs to no delivery is tried again, and dropped after an hour. ``on_price`` hears of
        each message's price once, with the provider.
        """
