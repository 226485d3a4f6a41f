"""Each field has a rule: what breaks it is named, what was meant is read."""

from __future__ import annotations

from typing import Any

import pytest
import sqlalchemy as sa
from flask import Flask
from flask.testing import FlaskClient

from otp_service.storage.models.base import db
from otp_service.storage.models.verifications import AttemptRow, VerificationRow
from tests.conftest import MakeApp
from tests.storage.helpers import wrong
from tests.web.refusals import POSTS, error, refused

PHONE = {"phone_number": "+919876543210"}


@pytest.mark.parametrize(
    ("path", "body", "field"),
    [
        ("/send-otp", {}, "phone_number"),
        ("/send-otp", {"phone_number": 919876543210}, "phone_number"),
        ("/send-otp", {"phone_number": None}, "phone_number"),
        ("/send-otp", {"phone_number": ["+919876543210"]}, "phone_number"),
        ("/send-otp", PHONE | {"unknown": 1}, "unknown"),
        ("/send-otp", PHONE | {"purpose": "Log In"}, "purpose"),
        ("/send-otp", PHONE | {"purpose": ""}, "purpose"),
        ("/send-otp", PHONE | {"purpose": "login\n"}, "purpose"),
        ("/send-otp", PHONE | {"purpose": "a" * 33}, "purpose"),
        ("/send-otp", PHONE | {"locale": ["en"]}, "locale"),
        ("/send-otp", PHONE | {"locale": None}, "locale"),
        ("/send-otp", PHONE | {"client_ip": None}, "client_ip"),
        ("/verify-otp", PHONE | {"otp": "123456", "verification_id": None}, "verification_id"),
        ("/verify-otp", PHONE | {"otp": "123456", "purpose": None}, "purpose"),
        ("/send-otp", PHONE | {"channel": "pigeon"}, "channel"),
        ("/send-otp", PHONE | {"channel": "sms"}, "channel"),
        ("/send-otp", PHONE | {"client_ip": "300.1.1.1"}, "client_ip"),
        ("/resend-otp", PHONE | {"otp": "123456"}, "otp"),
        ("/verify-otp", PHONE, "otp"),
        ("/verify-otp", PHONE | {"otp": "123456", "verification_id": "'; --"}, "verification_id"),
    ],
)
def test_a_wrong_field_is_400_and_named(
    client: FlaskClient, path: str, body: dict[str, Any], field: str
) -> None:
    answer = refused(client.post(path, json=body), 400, "invalid_request")
    assert list(answer["error"]["fields"]) == [field]


@pytest.mark.statement(11)
@pytest.mark.parametrize(
    "otp",
    [
        ["123456"],
        {"$ne": ""},
        123456,
        None,
        True,
        "1",
        "12345",
        "1234567",
        "123 45",
        "123-4567",
        "123456\0",
        "123\0456",
        1.5,
        "12345a",
        "12345\u00b2",
        "\u2160\u2161\u2162\u2163\u2164\u2165",
        "١٢٣٤٥",
        "123.456",
        "+123456",
        " - ",
        "",
    ],
    ids=str,
)
def test_an_otp_that_is_not_six_digits_is_400_and_costs_no_attempt(
    app: Flask, client: FlaskClient, otp: object
) -> None:
    code = client.post("/send-otp", json=PHONE).get_json()["data"]["otp"]
    answer = refused(client.post("/verify-otp", json=PHONE | {"otp": otp}), 400, "invalid_request")
    assert "6 digits" in answer["error"]["fields"]["otp"][0]
    with app.app_context(), db.engine.connect() as connection:
        assert connection.scalar(sa.select(sa.func.count()).select_from(AttemptRow)) == 0
    guess = wrong(code)
    answer = client.post("/verify-otp", json=PHONE | {"otp": guess}).get_json()
    assert answer["error"]["attempts_remaining"] == 4
    assert client.post("/verify-otp", json=PHONE | {"otp": code}).get_json()["success"]


TYPED = [
    "{0}\n",
    "\n {0}\t",
    "{1} {2}",
    "{1}-{2}",
    "{1} \u2013 {2}",
    "{1}\u00a0{2}",
    "{1}\u202f{2}",
    "\u202d{0}\u202c",
    "{1}\u200b{2}\ufeff",
    "{1}\u2212{2}",
]


@pytest.mark.statement(11)
@pytest.mark.parametrize("written", TYPED, ids=ascii)
@pytest.mark.parametrize("digits", ["0123456789", "٠١٢٣٤٥٦٧٨٩", "०१२३४५६७८९"], ids=ascii)
def test_a_code_is_right_however_it_is_typed(
    client: FlaskClient, written: str, digits: str
) -> None:
    code = client.post("/send-otp", json=PHONE).get_json()["data"]["otp"]
    typed = code.translate(str.maketrans("0123456789", digits))
    otp = written.format(typed, typed[:3], typed[3:])
    answer = client.post("/verify-otp", json=PHONE | {"otp": otp}).get_json()
    assert answer["message"] == "OTP verified successfully"


def test_the_same_code_typed_differently_is_the_same_check(client: FlaskClient) -> None:
    code = client.post("/send-otp", json=PHONE).get_json()["data"]["otp"]
    key = {"Idempotency-Key": "one-press"}
    for otp in (code, f"{code[:3]} {code[3:]}"):
        answer = client.post("/verify-otp", json=PHONE | {"otp": otp}, headers=key).get_json()
        assert answer["success"]


@pytest.mark.parametrize("length", [4, 8])
def test_a_wrong_length_is_told_in_digits(make_app: MakeApp, length: int) -> None:
    client = make_app(OTP_LENGTH=str(length)).test_client()
    answer = refused(
        client.post("/verify-otp", json=PHONE | {"otp": "123456"}), 400, "invalid_request"
    )
    assert f"{length} digits" in answer["error"]["fields"]["otp"][0]


@pytest.mark.parametrize(
    ("locale", "kept"),
    [
        ("pt_BR", "pt-BR"),
        ("en_US.UTF-8", "en-US"),
        ("iw-IL", "he-IL"),
        ("", None),
        ("not a locale", None),
        ("*", None),
        ("\u0000", None),
        ("日本語", None),
        ("en-" + "a" * 300, "en"),
        ("x" * 10_000, None),
        ("en" + "-abcdefgh" * 1_000, "en" + "-abcdefgh" * 6),
    ],
)
def test_a_locale_that_can_not_be_read_means_the_default(
    app: Flask, client: FlaskClient, locale: str, kept: str | None
) -> None:
    assert client.post("/send-otp", json=PHONE | {"locale": locale}).status_code == 200
    with app.app_context(), db.engine.connect() as connection:
        assert connection.scalar(sa.select(VerificationRow.locale)) == kept


@pytest.mark.parametrize("path", POSTS)
@pytest.mark.parametrize(
    "phone", ["", "12", "+1234567891", "hello", "+919876543210 ext 5", "\u0000"]
)
def test_what_is_no_phone_number_is_400(client: FlaskClient, path: str, phone: str) -> None:
    body = {"phone_number": phone} | ({"otp": "123456"} if path == "/verify-otp" else {})
    answer = refused(client.post(path, json=body), 400, "invalid_phone_number")
    assert answer["message"] == "Invalid phone number format"


@pytest.mark.parametrize(
    ("path", "field", "value", "words"),
    [
        ("/send-otp", "purpose", "Log In", ["1 to 32 of a-z, 0-9, _ and -", "login"]),
        ("/send-otp", "client_ip", "10.0.0.0/8", ["IPv4 or IPv6", "203.0.113.7"]),
        ("/send-otp", "channel", "pigeon", ["whatsapp", "auto"]),
        ("/verify-otp", "verification_id", "A", ["/send-otp", "s0123456789abcdef"]),
        ("/verify-otp", "otp", "12", ["6 digits", "123456"]),
    ],
)
def test_a_wrong_field_is_told_its_rule_and_an_example(
    client: FlaskClient, path: str, field: str, value: str, words: list[str]
) -> None:
    body: dict[str, Any] = PHONE | ({"otp": "123456"} if path == "/verify-otp" else {})
    for given in (value, 7, None):
        (told,) = error(client.post(path, json=body | {field: given}))["fields"][field]
        for word in words:
            assert word in told


@pytest.mark.parametrize("body", [{}, {"phone_number": 919876543210}, {"phone_number": None}])
def test_a_phone_that_is_missing_or_no_text_is_told_so(
    client: FlaskClient, body: dict[str, Any]
) -> None:
    (told,) = error(client.post("/send-otp", json=body))["fields"]["phone_number"]
    assert "international" in told
    assert "+919876543210" in told
