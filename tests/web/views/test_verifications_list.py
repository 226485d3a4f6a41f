"""A phone's verifications: whose they are, who sees them, and what the audit trail says of that."""

from __future__ import annotations

from typing import Any
from urllib.parse import quote

import pytest
import sqlalchemy as sa
from flask import Flask
from flask.testing import FlaskClient
from werkzeug.test import TestResponse

from otp_service.storage.models.base import db
from otp_service.storage.sql import audit
from tests.conftest import MakeApp, new_key
from tests.storage.helpers import pass_time

PHONE = "+919876543210"
OTHER_PHONE = "+14155552671"
Headers = dict[str, str]


@pytest.fixture
def app(make_app: MakeApp, database_url: str) -> Flask:
    return make_app(DATABASE_URL=database_url, FALLBACK_DATABASE_URL="off", API_KEYS="required")


@pytest.fixture
def client(app: Flask) -> FlaskClient:
    return app.test_client()


def key(app: Flask, name: str, *scopes: str) -> Headers:
    return {"X-API-Key": new_key(app, name, *scopes)}


@pytest.fixture
def shop(app: Flask) -> Headers:
    return key(app, "shop", "otp", "read")


@pytest.fixture
def desk(app: Flask) -> Headers:
    return key(app, "desk", "support")


def send(client: FlaskClient, headers: Headers, phone: str = PHONE, purpose: str = "login") -> str:
    body = {"phone_number": phone, "purpose": purpose}
    answer = client.post("/send-otp", json=body, headers=headers).get_json()
    return str(answer["data"]["verification_id"])


def ask(client: FlaskClient, headers: Headers, query: str = f"phone_number={quote(PHONE)}") -> Any:
    return client.get(f"/verifications?{query}", headers=headers)


def listed(answer: TestResponse) -> list[str]:
    assert answer.status_code == 200, answer.get_json()
    return [each["verification_id"] for each in answer.get_json()["data"]["verifications"]]


def trail(app: Flask, actor: str) -> list[tuple[str, str | None, str | None]]:
    with app.app_context():
        found = audit.find(db.engine, seconds=60, count=50, actor=actor)
    return [(row.action, row.verification_id, row.phone) for row in reversed(found)]


def test_a_client_sees_its_own_newest_first_with_their_deliveries(
    app: Flask, client: FlaskClient, shop: Headers
) -> None:
    other = key(app, "other", "otp", "read")
    sent = [send(client, shop, purpose=purpose) for purpose in ("one", "two")]
    send(client, other)
    send(client, shop, OTHER_PHONE)
    answer = ask(client, shop)
    assert listed(answer) == sent[::-1]
    (newest, *_) = answer.get_json()["data"]["verifications"]
    assert newest == client.get(f"/verifications/{sent[1]}", headers=shop).get_json()["data"]
    assert [each["provider"] for each in newest["deliveries"]] == ["sandbox"]
    assert "client" not in newest
    assert trail(app, "shop")[-1][0] == "verification.started"  # its own reads leave no entry


def test_of_many_deliveries_the_limit_counts_verifications(
    client: FlaskClient, shop: Headers
) -> None:
    first = send(client, shop, purpose="one")
    body = {"phone_number": PHONE, "purpose": "one"}
    assert client.post("/resend-otp", json=body, headers=shop).status_code == 200
    second = send(client, shop, purpose="two")
    path = f"phone_number={quote(PHONE)}&limit="
    assert listed(ask(client, shop, f"{path}1")) == [second]
    both = ask(client, shop, f"{path}100")
    assert listed(both) == [second, first]
    assert [len(v["deliveries"]) for v in both.get_json()["data"]["verifications"]] == [1, 2]


def test_twenty_are_listed_unless_it_is_said_otherwise(
    app: Flask, client: FlaskClient, shop: Headers
) -> None:
    for number in range(21):
        send(client, shop, purpose=f"p{number}")
        with app.app_context():
            pass_time(db.engine, 86_400)
    assert len(listed(ask(client, shop))) == 20


def test_a_phone_that_is_not_known_has_an_empty_list(client: FlaskClient, shop: Headers) -> None:
    assert listed(ask(client, shop)) == []


@pytest.mark.parametrize(
    "written",
    ["%2B919876543210", "+919876543210", "919876543210", "%20919876543210", "+91+98765+43210"],
)
def test_a_plus_that_was_not_encoded_is_read_as_one(
    client: FlaskClient, shop: Headers, written: str
) -> None:
    sent = send(client, shop)
    assert listed(ask(client, shop, f"phone_number={written}")) == [sent]


@pytest.mark.parametrize(
    "limit", ["0", "101", "-1", "1.5", "ten", "", "+5", "%2B5", "05", "٣", "1e1"]
)
def test_a_limit_that_is_no_whole_number_from_1_to_100_is_400(
    client: FlaskClient, shop: Headers, limit: str
) -> None:
    answer = ask(client, shop, f"phone_number={quote(PHONE)}&limit={limit}")
    assert answer.status_code == 400
    error = answer.get_json()["error"]
    assert error["code"] == "invalid_request"
    assert error["fields"] == {"limit": ["Needed: a whole number from 1 to 100, such as 20."]}


@pytest.mark.parametrize(
    ("query", "field"),
    [
        ("", "phone_number"),
        ("limit=5", "phone_number"),
        (f"phone_number={quote(PHONE)}&client=shop", "client"),
        (f"phone_number={quote(PHONE)}&page=2", "page"),
        (f"phone_number={quote(PHONE)}&phone_number={quote(OTHER_PHONE)}", "phone_number"),
        (f"phone_number={quote(PHONE)}&limit=5&limit=6", "limit"),
    ],
)
def test_what_is_missing_unknown_or_there_twice_is_400_and_named(
    client: FlaskClient, shop: Headers, query: str, field: str
) -> None:
    answer = ask(client, shop, query)
    assert answer.status_code == 400
    assert list(answer.get_json()["error"]["fields"]) == [field]


@pytest.mark.parametrize("written", ["", "12", "nobody", "%2B91%00", "%2B1234567"])
def test_what_is_no_phone_number_is_400(client: FlaskClient, shop: Headers, written: str) -> None:
    answer = ask(client, shop, f"phone_number={written}")
    assert answer.status_code == 400
    assert answer.get_json()["error"]["code"] == "invalid_phone_number"


def test_support_sees_every_clients_and_whose_they_are(
    app: Flask, client: FlaskClient, shop: Headers, desk: Headers
) -> None:
    other = key(app, "other", "otp")
    first, second = send(client, shop), send(client, other)
    answer = ask(client, desk)
    assert listed(answer) == [second, first]
    shown = answer.get_json()["data"]["verifications"]
    assert [each["client"] for each in shown] == ["other", "shop"]
    one = client.get(f"/verifications/{first}", headers=desk).get_json()["data"]
    assert one == shown[1]
    assert client.get(f"/verifications/{'p' + '0' * 32}", headers=desk).status_code == 404


def test_each_read_of_support_is_an_entry_of_its_own(
    app: Flask, client: FlaskClient, shop: Headers, desk: Headers
) -> None:
    sent = send(client, shop)
    ask(client, desk)
    client.get(f"/verifications/{sent}", headers=desk)
    client.get(f"/verifications/{sent}", headers=desk)
    ask(client, desk, f"phone_number={quote(OTHER_PHONE)}")  # there is none, which it now knows
    assert trail(app, "desk") == [
        ("verifications.listed", None, "+91****3210"),
        ("verification.read", sent, "+91****3210"),
        ("verification.read", sent, "+91****3210"),
        ("verifications.listed", None, "+14****2671"),
    ]
    shown = app.test_cli_runner().invoke(args=["otp", "audit", "--phone", PHONE]).output
    assert [line.split()[1:3] for line in shown.splitlines()[1:]] == [
        ["shop", "verification.started"],
        ["desk", "verifications.listed"],
        ["desk", "verification.read"],
        ["desk", "verification.read"],
    ]


def test_a_read_that_can_not_be_told_of_is_none(
    app: Flask, client: FlaskClient, shop: Headers, desk: Headers
) -> None:
    sent = send(client, shop)
    with app.app_context(), db.engine.begin() as connection:
        own = "otp_service." if db.engine.dialect.name == "postgresql" else ""
        connection.execute(sa.text(f"ALTER TABLE {own}audit RENAME TO gone"))
    assert ask(client, desk).status_code == 503
    assert client.get(f"/verifications/{sent}", headers=desk).status_code == 503


def test_support_changes_nothing(
    app: Flask, client: FlaskClient, shop: Headers, desk: Headers
) -> None:
    sent = send(client, shop)
    body = {"phone_number": PHONE}
    refused = [
        client.delete(f"/verifications/{sent}", headers=desk),
        client.post("/send-otp", json=body, headers=desk),
        client.post("/resend-otp", json=body, headers=desk),
        client.post("/verify-otp", json=body | {"otp": "123456"}, headers=desk),
        client.get("/metrics", headers=desk),
        client.get("/debug/whatsapp", headers=desk),
    ]
    assert [answer.status_code for answer in refused] == [403] * 6
    assert {answer.get_json()["error"]["code"] for answer in refused} == {"forbidden"}
    found = client.get(f"/verifications/{sent}", headers=shop).get_json()["data"]
    assert (found["status"], found["attempts"]) == ("pending", 0)


def test_a_key_that_may_do_both_still_ends_its_own_only(
    app: Flask, client: FlaskClient, shop: Headers
) -> None:
    both = key(app, "both", "otp", "support")
    sent, own = send(client, shop), send(client, both)
    assert client.get(f"/verifications/{sent}", headers=both).status_code == 200
    assert client.delete(f"/verifications/{sent}", headers=both).status_code == 404
    ended = client.delete(f"/verifications/{own}", headers=both)
    assert ended.get_json()["data"]["client"] == "both"


def test_a_list_counts_as_a_request_of_its_client(make_app: MakeApp) -> None:
    app = make_app(API_KEYS="required", OTP_CLIENT_REQUESTS="2/1h")
    client = app.test_client()
    clients = [key(app, f"client-{scope}", scope) for scope in ("read", "support")]
    for headers in clients:
        assert [ask(client, headers).status_code for _ in range(3)] == [200, 200, 429]
    assert len(trail(app, "client-support")) == 2


def test_without_a_key_or_with_one_that_only_sends_nothing_is_listed(
    app: Flask, client: FlaskClient
) -> None:
    sender = key(app, "sender", "otp")
    assert ask(client, {}).status_code == 401
    assert ask(client, sender).status_code == 403
