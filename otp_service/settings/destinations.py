"""How the rules for destinations are read."""

from __future__ import annotations

import re

import phonenumbers

from otp_service.domain.destination import BLOCKED_TYPES, DestinationRules
from otp_service.domain.numbering_plans import NUMBER_TYPES
from otp_service.environment import Reader


def read_destinations(read: Reader) -> DestinationRules:
    return DestinationRules(
        countries=frozenset(_countries(read)),
        blocked_prefixes=_prefixes(
            read, "OTP_BLOCKED_PREFIXES", "Numbers that get no messages begin so", "+88213"
        ),
        blocked_types=_types(read),
        accepted_prefixes=_prefixes(
            read, "OTP_ACCEPTED_PREFIXES", "Numbers of no known range that do begin so", "+1436"
        ),
        default_country=_default_country(read),
    )


def _countries(read: Reader) -> list[str]:
    entries = read.entries("OTP_ALLOWED_COUNTRIES", "Countries that get messages; all if empty")
    named = [part.upper() for part in entries]
    if not set(named) <= set(phonenumbers.SUPPORTED_REGIONS):
        read.problems.append(
            "OTP_ALLOWED_COUNTRIES must be two-letter countries (ISO 3166) such as IN,US, with "
            "commas"
        )
    return named


def _prefixes(read: Reader, variable: str, meaning: str, example: str) -> tuple[str, ...]:
    named = read.entries(variable, meaning)
    if not all(re.fullmatch(r"\+[1-9][0-9]{0,14}", prefix) for prefix in named):
        read.problems.append(
            f"{variable} must be international prefixes such as {example}, with commas"
        )
    return tuple(named)


def _default_country(read: Reader) -> str | None:
    meaning = "The country that digits without a plus are read as first"
    named = read.text("OTP_DEFAULT_COUNTRY", meaning).upper()
    if named and named not in phonenumbers.SUPPORTED_REGIONS:
        read.problems.append("OTP_DEFAULT_COUNTRY must be a two-letter country (ISO 3166) as IN is")
    return named or None


def _types(read: Reader) -> frozenset[str]:
    variable = "OTP_BLOCKED_NUMBER_TYPES"
    default = ",".join(sorted(BLOCKED_TYPES))
    named = frozenset(
        part.lower()
        for part in read.entries(variable, "Kinds of numbers that get no messages", default)
    )
    if read.given(variable).lower() == "off":
        return frozenset()
    if not named <= set(NUMBER_TYPES.values()):
        known = ", ".join(sorted(NUMBER_TYPES.values()))
        read.problems.append(f"{variable} must be off, or of: {known}; with commas")
    return named or BLOCKED_TYPES
