"""One phone is one phone, however it is written."""

from __future__ import annotations

import pytest
from hypothesis import given
from hypothesis import strategies as st

from otp_service.domain.errors import InvalidPhoneNumber
from otp_service.domain.phone import mask, normalize


@pytest.mark.statement(12)
@pytest.mark.parametrize(
    "written",
    [
        "+919876543210",
        "919876543210",
        "+91 98765 43210",
        " +91-98765-43210 ",
        "+91 (98765) 43210",
        "tel:+91-98765-43210",
        "+٩١٩٨٧٦٥٤٣٢١٠",
        "\uff0b\uff19\uff11 9876543210",
    ],
)
def test_the_same_phone_written_differently_is_one_phone(written: str) -> None:
    assert normalize(written) == "+919876543210"


@pytest.mark.parametrize(
    "text",
    [
        "",
        " ",
        "hello",
        "+",
        "+91",
        "+9198765",
        "+91987654321012345",
        "0919876543210",
        "+1234567890",
        "+14155552671x5",
        "+14155552671;ext=5",
        "+" + "9" * 300,
        "\x00",
        "\ud800",
        "+91 98765 43210" + " " * 60,
    ],
)
def test_what_is_no_phone_number_is_refused(text: str) -> None:
    with pytest.raises(InvalidPhoneNumber):
        normalize(text)


def test_a_test_number_needs_no_validity() -> None:
    assert normalize("+1 (234) 567-890", {"+1234567890"}) == "+1234567890"
    assert normalize("+999123456", {"+999123456"}) == "+999123456"


@given(st.text(max_size=80))
def test_any_text_gives_e164_or_a_refusal(text: str) -> None:
    try:
        number = normalize(text)
    except InvalidPhoneNumber:
        return
    assert number.startswith("+")
    assert number[1:].isascii()
    assert number[1:].isdigit()
    assert normalize(number) == number


@pytest.mark.parametrize(
    ("number", "masked"), [("+919876543210", "+91••••3210"), ("+12345", "+••••2345")]
)
def test_a_mask_shows_little(number: str, masked: str) -> None:
    assert mask(number) == masked
