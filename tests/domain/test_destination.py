"""Where a phone is, and which destinations get messages."""

from __future__ import annotations

import pytest

from otp_service.domain.destination import DestinationRules, network_of
from otp_service.domain.phone import known


@pytest.mark.parametrize(
    ("phone", "country", "kind", "prefix"),
    [
        ("+919876543210", "IN", "mobile", "+91987654"),
        ("+14155552671", "US", "fixed_line_or_mobile", "+1415555"),
        ("+442071838750", "GB", "fixed_line", "+44207183"),
        ("+447700900123", None, "unknown", "+44770090"),
        ("+77012345678", "KZ", "mobile", "+7701234"),
        ("+79161234567", "RU", "mobile", "+7916123"),
        ("+870773111632", None, "mobile", "+87077311"),
    ],
)
def test_where_a_phone_is(phone: str, country: str | None, kind: str, prefix: str) -> None:
    where = known(phone)
    if kind != "unknown":  # a number for films belongs to nobody
        assert (where.country, where.kind) == (country, kind)
    assert where.prefix == prefix


def test_by_default_every_country_gets_messages_on_numbers_that_can_receive() -> None:
    rules = DestinationRules()
    for allowed in ("+919876543210", "+14155552671", "+79161234567", "+5511987654321"):
        assert rules.refusal(known(allowed)) is None
    for blocked in ("+442071838750", "+18002530000", "+19002530000", "+447012345678"):
        assert rules.refusal(known(blocked)) == "number_type", blocked


def test_where_countries_are_named_no_other_gets_messages() -> None:
    rules = DestinationRules(countries=frozenset({"IN", "KZ"}))
    assert rules.refusal(known("+919876543210")) is None
    assert rules.refusal(known("+77012345678")) is None
    assert rules.refusal(known("+79161234567")) == "country"  # it shares the code with KZ
    assert rules.refusal(known("+870773111632")) == "country"


def test_a_blocked_prefix_gets_none() -> None:
    rules = DestinationRules(blocked_prefixes=("+9198765", "+870"))
    assert rules.refusal(known("+919876543210")) == "prefix"
    assert rules.refusal(known("+919876512345")) == "prefix"
    assert rules.refusal(known("+919875643210")) is None
    assert rules.refusal(known("+870773111632")) == "prefix"


def test_what_may_be_an_argentine_mobile_without_its_9_is_refused_with_a_reason_of_its_own() -> (
    None
):
    rules = DestinationRules()
    assert rules.refusal(known("+541123456789")) == "may_be_mobile_without_9"
    assert rules.refusal(known("+5491123456789")) is None
    assert rules.refusal(known("+548001234567")) == "number_type"
    strict = DestinationRules(blocked_prefixes=("+5411",))
    assert strict.refusal(known("+541123456789")) == "prefix"


def test_an_accepted_prefix_has_no_country_to_be_refused_for() -> None:
    rules = DestinationRules(frozenset({"US"}), accepted_prefixes=("+1436", "+91"))
    assert rules.refusal(known("+14362020123")) is None
    assert rules.refusal(known("+15652020123")) == "country"
    assert rules.refusal(known("+919876543210")) == "country"  # the plans know it
    blocked = DestinationRules(blocked_prefixes=("+1436",), accepted_prefixes=("+1436",))
    assert blocked.refusal(known("+14362020123")) == "prefix"


def test_types_are_a_choice() -> None:
    assert DestinationRules(blocked_types=frozenset()).refusal(known("+442071838750")) is None
    voip = DestinationRules(blocked_types=frozenset({"voip"}))
    assert voip.refusal(known("+445612345678")) == "number_type"


@pytest.mark.parametrize(
    ("address", "network"),
    [
        ("203.0.113.7", "203.0.113.7"),
        ("::ffff:203.0.113.7", "203.0.113.7"),
        ("2001:db8:1:2:3:4:5:6", "2001:db8:1:2::/64"),
        ("2001:DB8:1:2::", "2001:db8:1:2::/64"),
    ],
)
def test_an_ipv6_user_is_a_network(address: str, network: str) -> None:
    assert network_of(address) == network
