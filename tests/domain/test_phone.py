"""One phone is one phone, however it is written."""

from __future__ import annotations

import re
from collections.abc import Iterator

import phonenumbers
import pytest
from hypothesis import example, given, settings
from hypothesis import strategies as st

from otp_service.domain.errors import WHY_NO_NUMBER, InvalidPhoneNumber
from otp_service.domain.phone import Numbering, mask, read

REGIONS = [*sorted(phonenumbers.SUPPORTED_REGIONS), "001"]
FIXED_LINES = Numbering(fixed_lines=True)


@pytest.mark.statement(12)
@pytest.mark.parametrize(
    "written",
    [
        "+919876543210",
        "919876543210",
        "+91 98765 43210",
        "91 98765 43210",
        "(91) 98765-43210",
        " +91-98765-43210 \n",
        "+91 (98765) 43210",
        "+91 [98765] 432/10",
        "+91.98765.43210",
        "+91 0 98765 43210",
        "(+91) 98765\u201343210",
        "\u202a+919876543210\u202c",
        "\ufeff91\u00a098765\u200b43210",
        "tel:+91-98765-43210",
        "+٩١٩٨٧٦٥٤٣٢١٠",
        "\uff0b\uff19\uff11 9876543210",
        "+91 98765 43210" + " " * 60,
    ],
)
def test_the_same_phone_written_differently_is_one_phone(written: str) -> None:
    assert read(written).e164 == "+919876543210"


@pytest.mark.statement(12)
@pytest.mark.parametrize(
    ("written", "number"),
    [
        ("+5215512345678", "+525512345678"),  # Mexico, with the 1 that it dropped
        ("521 55 1234 5678", "+525512345678"),
        ("+555181234567", "+5551981234567"),  # Brazil, without the ninth digit
        ("+55 (51) 7123-4567", "+5551971234567"),
        ("+55 0 15 51 8123-4567", "+5551981234567"),  # through a carrier
        ("+22997123456", "+2290197123456"),  # Benin, before 2024
        ("+24106031234", "+24166031234"),  # Gabon, before 2019
        ("+241 6 03 12 34", "+24166031234"),
        ("+241 066 03 12 34", "+24166031234"),
        ("+241 07 41 23 45", "+24177412345"),
        ("+241 2 41 23 45", "+24162412345"),
        ("+241 01 44 12 34", "+24111441234"),
        ("+225 07 12 34 56", "+2250707123456"),  # Ivory Coast, before 2021
        ("+225 47 12 34 56", "+2250747123456"),
        ("225 05 12 34 56", "+2250505123456"),
        ("+225 54 12 34 56", "+2250554123456"),
        ("+225 01 23 45 67", "+2250101234567"),
        ("+225 40 12 34 56", "+2250140123456"),
        ("+54 11 15 2345-6789", "+5491123456789"),  # Argentina, as at home
        ("+44 (0) 7911 123456", "+447911123456"),
        ("+378 886377", "+3780549886377"),
    ],
)
def test_what_is_written_as_it_was_before_a_change_is_the_phone_of_now(
    written: str, number: str
) -> None:
    assert read(written).e164 == read(number).e164 == number


def test_fixed_lines_of_brazil_stay_as_they_are() -> None:
    assert read("+555132345678").e164 == "+555132345678"


@pytest.mark.statement(12)
def test_an_argentine_number_without_its_9_is_the_mobile_where_fixed_lines_get_messages() -> None:
    assert read("+541123456789").e164 == "+541123456789"
    assert read("+541123456789", FIXED_LINES).e164 == "+5491123456789"
    assert read("+5491123456789", FIXED_LINES).e164 == "+5491123456789"
    assert read("+442071838750", FIXED_LINES).e164 == "+442071838750"


@pytest.mark.parametrize(
    ("text", "reason"),
    [
        ("", "not_a_number"),
        (" ", "not_a_number"),
        ("hello", "not_a_number"),
        ("+", "not_a_number"),
        ("++919876543210", "not_a_number"),
        ("+91+9876543210", "not_a_number"),
        ("+1 800 FLOWERS", "not_a_number"),
        ("+919876543210 or 11", "not_a_number"),
        ("\x00", "not_a_number"),
        ("\ud800", "not_a_number"),
        ("12", "too_short"),
        ("+91", "too_short"),
        ("+9198765", "too_short"),
        ("+1 436 2020", "too_short"),
        ("+91987654321012345", "too_long"),
        ("91987654321012345", "too_long"),
        ("+" + "9" * 300, "too_long"),
        ("+44 00 7911 123456", "too_long"),
        ("+1 1 1 876 210 1234", "too_long"),
        ("+49 800 123456789012", "too_long"),  # a number, but none of E.164's
        ("0919876543210", "country_code_missing"),
        ("+0919876543210", "country_code_missing"),
        ("0091 98765 43210", "country_code_missing"),
        ("9876543210", "country_code_missing"),
        ("(415) 555-2671", "country_code_missing"),
        ("+14155552671x5", "extension"),
        ("+14155552671;ext=5", "extension"),
        ("+1 415 555 2671 ext. 5", "extension"),
        ("+1 415 555 2671,5", "extension"),
        ("+14362020123", "unknown_range"),
        ("+1234567890", "too_short"),
        ("+999123456", "unknown_range"),
    ],
)
def test_what_is_no_phone_number_is_refused_with_the_reason(text: str, reason: str) -> None:
    with pytest.raises(InvalidPhoneNumber) as caught:
        read(text)
    assert caught.value.details == {"reason": reason}
    assert WHY_NO_NUMBER[reason] in caught.value.explanation


def test_a_test_number_needs_no_validity() -> None:
    for number in ("+1234567890", "+999123456"):
        numbering = Numbering(test_numbers=frozenset({number}))
        for written in (number, f" {number[:4]} ({number[4:7]}) {number[7:]}", number[1:]):
            assert read(written, numbering).e164 == number


ACCEPTED = Numbering(accepted_prefixes=("+1436", "+1565"))


@pytest.mark.parametrize("written", ["+1 436 202 0123", "14362020123", "+1 1 (436) 202-0123"])
def test_numbers_of_an_accepted_prefix_are_taken_whatever_the_plans_know(written: str) -> None:
    assert read(written, ACCEPTED).e164 == "+14362020123"


@pytest.mark.parametrize(
    ("written", "reason"),
    [
        ("+1 436 202 012", "too_short"),
        ("+1 436 2020", "too_short"),
        ("+1 436 202 01234", "too_long"),
        ("+1 437 202 0123 4", "too_long"),
        ("+1 438 102 0123", "unknown_range"),
    ],
)
def test_an_accepted_prefix_needs_a_possible_length(written: str, reason: str) -> None:
    with pytest.raises(InvalidPhoneNumber) as caught:
        read(written, ACCEPTED)
    assert caught.value.reason == reason


@pytest.mark.parametrize(
    ("country", "written", "number"),
    [
        ("IN", "98765 43210", "+919876543210"),
        ("IN", "098765 43210", "+919876543210"),
        ("IN", "919876543210", "+919876543210"),
        ("IN", "0014155552671", "+14155552671"),  # as it is dialed there
        ("IN", "4797412345", "+914797412345"),
        ("NO", "4797412345", "+4797412345"),
        ("IN", "+4797412345", "+4797412345"),
        ("IN", "442071838750", "+442071838750"),  # none of India's
        ("BR", "(51) 8123-4567", "+5551981234567"),
        ("US", "(415) 555-2671", "+14155552671"),
    ],
)
def test_digits_without_a_plus_are_first_the_default_countrys(
    country: str, written: str, number: str
) -> None:
    assert read(written, Numbering(default_country=country)).e164 == number


def test_what_is_neither_is_refused_with_the_countrys_own_reason() -> None:
    with pytest.raises(InvalidPhoneNumber) as caught:
        read("98765", Numbering(default_country="IN"))
    assert caught.value.reason == "too_short"


@given(st.text(max_size=80))
def test_any_text_gives_e164_or_a_refusal(text: str) -> None:
    try:
        number = read(text).e164
    except InvalidPhoneNumber:
        return
    assert re.fullmatch(r"\+[1-9][0-9]{1,14}", number, re.ASCII)
    assert read(number).e164 == number


# --- a fixed point ---


def _examples(region: str) -> Iterator[phonenumbers.PhoneNumber]:
    if region == "001":  # of no country: ships, satellites, international freephone
        for code in phonenumbers.COUNTRY_CODES_FOR_NON_GEO_REGIONS:
            if found := phonenumbers.example_number_for_non_geo_entity(code):
                yield found
        return
    for kind in range(11):
        if found := phonenumbers.example_number_for_type(region, kind):
            yield found


EXAMPLES = {region: list(_examples(region)) for region in REGIONS}
TRUNK = ["", "", "0", "00", "000", "1", "11", "8", "9", "90", "15", "015", "06", "011", "044", "02"]
BETWEEN = ["", "", "", " ", "-", ".", "/", ")(", "\u00a0", "\u2011", "\u200e", " - "]
SCRIPTS = ["0123456789", "٠١٢٣٤٥٦٧٨٩", "०१२३४५६७८९"]


@st.composite
def numbers_as_written(draw: st.DrawFn) -> str:
    """A number of any plan and kind, or one near it, behind what is dialed before it somewhere."""
    region = draw(st.sampled_from(REGIONS))
    number = draw(st.sampled_from(EXAMPLES[region]))
    digits = list(phonenumbers.national_significant_number(number))
    for _ in range(draw(st.integers(0, 3))):
        digits[draw(st.integers(0, len(digits) - 1))] = draw(st.sampled_from("0123456789"))
    for _ in range(draw(st.integers(-1, 1))):
        digits.append(draw(st.sampled_from("0123456789")))
    code, national = (
        str(number.country_code),
        phonenumbers.ndd_prefix_for_region(region, True) or "",
    )
    before = draw(st.sampled_from([*TRUNK, national, national * 2, code, f"00{code}"]))
    start = draw(st.sampled_from(["+", "+", "+", "", "tel:+", "\uff0b", "00", "011", "\u202a+"]))
    script = str.maketrans("0123456789", draw(st.sampled_from(SCRIPTS)))
    written = f"{code}{before}{''.join(digits)}".translate(script)
    between = st.sampled_from(BETWEEN)
    return start + "".join(digit + draw(between) for digit in written)


@pytest.mark.statement(12)
@given(
    written=numbers_as_written(),
    country=st.sampled_from([None, *phonenumbers.SUPPORTED_REGIONS]),
    fixed_lines=st.booleans(),
    accepted=st.sampled_from([(), ("+1",), ("+44", "+49"), tuple(f"+{n}" for n in range(1, 10))]),
)
@example("+44 00 7911 123456", None, False, ())
@example("+1 1 1 876 210 1234", None, False, ())
@example("+49 800 123456789012", None, True, ())
@settings(deadline=None, max_examples=1500)
def test_what_is_kept_is_a_fixed_point_of_normalization(
    written: str, country: str | None, fixed_lines: bool, accepted: tuple[str, ...]
) -> None:
    numbering = Numbering(
        accepted_prefixes=accepted, default_country=country, fixed_lines=fixed_lines
    )
    try:
        kept = read(written, numbering).e164
    except InvalidPhoneNumber:
        return
    assert re.fullmatch(r"\+[1-9][0-9]{1,14}", kept, re.ASCII)
    assert read(kept, numbering).e164 == kept
    assert read(kept, Numbering(accepted_prefixes=accepted, fixed_lines=fixed_lines)).e164 == kept


@pytest.mark.statement(12)
@pytest.mark.parametrize("written", ["00171193455", "00676123456", "00972081735"])
def test_what_would_be_mended_twice_is_refused(written: str) -> None:
    brazil = Numbering(default_country="BR")
    with pytest.raises(InvalidPhoneNumber):
        read(written, brazil)  # once it was +551971193455, which is read as +5519971193455


@pytest.mark.statement(12)
@pytest.mark.parametrize("region", REGIONS)
def test_every_number_of_every_plan_behind_its_trunk_prefix_keeps_its_spelling(region: str) -> None:
    for number in EXAMPLES[region]:
        e164 = phonenumbers.format_number(number, phonenumbers.PhoneNumberFormat.E164)
        code, national = f"+{number.country_code}", e164[1 + len(str(number.country_code)) :]
        for before in TRUNK:
            try:
                kept = read(f"{code} {before} {national}").e164
            except InvalidPhoneNumber:
                assert before, f"{e164} itself is refused"
                continue
            assert read(kept).e164 == kept


@pytest.mark.parametrize(
    ("number", "masked"), [("+919876543210", "+91••••3210"), ("+12345", "+••••2345")]
)
def test_a_mask_shows_little(number: str, masked: str) -> None:
    assert mask(number) == masked
