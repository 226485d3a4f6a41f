"""Handing a stored message to a provider, and to the next one where that may help."""

from __future__ import annotations

import logging
import time
from collections.abc import Mapping, Sequence
from contextlib import suppress
from dataclasses import replace

from otp_service.domain.codes import Codes
from otp_service.domain.errors import DeliveryError, InvalidRequest, StorageUnavailable
from otp_service.domain.failures import Failure, Outcome
from otp_service.domain.given_codes import code_of
from otp_service.domain.messages import Message, Outbox, Outgoing, Sender
from otp_service.domain.phone import mask
from otp_service.domain.policy import Policy
from otp_service.domain.values import value
from otp_service.domain.verification import Channel

log = logging.getLogger(__name__)

RECORD_PAUSES = (0.0, 0.5, 1.0, 2.0, 4.0, 8.0, 16.0)  # seconds; in all, well below a lease

# Of these, another provider of the same channel would say the same.
_OF_THE_CHANNEL = (Outcome.RECIPIENT, Outcome.DESTINATION)


@value
class Dispatch:
    """``senders`` of a channel are in order of preference; ``test_sender`` keeps messages here."""

    outbox: Outbox
    codes: Codes
    senders: Mapping[Channel, Sequence[Sender]]
    test_sender: Sender
    policy: Policy

    def choose(self, phone: str, channel: Channel) -> Sender:
        """Who should carry a message: the first that is not known to be down.

        Raises `InvalidRequest` if nobody is configured for the channel.
        """
        senders = self.senders.get(channel)
        if not senders:
            raise InvalidRequest({"channel": [f"{channel.value} is not configured"]})
        if phone in self.policy.test_numbers:
            return self.test_sender
        return next((sender for sender in senders if sender.is_available), senders[0])

    def carry(self, message: Outgoing) -> tuple[Outgoing, DeliveryError | None]:
        """Send it, by other providers and channels if need be; what was tried last, and how it
        failed. A success is recorded here, a failure is the caller's to record.

        No database connection is held while a provider is called.
        """
        while error := self._try(message):
            route = self.next_route(message, error.failure)
            following = route and self._follow(message, route, error)
            if not following:
                return message, error
            message = following
        return message, None

    def next_route(self, message: Outgoing, failure: Failure) -> Sender | None:
        """Who may carry the same code now that this provider has failed with it, if anybody."""
        if failure.outcome is Outcome.UNKNOWN or message.phone in self.policy.test_numbers:
            return None
        others: list[Sender] = []
        if failure.outcome not in _OF_THE_CHANNEL:
            same_channel = list(self.senders[message.channel])
            names = [sender.provider for sender in same_channel]
            if message.provider in names:
                others = same_channel[names.index(message.provider) + 1 :]
        if message.auto:
            others += self.senders.get(Channel.SMS, [])
        return next((sender for sender in others if sender.is_available), None)

    def _try(self, message: Outgoing) -> DeliveryError | None:
        code = code_of(self.codes, message)
        text = Message(message.phone, code, message.expires_in, message.locale, message.delivery_id)
        try:
            message_id = self._sender(message).send(text)
        except DeliveryError as error:
            failure, masked = error.failure, mask(message.phone)
            event = "%s did not take a message to %s, %s"
            words = (message.provider, masked, failure.operator_text)
            log.log(failure.level, event, *words, extra=_facts(message, failure))
            return error
        self._record_success(message, message_id)
        return None

    def _sender(self, message: Outgoing) -> Sender:
        if message.phone in self.policy.test_numbers:
            return self.test_sender
        senders = self.senders.get(message.channel, [])
        named = [sender for sender in senders if sender.provider == message.provider]
        return named[0] if named else self.choose(message.phone, message.channel)

    def _follow(self, message: Outgoing, route: Sender, error: DeliveryError) -> Outgoing | None:
        try:
            return self.outbox.follow(message, route.channel, route.provider, error)
        except StorageUnavailable:  # then this failure is the last word
            return None

    def _record_success(self, message: Outgoing, message_id: str) -> None:
        """The message is out and its code is stored: it verifies, recorded or not. But what a
        worker has leased would be sent again, so it tries for a while, as nobody waits for it.
        """
        due_in = self.policy.sms_after if message.auto else None
        if message.provider == self.test_sender.provider:  # it stays here: its code is to be shown
            message = replace(message, sealed=None)
        for pause in RECORD_PAUSES if message.lease else (0,):
            if pause:  # to sleep for no time gives the processor away as well
                time.sleep(pause)
            with suppress(StorageUnavailable):
                self.outbox.submitted(message, message_id, self.policy.grace, due_in)
                return
        log.warning("a delivery to %s could not be recorded", mask(message.phone))


def _facts(message: Outgoing, failure: Failure) -> dict[str, str]:
    return {
        "verification_id": message.verification_id,
        "channel": message.channel.value,
        "provider": message.provider,
        "failure": failure.code,
    }
