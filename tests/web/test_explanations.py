"""Whatever a caller gets wrong: the rule, an example of what is right, and where to read on."""

from __future__ import annotations

from urllib.parse import urljoin

import requests
from flask.testing import FlaskClient
from werkzeug.test import TestResponse

from tests.conftest import LiveServer, MakeApp
from tests.web.refusals import JSON, error

PHONE = {"phone_number": "+919876543210"}


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


def test_what_a_person_caused_is_no_error_to_read_about(client: FlaskClient) -> None:
    answer = client.post("/verify-otp", json=PHONE | {"otp": "123456"})
    assert error(answer) == {"code": "otp_not_found"}
