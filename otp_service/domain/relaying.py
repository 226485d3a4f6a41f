"""Codes that other systems make and check: here they are only delivered.

Limits, destinations, receipts and the SMS that may follow are those of our own codes. There is no
guess to judge, so nothing locks a phone, and several may be under way.
"""

from __future__ import annotations

from collections.abc import Callable
from contextlib import AbstractContextManager, nullcontext
from dataclasses import replace

from otp_service.domain import idempotency, phone
from otp_service.domain.codes import Codes
from otp_service.domain.drafts import Draft, Issued, RequestKey, SendOptions
from otp_service.domain.errors import DeliveryError, MessageNotFound
from otp_service.domain.idempotency import Repeats
from otp_service.domain.messages import Outgoing
from otp_service.domain.policy import Policy
from otp_service.domain.ports import Store
from otp_service.domain.sending import Sending
from otp_service.domain.values import value
from otp_service.domain.verification import Channel, DeliveryStatus, Person, RelayedMessage


@value
class Relayed:
    """A message as its request is answered. ``repeated``: to one that was made before."""

    id: str
    phone: str
    purpose: str
    channel: Channel
    status: DeliveryStatus
    repeated: bool = False


class Relaying:
    """Its methods raise `errors.OtpError` for what they refuse; a person's phone may be as
    somebody typed it.
    """

    def __init__(
        self,
        store: Store,
        sending: Sending,
        codes: Codes,
        policy: Policy,
        in_turn: Callable[[], AbstractContextManager[object]] = nullcontext,
    ) -> None:
        """``in_turn`` is held by whoever sends."""
        self._store = store
        self._sending = sending
        self._codes = codes
        self._policy = policy
        self._in_turn = in_turn
        self._repeats = Repeats(store, sending)

    def request_key(self, client: str, key: str, request: str) -> RequestKey:
        """An ``Idempotency-Key`` and the request it came with, as they are stored."""
        return idempotency.request_key(self._codes, client, key, request)

    def relay(
        self,
        person: Person,
        code: str,
        options: SendOptions = SendOptions(),  # noqa: B008
        *,
        expires_in: int | None = None,
    ) -> Relayed:
        """Deliver ``code``, 4 to 10 digits, unless that takes longer than ``expires_in`` seconds:
        by default the lifetime of our own.
        """
        options = replace(options, code=code)
        with self._in_turn():
            issued = self._store.relay(self._draft(person, options, expires_in))
            try:
                return self._repeated(issued) if issued.earlier else self._sent(issued)
            except DeliveryError as error:
                error.message_id, error.verification_id = error.verification_id, None
                raise

    def get(self, client: str, message_id: str, *, support: bool = False) -> RelayedMessage:
        """One of the client's; for ``support`` anyone's, and the audit trail tells of it."""
        found = self._store.relayed(client, message_id, support=support)
        if found is None:
            raise MessageNotFound
        return found

    def _draft(self, person: Person, options: SendOptions, expires_in: int | None) -> Draft:
        number = phone.read(person.phone, self._policy.numbering)
        reached = Person(person.client, number.e164, person.purpose)
        draft = self._sending.draft(reached, number, options)
        lifetime = expires_in or self._policy.lifetime
        return replace(draft, lifetime=lifetime, max_attempts=0, mac_for=_nothing_to_check)

    def _sent(self, issued: Issued) -> Relayed:
        message, options = self._sending.see_off(issued), issued.draft.options
        status = DeliveryStatus.QUEUED if options.background else DeliveryStatus.SUBMITTED
        return _answer(issued, message, status)

    def _repeated(self, issued: Issued) -> Relayed:
        found, message = self._repeats.of_relay(issued)
        status = DeliveryStatus.QUEUED if message.background else DeliveryStatus.SUBMITTED
        return Relayed(found.id, found.phone, found.purpose, message.channel, status, repeated=True)


def _answer(issued: Issued, message: Outgoing, status: DeliveryStatus) -> Relayed:
    purpose = issued.draft.person.purpose
    return Relayed(message.verification_id, message.phone, purpose, message.channel, status)


def _nothing_to_check(_verification_id: str, _generation: int) -> str:
    return ""
