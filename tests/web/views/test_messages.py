"""Codes that other systems made: what is taken, what is answered, what a provider is given."""

from __future__ import annotations

from datetime import datetime
from typing import Any

import pytest
from flask import Flask
from flask.testing import FlaskClient

from tests.conftest import MakeApp, new_key
from tests.delivery import misbehaving as gupshup
from tests.delivery.misbehaving import code_in
from tests.faults.service import PHONE
from tests.web.views.test_otp_failures import Configure, configured

__all__ = ["configured"]  # the fixture
BODY = {"phone_number": PHONE, "otp": "04711"}


@pytest.fixture
def client(make_app: MakeApp) -> FlaskClient:
    return make_app().test_client()


def relay(client: FlaskClient, headers: dict[str, str] | None = None, **body: Any) -> Any:
    return client.post("/messages", json=body or BODY, headers=headers)


def on_the_phone(client: FlaskClient) -> list[str]:
    return [each["code"] for each in client.get("/sandbox/messages").get_json()["data"]["messages"]]


def test_a_code_is_delivered_as_it_is_given_and_is_in_no_answer(client: FlaskClient) -> None:
    answer = relay(client)
    assert (answer.status_code, answer.get_json()["message"]) == (200, "Message sent")
    data = answer.get_json()["data"]
    assert data == {
        "message_id": data["message_id"],
        "phone_number": PHONE,
        "purpose": "login",
        "channel": "whatsapp",
        "status": "submitted",
    }
    assert on_the_phone(client) == ["04711"]
    found = client.get(f"/messages/{data['message_id']}")
    assert [each["status"] for each in found.get_json()["data"]["deliveries"]] == ["submitted"]
    assert "04711" not in answer.text + found.text


@pytest.mark.parametrize(
    ("given", "delivered"),
    [
        ({"otp": "1234"}, "1234"),
        ({"otp": "1234567890"}, "1234567890"),
        ({"otp": "123 - 456"}, "123456"),
        ({"otp": "१२३४५६"}, "123456"),
        ({"text": "Your code is 998877. It is valid for 5 minutes, until 12:30."}, "998877"),
        ({"text": "رمزك هو ٩٩٨٨٧٧"}, "998877"),
        ({"text": "G-445566"}, "445566"),
    ],
)
def test_a_code_is_read_as_it_may_be_written(
    client: FlaskClient, given: dict[str, Any], delivered: str
) -> None:
    assert relay(client, phone_number=PHONE, **given).status_code == 200
    assert on_the_phone(client) == [delivered]


@pytest.mark.parametrize(
    ("given", "fields"),
    [
        ({}, {"otp", "text"}),
        ({"otp": "123456", "text": "123456"}, {"otp", "text"}),
        ({"otp": "123"}, {"otp"}),
        ({"otp": "12345678901"}, {"otp"}),
        ({"otp": "12a456"}, {"otp"}),
        ({"otp": 123456}, {"otp"}),
        ({"otp": None}, {"otp"}),
        ({"text": "no digits here"}, {"text"}),
        ({"text": "123 456"}, {"text"}),
        ({"text": "1234 or 5678"}, {"text"}),
        ({"text": "12345678901"}, {"text"}),
        ({"text": "123456" + "x" * 4096}, {"text"}),
        ({"otp": "123456", "expires_in": 29}, {"expires_in"}),
        ({"otp": "123456", "expires_in": 601}, {"expires_in"}),
        ({"otp": "123456", "expires_in": "60"}, {"expires_in"}),
        ({"otp": "123456", "expires_in": True}, {"expires_in"}),
        ({"otp": "123456", "expires_in": 60.5}, {"expires_in"}),
        ({"otp": "123456", "sender": "Shop"}, {"sender"}),
    ],
)
def test_what_can_not_be_meant_is_named_and_nothing_goes_out(
    client: FlaskClient, given: dict[str, Any], fields: set[str]
) -> None:
    answer = relay(client, phone_number=PHONE, **given)
    assert (answer.status_code, answer.get_json()["error"]["code"]) == (400, "invalid_request")
    assert set(answer.get_json()["error"]["fields"]) == fields
    assert on_the_phone(client) == []


@pytest.mark.parametrize(("seconds", "left"), [(None, 180), (30, 30), (600, 600), (60.0, 60)])
def test_it_ends_when_it_is_told_to(client: FlaskClient, seconds: object, left: int) -> None:
    body: dict[str, Any] = BODY | ({} if seconds is None else {"expires_in": seconds})
    message_id = relay(client, **body).get_json()["data"]["message_id"]
    found = client.get(f"/messages/{message_id}").get_json()["data"]
    lasts = _time(found["expires_at"]) - _time(found["created_at"])
    assert lasts.total_seconds() == pytest.approx(left, abs=1)


def _time(text: str) -> datetime:
    return datetime.fromisoformat(text.replace("Z", "+00:00"))


def test_a_request_that_is_repeated_gets_the_same_answer_and_sends_nothing(
    client: FlaskClient,
) -> None:
    headers = {"Idempotency-Key": "order-1"}
    first, again = relay(client, headers), relay(client, headers)
    assert (again.status_code, again.get_json()) == (200, first.get_json())
    assert again.headers["Idempotent-Replayed"] == "true"
    assert on_the_phone(client) == ["04711"]
    other = relay(client, headers, phone_number=PHONE, otp="9999")
    assert (other.status_code, other.get_json()["error"]["code"]) == (422, "idempotency_key_reused")


def test_who_does_not_wait_is_answered_once_it_is_stored(client: FlaskClient) -> None:
    headers = {"Prefer": "respond-async", "Idempotency-Key": "k"}
    answer = relay(client, headers)
    assert (answer.status_code, answer.get_json()["data"]["status"]) == (202, "queued")
    assert answer.headers["Preference-Applied"] == "respond-async"
    again = relay(client, headers)
    assert (again.status_code, again.get_json()) == (202, answer.get_json())


def test_it_is_no_verification(client: FlaskClient) -> None:
    message_id = relay(client).get_json()["data"]["message_id"]
    for method in ("GET", "DELETE"):
        assert client.open(f"/verifications/{message_id}", method=method).status_code == 404
    listed = client.get("/verifications", query_string={"phone_number": PHONE})
    assert listed.get_json()["data"]["verifications"] == []
    for more in ({}, {"verification_id": message_id}):
        checked = client.post("/verify-otp", json=BODY | {"otp": "047110"} | more)
        assert checked.get_json()["error"]["code"] == "otp_not_found"
    assert client.get(f"/messages/{message_id}").status_code == 200


def test_a_verification_is_no_message_and_what_there_is_not_is_not_found(
    client: FlaskClient,
) -> None:
    verification = client.post("/send-otp", json={"phone_number": PHONE}).get_json()["data"]
    for message_id in (verification["verification_id"], "s" + "0" * 32, "no-such-id", "s%00"):
        answer = client.get(f"/messages/{message_id}")
        assert (answer.status_code, answer.get_json()["error"]["code"]) == (404, "not_found")


def test_a_live_code_of_ours_and_one_of_theirs_are_in_nobodys_way(client: FlaskClient) -> None:
    ours = client.post("/send-otp", json={"phone_number": PHONE}).get_json()["data"]
    assert relay(client).status_code == 200
    again = client.post("/send-otp", json={"phone_number": PHONE}).get_json()
    assert again["error"]["code"] == "otp_already_sent"
    checked = client.post("/verify-otp", json={"phone_number": PHONE, "otp": ours["otp"]})
    assert checked.get_json()["success"]


def test_only_a_key_for_sending_sends_and_each_client_sees_its_own(make_app: MakeApp) -> None:
    app = make_app(API_KEYS="required")
    keys = {scope: new_key(app, scope, scope) for scope in ("otp", "read", "support", "admin")}
    other = new_key(app, "other", "otp")
    assert relay(app.test_client()).status_code == 401
    for scope in ("read", "support", "admin"):
        assert _by(app, keys[scope], "POST", "/messages").status_code == 403
    message_id = _by(app, keys["otp"], "POST", "/messages").get_json()["data"]["message_id"]
    path = f"/messages/{message_id}"
    assert _by(app, keys["otp"], "GET", path).status_code == 200
    assert _by(app, other, "GET", path).status_code == 404
    assert _by(app, keys["read"], "GET", path).status_code == 404
    assert _by(app, keys["support"], "GET", path).get_json()["data"]["client"] == "otp"
    assert _by(app, keys["admin"], "GET", path).status_code == 403
    trail = app.test_cli_runner().invoke(args=["otp", "audit", "--action", "message.read"])
    assert "support" in trail.output
    assert message_id in trail.output


def _by(app: Flask, key: str, method: str, path: str) -> Any:
    body = BODY if method == "POST" else None
    return app.test_client().open(path, method=method, json=body, headers={"X-API-Key": key})


def test_a_provider_is_given_the_code_and_no_word_of_the_text(configured: Configure) -> None:
    with gupshup.serve(gupshup.say(gupshup.http())) as server:
        client = configured(server.url).test_client()
        answer = relay(client, phone_number=PHONE, text="Pay 20 EUR to Mallory, code 445566")
    assert answer.status_code == 200
    (raw,) = server.requests
    assert code_in(raw) == "445566"
    assert b"Mallory" not in raw


def test_what_a_provider_refuses_names_the_message_and_costs_nothing(
    configured: Configure,
) -> None:
    refusal = b'{"status":"error","message":"Invalid Destination"}'
    with gupshup.serve(gupshup.say(gupshup.http(refusal, status="400 Bad Request"))) as server:
        client = configured(server.url).test_client()
        answer = relay(client)
    assert (answer.status_code, answer.get_json()["error"]["code"]) == (502, "delivery_failed")
    message_id = answer.get_json()["data"]["message_id"]
    assert "verification_id" not in answer.get_json()["data"]
    found = client.get(f"/messages/{message_id}").get_json()["data"]
    assert (found["status"], len(found["deliveries"])) == ("failed", 1)
