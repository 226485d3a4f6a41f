"""From what is wanted to a message: draft it, have it stored, hand it over, record what failed."""

from __future__ import annotations

import logging
from collections.abc import Callable
from dataclasses import field, replace
from functools import partial

from otp_service.domain.codes import Codes
from otp_service.domain.destination import network_of
from otp_service.domain.dispatch import Dispatch
from otp_service.domain.drafts import Draft, Issued, SendOptions
from otp_service.domain.errors import (
    DeliveryError,
    DeliveryUnconfirmed,
    DestinationNotAllowed,
    OtpError,
    PhoneLocked,
    SendLimitExceeded,
    StorageUnavailable,
)
from otp_service.domain.given_codes import seal_code
from otp_service.domain.messages import Outbox, Outgoing
from otp_service.domain.phone import PhoneNumber, mask
from otp_service.domain.policy import Policy
from otp_service.domain.quotas import Block, Quota
from otp_service.domain.values import value
from otp_service.domain.verification import Channel, Person, Verification

log = logging.getLogger(__name__)

AUTO = "auto"  # WhatsApp, and SMS where WhatsApp does not arrive


@value
class Sent:
    """A message on its way. ``exposed_code`` is None except in the sandbox."""

    verification: Verification
    quota: Quota
    exposed_code: str | None = field(repr=False)


@value
class Sending:
    """Makes messages and sees them off. ``wake`` tells a worker of one to send."""

    dispatch: Dispatch
    outbox: Outbox
    codes: Codes
    policy: Policy
    wake: Callable[[Outgoing], None] = lambda message: None
    suspected: Callable[[str, str], None] = lambda rule, country: None
    """Told of each message that looks like pumping: the rule, and the country or nothing."""

    def draft(self, person: Person, number: PhoneNumber, options: SendOptions) -> Draft:
        """A message to ``number``, which is the person's phone.

        Raises `DestinationNotAllowed` for a phone that gets no messages.
        """
        exempt = person.phone in self.policy.test_numbers
        if not exempt and (reason := self.policy.destinations.refusal(number)):
            raise DestinationNotAllowed(phone=person.phone, reason=reason)
        wanted = Channel.WHATSAPP if options.channel == AUTO else Channel(options.channel)
        mac_for, seal_for = self._makers(person, options.code)
        return Draft(
            person=person,
            channel=wanted,
            provider=self.dispatch.choose(person.phone, wanted).provider,
            sms_provider=self._sms_provider(person, options),
            options=options,
            lifetime=self.policy.lifetime,
            max_attempts=self.policy.max_attempts,
            mac_for=mac_for,
            seal_for=seal_for,
            secret_id=self.codes.secret_id,
            exempt=exempt,
            phone_digest=self.codes.pseudonyms("phone", person.phone)[0],
            **({} if exempt else self._counted(number, options)),
        )

    def _makers(
        self, person: Person, code: str | None
    ) -> tuple[Callable[[str, int], str], Callable[[str, int], str] | None]:
        """What makes of an id and a generation what is stored of the code: one of ours, or this."""
        if code is None:
            return partial(self.codes.mac, person), None
        mac_of = partial(self.codes.mac_of, code, person)
        return lambda its_id, _: mac_of(its_id), partial(seal_code, self.codes, code)

    def _counted(self, number: PhoneNumber, options: SendOptions) -> dict[str, str | None]:
        """By what else than the phone a message is counted: nothing for a test number."""
        address = None
        if options.address:
            address = self.codes.pseudonyms("address", network_of(options.address))[0]
        return {"address": address, "prefix": number.prefix, "country": number.country}

    def _sms_provider(self, person: Person, options: SendOptions) -> str | None:
        is_real = person.phone not in self.policy.test_numbers
        if options.channel == AUTO and is_real and self.dispatch.senders.get(Channel.SMS):
            return self.dispatch.choose(person.phone, Channel.SMS).provider
        return None

    def deliver(self, issued: Issued) -> Sent:
        """Send what was stored, and tell of its verification. Raises what `see_off` does."""
        message, verification = self.see_off(issued), issued.live
        assert verification
        if message.channel is not verification.channel:  # another one took it
            verification = replace(verification, channel=message.channel)
        person, options = issued.draft.person, issued.draft.options
        code = self.exposed(person.phone, verification.id, message.generation, options.code)
        return Sent(verification, issued.quota, code)

    def see_off(self, issued: Issued) -> Outgoing:
        """Send what was stored, or leave it to the worker if the caller does not wait.

        Raises `SendLimitExceeded`, `PhoneLocked` or `DestinationNotAllowed` if it was not stored,
        or the `DeliveryError` it failed with.
        """
        self._tell_suspicions(issued)
        message = issued.outgoing
        if not message:
            raise _refusal(issued)
        if issued.draft.options.background:
            self.wake(message)
            return message
        message, error = self.dispatch.carry(message)
        if error:
            self._record_failure(message, error)
            error.phone, error.verification_id = message.phone, message.verification_id
            raise error
        return message

    def send_again(self, verification_id: str, delivery_id: str) -> None:
        """Its sender has ended without a word: a worker finds it within a second."""
        self.outbox.hand_over(verification_id, delivery_id)

    def exposed(
        self, phone: str, verification_id: str, generation: int, given: str | None
    ) -> str | None:
        """The code, where answers may show it; ``given`` if the caller made it."""
        if not self.policy.expose_code:
            return None
        return given or self.codes.make(phone, verification_id, generation, self.codes.secret_id)

    def _tell_suspicions(self, issued: Issued) -> None:
        phone, country = issued.draft.person.phone, issued.draft.country or ""
        for rule in issued.suspicions:
            done = "sent" if issued.outgoing else "not sent"
            facts = {"rule": rule, "country": country}
            log.warning("pumping suspected: %s, %s", mask(phone), done, extra=facts)
            self.suspected(rule, country)

    def _record_failure(self, message: Outgoing, error: DeliveryError) -> None:
        try:
            if isinstance(error, DeliveryUnconfirmed):
                sms_after = self.policy.sms_after if message.auto else None
                self.outbox.postpone(message, error, sms_after)
            else:
                self.outbox.refused(message, error)
        except StorageUnavailable:  # then the row expires by itself
            log.warning("a failed delivery to %s was not recorded", mask(message.phone))


def _refusal(issued: Issued) -> OtpError:
    """Why it was not stored. What a person can wait for comes first."""
    phone = issued.draft.person.phone
    if block := Block.of(issued.quota, issued.limit) or issued.block:
        return SendLimitExceeded(phone=phone, **block.details)
    if issued.lock:
        return PhoneLocked(phone=phone, **issued.lock.block.details)
    if issued.blocked:
        return DestinationNotAllowed(phone=phone, reason="unusual_traffic")
    return StorageUnavailable(retry_after=1)  # what stood in its way has just ended
