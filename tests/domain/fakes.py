"""A store and an outbox that answer what they are told to, and remember what they were given."""

from __future__ import annotations

from collections.abc import Callable, Sequence
from dataclasses import replace
from typing import TypeVar

from otp_service.domain.checks import Check, CheckResult, Verdict
from otp_service.domain.dispatch import Dispatch
from otp_service.domain.drafts import Draft, Issued
from otp_service.domain.errors import DeliveryError, StorageUnavailable
from otp_service.domain.messages import Outgoing, Receipt
from otp_service.domain.policy import Policy
from otp_service.domain.ports import PhoneQuery, StoredMessage, StoreState
from otp_service.domain.verification import (
    Channel,
    Delivery,
    DeliveryStatus,
    Person,
    Price,
    RelayedMessage,
    Verification,
)
from tests.domain.samples import CODES, POLICY, STORED
from tests.fakes import FakeSender

Answer = TypeVar("Answer")


class FakeStore:
    """``issues`` are its answers to drafts, in order, and the last one once more when they are
    used up; an error among them is raised. The other answers stay as they are.
    """

    def __init__(self) -> None:
        self.issues: list[Issued | StorageUnavailable] = [STORED]
        self.lives: list[Verification | None] = [None]
        self.found: Verification | None = None
        self.message: RelayedMessage | None = None
        self.result = CheckResult(Verdict.MISSING)
        self.last: Delivery | StorageUnavailable | None = None
        self.kept: list[StoredMessage] = []
        self.drafts: list[Draft] = []
        self.reissued: list[tuple[str, int]] = []
        """Of each resend the verification and the generation."""
        self.checks: list[Check] = []
        self.looked_for: list[Person] = []
        self.asked: list[object] = []
        """What `get`, `of_phone`, `cancel` and `recent_messages` were given."""

    def issue(self, draft: Draft) -> Issued:
        self.drafts.append(draft)
        issued = _next(self.issues)
        if isinstance(issued, StorageUnavailable):
            raise issued
        return replace(issued, draft=draft)

    def reissue(self, draft: Draft, verification_id: str, generation: int) -> Issued:
        self.reissued.append((verification_id, generation))
        return replace(self.issue(draft), generation=generation)

    def live(self, person: Person) -> Verification | None:
        self.looked_for.append(person)
        return _next(self.lives)

    def check(self, check: Check) -> CheckResult:
        self.checks.append(check)
        return self.result

    def get(
        self, client: str, verification_id: str, *, support: bool = False
    ) -> Verification | None:
        self.asked.append((client, verification_id, support))
        return self.found

    def of_phone(self, query: PhoneQuery) -> Sequence[Verification]:
        self.asked.append(query)
        return [self.found] if self.found else []

    def begun(self, verification_id: str) -> Verification | None:
        self.asked.append(verification_id)
        return self.found

    def last_message(self, verification: Verification) -> Delivery | None:
        if isinstance(self.last, StorageUnavailable):
            raise self.last
        return self.last

    def id_of(self, digits: str) -> str:
        return f"s{digits}"

    def cancel(self, client: str, verification_id: str) -> Verification | None:
        self.asked.append((client, verification_id))
        return self.found

    def relay(self, draft: Draft) -> Issued:
        return replace(self.issue(draft), live=None)

    def relayed(
        self, client: str, message_id: str, *, support: bool = False
    ) -> RelayedMessage | None:
        self.asked.append((client, message_id, support))
        return self.message

    def recent_messages(self, provider: str, count: int) -> Sequence[StoredMessage]:
        self.asked.append((provider, count))
        return self.kept

    def state(self) -> StoreState:
        return StoreState("ok", "off")


class FakeOutbox:
    """``became`` tells of each message what became of it, in order. ``follows``: whether another
    may take a message's place. The next ``away`` calls fail, as without a database.
    """

    def __init__(self) -> None:
        self.became: list[tuple[object, ...]] = []
        self.due: list[Outgoing] = []
        self.follows = True
        self.away = 0
        self.calls = 0

    def submitted(
        self, message: Outgoing, provider_message_id: str, grace: int, due_in: float | None
    ) -> None:
        self._keep("submitted", message, provider_message_id, grace, due_in)

    def postpone(self, message: Outgoing, error: DeliveryError, due_in: float | None) -> None:
        self._keep("postponed", message, error, due_in)

    def hand_over(self, verification_id: str, delivery_id: str) -> None:
        self.became.append(("handed over", verification_id, delivery_id))

    def refused(self, message: Outgoing, error: DeliveryError) -> None:
        self._keep("refused", message, error)

    def follow(
        self,
        message: Outgoing,
        channel: Channel,
        provider: str,
        error: DeliveryError | None = None,
        due_in: float | None = None,
    ) -> Outgoing | None:
        self._keep("followed", message, channel, provider, error, due_in)
        following = replace(
            message,
            delivery_id=f"{message.delivery_id}+",
            channel=channel,
            provider=provider,
            auto=message.auto and channel is not Channel.SMS,
            tries=message.tries + (error is not None),
            status=DeliveryStatus.QUEUED,
            error_code=None,
            lease=message.lease if due_in is None else None,
        )
        return following if self.follows else None

    def close(self, message: Outgoing) -> None:
        self._keep("closed", message)

    def take(self, count: int) -> Sequence[Outgoing]:
        return self.due[:count]

    def _keep(self, what: str, message: Outgoing, *facts: object) -> None:
        self.calls += 1
        assert self.calls < 50, "it goes on for ever"
        if self.away:
            self.away -= 1
            raise StorageUnavailable("away")
        self.became.append((what, message.delivery_id, *facts))


class FakeReceipts:
    """``kept`` are told to whoever settles them; ``looks`` is in how many seconds to look in."""

    def __init__(self, *kept: Receipt) -> None:
        self.kept = list(kept)
        self.looks: list[float] = []

    def keep(self, receipts: Sequence[Receipt]) -> None:
        self.kept += receipts

    def settle(
        self,
        count: int,
        look_in: Callable[[Receipt], float],
        on_price: Callable[[str, Price], object] = lambda provider, price: None,
    ) -> int:
        settled = self.kept[:count]
        for receipt in settled:
            self.looks.append(look_in(receipt))
            if receipt.price:
                on_price(receipt.provider, receipt.price)
        return len(settled)


def _next(answers: list[Answer]) -> Answer:
    return answers.pop(0) if len(answers) > 1 else answers[0]


def dispatch_over(outbox: FakeOutbox, *senders: FakeSender, policy: Policy = POLICY) -> Dispatch:
    """By these senders, in this order; what test numbers get stays with the one named sandbox."""
    of_channel = {
        channel: [sender for sender in senders if sender.channel is channel] for channel in Channel
    }
    sandbox = FakeSender(provider="sandbox")
    return Dispatch(outbox, CODES, of_channel, test_sender=sandbox, policy=policy)
