"""Words for people that more than one part of the service needs."""

from __future__ import annotations

REFUSALS = {
    "country": "its country is not in OTP_ALLOWED_COUNTRIES",
    "prefix": "it begins with one of OTP_BLOCKED_PREFIXES",
    "number_type": "its kind is one of OTP_BLOCKED_NUMBER_TYPES",
    "may_be_mobile_without_9": "it is written as a fixed line; as a mobile it has a 9 after +54",
    "unusual_traffic": "its prefix or country looks like pumping, and OTP_PUMPING_GUARD is enforce",
}
"""Why a destination gets no messages."""


def counted(number: int, noun: str) -> str:
    """``1 problem``, ``3 problems``."""
    return f"{number} {noun}" if number == 1 else f"{number} {noun}s"


def span(seconds: int) -> str:
    """In the largest unit that fits: ``10 minutes``."""
    for size, unit in ((86_400, "day"), (3_600, "hour"), (60, "minute")):
        number, rest = divmod(seconds, size)
        if number and not rest:
            return counted(number, unit)
    return counted(seconds, "second")
