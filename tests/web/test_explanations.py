"""Whatever a caller gets wrong: the rule, an example of what is right, and where to read on."""

from __future__ import annotations

import json
from html import unescape
from typing import Any
from urllib.parse import urljoin

import pytest
import requests
from flask.testing import FlaskClient
from werkzeug.test import TestResponse

from otp_service.web import explanations
from otp_service.web.error_handlers import STATUS
from tests.conftest import LiveServer, MakeApp

PHONE = {"phone_number": "+919876543210"}
JSON = {"Content-Type": "application/json"}
ERRORS = sorted({kind.code for kind in STATUS})


def error(answer: TestResponse) -> dict[str, Any]:
    told: dict[str, Any] = answer.get_json()["error"]
    return told


def wrong_calls(client: FlaskClient) -> list[TestResponse]:
    verify = PHONE | {"otp": "123456"}
    client.post("/send-otp", json=PHONE, headers={"Idempotency-Key": "once"})
    return [
        client.post("/send-otp", data=b"{", headers=JSON),
        client.post("/send-otp", data=b"{}", content_type="text/plain"),
        client.post("/send-otp", data=b" " * 16385, headers=JSON),
        client.post("/send-otp", json={}),
        client.post("/send-otp", json={"phone_number": "hello"}),
        client.post("/send-otp", json=PHONE, headers={"Idempotency-Key": "a b"}),
        client.post("/resend-otp", json=PHONE, headers={"Idempotency-Key": "once"}),
        client.post("/verify-otp", json=verify | {"verification_id": "?"}),
        client.get("/verify-otp"),
        client.get("/verifications/p0123456789abcdef"),
        client.get("/nope"),
    ]


def test_each_wrong_call_tells_the_rule_an_example_and_a_page_that_is_there(
    client: FlaskClient,
) -> None:
    answers = wrong_calls(client)
    assert {answer.status_code // 100 for answer in answers} == {4}
    for answer in answers:
        told = error(answer)
        assert told["rule"]
        assert told["example"]
        page = client.get(urljoin("http://localhost/", told["documentation"]))
        assert (page.status_code, page.mimetype) == (200, "text/html")
        assert told["code"] in page.text


def test_the_page_needs_no_key_and_a_call_without_one_learns_how_a_key_travels(
    make_app: MakeApp,
) -> None:
    client = make_app(API_KEYS="required").test_client()
    answer = client.post("/send-otp", json=PHONE)
    assert answer.status_code == 401
    for way in ("Authorization: Bearer KEY", "X-API-Key: KEY"):
        assert way in answer.get_json()["message"]
        assert way in error(answer)["rule"]
    assert client.get(error(answer)["documentation"]).status_code == 200


def test_what_the_server_refuses_by_itself_leads_to_a_page_too(live_server: LiveServer) -> None:
    answer = requests.get(live_server.url, headers={"X-Any": "a" * 33_000}, timeout=20)
    page = urljoin(live_server.url, answer.json()["error"]["documentation"])
    assert answer.status_code == 431
    assert requests.get(page, timeout=20).status_code == 200


@pytest.mark.parametrize("code", ERRORS)
def test_each_code_has_a_page_with_its_rule_and_an_answer(client: FlaskClient, code: str) -> None:
    page = client.get(f"{explanations.PATH}/{code}")
    assert page.status_code == 200
    assert explanations.EXPLANATIONS[code].rule in unescape(page.text)
    assert f'"code": "{code}"' in unescape(page.text)
    assert "http://" not in page.text
    assert "https://" not in page.text


@pytest.mark.parametrize("code", ["nope", "a" * 65, "Invalid_OTP", "..", "%3Cb%3E"])
def test_a_code_that_is_none_has_no_page(client: FlaskClient, code: str) -> None:
    assert client.get(f"{explanations.PATH}/{code}").status_code == 404


def test_what_a_person_caused_is_no_error_to_read_about(client: FlaskClient) -> None:
    answer = client.post("/verify-otp", json=PHONE | {"otp": "123456"})
    assert error(answer) == {"code": "otp_not_found"}


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
    for wrong in (value, 7, None):
        (told,) = error(client.post(path, json=body | {field: wrong}))["fields"][field]
        for word in words:
            assert word in told


@pytest.mark.parametrize("body", [{}, {"phone_number": 919876543210}, {"phone_number": None}])
def test_a_phone_that_is_missing_or_no_text_is_told_so(
    client: FlaskClient, body: dict[str, Any]
) -> None:
    (told,) = error(client.post("/send-otp", json=body))["fields"]["phone_number"]
    assert "international" in told
    assert "+919876543210" in told


@pytest.mark.parametrize(
    ("written", "meant"),
    [
        ("phoneNumber", "phone_number"),
        ("phone", "phone_number"),
        ("Phone-Number", "phone_number"),
        ("purpos", "purpose"),
        ("clientIp", "client_ip"),
        ("lokale", "locale"),
    ],
)
def test_an_unknown_field_is_told_the_nearest_that_is_known(
    client: FlaskClient, written: str, meant: str
) -> None:
    (told,) = error(client.post("/send-otp", json=PHONE | {written: "1"}))["fields"][written]
    assert f"Did you mean {meant}?" in told


def test_an_unknown_field_like_none_is_told_all_that_are_known(client: FlaskClient) -> None:
    (told,) = error(client.post("/send-otp", json=PHONE | {"zzz": "1"}))["fields"]["zzz"]
    assert "Did you mean" not in told
    assert "channel, client_ip, locale, phone_number, purpose" in told


def test_of_very_many_wrong_fields_not_all_are_told(client: FlaskClient) -> None:
    answer = client.post("/send-otp", json={f"f{number}": 1 for number in range(1000)})
    assert len(error(answer)["fields"]) == 20


@pytest.mark.parametrize(
    ("raw", "line", "column", "position"),
    [
        (b"", 1, 1, 0),
        (b"[]", 1, 1, 0),
        (b"\n 12", 2, 2, 2),
        (b'{"a": 1\n,"b" 2}', 2, 6, 13),
        (b'{"a": 1} x', 1, 10, 9),
        (b"{'a': 1}", 1, 2, 1),
        (b'{"a": NaN}', 1, 7, 6),
        (b'{"NaN": "Infinity",\n"b": [-Infinity]}', 2, 7, 26),
        (b'{"a": "\xc3\xa4\xff"}', 1, 9, 8),
        (b'{"a": ' + b"9" * 5000 + b"}", 1, 7, 6),
        (b'{"[[": ' + b"[" * 30 + b"]" * 30 + b"}", 1, 27, 26),
        (b'{"a": "line\nbreak"}', 1, 12, 11),
    ],
)
def test_what_is_no_json_is_told_where_and_never_quoted(
    client: FlaskClient, raw: bytes, line: int, column: int, position: int
) -> None:
    told = error(client.post("/send-otp", data=raw, headers=JSON))
    assert told["code"] == "invalid_json"
    assert (told["line"], told["column"], told["position"]) == (line, column, position)


def test_a_byte_order_mark_is_called_so(client: FlaskClient) -> None:
    told = error(client.post("/send-otp", data=b"\xef\xbb\xbf{}", headers=JSON))
    assert told["problem"] == "A byte order mark stands before the JSON: leave it out"


@pytest.mark.parametrize("raw", [b'{"a": canary}', b'{"a": "\\canary"}', b'{"a": "\\ucana"}'])
def test_a_body_that_is_no_json_is_in_no_part_of_the_answer(
    client: FlaskClient, raw: bytes
) -> None:
    answer = client.post("/send-otp", data=raw, headers=JSON)
    assert "cana" not in answer.text
    assert "{" not in json.dumps(error(answer)["problem"])


def test_who_asks_with_a_wrong_method_or_too_much_is_told_what_fits(client: FlaskClient) -> None:
    wrong = client.get("/send-otp")
    assert wrong.headers["Allow"] in error(wrong)["rule"]
    large = client.post("/send-otp", data=b" " * 16385, headers=JSON)
    assert "16384" in error(large)["rule"]
    other = client.post("/send-otp", data=b"a=b", content_type="application/x-www-form-urlencoded")
    assert error(other)["example"] == "Content-Type: application/json"
