"""What a caller is told when Gupshup does this or that: the whole path, over real sockets."""

from __future__ import annotations

import json
import time
from collections.abc import Callable

import pytest
from flask import Flask
from flask.testing import FlaskClient

from tests.conftest import MakeApp
from tests.delivery import misbehaving as gupshup
from tests.delivery.misbehaving import code_in, form_of

PHONE = {"phone_number": "+919876543210"}
KEY = "sk_0123456789abcdef"
Configure = Callable[..., Flask]


@pytest.fixture
def configured(make_app: MakeApp) -> Configure:
    """An application with a real sender, whose Gupshup is at ``url``."""

    def make(url: str, **settings: str) -> Flask:
        real = {
            "GUPSHUP_API_URL": url,
            "GUPSHUP_API_KEY": KEY,
            "GUPSHUP_SOURCE": "917834811114",
            "GUPSHUP_TEMPLATE_ID": "c6aecef6-bcb0-4fb1-8100-28c094e3bc6b",
            "GUPSHUP_SRC_NAME": "DemoApp",
            "API_KEYS": "off",
        }
        return make_app(**real | settings)

    return make


def verify(client: FlaskClient, code: str) -> bool:
    answer = client.post("/verify-otp", json=PHONE | {"otp": code}).get_json()
    return bool(answer["success"])


def test_the_code_that_gupshup_got_verifies_and_is_in_no_answer(configured: Configure) -> None:
    with gupshup.serve(gupshup.say(gupshup.http())) as server:
        client = configured(server.url).test_client()
        answer = client.post("/send-otp", json=PHONE)
    assert answer.status_code == 200
    assert answer.get_json()["message"] == "OTP sent successfully"
    (raw,) = server.requests
    form = form_of(raw)
    assert f"apikey: {KEY}".encode() in raw
    assert (form["channel"], form["source"]) == ("whatsapp", "917834811114")
    assert (form["destination"], form["src.name"]) == ("919876543210", "DemoApp")
    assert "otp" not in answer.get_json()["data"]
    assert code_in(raw) not in answer.text
    assert verify(client, code_in(raw))


def test_a_resend_sends_another_code(configured: Configure) -> None:
    with gupshup.serve(gupshup.say(gupshup.http())) as server:
        client = configured(server.url).test_client()
        client.post("/send-otp", json=PHONE)
        client.post("/resend-otp", json=PHONE)
    first, second = map(code_in, server.requests)
    assert not verify(client, first)
    assert verify(client, second)


@pytest.mark.parametrize(
    ("answer", "status", "code"),
    [
        (
            gupshup.http(b'{"status":"error","message":"Invalid Destination"}', "400 B"),
            502,
            "delivery_failed",
        ),
        (
            gupshup.http(b'{"status":"error","message":"Authentication Failed"}', "401 U"),
            502,
            "delivery_failed",
        ),
        (
            gupshup.http(b'{"status":"error","message":"low balance","code":1003}'),
            502,
            "delivery_failed",
        ),
        (
            gupshup.http(b"<html>moved</html>", "302 F", Location="http://127.0.0.1:1/"),
            502,
            "delivery_failed",
        ),
        (gupshup.http(b"{}", "429 T", Retry_After="17"), 503, "delivery_unavailable"),
        (gupshup.http(b"<html>oops</html>", "500 I"), 503, "delivery_unavailable"),
    ],
    ids=["invalid", "key", "wallet", "redirect", "busy", "broken"],
)
def test_a_refusal_is_told_and_leaves_the_person_able_to_ask_again_at_once(
    configured: Configure, answer: bytes, status: int, code: str
) -> None:
    with gupshup.serve(gupshup.say(answer), gupshup.say(gupshup.http())) as server:
        client = configured(server.url).test_client()
        refused = client.post("/send-otp", json=PHONE)
        assert (refused.status_code, refused.get_json()["error"]["code"]) == (status, code)
        assert ("Retry-After" in refused.headers) == (status == 503)
        assert not verify(client, code_in(server.requests[0]))
        again = client.post("/send-otp", json=PHONE).get_json()
        assert again["success"]
        assert again["data"]["sends_remaining"] == 4
    assert verify(client, code_in(server.requests[1]))


def test_a_provider_that_is_down_is_503(configured: Configure) -> None:
    client = configured(gupshup.closed_port_url()).test_client()
    refused = client.post("/send-otp", json=PHONE)
    assert (refused.status_code, refused.headers["Retry-After"]) == (503, "5")
    assert refused.get_json()["error"]["code"] == "delivery_unavailable"


@pytest.mark.parametrize(
    "turn",
    [
        gupshup.say_and_hang_up(b""),
        gupshup.say(gupshup.http(b"<html>thanks</html>", "200 OK")),
        gupshup.say(gupshup.http(b'{"status":"submitted"}')),
    ],
    ids=["lost", "html", "no id"],
)
def test_an_unclear_end_is_504_and_the_code_stays_valid(
    configured: Configure, turn: gupshup.Turn
) -> None:
    with gupshup.serve(turn) as server:
        client = configured(server.url).test_client()
        unclear = client.post("/send-otp", json=PHONE)
        assert unclear.status_code == 504
        assert unclear.get_json()["error"]["code"] == "delivery_unconfirmed"
        again = client.post("/send-otp", json=PHONE).get_json()
        assert again["error"]["code"] == "otp_already_sent"
    assert verify(client, code_in(server.requests[0]))


def test_a_provider_that_stalls_is_504_within_its_deadline(configured: Configure) -> None:
    with gupshup.serve(gupshup.stall) as server:
        client = configured(server.url).test_client()
        started = time.monotonic()
        assert client.post("/send-otp", json=PHONE).status_code == 504
        assert time.monotonic() - started < 12
    assert verify(client, code_in(server.requests[0]))


def test_the_providers_reason_is_kept_with_the_delivery(configured: Configure) -> None:
    turns = [
        gupshup.say(gupshup.http()),
        gupshup.say(gupshup.http(b'{"status":"error","message":"Invalid Destination"}', "400 B")),
    ]
    with gupshup.serve(*turns) as server:
        client = configured(server.url).test_client()
        sent = client.post("/send-otp", json=PHONE).get_json()["data"]
        client.post("/resend-otp", json=PHONE)
    found = client.get(f"/verifications/{sent['verification_id']}").get_json()["data"]
    first, second = found["deliveries"]
    assert (first["provider"], first["status"]) == ("gupshup", "submitted")
    assert second["status"] == "failed"
    assert (second["error_code"], second["reason"]) == ("invalid_number", "Invalid Destination")


@pytest.mark.statement(30)
def test_what_gupshup_refuses_at_once_for_the_destinations_sake_is_bounded(
    configured: Configure,
) -> None:
    refusal = gupshup.http(b'{"status":"error","message":"Invalid Destination"}', "400 B")
    with gupshup.serve(*[gupshup.say(refusal)] * 11) as server:
        client = configured(server.url).test_client()
        answers = [client.post("/send-otp", json=PHONE) for _ in range(11)]
        assert len(server.requests) == 10
    assert [answer.status_code for answer in answers] == [502] * 10 + [429]
    assert answers[-1].get_json()["error"]["limit"] == "phone_refusals"


def test_a_test_number_never_leaves_this_machine(configured: Configure) -> None:
    with gupshup.serve(gupshup.say(gupshup.http())) as server:
        client = configured(server.url, OTP_TEST_NUMBERS="+15550001111=424242").test_client()
        body = {"phone_number": "+15550001111"}
        for _ in range(8):
            assert client.post("/resend-otp", json=body).get_json()["success"]
        assert client.post("/verify-otp", json=body | {"otp": "424242"}).get_json()["success"]
        assert client.get("/sandbox").status_code == 404
    assert server.requests == []


def test_the_debug_pages_show_the_exact_request_and_mask_the_key(configured: Configure) -> None:
    client = configured("https://gupshup.test/msg", GUPSHUP_OTP_PARAM_COUNT="2").test_client()
    configuration = client.get("/debug/whatsapp")
    assert configuration.get_json()["data"]["api_key"] == "••••cdef"
    assert configuration.get_json()["data"]["missing"] == []
    request = client.get("/debug/test-request")
    data = request.get_json()["data"]
    assert data["form"]["destination"] == "1234567890"
    assert json.loads(data["form"]["template"])["params"] == ["123456", "123456"]
    assert data["headers"]["apikey"] == "••••cdef"
    assert KEY not in configuration.text + request.text
