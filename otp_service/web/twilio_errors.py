"""What is refused below `/twilio`, as Twilio says it (twilio.com/docs/api/errors).

Programs go by its numbers: those from 60000 are Verify's own, those below are of all its APIs.
"""

from __future__ import annotations

from http.client import FORBIDDEN, NOT_FOUND, SERVICE_UNAVAILABLE, TOO_MANY_REQUESTS
from typing import Any, NamedTuple

from otp_service.domain import errors as domain
from otp_service.domain.errors import OtpError
from otp_service.web import errors

BELOW = "/twilio/"
CHALLENGE = 'Basic realm="otp"'


class Refusal(NamedTuple):
    status: int
    number: int
    message: str


_INVALID = Refusal(400, 60200, "Invalid parameter")
_NOT_FOUND = Refusal(NOT_FOUND, 20404, "The requested resource was not found")
_UNAVAILABLE = Refusal(SERVICE_UNAVAILABLE, 20503, "Service Unavailable")
_CHECKED_TOO_OFTEN = Refusal(TOO_MANY_REQUESTS, 60202, "Max check attempts reached")
_BLOCKED = Refusal(
    FORBIDDEN, 60410, "Verification delivery attempt blocked: messages to this number are not sent"
)
_ASKED_WRONG = Refusal(400, 20400, "The request could not be understood")

REFUSALS: dict[type[OtpError], Refusal] = {
    domain.InvalidRequest: _INVALID,
    domain.InvalidPhoneNumber: _INVALID,
    domain.SendLimitExceeded: Refusal(TOO_MANY_REQUESTS, 60203, "Max send attempts reached"),
    domain.TooManyAttempts: _CHECKED_TOO_OFTEN,
    domain.PhoneLocked: _CHECKED_TOO_OFTEN,
    domain.RequestLimitExceeded: Refusal(TOO_MANY_REQUESTS, 20429, "Too Many Requests"),
    domain.DestinationNotAllowed: _BLOCKED,
    domain.CodeNotFound: _NOT_FOUND,
    domain.VerificationNotFound: _NOT_FOUND,
    domain.DeliveryFailed: _UNAVAILABLE,
    domain.DeliveryUnavailable: _UNAVAILABLE,
    domain.StorageUnavailable: _UNAVAILABLE,
    domain.HomeUnreachable: _UNAVAILABLE,
    errors.Busy: _UNAVAILABLE,
    errors.BadRequest: _ASKED_WRONG,
    errors.Unauthorized: Refusal(401, 20003, "Authenticate: the password must be an API key"),
    errors.Forbidden: Refusal(
        FORBIDDEN, 20003, "Permission Denied: this API key has not the scope otp"
    ),
    errors.NotFound: _NOT_FOUND,
    errors.MethodNotAllowed: Refusal(405, 20004, "Method not allowed"),
    errors.BodyTooLarge: Refusal(413, 20413, "The body is too large"),
    errors.UnsupportedMediaType: Refusal(
        415, 20415, "Content-Type must be application/x-www-form-urlencoded"
    ),
    errors.InternalError: Refusal(500, 20500, "Internal Server Error"),
}
OF_DESTINATIONS = {
    "country": Refusal(FORBIDDEN, 60605, "Messages to this country are not sent"),
    "number_type": Refusal(FORBIDDEN, 60205, "This kind of number gets no messages"),
    "may_be_mobile_without_9": _INVALID,
}


def refusal(error: OtpError) -> Refusal:
    """What Twilio would call it; what nobody causes there is our fault."""
    found = REFUSALS.get(type(error), REFUSALS[errors.InternalError])
    if isinstance(error, domain.DestinationNotAllowed):
        return OF_DESTINATIONS.get(str(error.details["reason"]), found)
    return found


def told(error: OtpError) -> tuple[dict[str, Any], int]:
    """Body and status."""
    status, number, message = refusal(error)
    if what := _what(error):
        message = f"{message} {what}"
    more_info = f"https://www.twilio.com/docs/errors/{number}"
    return {"code": number, "message": message, "more_info": more_info, "status": status}, status


def _what(error: OtpError) -> str:
    """Which parameter, and what it has to be. No value is told, since it may be a code."""
    if isinstance(error, domain.InvalidPhoneNumber):
        return f"`To`: {error.explanation}"
    if isinstance(error, domain.DestinationNotAllowed) and refusal(error) is _INVALID:
        return "`To`: the number lacks the 9 of mobiles"
    if isinstance(error, domain.InvalidRequest):
        fields: dict[str, list[str]] = error.details["fields"]  # type: ignore[assignment]
        return "; ".join(f"`{name}`: {' '.join(rules)}" for name, rules in fields.items())
    return ""
