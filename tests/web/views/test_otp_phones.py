"""Numbers as people, address books and WhatsApp write them, through the API."""

from __future__ import annotations

from typing import Any

import pytest
from flask.testing import FlaskClient

from tests.conftest import MakeApp


def ask(client: FlaskClient, path: str, phone: str, **fields: str) -> tuple[int, Any]:
    answer = client.post(path, json={"phone_number": phone, **fields})
    return answer.status_code, answer.get_json()


def sent_to(client: FlaskClient, phone: str) -> str:
    status, told = ask(client, "/send-otp", phone)
    assert status == 200, told
    return str(told["data"]["phone_number"])


@pytest.mark.statement(12)
@pytest.mark.parametrize(
    ("first", "second"),
    [
        ("+5215512345678", "+525512345678"),
        ("+555181234567", "+5551981234567"),
        ("91 98123 45670", "+919812345670"),
        ("(91) 9812345670", "+919812345670"),
        ("\u202a+919812345670\u202c", "+919812345670"),
        ("+44 (0) 7911 123456", "+447911123456"),
    ],
)
def test_two_spellings_are_one_phone_with_one_code(
    client: FlaskClient, first: str, second: str
) -> None:
    status, told = ask(client, "/send-otp", first)
    assert (status, told["data"]["phone_number"]) == (200, second)
    assert ask(client, "/send-otp", second)[1]["error"]["code"] == "otp_already_sent"
    assert ask(client, "/verify-otp", second, otp=told["data"]["otp"])[1]["success"]


@pytest.mark.statement(12)
@pytest.mark.parametrize("path", ["/send-otp", "/resend-otp", "/verify-otp"])
@pytest.mark.parametrize(
    ("phone", "reason"),
    [
        ("+14362020123", "unknown_range"),
        ("+44 00 7911 123456", "too_long"),
        ("hello", "not_a_number"),
        ("+9198765", "too_short"),
        ("09876543210", "country_code_missing"),
        ("+14155552671 ext. 5", "extension"),
    ],
)
def test_what_is_no_number_is_told_why(
    client: FlaskClient, path: str, phone: str, reason: str
) -> None:
    status, told = ask(client, path, phone, **({"otp": "123456"} if "verify" in path else {}))
    assert (status, told["message"]) == (400, "Invalid phone number format")
    assert told["error"]["code"] == "invalid_phone_number"
    assert told["error"]["reason"] == reason


def test_an_accepted_prefix_lets_in_what_the_plans_do_not_know(make_app: MakeApp) -> None:
    app = make_app(OTP_ACCEPTED_PREFIXES="+1436, +1565", OTP_ALLOWED_COUNTRIES="US")
    client = app.test_client()
    assert sent_to(client, "+1 (436) 202-0123") == "+14362020123"
    assert ask(client, "/send-otp", "+143620201234")[1]["error"]["reason"] == "too_long"


@pytest.mark.parametrize("written", ["+1 876 210 1234", "+1 1 876 210 1234", "18762101234"])
def test_a_blocked_prefix_is_not_walked_around(make_app: MakeApp, written: str) -> None:
    client = make_app(OTP_BLOCKED_PREFIXES="+1876").test_client()
    status, told = ask(client, "/send-otp", written)
    assert (status, told["error"]["reason"]) == (403, "prefix")
    assert ask(client, "/send-otp", "+1 1 1 876 210 1234")[0] == 400


def test_digits_without_a_plus_are_international_unless_a_country_is_set(
    make_app: MakeApp,
) -> None:
    assert sent_to(make_app().test_client(), "4797412345") == "+4797412345"
    client = make_app(OTP_DEFAULT_COUNTRY="in", OTP_BLOCKED_NUMBER_TYPES="off").test_client()
    assert sent_to(client, "4797412346") == "+914797412346"
    assert sent_to(client, "098765 43210") == "+919876543210"
    assert sent_to(client, "14155552671") == "+14155552671"


def test_an_argentine_fixed_line_is_refused_and_told_that_it_may_be_a_mobile(
    client: FlaskClient,
) -> None:
    status, told = ask(client, "/send-otp", "+541123456789")
    assert (status, told["error"]["code"]) == (403, "destination_not_allowed")
    assert told["error"]["reason"] == "may_be_mobile_without_9"
    assert sent_to(client, "+5491123456789") == "+5491123456789"


@pytest.mark.statement(12)
def test_where_fixed_lines_get_messages_it_is_the_mobile_limits_included(
    make_app: MakeApp,
) -> None:
    app = make_app(OTP_BLOCKED_NUMBER_TYPES="off", OTP_SEND_LIMITS="2/10m")
    client = app.test_client()
    assert sent_to(client, "+541123456789") == "+5491123456789"
    assert ask(client, "/send-otp", "+5491123456789")[1]["error"]["code"] == "otp_already_sent"
    assert ask(client, "/resend-otp", "+5491123456789")[0] == 200
    assert ask(client, "/resend-otp", "+541123456789")[0] == 429


def test_a_number_of_more_than_fifteen_digits_is_none(make_app: MakeApp) -> None:
    client = make_app(OTP_BLOCKED_NUMBER_TYPES="off").test_client()
    status, told = ask(client, "/send-otp", "+49 800 123456789012")
    assert (status, told["error"]["reason"]) == (400, "too_long")


def test_a_test_number_is_one_phone_too(make_app: MakeApp) -> None:
    client = make_app(OTP_TEST_NUMBERS="+5215512345678=123456").test_client()
    for written in ("+5215512345678", "+525512345678"):
        ask(client, "/resend-otp", written)
        assert ask(client, "/verify-otp", written, otp="123456")[1]["success"]
