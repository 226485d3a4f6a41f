"""Values are compared, kept in sets and copied by what they hold."""

from __future__ import annotations

from dataclasses import replace

from otp_service.domain.verification import Person


def test_values_that_hold_the_same_are_equal_and_one_in_a_set() -> None:
    shop, same = Person("shop", "+919876543210", "login"), Person("shop", "+919876543210", "login")
    assert shop == same
    assert len({shop, same, replace(shop, purpose="payment")}) == 2
