"""What numbering plans say of a number: whose and what it is, and how it is kept."""

from __future__ import annotations

import re

import phonenumbers
from phonenumbers import NumberParseException, ValidationResult

NUMBER_TYPES = {
    value: name.lower()
    for name, value in vars(phonenumbers.PhoneNumberType).items()
    if isinstance(value, int) and name != "UNKNOWN"
}
MAX_DIGITS = 15  # of E.164, the country code's among them (ITU-T E.164, 6.2.1)


_WHY_UNREADABLE = {
    NumberParseException.INVALID_COUNTRY_CODE: "unknown_range",
    NumberParseException.TOO_LONG: "too_long",
}
_WHY_IMPOSSIBLE = {
    ValidationResult.TOO_SHORT: "too_short",
    ValidationResult.IS_POSSIBLE_LOCAL_ONLY: "too_short",
    ValidationResult.TOO_LONG: "too_long",
}


def why_unreadable(written: str, error_type: int) -> str:
    """One of `errors.WHY_NO_NUMBER`; ``error_type`` is of `NumberParseException`."""
    reason = _WHY_UNREADABLE.get(error_type, "too_short")
    return "too_long" if len(written) > 1 + MAX_DIGITS else reason


def why_invalid(parsed: phonenumbers.PhoneNumber) -> str:
    possible = phonenumbers.is_possible_number_with_reason(parsed)
    return _WHY_IMPOSSIBLE.get(possible, "unknown_range")


def is_possible(parsed: phonenumbers.PhoneNumber) -> bool:
    """Of a length that its country's numbers have."""
    possible = phonenumbers.is_possible_number_with_reason(parsed)
    return possible == ValidationResult.IS_POSSIBLE


# National numbers as they were before a change, which WhatsApp's ids and address books still have,
# by country code.
_BEFORE = {
    52: ((r"1(\d{10})", r"\1"),),  # Mexico, 2019: mobiles lost their 1
    # Brazil, 2012 to 2016: mobiles got a ninth digit
    55: ((r"(\d\d)([6-9]\d{7})", r"\g<1>9\2"),),
    # Ivory Coast, 2021: the second digit told the operator, whose digits went before
    225: (
        (r"([04-9][0-3]\d{6})", r"01\1"),
        (r"([04-9][4-6]\d{6})", r"05\1"),
        (r"([04-9][7-9]\d{6})", r"07\1"),
    ),
    229: ((r"([24-9]\d{7})", r"01\1"),),  # Benin, 2024: all got 01
    # Gabon, 2019: the operator's digit in the place of a 0 that not all had written
    241: (
        (r"0?([256]\d{6})", r"6\1"),
        (r"0?([47]\d{6})", r"7\1"),
        (r"0(3\d{6})", r"\1"),
        (r"0(1\d{6})", r"1\1"),
    ),
}
_ARGENTINA = 54
CHANGED = frozenset({*_BEFORE, _ARGENTINA})
"""The country codes of numbers that have another spelling."""


def in_one_spelling(
    parsed: phonenumbers.PhoneNumber, fixed_lines: bool
) -> phonenumbers.PhoneNumber:
    national = phonenumbers.national_significant_number(parsed)
    changes = _BEFORE.get(parsed.country_code or 0, ())
    change = next((each for each in changes if re.fullmatch(each[0], national)), None)
    if change:
        national = re.sub(*change, national)
    elif fixed_lines and _may_lack_its_9(parsed):
        national = f"9{national}"
    else:
        return parsed
    other = phonenumbers.parse(f"+{parsed.country_code}{national}", None)
    return other if phonenumbers.is_valid_number(other) else parsed


def _may_lack_its_9(parsed: phonenumbers.PhoneNumber) -> bool:
    """Argentine mobiles are written with a 9 from abroad and without it at home, where the same
    digits may be a fixed line's.
    """
    is_fixed = phonenumbers.number_type(parsed) == phonenumbers.PhoneNumberType.FIXED_LINE
    return parsed.country_code == _ARGENTINA and is_fixed


def may_be_mobile(parsed: phonenumbers.PhoneNumber) -> bool:
    """Whether an Argentine number that was written as a fixed line's is a mobile with a 9."""
    return in_one_spelling(parsed, fixed_lines=True) != parsed
