"""How codes are made and what is stored of them."""

from __future__ import annotations

import hashlib
import hmac
from collections import Counter

import pytest
from hypothesis import given
from hypothesis import strategies as st

from otp_service.domain.codes import Codes, Secret, bind, derive_code, tag
from otp_service.domain.verification import Person

KEY = bytes(range(32))
PERSON = Person("public", "+919876543210", "login")


@pytest.mark.statement(1)
@given(st.integers(4, 10), st.text(max_size=40), st.integers(1, 1000))
def test_a_code_has_exactly_its_length_in_ascii_digits(
    length: int, verification_id: str, generation: int
) -> None:
    code = derive_code(Secret(KEY), verification_id, generation, length)
    assert len(code) == length
    assert code.isascii()
    assert code.isdigit()


@pytest.mark.statement(1)
def test_a_code_is_the_whole_hmac_as_one_number() -> None:
    parts = (b"code", b"p01", b"2")
    message = b"".join(len(part).to_bytes(4, "big") + part for part in parts)
    number = int.from_bytes(hmac.new(KEY, message, hashlib.sha256).digest(), "big")
    assert derive_code(Secret(KEY), "p01", 2, 10) == f"{number % 10**10:010}"


@pytest.mark.statement(1)
def test_codes_use_every_digit_in_every_place_about_equally() -> None:
    codes = [derive_code(Secret(KEY), f"p{number}", 1, 6) for number in range(20_000)]
    for place in range(6):
        counts = Counter(code[place] for code in codes)
        assert all(1_800 < counts[digit] < 2_200 for digit in "0123456789")


@pytest.mark.parametrize(
    "other",
    [
        derive_code(Secret(KEY), "p01", 2, 10),
        derive_code(Secret(KEY), "p02", 1, 10),
        derive_code(Secret(KEY[::-1]), "p01", 1, 10),
    ],
    ids=["generation", "verification", "secret"],
)
def test_another_generation_verification_or_secret_has_another_code(other: str) -> None:
    assert derive_code(Secret(KEY), "p01", 1, 10) != other


@given(st.lists(st.text(max_size=5), min_size=3, max_size=3), st.integers(0, 1))
def test_parts_that_run_together_the_same_way_have_different_tags(
    parts: list[str], place: int
) -> None:
    whole = "".join(parts)
    moved = Person(whole, "", "")
    if Person(*parts) != moved:
        assert tag(Secret(KEY), Person(*parts), "1") != tag(Secret(KEY), moved, "1")


def test_what_is_stored_is_bound_to_the_verification_and_the_code() -> None:
    stored = bind("p01", tag(Secret(KEY), PERSON, "123456"))
    assert stored != bind("p02", tag(Secret(KEY), PERSON, "123456"))
    assert stored != bind("p01", tag(Secret(KEY), PERSON, "123457"))
    assert "123456" not in stored


def test_a_secret_shows_itself_nowhere() -> None:
    codes = Codes([Secret(KEY)], 6, {"+1234567890": "424242"})
    assert KEY.hex() not in repr(codes)
    assert "\\x01\\x02" not in repr(codes)
    assert "424242" not in repr(codes)


def test_a_test_number_has_its_fixed_code() -> None:
    codes = Codes([Secret(KEY)], 6, {"+1234567890": "424242"})
    assert codes.make("+1234567890", "p01", 1, codes.secret_id) == "424242"
    assert codes.make("+919876543210", "p01", 1, codes.secret_id) != "424242"


def test_a_retired_secret_makes_no_codes() -> None:
    with pytest.raises(LookupError):
        Codes([Secret(KEY)], 6).make("+919876543210", "p01", 1, "retired0")
