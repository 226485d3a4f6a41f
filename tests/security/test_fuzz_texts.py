"""Whatever text comes in, by Hypothesis: phones and limits are what they say, or none."""

from __future__ import annotations

import re

import phonenumbers
import pytest
from hypothesis import assume, given, settings
from hypothesis import strategies as st

from otp_service.domain.errors import InvalidPhoneNumber
from otp_service.domain.phone import read
from otp_service.environment import Reader
from otp_service.settings.limits import read_limits

# --- phones ---
EXAMPLES = {
    phonenumbers.format_number(number, phonenumbers.PhoneNumberFormat.E164)
    for region in phonenumbers.SUPPORTED_REGIONS
    if (number := phonenumbers.example_number_for_type(region, phonenumbers.PhoneNumberType.MOBILE))
}
OLD = {"+24106031234"}  # the library's example for Gabon, which is kept as the number of now
REAL_NUMBERS = sorted(EXAMPLES - OLD | {"+24166031234"})
BETWEEN = st.sampled_from(["", "", "", " ", "-", ".", "\u00a0", "\u2011", " - "])
DIGITS = st.sampled_from(
    ["0123456789", "٠١٢٣٤٥٦٧٨٩", "\uff10\uff11\uff12\uff13\uff14\uff15\uff16\uff17\uff18\uff19"]
)


@st.composite
def another_way(draw: st.DrawFn, number: str) -> str:
    """``number`` as somebody else may write it."""
    spelled = number[1:].translate(str.maketrans("0123456789", draw(DIGITS)))
    plus = draw(st.sampled_from(["+", "\uff0b", "tel:+", " +", ""]))
    if not plus:
        return number[1:]  # digits alone are international, as the original API took them
    return plus + "".join(digit + draw(BETWEEN) for digit in spelled)


@pytest.mark.statement(12)
@given(st.sampled_from(REAL_NUMBERS), st.data())
@settings(deadline=None)
def test_one_phone_is_one_phone_however_it_is_written(number: str, data: st.DataObject) -> None:
    written = data.draw(another_way(number))
    assert read(written).e164 == number


@pytest.mark.statement(12)
@given(st.text(alphabet="0123456789+-() .;=/extTel:ph\uff0b٣*#w,\n\0", max_size=70) | st.text())
@settings(deadline=None, max_examples=300)
def test_a_text_is_one_phone_or_none(text: str) -> None:
    try:
        number = read(text).e164
    except InvalidPhoneNumber:
        return
    assert re.fullmatch(r"\+[1-9][0-9]{4,14}", number, re.ASCII)
    assert read(number).e164 == number


# --- settings ---
@given(st.lists(st.tuples(st.integers(1, 99), st.integers(1, 29), st.sampled_from("smhd"))))
def test_limits_mean_what_is_written(windows: list[tuple[int, int, str]]) -> None:
    assume(0 < len(windows) <= 5)
    read = Reader({"OTP_SEND_LIMITS": " , ".join(f"{n}/{time}{unit}" for n, time, unit in windows)})
    found = read_limits(read, keys_required=False).phone_sends
    seconds = {"s": 1, "m": 60, "h": 3600, "d": 86400}
    assert read.problems == []
    assert [(each.count, each.seconds) for each in found] == [
        (count, time * seconds[unit]) for count, time, unit in windows
    ]


@given(st.text() | st.text(alphabet="0123456789/smhd, -"))
def test_any_other_limit_is_a_problem_that_names_its_variable(text: str) -> None:
    read = Reader({"OTP_SEND_LIMITS": text})
    found = read_limits(read, keys_required=False).phone_sends
    assert found
    assert all(each.count > 0 and each.seconds > 0 for each in found)
    assert all(problem.startswith("OTP_SEND_LIMITS must be") for problem in read.problems)
