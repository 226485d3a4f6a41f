"""The same request again: what the first one led to, and no second message."""

from __future__ import annotations

from dataclasses import replace
from datetime import timedelta

from otp_service.domain import failures
from otp_service.domain.drafts import Earlier, Issued
from otp_service.domain.errors import (
    DeliveryUnconfirmed,
    IdempotencyInProgress,
    IdempotencyKeyReused,
    OtpError,
    VerificationNotFound,
    delivery_error,
)
from otp_service.domain.failures import FAILURES
from otp_service.domain.ports import Store
from otp_service.domain.sending import Sending, Sent
from otp_service.domain.values import value
from otp_service.domain.verification import Delivery, Status, Verification

STILL_RUNNING = timedelta(seconds=30)  # longer than any send takes


@value
class Repeats:
    """Of sends and resends. A repeated check is answered by the statement that judges."""

    store: Store
    sending: Sending

    def of_send(self, issued: Issued) -> Sent:
        """What the earlier request was answered, or the error it was answered with. A message
        whose sender ended without a word is sent again, and the next repeat tells of that.

        Raises `IdempotencyKeyReused` if it was another request, `IdempotencyInProgress` while it
        still runs.
        """
        earlier, person = issued.earlier, issued.draft.person
        assert earlier
        key = issued.draft.options.key
        if key is None or earlier.fingerprint not in key.fingerprints:
            raise IdempotencyKeyReused(phone=person.phone)
        found = self.store.get(person.client, earlier.verification_id)
        if found is None:
            raise VerificationNotFound
        first, last = _messages(found, earlier)
        if not (last.submitted_at or first.background):
            error = _its_error(last, found)
            if not last.error_code and error.repeated and found.status is Status.PENDING:
                self.sending.send_again(found.id, last.id)
            raise error
        answered = _as_it_was(found, first, last)
        code = self.sending.exposed(found.phone, found.id, first.generation)
        return Sent(answered, issued.quota, code)


_NOT_TOLD = "the process that sent it ended before it could tell"


def _its_error(last: Delivery, found: Verification) -> OtpError:
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


def _messages(found: Verification, earlier: Earlier) -> tuple[Delivery, Delivery]:
    """The request's first message, and the one that carried its code or came last."""
    (first,) = (each for each in found.deliveries if each.id == earlier.delivery_id)
    same_code = [each for each in found.deliveries if each.generation == first.generation]
    taken = [each for each in same_code if each.submitted_at]
    return first, (taken or same_code)[0 if taken else -1]
