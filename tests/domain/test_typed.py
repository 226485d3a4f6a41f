"""What people type, and what keyboards and copied texts add to it."""

from __future__ import annotations

import pytest
from hypothesis import given
from hypothesis import strategies as st

from otp_service.domain.typed import code_in, plain

BLANKS = " \t\n\r\u00a0\u1680\u2003\u2009\u202f\u205f\u3000\u2028\u2029\u2800\u3164"
DASHES = "-\u2010\u2011\u2012\u2013\u2014\u2015\u2212\u2043\u30fc\ufe63\uff0d"
UNSEEN = "\u200b\u200c\u200d\u200e\u200f\u202a\u202c\u2060\u2066\u2069\u00ad\ufeff\u061c\ufe0f"
UNSEEN += "\u20e3\u034f\ufe00\u180b"


@pytest.mark.parametrize("character", BLANKS + DASHES + UNSEEN)
def test_blanks_dashes_and_what_is_not_seen_are_left_out(character: str) -> None:
    assert plain(f"{character}12{character}3{character}") == "123"


@pytest.mark.parametrize(
    "digits",
    ["٠١٢٣٤٥٦٧٨٩", "०१२३४५६७८९", "\uff10\uff11\uff12\uff13\uff14\uff15\uff16\uff17\uff18\uff19"],
)
def test_digits_of_any_script_are_their_value(digits: str) -> None:
    assert plain(digits) == "0123456789"


@pytest.mark.parametrize(
    "text", ["²", "①", "½", "Ⅳ", "O", "l", "一", "+", "*", "\x00", "\x1b", "\ud800"]
)
def test_nothing_else_is_taken_for_a_digit_or_for_nothing(text: str) -> None:
    assert plain(text) == text


@given(st.text())
def test_what_was_read_once_stays_as_it_is(text: str) -> None:
    assert plain(plain(text)) == plain(text)


@pytest.mark.parametrize(
    ("text", "code"),
    [
        ("561166 is your code", "561166"),
        ("Your code: 0042. It ends in 5 minutes.", "0042"),
        ("G-561166", "561166"),
        ("@example.com #1234567890", "1234567890"),
        ("رمزك ٥٦١١٦٦", "561166"),
        ("5 minutes, 3 tries", None),
        ("561166 for order 20261", None),
        ("12345678901", None),
        ("AB12CD", None),
        ("", None),
    ],
)
def test_a_text_has_a_code_where_one_run_of_digits_has_4_to_10(text: str, code: str | None) -> None:
    assert code_in(text) == code
