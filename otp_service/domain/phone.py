"""Phone numbers: one spelling inside, whichever way they are written; and a mask for people."""

from __future__ import annotations

import re
from dataclasses import dataclass

import phonenumbers
from phonenumbers import is_valid_number

from otp_service.domain import numbering_plans as plans
from otp_service.domain.errors import InvalidPhoneNumber
from otp_service.domain.typed import plain

_MIN_DIGITS = 8  # with fewer there is no number of any country, written without its plus


@dataclass(frozen=True)
class Numbering:
    """How numbers are read here.

    ``test_numbers`` (E.164) need no validity; what begins with one of ``accepted_prefixes`` needs
    a possible length only. Digits without a plus are first read as ``default_country``'s (ISO
    3166). Where ``fixed_lines`` get messages, an Argentine one is its mobile: see `with_its_9`.
    """

    test_numbers: frozenset[str] = frozenset()
    accepted_prefixes: tuple[str, ...] = ()
    default_country: str | None = None
    fixed_lines: bool = False


def normalize(text: str, numbering: Numbering = Numbering()) -> str:
    """The number that ``text`` means as E.164, which read again is itself.

    Digits without a plus are international, as the original API read them. Raises
    `InvalidPhoneNumber`, which says why.
    """
    written = _written(text)
    digits = written.lstrip("+")
    if f"+{digits}" in numbering.test_numbers:
        return f"+{digits}"
    if written == digits and numbering.default_country:
        return _national_first(digits, numbering)
    try:
        return _read(f"+{digits}", None, numbering)
    except InvalidPhoneNumber as error:
        if written != digits or error.reason == "too_long" or len(digits) < _MIN_DIGITS:
            raise
    raise InvalidPhoneNumber("country_code_missing")  # or it is wrong: nobody can tell


def _national_first(digits: str, numbering: Numbering) -> str:
    try:
        return _read(digits, numbering.default_country, numbering)
    except InvalidPhoneNumber as error:
        failure = error
    try:
        return _read(f"+{digits}", None, numbering)
    except InvalidPhoneNumber:
        raise failure from None


_SEPARATORS = ".．。｡·•․/／⁄∕~～∼⁓"
_BRACKETS = frozenset({"Ps", "Pe"})
_PLUS = str.maketrans("＋﹢", "++")
_EXTENSION = re.compile(r"\+?[0-9]+(?:[;,]?ext(?:ension)?[:=]?|[x;,#]+|anexo|int|доб)[0-9]+#?")


def _written(text: str) -> str:
    """The digits of it, with a plus before them if there is one."""
    bare = plain(text, _BRACKETS, _SEPARATORS).translate(_PLUS).lower().removeprefix("tel:")
    if _EXTENSION.fullmatch(bare):
        raise InvalidPhoneNumber("extension")  # nobody reads WhatsApp behind one
    if not re.fullmatch(r"\+?[0-9]+", bare):
        raise InvalidPhoneNumber("not_a_number")
    return bare


def _read(written: str, country: str | None, numbering: Numbering) -> str:
    """``written`` has a plus, or is as one dials in ``country``."""
    parsed = _spelled(written, country, numbering)
    number = plans.e164(parsed)
    is_accepted = number.startswith(numbering.accepted_prefixes) and plans.is_possible(parsed)
    if not is_accepted and not is_valid_number(parsed):
        raise InvalidPhoneNumber(plans.why_invalid(parsed))
    if len(number) > 1 + plans.MAX_DIGITS:
        raise InvalidPhoneNumber("too_long")
    if number != written and _spelled(number, None, numbering) != parsed:
        # Its first digits would be taken for a trunk prefix next time, or it would be mended once
        # more: a second spelling, with limits of its own, of whichever phone that is.
        raise InvalidPhoneNumber("unknown_range")
    return number


def _spelled(written: str, country: str | None, numbering: Numbering) -> phonenumbers.PhoneNumber:
    return plans.in_one_spelling(plans.parse(written, country), numbering.fixed_lines)


def mask(number: str) -> str:
    """For logs: country code and last four digits, such as ``+91••••3210``."""
    head = number[: max(0, min(3, len(number) - 5))]
    return f"{head}••••{number[-4:]}"


def grouped(number: str) -> str:
    """For people: E.164 with the digits as its country groups them, such as ``+91 98765 43210``."""
    try:
        parsed = phonenumbers.parse(number, None)
    except phonenumbers.NumberParseException:  # a test number of no country
        return number
    return phonenumbers.format_number(parsed, phonenumbers.PhoneNumberFormat.INTERNATIONAL)
