"""From a wish to a message: draft a code, store it, hand it over, record what became of it."""

from __future__ import annotations

import logging
import secrets
from collections.abc import Mapping
from dataclasses import dataclass, field

from otp_service.domain import codes
from otp_service.domain.codes import Codes
from otp_service.domain.errors import (
    DeliveryError,
    DeliveryUnconfirmed,
    InvalidRequest,
    SendLimitExceeded,
    StorageUnavailable,
)
from otp_service.domain.limits import Policy
from otp_service.domain.phone import mask
from otp_service.domain.ports import Draft, Issued, Message, Quota, Sender, Store
from otp_service.domain.verification import Channel, Person, Verification

log = logging.getLogger(__name__)

AUTO = "auto"  # the service picks the channel


@dataclass(frozen=True)
class Sent:
    """A message on its way. ``exposed_code`` is None except in the sandbox."""

    verification: Verification
    quota: Quota
    exposed_code: str | None = field(repr=False)


@dataclass(frozen=True)
class Sending:
    """Makes messages and sees them through. ``test_sender`` keeps them on this machine."""

    store: Store
    codes: Codes
    senders: Mapping[Channel, Sender]
    test_sender: Sender
    policy: Policy

    def draft(
        self,
        person: Person,
        channel: str,
        locale: str | None,
        verification_id: str,
        generation: int = 1,
    ) -> Draft:
        """One generation of a verification, made from its id alone."""
        wanted = Channel.WHATSAPP if channel == AUTO else Channel(channel)
        sender = self._sender(person, wanted)
        code = self.codes.make(person.phone, verification_id, generation, self.codes.secret_id)
        return Draft(
            id=verification_id,
            delivery_id=secrets.token_hex(16),
            person=person,
            channel=sender.channel,
            provider=sender.provider,
            locale=locale,
            generation=generation,
            lifetime=self.policy.lifetime,
            max_attempts=self.policy.max_attempts,
            grace=self.policy.grace,
            mac=codes.bind(verification_id, self.codes.tags(person, code)[0]),
            secret_id=self.codes.secret_id,
            exempt=person.phone in self.policy.test_numbers,
        )

    def deliver(self, issued: Issued) -> Sent:
        """Send what was stored. No database connection is held while the provider is called.

        Raises `SendLimitExceeded` if it was not stored, or what the sender raises.
        """
        draft = issued.draft
        if not issued.stored or not issued.live:
            limit, wait = issued.limit, issued.quota.retry_after
            raise SendLimitExceeded(phone=draft.person.phone, retry_after=wait, limit=str(limit))
        phone = draft.person.phone
        code = self.codes.make(phone, draft.id, draft.generation, draft.secret_id)
        message = Message(phone, code, draft.lifetime, draft.locale)
        try:
            message_id = self._sender(draft.person, draft.channel).send(message)
        except DeliveryError as error:
            self._record_failure(draft, error)
            error.phone = phone
            raise
        self._record_success(draft, message_id)
        shown = code if self.policy.expose_code else None
        return Sent(issued.live, issued.quota, shown)

    def _sender(self, person: Person, channel: Channel) -> Sender:
        if channel not in self.senders:
            raise InvalidRequest({"channel": [f"{channel.value} is not configured"]})
        if person.phone in self.policy.test_numbers:
            return self.test_sender
        return self.senders[channel]

    def _record_success(self, draft: Draft, message_id: str) -> None:
        try:
            self.store.submitted(draft, message_id)
        except StorageUnavailable:  # the message is out and its code is stored: it verifies
            log.warning("a delivery to %s could not be recorded", mask(draft.person.phone))

    def _record_failure(self, draft: Draft, error: DeliveryError) -> None:
        log.warning("no delivery to %s: %s %s", mask(draft.person.phone), error.code, error.reason)
        record = self.store.refused
        if isinstance(error, DeliveryUnconfirmed):
            record = self.store.unconfirmed
        try:
            record(draft, error.code, error.reason)
        except StorageUnavailable:  # then the row expires by itself
            log.warning("a failed delivery to %s was not recorded", mask(draft.person.phone))
