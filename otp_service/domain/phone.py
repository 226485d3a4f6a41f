"""Phone numbers: one spelling inside, and a mask for people."""

from __future__ import annotations

import re
from collections.abc import Collection

import phonenumbers

from otp_service.domain.errors import InvalidPhoneNumber

MAX_LENGTH = 64
_DIGITS_ONLY = re.compile(r"[1-9][0-9]{1,14}")


def normalize(text: str, test_numbers: Collection[str] = ()) -> str:
    """The number as E.164, whichever way it was written.

    Digits without a plus are read as international, as the original API did. A member of
    ``test_numbers`` (E.164) is taken as it is; every other one must be valid.

    Raises `InvalidPhoneNumber`.
    """
    number = text if text in test_numbers else _to_e164(text)
    if number is None or not (number in test_numbers or _is_valid(number)):
        raise InvalidPhoneNumber
    return number


def _to_e164(text: str) -> str | None:
    if _DIGITS_ONLY.fullmatch(text):
        text = f"+{text}"
    try:
        parsed = phonenumbers.parse(text[: MAX_LENGTH + 1], None)
    except phonenumbers.NumberParseException:
        return None
    if parsed.extension or len(text) > MAX_LENGTH:
        return None  # nobody reads WhatsApp behind an extension
    return phonenumbers.format_number(parsed, phonenumbers.PhoneNumberFormat.E164)


def _is_valid(number: str) -> bool:
    return phonenumbers.is_valid_number(phonenumbers.parse(number, None))


def mask(number: str) -> str:
    """For logs: country code and last four digits, such as ``+91••••3210``."""
    head = number[: max(0, min(3, len(number) - 5))]
    return f"{head}••••{number[-4:]}"
