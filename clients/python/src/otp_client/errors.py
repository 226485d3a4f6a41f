"""What can go wrong, as classes by ``error.code``; one that is not known yet goes by its status.

::

    OtpClientError
    ├── NoAnswer                     connection lost, or no answer within the deadline
    └── ApiError                     the service answered: .code .message .status .details .data
        ├── PersonError              what the person at the keyboard caused (HTTP 200)
        ├── CallerError              what the caller must fix (4xx)
        ├── LimitReached             too often (429)
        ├── ServiceError             what failed at the service or behind it (5xx)
        │   └── DeliveryError        the provider did not take the message
        └── UnexpectedAnswer         not this service's way to answer (a redirect, another page)

No error holds a key or a code, nor an exception of another library, which would hold the request.
"""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass, field
from datetime import datetime
from typing import ClassVar

from otp_client.answers import Sent
from otp_client.reading import read, time


class OtpClientError(Exception):
    """Base of all that this package raises, but for `ValueError` of wrong configuration."""


class NoAnswer(OtpClientError):
    """The call may have been done or not. The same call with the same ``idempotency_key`` is safe.

    ``idempotency_key`` is None for `get`, `get_message` and `cancel`, which may just be repeated.
    """

    def __init__(self, why: str, idempotency_key: str | None = None) -> None:
        super().__init__(why, idempotency_key)
        self.idempotency_key = idempotency_key

    def __str__(self) -> str:
        return f"no answer from the OTP service: {self.args[0]}"


@dataclass(frozen=True)
class Refusal:
    """What an answer said that was no success."""

    code: str
    message: str
    status: int
    request_id: str | None = None
    retry_after: int | None = None
    idempotency_key: str | None = None
    details: Mapping[str, object] = field(default_factory=dict, repr=False)
    data: Mapping[str, object] = field(default_factory=dict, repr=False)


class ApiError(OtpClientError):
    """``code`` never changes its meaning; ``message`` is for developers, in English.

    ``details`` is the answer's ``error``, ``data`` its ``data``. ``request_id`` finds the line in
    the service's log; ``retry_after`` are whole seconds, None where waiting does not help.
    """

    of_code: ClassVar[dict[str, type[ApiError]]] = {}
    """Every class that is of one code. A subclass made elsewhere takes the place of ours."""

    def __init_subclass__(cls, code: str | None = None) -> None:
        super().__init_subclass__()
        if code is not None:
            ApiError.of_code[code] = cls

    def __init__(self, refusal: Refusal) -> None:
        super().__init__(refusal)
        self.code = refusal.code
        self.message = refusal.message
        self.status = refusal.status
        self.request_id = refusal.request_id
        self.retry_after = refusal.retry_after
        self.idempotency_key = refusal.idempotency_key
        self.details = refusal.details
        self.data = refusal.data

    def __str__(self) -> str:
        known = f" (request {self.request_id})" if self.request_id else ""
        return f"{self.code}: {self.message}{known}"

    def _text(self, name: str) -> str | None:
        found = self.details.get(name)
        return found if isinstance(found, str) else None


class PersonError(ApiError):
    """What the person at the keyboard caused: tell them, and stay on the page."""


class CallerError(ApiError):
    """What the calling program must fix. ``documentation`` is a path at the service."""

    @property
    def rule(self) -> str | None:
        """What holds."""
        return self._text("rule")

    @property
    def example(self) -> str | None:
        """What would be right."""
        return self._text("example")

    @property
    def documentation(self) -> str | None:
        return self._text("documentation")


class LimitReached(ApiError):
    """Too often: again after ``retry_after`` seconds."""

    @property
    def limit(self) -> str | None:
        """Which limit it was, such as ``phone_sends``."""
        return self._text("limit")

    @property
    def resets_at(self) -> datetime | None:
        """When it ends."""
        found = self._text("resets_at")
        return None if found is None else time(found, "resets_at")


class ServiceError(ApiError):
    """Not the caller's fault. Where trying again at once could help, that has been done."""


class DeliveryError(ServiceError):
    """The provider did not take the message."""

    @property
    def failure(self) -> str | None:
        """Why, as a stable code such as ``not_on_whatsapp``."""
        return self._text("failure")

    @property
    def reason(self) -> str | None:
        """The provider's own words."""
        return self._text("reason")

    @property
    def verification_id(self) -> str | None:
        """That of what was stored; `get` tells the whole story."""
        return self._stored("verification_id")

    @property
    def message_id(self) -> str | None:
        """The same for `deliver` and `get_message`."""
        return self._stored("message_id")

    def _stored(self, name: str) -> str | None:
        found = self.data.get(name)
        return found if isinstance(found, str) else None


class UnexpectedAnswer(ApiError):
    """Something answered that does not speak as this service does: is the address right?"""


class OtpAlreadySent(PersonError, code="otp_already_sent"):
    """A live code exists: go on to the code field, with what ``sent`` tells."""

    @property
    def sent(self) -> Sent:
        """As a success has it; ``sent.delivery`` tells whether the message failed meanwhile."""
        return read(Sent, self.data)


class InvalidOtp(PersonError, code="invalid_otp"):
    """The code is another one."""

    @property
    def attempts_remaining(self) -> int:
        """Guesses left for this verification; with 0, another code has to be sent."""
        found = self.details.get("attempts_remaining")
        return found if isinstance(found, int) else 0


class OtpNotFound(PersonError, code="otp_not_found"):
    """None was sent, or it expired, was used or was canceled: deliberately all the same."""


class InvalidRequest(CallerError, code="invalid_request"):
    """A field is missing, unknown or wrong; of a code: it has another number of digits."""

    @property
    def fields(self) -> Mapping[str, object]:
        """What is wrong with each field, by its name: a list of sentences."""
        found = self.details.get("fields")
        return found if isinstance(found, Mapping) else {}

    def __str__(self) -> str:
        return f"{super().__str__()}: {', '.join(self.fields)}"


class InvalidPhoneNumber(CallerError, code="invalid_phone_number"):
    """What was typed is no phone number: tell the person."""

    @property
    def reason(self) -> str | None:
        """Why, such as ``country_code_missing``."""
        return self._text("reason")


class DestinationNotAllowed(CallerError, code="destination_not_allowed"):
    """The operator sends no messages there."""

    @property
    def reason(self) -> str | None:
        """Why: ``country``, ``prefix``, ``number_type``, …"""
        return self._text("reason")


class Unauthorized(CallerError, code="unauthorized"):
    """No key, or a wrong one."""


class Forbidden(CallerError, code="forbidden"):
    """The key is without the scope for this call."""


class NotFound(CallerError, code="not_found"):
    """No verification or message of this client's has this id."""


class IdempotencyKeyReused(CallerError, code="idempotency_key_reused"):
    """The key that was passed belongs to another call."""


class IdempotencyInProgress(CallerError, code="idempotency_in_progress"):
    """The first call with the key that was passed still runs."""


class SendLimitExceeded(LimitReached, code="send_limit_exceeded"):
    """This phone, or this end user's address, has had its messages."""


class TooManyAttempts(LimitReached, code="too_many_attempts"):
    """This verification's guesses are used up: another code has to be sent."""


class PhoneLocked(LimitReached, code="phone_locked"):
    """Too many wrong guesses for this phone, over all its verifications."""


class RateLimitExceeded(LimitReached, code="rate_limit_exceeded"):
    """This key calls too often."""


class DeliveryFailed(DeliveryError, code="delivery_failed"):
    """Refused for good: another number, or the operator, has to help."""


class DeliveryUnconfirmed(DeliveryError, code="delivery_unconfirmed"):
    """It may or may not arrive, and its code is valid: go on to the code field."""


class DeliveryUnavailable(DeliveryError, code="delivery_unavailable"):
    """The provider is down or busy; nothing was sent."""


class StorageUnavailable(ServiceError, code="storage_unavailable"):
    """No database could be asked; nothing was sent, counted or used up."""


UNEXPECTED = "unexpected_answer"
"""The ``code`` of answers that have none, such as a proxy's page."""


def error_of(refusal: Refusal) -> ApiError:
    """The error that the answer is."""
    return ApiError.of_code.get(refusal.code, _by_status(refusal))(refusal)


def _by_status(refusal: Refusal) -> type[ApiError]:
    if refusal.status == 429:
        return LimitReached
    kinds: dict[int, type[ApiError]] = {4: CallerError, 5: ServiceError}
    if refusal.code != UNEXPECTED:
        kinds[2] = PersonError
    return kinds.get(refusal.status // 100, UnexpectedAnswer)
