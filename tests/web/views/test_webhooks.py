"""Webhooks: who may call them, and what they answer."""

from __future__ import annotations

import json
import logging
from typing import Any

import pytest
import sqlalchemy as sa
from flask import Flask
from flask.testing import FlaskClient
from werkzeug.test import TestResponse

from otp_service.storage.models.base import engines_of
from otp_service.storage.models.deliveries import ReceiptRow
from tests.conftest import MakeApp
from tests.delivery import account
from tests.delivery.callbacks import signed
from tests.scrape import Scrape
from tests.statements import recorded

SECRET = "a-webhook-secret-of-the-tests"
META = account.META | {"META_APP_SECRET": SECRET, "API_KEYS": "off"}
TEMPLATE = "5a1e0000-0000-4000-8000-000000000001"
GUPSHUP = {
    "GUPSHUP_API_KEY": "k3y-of-gupshup-0001",
    "GUPSHUP_SOURCE": "917834811114",
    "GUPSHUP_SRC_NAME": "DemoApp",
    "GUPSHUP_TEMPLATE_ID": TEMPLATE,
    "GUPSHUP_WEBHOOK_SECRET": SECRET,
    "API_KEYS": "off",
}
DELIVERED = {
    "type": "message-event",
    "payload": {"gsId": "m1", "type": "delivered", "destination": "919876543210"},
}


@pytest.fixture
def app(make_app: MakeApp) -> Flask:
    return make_app(GUPSHUP_WEBHOOK_SECRET=SECRET)


def told(client: FlaskClient, body: object = DELIVERED, **headers: str) -> TestResponse:
    given = headers or {"Authorization": f"Bearer {SECRET}"}
    return client.post("/webhooks/gupshup", json=body, headers=given)


def stored(app: Flask) -> int:
    with engines_of(app)[0].connect() as connection:
        return len(connection.execute(sa.select(ReceiptRow.id)).all())


@pytest.mark.parametrize("header", [f"Bearer {SECRET}", f"bearer  {SECRET}", SECRET])
def test_the_secret_may_come_in_a_header(app: Flask, client: FlaskClient, header: str) -> None:
    answer = told(client, Authorization=header)
    assert (answer.status_code, answer.data) == (200, b"")
    assert stored(app) == 1


def test_or_in_the_url(app: Flask, client: FlaskClient) -> None:
    answer = client.post(f"/webhooks/gupshup?token={SECRET}", json=DELIVERED)
    assert (answer.status_code, answer.data) == (200, b"")
    assert stored(app) == 1


@pytest.mark.statement(16)
@pytest.mark.parametrize(
    "wrong",
    ["", "Bearer", "Bearer ", SECRET[:-1], f"Bearer {SECRET}x", "Bearer " + "x" * 7000, "ümlaut"],
)
def test_any_other_secret_gets_the_same_401_and_nothing_is_stored(
    app: Flask, client: FlaskClient, wrong: str
) -> None:
    missing = client.post("/webhooks/gupshup", json=DELIVERED, headers={"X-Request-ID": "r"})
    answer = told(client, Authorization=wrong, X_Request_ID="r")
    assert answer.status_code == missing.status_code == 401
    assert answer.data == missing.data
    assert client.post(f"/webhooks/gupshup?token={wrong}", json=DELIVERED).data == missing.data
    assert stored(app) == 0


@pytest.mark.statement(16)
@pytest.mark.parametrize("path", ["/webhooks/gupshup", "/webhooks/gupshup-sms", "/webhooks/meta"])
def test_without_a_secret_in_the_settings_nobody_may_call(make_app: MakeApp, path: str) -> None:
    client = make_app().test_client()
    for headers in ({}, {"Authorization": "Bearer "}, {"X-Hub-Signature-256": "sha256="}):
        assert client.post(path, json=DELIVERED, headers=headers).status_code == 401
        assert client.post(f"{path}?token=", json=DELIVERED, headers=headers).status_code == 401


def test_with_a_list_of_addresses_others_are_refused(make_app: MakeApp) -> None:
    app = make_app(GUPSHUP_WEBHOOK_SECRET=SECRET, GUPSHUP_WEBHOOK_IPS="192.0.2.0/24, 2001:db8::/32")
    for address, status in (("192.0.2.7", 200), ("2001:db8::7", 200), ("127.0.0.1", 403)):
        client = app.test_client()
        client.environ_base["REMOTE_ADDR"] = address
        assert told(client).status_code == status
    refused = json.dumps(told(client).get_json())
    assert "GUPSHUP_WEBHOOK_IPS" in refused
    assert "key" not in refused.lower()


@pytest.mark.statement(10, 16)
def test_a_forwarded_address_opens_nothing(make_app: MakeApp) -> None:
    client = make_app(GUPSHUP_WEBHOOK_SECRET=SECRET, GUPSHUP_WEBHOOK_IPS="192.0.2.7").test_client()
    headers = {"Authorization": f"Bearer {SECRET}", "X-Forwarded-For": "192.0.2.7"}
    assert client.post("/webhooks/gupshup", json=DELIVERED, headers=headers).status_code == 403


def test_the_secret_is_in_no_log_line(
    client: FlaskClient, caplog: pytest.LogCaptureFixture
) -> None:
    caplog.set_level(logging.DEBUG)
    client.post(f"/webhooks/gupshup?token={SECRET}", json=DELIVERED)
    told(client)
    lines = [vars(record) for record in caplog.records]
    assert [line["route"] for line in lines if "route" in line] == ["/webhooks/gupshup"] * 2
    assert SECRET not in str(lines)


@pytest.mark.parametrize(
    "body",
    [
        {"type": "user-event", "payload": {"phone": "callbackSetPhone", "type": "sandbox-start"}},
        {"entry": [{"changes": [{"value": {"statuses": [{"type": "set-callback"}]}}]}]},
        {"type": "something-new", "payload": [1, {"type": "delivered"}]},
        {},
    ],
)
def test_what_is_no_receipt_is_acknowledged_and_dropped(
    app: Flask, client: FlaskClient, body: object
) -> None:
    answer = told(client, body)
    assert (answer.status_code, answer.data) == (200, b"")
    assert stored(app) == 0


@pytest.mark.parametrize("raw", [b"", b"nonsense", b"\xff\xfe", b"[1]", b'{"a": NaN}'])
def test_what_is_no_json_object_is_a_bad_request(client: FlaskClient, raw: bytes) -> None:
    answer = client.post(f"/webhooks/gupshup?token={SECRET}", data=raw)
    assert answer.status_code == 400
    assert answer.get_json()["error"]["code"] == "invalid_json"


def test_a_batch_may_be_larger_than_other_requests_but_not_endless(
    app: Flask, client: FlaskClient
) -> None:
    large = DELIVERED | {"more": "x" * 100_000}
    assert told(client, large).status_code == 200
    assert stored(app) == 1
    assert told(client, DELIVERED | {"more": "x" * 300_000}).status_code == 413


@pytest.mark.statement(16)
@pytest.mark.parametrize(
    ("method", "path", "headers", "words"),
    [
        ("POST", "/webhooks/gupshup", {}, "secret"),
        ("POST", "/webhooks/gupshup?token=wrong", {}, "token"),
        ("POST", "/webhooks/gupshup-sms", {"Authorization": "Bearer wrong"}, "Bearer SECRET"),
        ("GET", "/webhooks/gupshup-sms", {}, "secret"),
        ("POST", "/webhooks/meta", {}, "X-Hub-Signature-256"),
        ("POST", "/webhooks/meta", {"X-Hub-Signature-256": "sha256=00"}, "signature"),
        ("GET", "/webhooks/meta?hub.mode=subscribe", {}, "hub.verify_token"),
    ],
)
def test_who_lacks_a_webhooks_secret_is_told_of_that_and_of_no_api_key(
    client: FlaskClient, method: str, path: str, headers: dict[str, str], words: str
) -> None:
    answer = client.open(path, method=method, json=DELIVERED, headers=headers)
    told = answer.get_json()
    assert answer.status_code == 401
    assert words in told["message"]
    assert "key" not in json.dumps(told).lower()
    assert 'realm="webhook"' in answer.headers["WWW-Authenticate"]


def test_a_thousand_statuses_of_meta_are_stored_by_one_statement(make_app: MakeApp) -> None:
    app = make_app(**META)
    statuses = [
        {"id": f"wamid.{number:040}", "status": "delivered", "timestamp": "1747136691"}
        | {"recipient_id": "919876543210", "conversation": {"id": "c" * 220}}
        for number in range(1000)
    ]
    changes = [{"field": "messages", "value": {"statuses": statuses}}]
    body = {"entry": [{"id": "1", "changes": changes}]}
    assert len(json.dumps(body)) > 350_000
    statements = recorded(engines_of(app)[0])
    assert post_signed(app.test_client(), body).status_code == 200
    assert stored(app) == 1000
    assert len([sql for sql in statements if sql.startswith(b"INSERT")]) == 1


def post_signed(client: FlaskClient, body: dict[str, Any]) -> TestResponse:
    """What Meta posts."""
    raw = json.dumps(body).encode()
    headers = {"X-Hub-Signature-256": signed(raw, SECRET)}
    return client.post("/webhooks/meta", data=raw, headers=headers)


def of_meta(field: str, **value: object) -> dict[str, Any]:
    changes = [{"field": field, "value": {"messaging_product": "whatsapp", **value}}]
    return {"object": "whatsapp_business_account", "entry": [{"id": "1", "changes": changes}]}


def test_an_error_of_metas_app_is_warned_of_counted_and_shown(
    make_app: MakeApp, caplog: pytest.LogCaptureFixture
) -> None:
    app = make_app(**META)
    locked: dict[str, Any] = {"code": 131031, "title": "Business Account locked"}
    locked |= {"error_data": {"details": "restricted"}}
    body = of_meta("messages", metadata={"phone_number_id": "1"}, errors=[locked])
    assert post_signed(app.test_client(), body).status_code == 200
    (record,) = [each for each in caplog.records if "meta tells" in each.getMessage()]
    assert record.levelno == logging.WARNING
    assert "account_restricted" in record.getMessage()
    counted = {"provider": "meta", "kind": "account", "state": "account_restricted"}
    assert Scrape.of(app).value("otp_provider_events_total", **counted) == 1
    shown = app.test_cli_runner().invoke(args=["otp", "check"]).output
    assert "131031: Business Account locked: restricted" in shown


@pytest.mark.parametrize(
    ("status", "template", "told_as"),
    [
        ("paused", TEMPLATE, "WARNING yes"),
        ("rejected", "c6aecef6-bcb0-4fb1-8100-28c094e3bc6b", "WARNING no"),
        ("approved", TEMPLATE, "INFO yes"),
    ],
)
def test_an_event_of_a_template_is_told_with_whether_it_is_used_here(
    make_app: MakeApp, caplog: pytest.LogCaptureFixture, status: str, template: str, told_as: str
) -> None:
    caplog.set_level(logging.INFO)
    level, whose = told_as.split()
    app = make_app(**GUPSHUP)
    payload = {"type": "status-update", "id": template, "status": status, "elementName": "otp"}
    body = {"app": "DemoApp", "type": "template-event", "payload": payload}
    assert told(app.test_client(), body).data == b""
    (record,) = [each for each in caplog.records if "gupshup tells" in each.getMessage()]
    assert (record.levelname, vars(record)["state"]) == (level, status)
    assert ("not used here" in record.getMessage()) is (whose == "no")
    counted = {"kind": "template", "state": status, "ours": whose}
    assert Scrape.of(app).value("otp_provider_events_total", **counted) == 1


def test_an_event_that_nobody_documented_is_counted_and_no_more(
    make_app: MakeApp, caplog: pytest.LogCaptureFixture
) -> None:
    app = make_app(**META)
    assert post_signed(app.test_client(), of_meta("flows", event="PAUSED")).status_code == 200
    assert not [each for each in caplog.records if "meta tells" in each.getMessage()]
    assert Scrape.of(app).value("otp_provider_events_total", kind="other") == 1


def test_an_event_that_can_not_be_stored_is_not_acknowledged(make_app: MakeApp) -> None:
    app = make_app(**META)
    with engines_of(app)[0].begin() as connection:
        connection.execute(sa.text("DROP TABLE provider_events"))
    body = of_meta("account_update", event="ACCOUNT_RESTRICTION")
    assert post_signed(app.test_client(), body).status_code == 503
    assert Scrape.of(app).value("otp_provider_events_total") is None


def test_reports_of_sms_come_as_a_query_a_form_or_json(app: Flask, client: FlaskClient) -> None:
    path = f"/webhooks/gupshup-sms?token={SECRET}"
    query = "&externalId=1&deliveredTS=1700000000000&status=SUCCESS&phoneNo=919876543210"
    batch = json.dumps([{"externalId": "2", "eventType": "DELIVERED"}])
    assert client.get(path + query).status_code == 200
    assert client.post(path, data={"response": batch}).status_code == 200
    assert client.post(path, data=batch, content_type="application/json").status_code == 200
    assert stored(app) == 3


def test_what_can_not_be_stored_is_not_acknowledged(app: Flask, client: FlaskClient) -> None:
    with engines_of(app)[0].begin() as connection:
        connection.execute(sa.text("DROP TABLE receipts"))
    answer = told(client)
    assert answer.status_code == 503
    assert answer.headers["Retry-After"]
