"""How long codes are, how long they live, and whose are known beforehand."""

from __future__ import annotations

from pathlib import Path

import pytest

from tests.settings.environments import (
    GUPSHUP,
    SECRET,
    load,
    problems,
)


@pytest.mark.statement(21)
def test_exposed_codes_with_a_real_sender_do_not_start(tmp_path: Path) -> None:
    (problem,) = problems(tmp_path, **GUPSHUP, OTP_SECRET=SECRET, OTP_EXPOSE_CODE="on")
    assert problem.startswith("OTP_EXPOSE_CODE is on with a real sender")


@pytest.mark.statement(2, 21)
@pytest.mark.parametrize("minutes", ["10.5", "11", "0", "-3", "nan", "inf", "three"])
def test_a_lifetime_over_ten_minutes_or_none_does_not_start(tmp_path: Path, minutes: str) -> None:
    (problem,) = problems(tmp_path, OTP_EXPIRY_MINUTES=minutes)
    assert problem.startswith("OTP_EXPIRY_MINUTES must be a number from")


def test_test_numbers_may_have_fixed_codes(tmp_path: Path) -> None:
    settings = load(tmp_path, OTP_TEST_NUMBERS="+1234567890=424242, +15550001111")
    assert settings.test_numbers == {"+1234567890": "424242", "+15550001111": ""}
    assert settings.fixed_codes == {"+1234567890": "424242"}


@pytest.mark.parametrize(("length", "code"), [("4", "1234"), ("6", "123456"), ("10", "1234567890")])
def test_the_sandboxs_own_has_a_code_of_the_configured_length(
    tmp_path: Path, length: str, code: str
) -> None:
    assert load(tmp_path, OTP_LENGTH=length).test_numbers == {"+1234567890": code}
    named = load(tmp_path, OTP_LENGTH=length, OTP_TEST_NUMBERS="+1234567890")
    assert named.fixed_codes == {}


def test_a_fixed_code_must_have_the_configured_length(tmp_path: Path) -> None:
    (problem,) = problems(tmp_path, OTP_TEST_NUMBERS="+1234567890=4242")
    assert problem == "OTP_TEST_NUMBERS: each code must have 6 digits"
