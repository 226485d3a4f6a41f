"""What is done about a message later: try it again, send an SMS in its place, apply receipts."""

from __future__ import annotations

import logging
import random
from collections.abc import Callable, Sequence

from otp_service.domain import failures
from otp_service.domain.dispatch import Dispatch
from otp_service.domain.errors import DeliveryUnavailable, DeliveryUnconfirmed
from otp_service.domain.failures import FAILURES, Failure, Outcome
from otp_service.domain.messages import Outbox, Outgoing, Receipt, Receipts, Sender
from otp_service.domain.policy import Policy
from otp_service.domain.values import value
from otp_service.domain.verification import Channel, DeliveryStatus, Price

log = logging.getLogger(__name__)

MAX_BACK_OFF = 60.0  # seconds
LATE_DELIVERY = 5.0  # seconds in which a "delivered" may still follow an "undeliverable"
_ARRIVED = (DeliveryStatus.DELIVERED, DeliveryStatus.READ)


@value
class FollowUp:
    """The worker's part of the domain. Several may run at once: what one has taken in hand, no
    other gets before its lease ends.
    """

    dispatch: Dispatch
    outbox: Outbox
    receipts: Receipts
    policy: Policy
    on_price: Callable[[str, Price], object] = lambda provider, price: None

    def settle_receipts(self, count: int = 500) -> int:
        """Apply receipts that were stored; how many were looked at."""
        return self.receipts.settle(count, _noted, self.on_price)

    def take(self, count: int) -> Sequence[Outgoing]:
        return self.outbox.take(count)

    def handle(self, message: Outgoing) -> None:
        """Do what is due about a message. May raise `StorageUnavailable`: then it is due again."""
        if message.is_current and message.status is DeliveryStatus.QUEUED and not _unclear(message):
            self._send(message)
        elif not message.is_current or message.status in _ARRIVED or not self._replace(message):
            self.outbox.close(message)

    def _send(self, message: Outgoing) -> None:
        message, error = self.dispatch.carry(message)
        outbox, policy = self.outbox, self.policy
        if isinstance(error, DeliveryUnconfirmed):  # it is not blindly repeated
            outbox.postpone(message, error, policy.sms_after if message.auto else None)
        elif isinstance(error, DeliveryUnavailable) and _wait(message, error) < message.expires_in:
            outbox.postpone(message, error, _wait(message, error))
        elif error:
            outbox.refused(message, error)

    def _replace(self, message: Outgoing) -> bool:
        """Put another message in the place of one that failed, or did not arrive in time."""
        if route := self._route_after(message):
            return bool(self.outbox.follow(message, route.channel, route.provider, due_in=0))
        if _failure(message).outcome is not Outcome.TEMPORARY:
            return False
        wait = back_off(message.tries)
        if wait >= message.expires_in:
            return False
        follow = self.outbox.follow
        return bool(follow(message, message.channel, message.provider, due_in=wait))

    def _route_after(self, message: Outgoing) -> Sender | None:
        failure = _failure(message)
        if message.status is DeliveryStatus.FAILED and failure.outcome is not Outcome.UNKNOWN:
            route = self.dispatch.next_route(message, failure)
            if route:
                return route
        if message.auto and self.dispatch.senders.get(Channel.SMS):
            return self.dispatch.choose(message.phone, Channel.SMS)  # it waits if that is down
        return None


def look_in(receipt: Receipt) -> float:
    """In how many seconds a worker should look at a delivery whose receipt says that it failed."""
    return LATE_DELIVERY if receipt.failure is failures.UNDELIVERABLE else 0.0


def _noted(receipt: Receipt) -> float:
    if failure := receipt.failure:
        event = "a message that %s had taken failed, %s"
        log.log(failure.level, event, receipt.provider, failure.operator_text)
    return look_in(receipt)


def back_off(tries: int) -> float:
    """Seconds before the next try: 1, 4, 16 and then 60, and up to a quarter more at random.

    The first steps are those that Meta asks for when one person gets too many (131056); the
    quarter keeps those that failed together from coming back together.
    """
    return float(min(4.0**tries, MAX_BACK_OFF) * random.uniform(1, 1.25))  # noqa: S311


def _wait(message: Outgoing, error: DeliveryUnavailable) -> float:
    return max(back_off(message.tries), error.asked_wait)


def _failure(message: Outgoing) -> Failure:
    return FAILURES.get(message.error_code or "", failures.REFUSED)


def _unclear(message: Outgoing) -> bool:
    return message.error_code == failures.UNCONFIRMED.code
