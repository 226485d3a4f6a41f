"""Values by name: read once, with their meaning; an empty one is unset, a wrong one a problem."""

from __future__ import annotations

import pytest

from otp_service.environment import Reader, Variable

NAME = "OTP_EXAMPLE"


def number(text: str) -> tuple[int, list[str]]:
    read = Reader({NAME: text})
    return read.number(NAME, "An example", 3, 1, 10), read.problems


@pytest.mark.parametrize(("text", "value"), [("", 3), (" ", 3), ("1", 1), (" 10 ", 10)])
def test_a_number_is_within_its_bounds(text: str, value: int) -> None:
    assert number(text) == (value, [])


@pytest.mark.parametrize("text", ["0", "11", "2.5", "nan", "two", "-1"])
def test_one_that_is_not_is_a_problem_that_quotes_nothing(text: str) -> None:
    assert number(text) == (3, ["OTP_EXAMPLE must be a whole number from 1 to 10"])


@pytest.mark.parametrize(("text", "value"), [("YES", True), ("0", False), ("", True)])
def test_a_switch_has_several_words_for_on_and_off(text: str, value: bool) -> None:
    assert Reader({NAME: text}).switch(NAME, "An example", True) is value


def test_a_choice_is_one_of_them_in_either_case() -> None:
    assert Reader({NAME: "JSON"}).choice(NAME, "An example", "auto", ("auto", "json")) == "json"
    read = Reader({NAME: "canary"})
    assert read.choice(NAME, "An example", "auto", ("auto", "json")) == "auto"
    assert read.problems == ["OTP_EXAMPLE must be one of: auto, json"]


def test_entries_stand_between_commas() -> None:
    assert Reader({NAME: " a,, b ,"}).entries(NAME, "An example") == ["a", "b"]


def test_what_is_read_is_declared_with_its_default_as_it_would_be_written() -> None:
    read = Reader({NAME: "7"})
    read.number(NAME, "An example", 3, 1, 10)
    read.switch("OTP_OTHER", "Another", True)
    assert read.given("PGSSLMODE") == ""
    assert read.variables == {
        NAME: Variable(NAME, "An example", "3"),
        "OTP_OTHER": Variable("OTP_OTHER", "Another", "on"),
    }
    assert read.asked == {NAME, "OTP_OTHER", "PGSSLMODE"}


def test_a_secret_is_redacted_as_it_is_written_and_in_urls() -> None:
    read = Reader({NAME: "a word/2"})
    assert read.secret(NAME, "An example") == "a word/2"
    assert read.redacted == {"a word/2", "a%20word%2F2"}


@pytest.mark.parametrize(
    ("address", "redacted"),
    [
        ("https://user:pass-w0rd@host/path", {"pass-w0rd"}),
        ("https://host/path?key=c4nary&a=b", {"c4nary"}),
        ("https://host/path", set()),
        ("https://[::1/path", set()),
    ],
)
def test_of_an_address_who_calls_and_what_it_asks_is(address: str, redacted: set[str]) -> None:
    read = Reader({NAME: address})
    assert read.address(NAME, "An example", "https://host") == address
    assert redacted <= read.redacted
    assert bool(redacted) == bool(read.redacted)


def test_a_setting_is_declared_once() -> None:
    read = Reader({})
    read.text("OTP_EXAMPLE", "An example")
    with pytest.raises(ValueError, match="OTP_EXAMPLE is declared twice"):
        read.switch("OTP_EXAMPLE", "An example", False)
