"""What can go wrong, in the domain's words.

Each error knows its public ``code`` (for programs, it never changes its meaning) and its
``message`` (for people). Which HTTP status it gets is `web/error_handlers.py`'s business.
None of them ever holds a code, a key or the text of somebody else's exception.
"""

from __future__ import annotations

from typing import ClassVar

from otp_service.domain import failures
from otp_service.domain.failures import Failure, Outcome
from otp_service.domain.quotas import Quota
from otp_service.domain.verification import Delivery, Verification

RETRY_AFTER = 5  # seconds, for callers, where the provider names none; Gupshup documents none


class OtpError(Exception):
    """Base of all that the service refuses or can't do.

    ``phone`` is E.164, ``retry_after`` whole seconds; ``details`` are further public facts.
    ``repeated`` is one that is told again, to a request with the same idempotency key.
    """

    repeated = False

    code: ClassVar[str]
    message: ClassVar[str]

    def __init__(
        self, *, phone: str | None = None, retry_after: int | None = None, **details: object
    ) -> None:
        super().__init__(self.message)
        self.phone = phone
        self.retry_after = retry_after
        self.details = details


class InvalidPhoneNumber(OtpError):
    """``reason`` is one of `WHY_NO_NUMBER`; ``explanation`` says the same to people."""

    code, message = "invalid_phone_number", "Invalid phone number format"

    def __init__(self, reason: str = "not_a_number") -> None:
        super().__init__(reason=reason)
        self.reason = reason

    @property
    def explanation(self) -> str:
        return f"{WHY_NO_NUMBER[self.reason]}; it must be international, such as +919876543210"


WHY_NO_NUMBER = {
    "not_a_number": "it must be a plus and digits, with blanks, hyphens, dots and brackets at most",
    "country_code_missing": "it does not begin with a country code",
    "too_short": "it has too few digits",
    "too_long": "it has too many digits",
    "extension": "it has an extension, which gets no messages",
    "unknown_range": "there are no such numbers, as far as is known",
}


class InvalidRequest(OtpError):
    """``fields`` maps each offending field's name to what is wrong with it."""

    code, message = "invalid_request", "Invalid request"

    def __init__(self, fields: dict[str, list[str]]) -> None:
        super().__init__(fields=fields)


class CodeAlreadySent(OtpError):
    """A live code exists; ``verification`` and ``quota`` let a page go on to its code field.

    ``delivery`` is the message that carries it, if that could be looked up: it may have failed.
    """

    code = "otp_already_sent"
    message = "OTP already sent. Please wait for expiry or use resend endpoint."

    def __init__(
        self, verification: Verification, quota: Quota, delivery: Delivery | None = None
    ) -> None:
        super().__init__(phone=verification.phone)
        self.verification = verification
        self.quota = quota
        self.delivery = delivery


class SendLimitExceeded(OtpError):
    code, message = "send_limit_exceeded", "Too many messages for this phone number"


class RequestLimitExceeded(OtpError):
    """This client calls too often."""

    code, message = "rate_limit_exceeded", "Too many requests with this API key"


class DestinationNotAllowed(OtpError):
    """``reason`` is country, prefix, number_type, may_be_mobile_without_9 or unusual_traffic."""

    code = "destination_not_allowed"
    message = "Messages can't be sent to this destination"


class DeliveryError(OtpError):
    """The provider did not take the message. ``reason`` is the provider's own words, scrubbed.

    ``failure`` tells why under a stable code of its own; ``verification_id`` is that of the send,
    once it has been stored, or ``message_id`` that of what was relayed.
    """

    verification_id: str | None = None
    message_id: str | None = None

    failure: Failure

    def __init__(
        self,
        reason: str = "",
        *,
        failure: Failure | None = None,
        retry_after: int | None = None,
    ) -> None:
        self.failure = failure or type(self).failure
        super().__init__(
            retry_after=retry_after,
            failure=self.failure.code,
            reason=reason or self.failure.explanation,
        )
        self.reason = reason


class DeliveryFailed(DeliveryError):
    """Refused for good: trying the same message again won't help."""

    code, message = "delivery_failed", "The message could not be delivered"
    failure = failures.REFUSED


class DeliveryUnconfirmed(DeliveryError):
    """No answer in time: it may or may not arrive, so its code stays valid."""

    code, message = "delivery_unconfirmed", "The message may or may not arrive"
    failure = failures.UNCONFIRMED


class DeliveryUnavailable(DeliveryError):
    """The provider is down or busy and certainly took nothing.

    ``asked_wait`` are the seconds it asked us to wait, 0 if it did not say.
    """

    code, message = "delivery_unavailable", "Messages can't be sent at the moment"
    failure = failures.PROVIDER_DOWN

    def __init__(
        self, reason: str = "", *, failure: Failure | None = None, retry_after: int | None = None
    ) -> None:
        super().__init__(reason, failure=failure, retry_after=retry_after or RETRY_AFTER)
        self.asked_wait = retry_after or 0


_OF_OUTCOME: dict[Outcome, type[DeliveryError]] = {
    Outcome.TEMPORARY: DeliveryUnavailable,
    Outcome.UNKNOWN: DeliveryUnconfirmed,
}


def delivery_error(
    failure: Failure, reason: str = "", retry_after: int | None = None
) -> DeliveryError:
    """The error for this failure; only one that may pass has a ``retry_after``, in seconds."""
    kind = _OF_OUTCOME.get(failure.outcome, DeliveryFailed)
    wait = retry_after if kind is DeliveryUnavailable else None
    return kind(reason, failure=failure, retry_after=wait)


class IdempotencyKeyReused(OtpError):
    code = "idempotency_key_reused"
    message = "This Idempotency-Key was used with another request"


class IdempotencyInProgress(OtpError):
    code = "idempotency_in_progress"
    message = "The first request with this Idempotency-Key is still running"


class StorageUnavailable(OtpError):
    """The store can't be asked or written: nothing is known, charged or consumed.

    ``reason`` is for us: what kind of failure it was, without what the database says of a row.
    ``advice`` is what an operator can do about it.
    """

    code, message = "storage_unavailable", "The service is temporarily unavailable"

    advice = ""

    def __init__(self, reason: str = "", *, retry_after: int = 2) -> None:
        super().__init__(retry_after=retry_after)
        self.reason = reason


class HomeUnreachable(StorageUnavailable):
    """The connection to a home failed: what was asked of it may or may not have happened.

    ``certain`` means that no other connection would fare better: it is refused, or silent.
    """

    def __init__(self, reason: str = "", *, certain: bool = True) -> None:
        super().__init__(reason)
        self.certain = certain


class CodeIncorrect(OtpError):
    """``verification`` is the one that was checked, as it is after that."""

    code, message = "invalid_otp", "Invalid OTP"
    verification: Verification | None = None


class CodeNotFound(OtpError):
    """None, expired, used or canceled: deliberately all the same (ASVS 5.0, 6.3.8)."""

    code, message = "otp_not_found", "OTP not found or expired"


class TooManyAttempts(OtpError):
    code, message = "too_many_attempts", "Too many wrong attempts for this OTP"


class PhoneLocked(OtpError):
    code, message = "phone_locked", "Too many wrong attempts for this phone number"


class VerificationNotFound(OtpError):
    """No verification has this id, or it is another client's."""

    code, message = "not_found", "Verification not found"


class MessageNotFound(OtpError):
    """No message that was relayed has this id, or it is another client's."""

    code, message = "not_found", "Message not found"
