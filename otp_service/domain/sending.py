"""From a wish to a message: draft a code, have it stored, hand it over, record what failed."""

from __future__ import annotations

import logging
import secrets
from collections.abc import Callable
from dataclasses import dataclass, field, replace

from otp_service.domain import codes
from otp_service.domain.destination import network_of
from otp_service.domain.dispatch import Dispatch
from otp_service.domain.errors import (
    DeliveryError,
    DeliveryUnconfirmed,
    DestinationNotAllowed,
    OtpError,
    PhoneLocked,
    SendLimitExceeded,
    StorageUnavailable,
)
from otp_service.domain.messages import Outgoing
from otp_service.domain.numbering_plans import known
from otp_service.domain.phone import mask
from otp_service.domain.ports import Block, Draft, Issued, Quota, Wish
from otp_service.domain.verification import Channel, Person, Verification

log = logging.getLogger(__name__)

AUTO = "auto"  # WhatsApp, and SMS where WhatsApp does not arrive


@dataclass(frozen=True)
class Sent:
    """A message on its way. ``exposed_code`` is None except in the sandbox."""

    verification: Verification
    quota: Quota
    exposed_code: str | None = field(repr=False)


@dataclass(frozen=True)
class Sending:
    """Makes messages and sees them off. ``wake`` tells a worker that there is one to send."""

    dispatch: Dispatch
    wake: Callable[[], None] = lambda: None
    suspected: Callable[[str, str], None] = lambda rule, country: None
    """Told of each message that looks like pumping: the rule, and the country or nothing."""

    def draft(self, person: Person, wish: Wish, verification_id: str, generation: int = 1) -> Draft:
        """One generation of a verification, made from its id alone."""
        made, policy = self.dispatch.codes, self.dispatch.policy
        wanted = Channel.WHATSAPP if wish.channel == AUTO else Channel(wish.channel)
        sender = self.dispatch.choose(person.phone, wanted)
        code = made.make(person.phone, verification_id, generation, made.secret_id)
        return Draft(
            id=verification_id,
            delivery_id=secrets.token_hex(16),
            person=person,
            channel=wanted,
            provider=sender.provider,
            sms_provider=self._sms_provider(person, wish),
            wish=wish,
            generation=generation,
            lifetime=policy.lifetime,
            max_attempts=policy.max_attempts,
            mac=codes.bind(verification_id, made.tags(person, code)[0]),
            secret_id=made.secret_id,
            exempt=person.phone in policy.test_numbers,
            phone_digest=made.pseudonyms("phone", person.phone)[0],
            **self._counted(person, wish),
        )

    def _counted(self, person: Person, wish: Wish) -> dict[str, str | None]:
        """By what else than the phone a message is counted: nothing for a test number."""
        if person.phone in self.dispatch.policy.test_numbers:
            return {}
        where, address = known(person.phone), None
        if wish.address:
            address = self.dispatch.codes.pseudonyms("address", network_of(wish.address))[0]
        return {"address": address, "prefix": where.prefix, "country": where.country}

    def admit(self, person: Person) -> None:
        """Raises `DestinationNotAllowed` for a phone that gets no messages."""
        policy = self.dispatch.policy
        if person.phone in policy.test_numbers:
            return
        if reason := policy.destinations.refusal(person.phone):
            raise DestinationNotAllowed(phone=person.phone, reason=reason)

    def _sms_provider(self, person: Person, wish: Wish) -> str | None:
        is_real = person.phone not in self.dispatch.policy.test_numbers
        if wish.channel == AUTO and is_real and self.dispatch.senders.get(Channel.SMS):
            return self.dispatch.choose(person.phone, Channel.SMS).provider
        return None

    def deliver(self, issued: Issued) -> Sent:
        """Send what was stored, or leave it to the worker if the caller does not wait.

        Raises `SendLimitExceeded`, `PhoneLocked` or `DestinationNotAllowed` if it was not stored,
        or the `DeliveryError` it failed with.
        """
        phone = issued.draft.person.phone
        self._tell_suspicions(issued)
        if not issued.live or not issued.outgoing:
            raise _refusal(issued)
        message = issued.outgoing
        if issued.draft.wish.background:
            self.wake()
        else:
            message, error = self.dispatch.carry(message)
            if error:
                self._record_failure(message, error)
                error.phone, error.verification_id = phone, message.verification_id
                raise error
        verification = replace(issued.live, channel=message.channel)
        code = self.exposed(phone, verification.id, message.generation)
        return Sent(verification, issued.quota, code)

    def exposed(self, phone: str, verification_id: str, generation: int) -> str | None:
        """The code, where answers may show it."""
        if not self.dispatch.policy.expose_code:
            return None
        made = self.dispatch.codes
        return made.make(phone, verification_id, generation, made.secret_id)

    def _tell_suspicions(self, issued: Issued) -> None:
        phone, country = issued.draft.person.phone, issued.draft.country or ""
        for rule in issued.suspicions:
            done = "sent" if issued.stored else "not sent"
            facts = {"rule": rule, "country": country}
            log.warning("pumping suspected: %s, %s", mask(phone), done, extra=facts)
            self.suspected(rule, country)

    def _record_failure(self, message: Outgoing, error: DeliveryError) -> None:
        outbox, sms_after = self.dispatch.outbox, self.dispatch.policy.sms_after
        try:
            if isinstance(error, DeliveryUnconfirmed):
                outbox.postpone(message, error, sms_after if message.auto else None)
            else:
                outbox.refused(message, error)
        except StorageUnavailable:  # then the row expires by itself
            log.warning("a failed delivery to %s was not recorded", mask(message.phone))


def _refusal(issued: Issued) -> OtpError:
    """Why it was not stored. What a person can wait for comes first."""
    phone = issued.draft.person.phone
    if block := Block.of(issued.quota, issued.limit) or issued.block:
        return SendLimitExceeded(phone=phone, **block.told())
    if issued.lock:
        return PhoneLocked(phone=phone, **issued.lock.block.told())
    if issued.blocked:
        return DestinationNotAllowed(phone=phone, reason="unusual_traffic")
    return StorageUnavailable(retry_after=1)  # what stood in its way has just ended
