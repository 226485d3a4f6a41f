"""Which phones get no message: by their country, their prefix, their kind. And who a user is."""

from __future__ import annotations

import ipaddress
from collections.abc import Iterable

from otp_service.domain.numbering_plans import may_be_mobile
from otp_service.domain.phone import Numbering, PhoneNumber
from otp_service.domain.values import value

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


@value
class DestinationRules:
    """Which destinations get messages: ``countries`` (none named: all), but for numbers that begin
    with one of ``blocked_prefixes`` or are of one of ``blocked_types``.

    ``accepted_prefixes`` and ``default_country`` are `Numbering`'s. A number that only the first
    let in has no country that it could be refused for.
    """

    countries: frozenset[str] = frozenset()
    blocked_prefixes: tuple[str, ...] = ()
    blocked_types: frozenset[str] = BLOCKED_TYPES
    accepted_prefixes: tuple[str, ...] = ()
    default_country: str | None = None

    def numbering(self, test_numbers: Iterable[str] = ()) -> Numbering:
        return Numbering(
            test_numbers=frozenset(test_numbers),
            accepted_prefixes=self.accepted_prefixes,
            default_country=self.default_country,
            fixed_lines="fixed_line" not in self.blocked_types,
        )

    def refusal(self, phone: PhoneNumber) -> str | None:
        """Why the phone gets no message: country, prefix, number_type, or
        may_be_mobile_without_9 where that type may be a matter of spelling.
        """
        if not self._may_be_there(phone):
            return "country"
        if phone.e164.startswith(self.blocked_prefixes):
            return "prefix"
        if phone.kind not in self.blocked_types:
            return None
        may_be = phone.parsed and may_be_mobile(phone.parsed)
        return "may_be_mobile_without_9" if may_be else "number_type"

    def _may_be_there(self, phone: PhoneNumber) -> bool:
        if not self.countries or phone.country in self.countries:
            return True
        return phone.country is None and phone.e164.startswith(self.accepted_prefixes)


def network_of(address: str) -> str:
    """What one end user holds: an IPv4 address, or the /64 of an IPv6 one (RFC 6177)."""
    parsed = ipaddress.ip_address(address)
    if isinstance(parsed, ipaddress.IPv6Address):
        if parsed.ipv4_mapped:
            return str(parsed.ipv4_mapped)
        return str(ipaddress.ip_network((int(parsed), 64), strict=False))
    return str(parsed)
