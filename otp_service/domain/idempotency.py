"""The same request again: what the first one led to, and no second message."""

from __future__ import annotations

import hashlib
from dataclasses import replace
from datetime import timedelta

from otp_service.domain import failures
from otp_service.domain.codes import Codes
from otp_service.domain.drafts import Earlier, Issued, RequestKey
from otp_service.domain.errors import (
    DeliveryUnconfirmed,
    IdempotencyInProgress,
    IdempotencyKeyReused,
    MessageNotFound,
    OtpError,
    VerificationNotFound,
    delivery_error,
)
from otp_service.domain.failures import FAILURES
from otp_service.domain.ports import Store
from otp_service.domain.sending import Sending, Sent
from otp_service.domain.values import value
from otp_service.domain.verification import Delivery, RelayedMessage, Status, Verification

STILL_RUNNING = timedelta(seconds=30)  # longer than any send takes


def request_key(codes: Codes, client: str, key: str, request: str) -> RequestKey:
    """A client's key and the request that it came with, as they are stored."""
    digest = hashlib.sha256(f"{client}\0{key}".encode()).hexdigest()
    return RequestKey(digest, codes.pseudonyms("request", request))


@value
class Repeats:
    """Of sends, resends and relays. A repeated check is answered by the statement that judges."""

    store: Store
    sending: Sending

    def of_send(self, issued: Issued) -> Sent:
        """What the earlier request was answered, or the error it was answered with. A message
        whose sender ended without a word is sent again, and the next repeat tells of that.

        Raises `IdempotencyKeyReused` if it was another request, `IdempotencyInProgress` while it
        still runs.
        """
        options = issued.draft.options
        found = self.store.get(issued.draft.person.client, _same_request(issued).verification_id)
        if found is None:
            raise VerificationNotFound
        first, last = self._that_went_out(issued, found)
        answered = _as_it_was(found, first, last)
        code = self.sending.exposed(found.phone, found.id, first.generation, options.code)
        return Sent(answered, issued.quota, code)

    def of_relay(self, issued: Issued) -> tuple[RelayedMessage, Delivery]:
        """The same of a code that somebody else made: what was relayed, and its first message if
        nobody waited for it, else the one that went out.
        """
        found = self.store.relayed(
            issued.draft.person.client, _same_request(issued).verification_id
        )
        if found is None:
            raise MessageNotFound
        first, last = self._that_went_out(issued, found)
        return found, first if first.background else last

    def _that_went_out(
        self, issued: Issued, found: Verification | RelayedMessage
    ) -> tuple[Delivery, Delivery]:
        """The request's first message, and the one that carried its code or came last."""
        assert issued.earlier
        first, last = _messages(found, issued.earlier)
        if not (last.submitted_at or first.background):
            error = _its_error(last, found)
            if not last.error_code and error.repeated and _may_go_out(found):
                self.sending.send_again(found.id, last.id)
            raise error
        return first, last


_NOT_TOLD = "the process that sent it ended before it could tell"


def _same_request(issued: Issued) -> Earlier:
    """What it led to before. Raises `IdempotencyKeyReused` if that was another request."""
    earlier, key = issued.earlier, issued.draft.options.key
    assert earlier
    if key is None or earlier.fingerprint not in key.fingerprints:
        raise IdempotencyKeyReused(phone=issued.draft.person.phone)
    return earlier


def _may_go_out(found: Verification | RelayedMessage) -> bool:
    if isinstance(found, RelayedMessage):
        return found.expires_at > found.as_of
    return found.status is Status.PENDING


def _its_error(last: Delivery, found: Verification | RelayedMessage) -> OtpError:
    if not last.error_code and found.as_of - last.created_at < STILL_RUNNING:
        return IdempotencyInProgress(phone=found.phone, retry_after=1)
    if last.error_code:
        failure = FAILURES.get(last.error_code, failures.REFUSED)
        error = delivery_error(failure, last.reason or "")
    else:
        error = DeliveryUnconfirmed(_NOT_TOLD)
    error.phone, error.verification_id, error.repeated = found.phone, found.id, True
    return error


def _as_it_was(found: Verification, first: Delivery, last: Delivery) -> Verification:
    return replace(
        found,
        status=Status.PENDING,
        channel=last.channel,
        expires_at=first.expires_at or found.expires_at,
        as_of=first.created_at,
        repeated=True,
    )


def _messages(found: Verification | RelayedMessage, earlier: Earlier) -> tuple[Delivery, Delivery]:
    (first,) = (each for each in found.deliveries if each.id == earlier.delivery_id)
    same_code = [each for each in found.deliveries if each.generation == first.generation]
    taken = [each for each in same_code if each.submitted_at]
    return first, (taken or same_code)[0 if taken else -1]
