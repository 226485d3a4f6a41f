"""Where a phone is: its country, its kind, its prefix; and which of these get no message."""

from __future__ import annotations

import ipaddress
from dataclasses import dataclass

import phonenumbers

NUMBER_TYPES = {
    value: name.lower()
    for name, value in vars(phonenumbers.PhoneNumberType).items()
    if isinstance(value, int) and name != "UNKNOWN"
}
# What no messenger reaches, and what others are paid for when it is called or written to.
BLOCKED_TYPES = frozenset(
    {
        "fixed_line",
        "premium_rate",
        "shared_cost",
        "toll_free",
        "personal_number",
        "pager",
        "uan",
        "voicemail",
    }
)
_PREFIX_LESS = 4


@dataclass(frozen=True)
class Destination:
    """``country`` is ISO 3166, None if the number belongs to none; ``kind`` is one of
    `NUMBER_TYPES`; ``prefix`` is the number less its last four digits, which numbers that were
    rented together share.
    """

    country: str | None
    kind: str
    prefix: str


def destination(phone: str) -> Destination:
    """Of a number in E.164."""
    number = phonenumbers.parse(phone, None)
    region = phonenumbers.region_code_for_number(number)
    return Destination(
        country=region if region and region.isalpha() else None,
        kind=NUMBER_TYPES.get(phonenumbers.number_type(number), "unknown"),
        prefix=phone[:-_PREFIX_LESS],
    )


@dataclass(frozen=True)
class DestinationRules:
    """Which destinations get messages: ``countries`` (none named: all), but for numbers that begin
    with one of ``blocked_prefixes`` or are of one of ``blocked_types``.
    """

    countries: frozenset[str] = frozenset()
    blocked_prefixes: tuple[str, ...] = ()
    blocked_types: frozenset[str] = BLOCKED_TYPES

    def refusal(self, phone: str) -> str | None:
        """Why the phone (E.164) gets no message: country, prefix or number_type."""
        where = destination(phone)
        if self.countries and where.country not in self.countries:
            return "country"
        if phone.startswith(self.blocked_prefixes):
            return "prefix"
        return "number_type" if where.kind in self.blocked_types else None


def network_of(address: str) -> str:
    """What one end user holds: an IPv4 address, or the /64 of an IPv6 one (RFC 6177)."""
    parsed = ipaddress.ip_address(address)
    if isinstance(parsed, ipaddress.IPv6Address):
        if parsed.ipv4_mapped:
            return str(parsed.ipv4_mapped)
        return str(ipaddress.ip_network((int(parsed), 64), strict=False))
    return str(parsed)
