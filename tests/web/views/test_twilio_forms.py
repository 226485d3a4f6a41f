"""Twilio Verify's calls as they come over the wire: whose they are, other shapes, other answers."""

from __future__ import annotations

import json
from collections.abc import Iterator
from dataclasses import dataclass
from typing import Any

import pytest
from flask import Flask
from flask.testing import FlaskClient
from werkzeug.test import TestResponse

from otp_service.web.dependencies import dependencies_of
from tests.conftest import MakeApp, new_key, serving
from tests.delivery import misbehaving as gupshup
from tests.scenarios.scene import SMS
from tests.security.raw_http import raw_responses, statuses
from tests.web.twilio import (
    ACCOUNT,
    CHECK,
    SERVICE,
    VERIFICATIONS,
    basic,
    new_phone,
    number,
    sandbox,
)

FORM = "application/x-www-form-urlencoded"
PHONE = "+919876543210"
START = {"To": PHONE, "Channel": "sms"}
REAL = {
    "GUPSHUP_API_KEY": "k3y-of-gupshup-0001",
    "GUPSHUP_SOURCE": "917834811114",
    "GUPSHUP_SRC_NAME": "DemoApp",
    "GUPSHUP_TEMPLATE_ID": "c6aecef6-bcb0-4fb1-8100-28c094e3bc6b",
    "API_KEYS": "off",
}


@pytest.fixture(scope="module")
def app(tmp_path_factory: pytest.TempPathFactory) -> Iterator[Flask]:
    """The sandbox, for all that asks for nothing else."""
    with sandbox(tmp_path_factory.mktemp("twilio")) as app:
        yield app


@dataclass(frozen=True)
class Guarded:
    """An application with keys, by their clients' names."""

    app: Flask
    keys: dict[str, str]

    @property
    def client(self) -> FlaskClient:
        return self.app.test_client()


@pytest.fixture(scope="module")
def guarded(tmp_path_factory: pytest.TempPathFactory) -> Iterator[Guarded]:
    with sandbox(tmp_path_factory.mktemp("guarded"), API_KEYS="required") as app:
        keys = {name: new_key(app, name, "otp") for name in ("shop", "other", "new")}
        yield Guarded(app, keys | {"reader": new_key(app, "reader", "read")})


def start(client: FlaskClient, key: str = "", **form: str) -> TestResponse:
    whole = {"To": new_phone(), "Channel": "sms"} | form
    return client.post(VERIFICATIONS, data=whole, headers=basic(key) if key else {})


def last_code(app: Flask) -> str:
    return dependencies_of(app).service.inbox()[-1][1]


# --- whose request it is ---


@pytest.mark.parametrize(
    "headers",
    [
        {},
        basic(""),
        basic("wrong"),
        {"Authorization": "Basic"},
        {"Authorization": "Basic not base64!"},
        {"Authorization": "Basic \u00e9"},
        {"Authorization": "Basic " + "QQ" * 5000},
        {"Authorization": "Bearer wrong"},
    ],
)
def test_without_a_key_it_is_20003(guarded: Guarded, headers: dict[str, str]) -> None:
    answer = guarded.client.post(VERIFICATIONS, data=START, headers=headers)
    assert number(answer) == (401, 20003)
    assert answer.headers["WWW-Authenticate"].startswith("Basic ")


@pytest.mark.parametrize("user", [ACCOUNT, "SK" + "0" * 32, "", "any body"])
def test_the_password_is_the_key_whatever_the_user_is_called(guarded: Guarded, user: str) -> None:
    headers = basic(guarded.keys["shop"], user)
    answer = guarded.client.post(VERIFICATIONS, data=START, headers=headers)
    assert answer.status_code == 201
    told = answer.get_json()["account_sid"]
    assert (told == user) == (user == ACCOUNT)
    assert len(told) == len(ACCOUNT)


def test_a_password_is_a_key_below_twilio_only(guarded: Guarded) -> None:
    headers = basic(guarded.keys["shop"])
    answer = guarded.client.post("/send-otp", json={"phone_number": PHONE}, headers=headers)
    assert answer.status_code == 401


def test_a_key_without_the_scope_is_forbidden(guarded: Guarded) -> None:
    assert number(start(guarded.client, guarded.keys["reader"])) == (403, 20003)


def test_another_clients_verification_is_not_found(guarded: Guarded) -> None:
    client = guarded.client
    mine, other = guarded.keys["shop"], guarded.keys["other"]
    begun = start(client, mine).get_json()
    sid = begun["sid"]
    for name in (sid, begun["to"]):
        path = f"{VERIFICATIONS}/{name}"
        assert number(client.get(path, headers=basic(other))) == (404, 20404)
        canceling = client.post(path, data={"Status": "canceled"}, headers=basic(other))
        assert number(canceling) == (404, 20404)
    check = {"VerificationSid": sid, "Code": last_code(guarded.app)}
    assert number(client.post(CHECK, data=check, headers=basic(other))) == (404, 20404)
    assert client.post(CHECK, data=check, headers=basic(mine)).get_json()["valid"]


def test_who_was_let_in_by_a_password_overtakes_strangers(guarded: Guarded) -> None:
    clients, key = dependencies_of(guarded.app).clients, guarded.keys["new"]
    assert not clients.is_of_client(VERIFICATIONS, basic(key))
    start(guarded.client, key)
    assert clients.is_of_client(VERIFICATIONS, basic(key))
    assert not clients.is_of_client(VERIFICATIONS, basic("wrong"))


# --- other shapes ---


def test_fields_that_nobody_knows_are_ignored(client: FlaskClient) -> None:
    more = {f"Unknown{each}": "x" for each in range(100)}
    tags = json.dumps({"a": "b"})
    answer = start(client, CustomFriendlyName="Shop", Tags=tags, Amount="39.99", **more)
    assert answer.status_code == 201
    assert answer.get_json()["amount"] is None


@pytest.mark.parametrize(
    "form",
    [
        {"To": ""},
        {"To": "\0"},
        {"To": "\ud800".encode("utf-8", "surrogatepass")},
        {"To": "anna@example.com"},
        {"To": "9" * 100_000},
        {"Channel": ""},
        {"Channel": "SMS"},
        {"Channel": "email"},
        {"CustomCode": "\u0661\u0662\u0663\u0664"},
        {"CustomCode": "12345678901"},
        {"CustomCode": "12a4"},
        {"CustomCode": "1234\n"},
        {"DeviceIp": "203.0.113.7:80"},
    ],
)
def test_what_a_start_may_not_say_is_60200(client: FlaskClient, form: dict[str, Any]) -> None:
    answer = client.post(VERIFICATIONS, data=START | form)
    assert number(answer) == (400, 60200)
    assert f"`{next(iter(form))}`" in answer.get_json()["message"]


@pytest.mark.parametrize("code", ["123", "12345678901", "12345a", "", "\0", "1 2 3"])
def test_what_is_no_code_is_60200_and_costs_no_guess(app: Flask, code: str) -> None:
    client = app.test_client()
    phone = start(client).get_json()["to"]
    for _ in range(6):
        assert number(client.post(CHECK, data={"To": phone, "Code": code})) == (400, 60200)
    right = client.post(CHECK, data={"To": phone, "Code": last_code(app)})
    assert right.get_json()["valid"]


@pytest.mark.parametrize("locale", ["pt_BR", "\0", "no such", "x" * 5000])
def test_a_language_that_can_not_be_read_is_none(client: FlaskClient, locale: str) -> None:
    assert start(client, Locale=locale).status_code == 201


def test_a_code_is_read_as_it_was_typed(app: Flask) -> None:
    client = app.test_client()
    phone = start(client, CustomCode="482913").get_json()["to"]
    typed = {"To": f" {phone[1:3]} {phone[3:]}", "Code": " \u0664\u0668\u0662 - 913"}
    assert client.post(CHECK, data=typed).get_json()["status"] == "approved"


def test_other_bodies_are_no_forms(client: FlaskClient) -> None:
    assert number(client.post(VERIFICATIONS, json=START)) == (415, 20415)
    multipart = client.post(VERIFICATIONS, data=START, content_type="multipart/form-data")
    assert number(multipart) == (415, 20415)
    assert number(client.post(VERIFICATIONS)) == (400, 60200)
    assert number(client.post(VERIFICATIONS, data=b"\xff%", content_type=FORM)) == (400, 60200)


@pytest.mark.parametrize(
    "path",
    [
        "/twilio/v2/Services",
        "/twilio/v2/Services/MG0123456789abcdef0123456789abcdef/Verifications/VE1",
        f"{VERIFICATIONS}/VE{'0' * 32}",
        f"{VERIFICATIONS}/VE{'0' * 31}",
        f"{VERIFICATIONS}/%00",
        f"{VERIFICATIONS}/nobody",
        f"{VERIFICATIONS}/+919876500000",
    ],
)
def test_what_is_not_there_is_20404(client: FlaskClient, path: str) -> None:
    assert number(client.get(path)) == (404, 20404)


def test_another_method_is_20004_and_says_which_there_is(client: FlaskClient) -> None:
    answer = client.delete(f"{VERIFICATIONS}/{PHONE}")
    assert number(answer) == (405, 20004)
    assert "POST" in answer.headers["Allow"]


def test_a_body_may_have_256_kib_and_what_is_larger_is_told_in_twilios_words(
    app: Flask,
) -> None:
    form = f"To=%2B919876543210&Channel=sms&Tags={'x' * 250_000}".encode()
    with serving(app) as server:
        for body, status in ((form, 201), (form + b"x" * 20_000, 413)):
            head = f"POST {VERIFICATIONS} HTTP/1.1\r\nHost: x\r\nContent-Type: {FORM}\r\n"
            head += f"Connection: close\r\nContent-Length: {len(body)}\r\n\r\n"
            heard = raw_responses(server, head.encode() + body)
            assert statuses(heard) == [status]
            told = json.loads(heard.partition(b"\r\n\r\n")[2])
            assert told.get("code") == (None if status == 201 else 20413)


# --- what else may happen ---


def test_calls_above_the_keys_rate_are_20429_with_a_time_to_wait(make_app: MakeApp) -> None:
    app = make_app(API_KEYS="required", OTP_CLIENT_REQUESTS="2/1m")
    client, key = app.test_client(), new_key(app, "shop", "otp")
    for _ in range(2):
        assert start(client, key).status_code == 201  # though it asks the database twice
    refused = start(client, key)
    assert number(refused) == (429, 20429)
    assert int(refused.headers["Retry-After"]) > 0


def test_a_send_above_the_phones_limit_says_how_long_to_wait(make_app: MakeApp) -> None:
    client, phone = make_app(OTP_SEND_LIMITS="1/10m").test_client(), new_phone()
    assert start(client, To=phone).status_code == 201
    refused = start(client, To=phone)
    assert number(refused) == (429, 60203)
    assert 0 < int(refused.headers["Retry-After"]) <= 600


def test_the_end_users_address_is_counted(make_app: MakeApp) -> None:
    client = make_app(OTP_ADDRESS_SEND_LIMITS="1/10m").test_client()
    address = {"DeviceIp": "203.0.113.7"}
    assert start(client, **address).status_code == 201
    assert number(start(client, **address)) == (429, 60203)


def test_what_the_provider_refuses_is_20503(make_app: MakeApp) -> None:
    with gupshup.serve(gupshup.say(gupshup.http(status="401 Unauthorized"))) as server:
        client = make_app(**REAL, GUPSHUP_API_URL=server.url).test_client()
        assert number(start(client, To=PHONE)) == (503, 20503)
    assert client.get(f"{VERIFICATIONS}/{PHONE}").get_json()["status"] == "failed"


def test_without_an_answer_of_the_provider_a_verification_is_pending(make_app: MakeApp) -> None:
    with gupshup.serve(gupshup.say_and_hang_up(b"")) as server:
        app = make_app(**REAL, GUPSHUP_API_URL=server.url)
        answer = start(app.test_client())
    assert (answer.status_code, answer.get_json()["status"]) == (201, "pending")


def test_an_sms_is_one_where_there_is_a_sender(make_app: MakeApp) -> None:
    with gupshup.serve(gupshup.say(gupshup.http())) as server:
        sms = SMS | {"GUPSHUP_SMS_API_URL": server.url}
        client = make_app(**REAL, **sms, GUPSHUP_API_URL=server.url).test_client()
        told = start(client).get_json()
    assert told["service_sid"] == SERVICE
    assert told["send_code_attempts"][0]["channel"] == "SMS"
