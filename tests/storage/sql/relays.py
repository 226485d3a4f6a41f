"""A service that relays codes, and all that a test looks at."""

from __future__ import annotations

from dataclasses import dataclass, replace

import sqlalchemy as sa

from otp_service.domain.dispatch import Dispatch
from otp_service.domain.drafts import SendOptions
from otp_service.domain.follow_up import FollowUp
from otp_service.domain.relaying import Relayed, Relaying
from otp_service.domain.service import OtpService
from otp_service.domain.verification import Channel, Delivery, DeliveryStatus, Person
from otp_service.storage.models.base import Base
from otp_service.storage.models.verifications import SealedCodeRow
from otp_service.storage.outbox import Messages
from tests.fakes import FakeSender
from tests.storage.helpers import pass_time

PERSON = Person("public", "+919876543210", "login")


@dataclass
class Scene:
    """WhatsApp, an SMS where that does not arrive, and the sandbox, which test numbers have."""

    made: OtpService
    engine: sa.Engine
    messages: Messages
    whatsapp: FakeSender

    def __post_init__(self) -> None:
        self.sms, sandbox = FakeSender(Channel.SMS, "sms"), FakeSender(provider="sandbox")
        known = self.made._sending.dispatch
        senders = {Channel.WHATSAPP: [self.whatsapp], Channel.SMS: [self.sms]}
        self.dispatch = Dispatch(known.outbox, known.codes, senders, sandbox, known.policy)
        sending = replace(self.made._sending, dispatch=self.dispatch)
        parts = (self.made._store, sending, sending.codes, sending.policy)
        self.service, self.relaying = OtpService(*parts), Relaying(*parts)

    def relay(
        self,
        code: str,
        person: Person = PERSON,
        options: SendOptions = SendOptions(),  # noqa: B008
        expires_in: int | None = None,
    ) -> Relayed:
        return self.relaying.relay(person, code, options, expires_in=expires_in)

    def work(self, after: float = 0) -> None:
        """All that is due so many seconds later, and what comes of it at once."""
        if after:
            pass_time(self.engine, after)
        worker = FollowUp(self.dispatch, self.messages, self.messages, self.dispatch.policy)
        worker.settle_receipts()
        for _ in range(2):
            for message in worker.take(20):
                worker.handle(message)

    def out(self) -> list[str]:
        """The codes that WhatsApp was given."""
        return [message.code for message in self.whatsapp.messages]

    def sealed(self) -> list[str]:
        """What is kept of callers' codes; an empty text where one was wiped."""
        with self.engine.connect() as connection:
            return list(connection.scalars(sa.select(SealedCodeRow.sealed)))

    def everything(self) -> str:
        """All that any table holds, as text."""
        with self.engine.connect() as connection:
            tables = Base.metadata.sorted_tables
            return str([connection.execute(sa.select(each)).all() for each in tables])

    def became(self, told: Relayed) -> tuple[DeliveryStatus, str | None]:
        """Of its newest message, the status and why it failed."""
        delivery: Delivery = self.relaying.get(PERSON.client, told.id).deliveries[-1]
        return delivery.status, delivery.error_code
