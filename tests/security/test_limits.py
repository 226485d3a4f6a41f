"""Limits and destination rules, as a caller meets them."""

from __future__ import annotations

from datetime import datetime, timezone
from pathlib import Path
from typing import Any

import pytest
import sqlalchemy as sa
from flask import Flask
from flask.testing import FlaskClient

from otp_service.domain.limits import DAY
from otp_service.storage.models.base import engines_of
from otp_service.storage.models.verifications import VerificationRow
from tests.conftest import MakeApp, new_key
from tests.storage.helpers import wrong

PHONE = {"phone_number": "+919876543210"}
LANDLINE = {"phone_number": "+442071838750"}


def call(client: FlaskClient, path: str, **body: Any) -> tuple[int, dict[str, Any]]:
    response = client.post(path, json=PHONE | body)
    return response.status_code, response.get_json().get("error", {})


def stored(app: Flask) -> int:
    with engines_of(app)[0].connect() as connection:
        return int(connection.scalar(sa.select(sa.func.count()).select_from(VerificationRow)) or 0)


def test_a_refusal_tells_which_limit_it_was_and_when_it_ends(client: FlaskClient) -> None:
    for _ in range(5):
        assert call(client, "/resend-otp")[0] == 200
    response = client.post("/resend-otp", json=PHONE)
    assert response.status_code == 429
    error = response.get_json()["error"]
    assert error["code"] == "send_limit_exceeded"
    assert (error["limit"], error["allowed"], error["per_seconds"]) == ("phone_sends", 5, 600)
    assert 590 <= error["retry_after"] <= 600
    assert response.headers["Retry-After"] == str(error["retry_after"])
    ends = datetime.fromisoformat(error["resets_at"].replace("Z", "+00:00"))
    left = (ends - datetime.now(timezone.utc)).total_seconds()
    assert left == pytest.approx(error["retry_after"], abs=3)


def test_the_end_users_address_is_counted_whatever_the_phone(make_app: MakeApp) -> None:
    client = make_app(OTP_ADDRESS_SEND_LIMITS="2/10m").test_client()
    for number in range(2):
        body = {"phone_number": f"+91987654321{number}", "client_ip": "203.0.113.7"}
        assert client.post("/send-otp", json=body).status_code == 200
    status, error = call(client, "/send-otp", client_ip="203.0.113.7", purpose="other")
    assert (status, error["limit"]) == (429, "address_sends")
    assert call(client, "/send-otp", client_ip="203.0.113.8", purpose="other")[0] == 200


def test_too_many_wrong_codes_lock_the_phone(make_app: MakeApp) -> None:
    client = make_app(OTP_FAILURE_LIMITS="3/1h").test_client()
    sent = client.post("/send-otp", json=PHONE).get_json()["data"]
    guess = wrong(sent["otp"])
    for _ in range(3):
        assert call(client, "/verify-otp", otp=guess)[1]["code"] == "invalid_otp"
    status, error = call(client, "/verify-otp", otp=sent["otp"])
    assert (status, error["code"], error["limit"]) == (429, "phone_locked", "phone_failures")
    assert error["resets_at"]


@pytest.fixture
def guarded(make_app: MakeApp) -> Flask:
    return make_app(API_KEYS="required", OTP_CLIENT_REQUESTS="3/1h")


def key(app: Flask, name: str) -> dict[str, str]:
    return {"Authorization": f"Bearer {new_key(app, name, 'otp', 'read')}"}


def test_each_api_key_has_its_own_limit_of_requests(guarded: Flask) -> None:
    client = guarded.test_client()
    mine, other = key(guarded, "mine"), key(guarded, "other")
    statuses = [client.post("/resend-otp", json=PHONE, headers=mine).status_code for _ in range(4)]
    assert statuses == [200, 200, 200, 429]
    refused = client.get("/verifications/p0123456789", headers=mine).get_json()["error"]
    assert (refused["code"], refused["limit"]) == ("rate_limit_exceeded", "client_requests")
    assert client.post("/resend-otp", json=PHONE, headers=other).status_code == 200


def test_without_keys_there_is_no_limit_of_requests(make_app: MakeApp) -> None:
    client = make_app(OTP_CLIENT_REQUESTS="3/1h").test_client()
    for _ in range(5):
        assert client.get("/verifications/p0123456789").status_code == 404


def test_a_destination_that_is_not_allowed_is_refused_before_anything_is_stored(
    make_app: MakeApp,
) -> None:
    app = make_app(OTP_ALLOWED_COUNTRIES="us,IN", OTP_BLOCKED_PREFIXES="+1415")
    client = app.test_client()
    for body, reason in (
        ({"phone_number": "+79161234567"}, "country"),
        ({"phone_number": "+14155552671"}, "prefix"),
        ({"phone_number": "+18002530000"}, "number_type"),
    ):
        for path in ("/send-otp", "/resend-otp"):
            status, error = call(client, path, **body)
            assert (status, error["code"]) == (403, "destination_not_allowed")
            assert error["reason"] == reason
    assert stored(app) == 0
    assert call(client, "/send-otp")[0] == 200


def test_a_number_that_can_receive_nothing_is_refused_unless_the_setting_says_otherwise(
    make_app: MakeApp,
) -> None:
    assert call(make_app().test_client(), "/send-otp", **LANDLINE)[0] == 403
    app = make_app(OTP_BLOCKED_NUMBER_TYPES="off")
    assert call(app.test_client(), "/send-otp", **LANDLINE)[0] == 200


def test_a_code_that_is_out_is_good_even_if_its_destination_is_not_allowed_any_more(
    make_app: MakeApp,
) -> None:
    sent = make_app().test_client().post("/send-otp", json=PHONE).get_json()["data"]
    strict = make_app(OTP_ALLOWED_COUNTRIES="US").test_client()
    assert call(strict, "/verify-otp", otp=sent["otp"])[0] == 200
    assert call(strict, "/send-otp")[0] == 403


def test_test_numbers_have_neither_send_limits_nor_destination_rules(make_app: MakeApp) -> None:
    app = make_app(OTP_ALLOWED_COUNTRIES="US", OTP_SEND_LIMITS="1/1d", OTP_PUMPING_GUARD="enforce")
    client = app.test_client()
    for _ in range(7):
        answer = call(client, "/resend-otp", phone_number="+1234567890", client_ip="203.0.113.7")
        assert answer[0] == 200


@pytest.mark.parametrize(
    ("variable", "value"),
    [
        ("OTP_SEND_LIMITS", "off"),
        ("OTP_SEND_LIMITS", "5 in 10 minutes"),
        ("OTP_SEND_LIMITS", "0/10m"),
        ("OTP_SEND_LIMITS", "5/31d"),
        ("OTP_SEND_LIMITS", "1/1m,2/2m,3/3m,4/4m,5/5m,6/6m"),
        ("OTP_FAILURE_LIMITS", "off"),
        ("OTP_FAILURES_IN_A_ROW", "101"),
        ("OTP_ADDRESS_SEND_LIMITS", "many"),
        ("OTP_PURPOSE_SEND_LIMITS", "5"),
        ("OTP_CLIENT_REQUESTS", "50/1s,100/1m"),
        ("OTP_ACCEPTED_PREFIXES", "1436"),
        ("OTP_ACCEPTED_PREFIXES", "+1436;+1565"),
        ("OTP_DEFAULT_COUNTRY", "IND"),
        ("OTP_DEFAULT_COUNTRY", "+91"),
        ("OTP_RESEND_COOLDOWN_SECONDS", "-1"),
        ("OTP_ALLOWED_COUNTRIES", "IN,Germany"),
        ("OTP_BLOCKED_PREFIXES", "88213"),
        ("OTP_BLOCKED_NUMBER_TYPES", "satellite"),
        ("OTP_LIVE_PER_PHONE", "0"),
        ("OTP_REFUSAL_LIMITS", "off"),
        ("OTP_CLIENT_REFUSAL_LIMITS", "none"),
        ("OTP_PUMPING_GUARD", "on"),
        ("OTP_PUMPING_NUMBERS", "off"),
        ("OTP_PUMPING_SENDS", "9"),
        ("OTP_PUMPING_PERCENT", "0"),
    ],
)
def test_a_limit_that_makes_no_sense_refuses_to_start(
    variable: str, value: str, make_app: MakeApp
) -> None:
    with pytest.raises(Exception, match=variable):
        make_app(**{variable: value})


@pytest.mark.statement(6)
@pytest.mark.parametrize(
    "variable",
    [
        "OTP_SEND_LIMITS",
        "OTP_PURPOSE_SEND_LIMITS",
        "OTP_ADDRESS_SEND_LIMITS",
        "OTP_FAILURE_LIMITS",
        "OTP_REFUSAL_LIMITS",
        "OTP_CLIENT_REFUSAL_LIMITS",
        "OTP_PUMPING_NUMBERS",
    ],
)
def test_a_window_longer_than_what_is_kept_does_not_start(variable: str, make_app: MakeApp) -> None:
    with pytest.raises(Exception, match=f"{variable} looks back 2 days.*OTP_RETENTION_DAYS=1"):
        make_app(**{variable: "10/25h", "OTP_RETENTION_DAYS": "1"})
    assert make_app(**{variable: "10/1d", "OTP_RETENTION_DAYS": "1"})


def test_a_phone_that_could_check_nothing_gets_no_message(make_app: MakeApp) -> None:
    client = make_app(OTP_SEND_LIMITS="100/1h").test_client()
    for purpose in ("one", "two", "three"):
        sent = client.post("/send-otp", json=PHONE | {"purpose": purpose}).get_json()["data"]
        guess = wrong(sent["otp"])
        for _ in range(5):
            of = {"otp": guess, "purpose": purpose, "verification_id": sent["verification_id"]}
            assert call(client, "/verify-otp", **of)[1]["code"] == "invalid_otp"
    for path in ("/send-otp", "/resend-otp"):
        response = client.post(path, json=PHONE)
        error = response.get_json()["error"]
        assert (response.status_code, error["code"]) == (429, "phone_locked")
        assert response.headers["Retry-After"] == str(error["retry_after"])


def test_a_phone_has_three_live_verifications_at_most(make_app: MakeApp) -> None:
    client = make_app(OTP_LIVE_PER_PHONE="2").test_client()
    for purpose in ("one", "two"):
        assert call(client, "/send-otp", purpose=purpose)[0] == 200
    status, error = call(client, "/send-otp", purpose="three")
    assert (status, error["code"]) == (429, "send_limit_exceeded")
    assert (error["limit"], error["allowed"]) == ("live_verifications", 2)
    assert "per_seconds" not in error
    assert error["resets_at"]


def test_every_limit_can_be_set(make_app: MakeApp, tmp_path: Path) -> None:
    app = make_app(
        API_KEYS="required",
        OTP_SEND_LIMITS="3/15m, 9/1d",
        OTP_PURPOSE_SEND_LIMITS="2/1h",
        OTP_ADDRESS_SEND_LIMITS="off",
        OTP_RESEND_COOLDOWN_SECONDS="30",
        OTP_FAILURE_LIMITS="4/2h",
        OTP_FAILURES_IN_A_ROW="50",
        OTP_CLIENT_REQUESTS="9/2s",
        OTP_LIVE_PER_PHONE="4",
        OTP_REFUSAL_LIMITS="5/2h",
        OTP_CLIENT_REFUSAL_LIMITS="50/5m",
        OTP_PUMPING_GUARD="enforce",
        OTP_PUMPING_NUMBERS="4/5m",
        OTP_PUMPING_SENDS="20",
        OTP_PUMPING_PERCENT="30",
    )
    limits = app.extensions["otp_settings"].limits
    told = {limit.name: (limit.count, limit.seconds) for limit in limits.sends}
    assert told == {
        "phone_sends": (9, DAY),  # and 3 in 900 seconds
        "purpose_sends": (2, 3_600),
        "resend_cooldown": (1, 30),
    }
    assert [(limit.count, limit.seconds) for limit in limits.phone_refusals] == [(5, 7_200)]
    assert [(limit.count, limit.seconds) for limit in limits.client_refusals] == [(50, 300)]
    assert limits.live_verifications.count == 4
    assert [limit.count for limit in limits.phone_sends] == [3, 9]
    assert [(limit.count, limit.seconds) for limit in limits.phone_failures] == [(4, 7_200)]
    assert limits.failures_in_a_row == 50
    assert (limits.client_requests.count, limits.client_requests.seconds) == (9, 2)
    pumping = limits.pumping
    assert (pumping.numbers.count, pumping.numbers.seconds) == (4, 300)
    assert (pumping.guard.value, pumping.sends, pumping.percent) == ("enforce", 20, 30)
