"""The contract's first table: what any request gets that breaks a rule."""

from __future__ import annotations

import json
from typing import Any

import pytest
import sqlalchemy as sa
from flask import Flask
from flask.testing import FlaskClient
from marshmallow import Schema
from werkzeug.test import TestResponse

from otp_service.domain.errors import InvalidRequest
from otp_service.storage.models import AttemptRow, VerificationRow, db
from otp_service.web.request import load_body
from tests.conftest import MakeApp
from tests.storage.helpers import wrong

POSTS = ("/send-otp", "/resend-otp", "/verify-otp")
PHONE = {"phone_number": "+919876543210"}


def post(
    client: FlaskClient, path: str, raw: bytes, kind: str = "application/json"
) -> TestResponse:
    return client.post(path, data=raw, content_type=kind)


def refused(response: TestResponse, status: int, code: str) -> dict[str, Any]:
    assert response.status_code == status
    answer: dict[str, Any] = response.get_json()
    assert answer["success"] is False
    assert answer["error"]["code"] == code
    assert isinstance(answer["message"], str)
    return answer


@pytest.mark.parametrize("path", POSTS)
@pytest.mark.parametrize(
    "kind",
    ["", "text/plain", "application/x-www-form-urlencoded", "application/json; charset=utf-16"],
)
def test_a_body_that_is_not_said_to_be_json_is_415(
    client: FlaskClient, path: str, kind: str
) -> None:
    refused(post(client, path, b"{}", kind), 415, "unsupported_media_type")


@pytest.mark.statement(18)
@pytest.mark.parametrize("path", POSTS)
def test_a_body_over_16_kib_is_413(client: FlaskClient, path: str) -> None:
    raw = json.dumps(PHONE).encode()
    refused(post(client, path, raw.ljust(16 * 1024 + 1)), 413, "body_too_large")
    assert post(client, path, raw.ljust(16 * 1024)).status_code != 413


@pytest.mark.statement(18)
@pytest.mark.parametrize("path", POSTS)
@pytest.mark.parametrize(
    "raw",
    [
        b"",
        b"{",
        b"[]",
        b'"text"',
        b"null",
        b"12",
        b'{"phone_number": NaN}',
        b'{"phone_number": Infinity}',
        b'{"phone_number": "\xff"}',
        '{"phone_number": "+919876543210"}'.encode("utf-16"),
        b"\xef\xbb\xbf{}",
        b"[" * 8000,
        b'{"a":' * 3000,
        b"[" * 8000 + b"]" * 8000,
        b'{"phone_number": ' + b"[" * 5000 + b"]" * 5000 + b"}",
        b'{"a": ' + b"1" * 5000 + b"}",
    ],
    ids=range(16),
)
def test_what_is_not_one_json_object_is_400(client: FlaskClient, path: str, raw: bytes) -> None:
    refused(post(client, path, raw), 400, "invalid_json")


@pytest.mark.statement(18)
@pytest.mark.parametrize(
    ("depth", "code"), [(19, "invalid_request"), (20, "invalid_json"), (900, "invalid_json")]
)
def test_nesting_has_a_limit_of_its_own(client: FlaskClient, depth: int, code: str) -> None:
    raw = b'{"phone_number": ' + b"[" * depth + b"]" * depth + b"}"
    refused(post(client, "/send-otp", raw), 400, code)


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


def test_a_bad_request_stores_nothing(app: Flask, client: FlaskClient) -> None:
    client.post("/send-otp", json=PHONE | {"unknown": 1})
    with app.app_context(), db.engine.connect() as connection:
        assert connection.scalar(sa.select(sa.func.count()).select_from(VerificationRow)) == 0


def test_an_unknown_path_is_404_in_the_same_envelope(client: FlaskClient) -> None:
    unknown = ("/nope", "/health/", "/verifications/", "/static/../settings.py")
    ids = ("a" * 99, "p%00", "p0123456789abcdef", "'; --", "%ED%A0%80")
    for path in (*unknown, *(f"/verifications/{each}" for each in ids)):
        refused(client.get(path), 404, "not_found")


def test_a_wrong_method_is_405_and_says_which_are_allowed(client: FlaskClient) -> None:
    response = client.get("/send-otp")
    refused(response, 405, "method_not_allowed")
    assert set(response.headers["Allow"].split(", ")) == {"POST", "OPTIONS"}


@pytest.mark.parametrize("theirs", ["order-66.b_C", "a", "x" * 64])
def test_the_callers_request_id_comes_back(client: FlaskClient, theirs: str) -> None:
    response = client.get("/health", headers={"X-Request-ID": theirs})
    assert response.headers["X-Request-ID"] == theirs


@pytest.mark.parametrize("theirs", ["", "x" * 65, "a b", "a;b", "ä"])
def test_a_request_id_of_another_form_is_replaced(client: FlaskClient, theirs: str) -> None:
    response = client.get("/health", headers={"X-Request-ID": theirs})
    assert response.headers["X-Request-ID"] != theirs
    assert len(response.headers["X-Request-ID"]) == 32


@pytest.mark.parametrize("path", ["/health", "/nope", "/docs", "/static/sandbox.css", "/ready"])
def test_every_response_has_an_id_and_is_not_stored(client: FlaskClient, path: str) -> None:
    response = client.get(path)
    assert response.headers["X-Request-ID"]
    assert response.headers["Cache-Control"] == "no-store"


def test_of_a_thousand_unknown_fields_no_more_are_looked_at_than_are_told(app: Flask) -> None:
    looked_at: list[int] = []

    class Looking(Schema):
        def load(self, data: Any, **more: Any) -> Any:
            looked_at.append(len(data))
            return super().load(data, **more)

    body = json.dumps({str(number): 1 for number in range(1_000)})
    asked = app.test_request_context(data=body, content_type="application/json")
    with asked, pytest.raises(InvalidRequest) as caught:
        load_body(Looking())
    assert looked_at == [20]
    assert len(dict[str, Any](caught.value.details)["fields"]) == 20
