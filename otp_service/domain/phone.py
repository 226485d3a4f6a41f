"""Phone numbers: one spelling inside, whichever way they are written; and a mask for people."""

from __future__ import annotations

import re
from dataclasses import field
from functools import cached_property, lru_cache

import phonenumbers
from phonenumbers import NumberParseException

from otp_service.domain import numbering_plans as plans
from otp_service.domain import typed
from otp_service.domain.errors import InvalidPhoneNumber
from otp_service.domain.values import value

_MIN_DIGITS = 8  # with fewer there is no number of any country, written without its plus
_PREFIX_LESS = 4
_BARE = re.compile(r"\+?[0-9]+")


@value
class Numbering:
    """How numbers are read here.

    ``test_numbers`` (E.164) need no validity; what begins with one of ``accepted_prefixes`` needs
    a possible length only. Digits without a plus are first read as ``default_country``'s (ISO
    3166). Where ``fixed_lines`` get messages, an Argentine one is its mobile: see
    `numbering_plans.in_one_spelling`.
    """

    test_numbers: frozenset[str] = frozenset()
    accepted_prefixes: tuple[str, ...] = ()
    default_country: str | None = None
    fixed_lines: bool = False


@value
class PhoneNumber:
    """A number that was read once: ``e164`` is how it is kept. A test number may be ``parsed`` as
    none.
    """

    e164: str
    parsed: phonenumbers.PhoneNumber | None = field(default=None, repr=False, compare=False)

    @cached_property
    def country(self) -> str | None:
        """ISO 3166; None if it belongs to none or is not known."""
        region = self.parsed and phonenumbers.region_code_for_number(self.parsed)
        return region if region and region.isalpha() else None

    @cached_property
    def kind(self) -> str:
        """One of `numbering_plans.NUMBER_TYPES`, or unknown."""
        if self.parsed is None:
            return "unknown"
        return plans.NUMBER_TYPES.get(phonenumbers.number_type(self.parsed), "unknown")

    @property
    def is_valid(self) -> bool:
        """Whether its country has such numbers: then they are of a kind."""
        return self.kind != "unknown"

    @property
    def prefix(self) -> str:
        """The number less its last four digits, which numbers rented together share."""
        return self.e164[:-_PREFIX_LESS]


def known(e164: str) -> PhoneNumber:
    """What is known of a number that is kept. Not of a test number: that may be none."""
    return PhoneNumber(e164, phonenumbers.parse(e164, None))


@lru_cache(maxsize=4096)  # whoever gets a code checks it soon
def read(text: str, numbering: Numbering = Numbering()) -> PhoneNumber:  # noqa: B008 (nobody changes it)
    """The number that ``text`` means; its ``e164`` read again is itself.

    Digits without a plus are international, as the original API read them. Raises
    `InvalidPhoneNumber`, which says why.
    """
    written = text if _BARE.fullmatch(text) else typed.number(text)
    digits = written.lstrip("+")
    if f"+{digits}" in numbering.test_numbers:
        return PhoneNumber(f"+{digits}")
    if written == digits and numbering.default_country:
        return _national_first(digits, numbering)
    try:
        return _read(f"+{digits}", None, numbering)
    except InvalidPhoneNumber as error:
        if written != digits or error.reason == "too_long" or len(digits) < _MIN_DIGITS:
            raise
    raise InvalidPhoneNumber("country_code_missing")  # or it is wrong: nobody can tell


def _national_first(digits: str, numbering: Numbering) -> PhoneNumber:
    try:
        return _read(digits, numbering.default_country, numbering)
    except InvalidPhoneNumber as error:
        failure = error
    try:
        return _read(f"+{digits}", None, numbering)
    except InvalidPhoneNumber:
        raise failure from None


def _read(written: str, country: str | None, numbering: Numbering) -> PhoneNumber:
    """``written`` has a plus, or is as one dials in ``country``."""
    parsed = _parse(written, country, numbering)
    number = phonenumbers.format_number(parsed, phonenumbers.PhoneNumberFormat.E164)
    found = PhoneNumber(number, parsed)
    is_accepted = number.startswith(numbering.accepted_prefixes) and plans.is_possible(parsed)
    if not is_accepted and not found.is_valid:
        raise InvalidPhoneNumber(plans.why_invalid(parsed))
    if len(number) > 1 + plans.MAX_DIGITS:
        raise InvalidPhoneNumber("too_long")
    if number != written and _parse(number, None, numbering) != parsed:
        # Its first digits would be taken for a trunk prefix next time, or it would be mended once
        # more: a second spelling, with limits of its own, of whichever phone that is.
        raise InvalidPhoneNumber("unknown_range")
    return found


def _parse(written: str, country: str | None, numbering: Numbering) -> phonenumbers.PhoneNumber:
    """In its one spelling. Raises `InvalidPhoneNumber`."""
    if written.startswith("+0"):  # what country codes never do
        raise InvalidPhoneNumber("country_code_missing")
    try:
        parsed = phonenumbers.parse(written, country)
    except NumberParseException as error:
        reason = plans.why_unreadable(written, error.error_type)
    else:
        changed = parsed.country_code in plans.CHANGED
        return plans.in_one_spelling(parsed, numbering.fixed_lines) if changed else parsed
    raise InvalidPhoneNumber(reason)


def mask(number: str, dot: str = "•") -> str:
    """For logs: country code and last four digits, such as ``+91••••3210``."""
    head = number[: max(0, min(3, len(number) - 5))]
    return f"{head}{dot * 4}{number[-4:]}"


def grouped(number: str) -> str:
    """For people: E.164 with the digits as its country groups them, such as ``+91 98765 43210``."""
    try:
        parsed = phonenumbers.parse(number, None)
    except NumberParseException:  # a test number of no country
        return number
    return phonenumbers.format_number(parsed, phonenumbers.PhoneNumberFormat.INTERNATIONAL)
