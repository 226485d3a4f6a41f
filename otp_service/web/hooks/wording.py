"""What a person who signs in reads, where a system shows our words."""

from __future__ import annotations

import math
from collections.abc import Callable

from otp_service.domain import errors
from otp_service.domain.errors import OtpError
from otp_service.wording import counted

_NOT_NOW = "No code can be sent at the moment. Try again in a minute."
_OF_PEOPLE: dict[type[OtpError], Callable[[OtpError], str]] = {
    errors.InvalidPhoneNumber: lambda _: (
        "This phone number can't be right. Check it, and its country code."
    ),
    errors.DestinationNotAllowed: lambda _: (
        "No code can be sent to this phone number. Use another one."
    ),
    errors.SendLimitExceeded: lambda error: (
        f"Too many codes were asked for. Try again in {_wait(error.retry_after or 0)}."
    ),
    errors.RequestLimitExceeded: lambda _: (
        "Too many people are signing in at the moment. Try again in a few seconds."
    ),
    errors.DeliveryFailed: lambda _: "The code could not be sent to this phone number.",
    errors.DeliveryUnavailable: lambda _: _NOT_NOW,
    errors.DeliveryUnconfirmed: lambda _: _NOT_NOW,
    errors.StorageUnavailable: lambda _: _NOT_NOW,
    errors.HomeUnreachable: lambda _: _NOT_NOW,
}


def is_for_people(error: OtpError) -> bool:
    """Whether a person can do something about it, or has at least to know."""
    return type(error) in _OF_PEOPLE


def words(error: OtpError) -> str:
    """For people, or for who set the hook up: what they got wrong."""
    if is_for_people(error):
        return _OF_PEOPLE[type(error)](error)
    if isinstance(error, errors.InvalidRequest):
        fields = error.details["fields"]
        assert isinstance(fields, dict)
        return "; ".join(f"{name}: {' '.join(rules)}" for name, rules in fields.items())
    return str(error.details.get("rule", error.message))


def _wait(seconds: int) -> str:
    """Rounded up: who comes back too early is refused again."""
    minutes = max(1, math.ceil(seconds / 60))
    return counted(minutes, "minute") if minutes < 100 else counted(math.ceil(minutes / 60), "hour")
