"""A verification's sid has no room for its home's letter: it is found wherever it lives."""

from __future__ import annotations

import sqlalchemy as sa
from flask import Flask
from werkzeug.test import TestResponse

from otp_service.storage.models.base import engines_of
from tests.faults.proxy import Proxy
from tests.faults.service import PHONE, Caller
from tests.faults.waiting import until
from tests.web.twilio import CHECK, VERIFICATIONS, number

CODE = "481629"


def start(app: Flask, service: str = VERIFICATIONS) -> str:
    form = {"To": PHONE, "Channel": "sms", "CustomCode": CODE}
    return str(app.test_client().post(service, data=form).get_json()["sid"])


def fetch(app: Flask, name: str) -> TestResponse:
    return app.test_client().get(f"{VERIFICATIONS}/{name}")


def check(app: Flask, sid: str) -> TestResponse:
    form = {"VerificationSid": sid, "Code": CODE}
    return app.test_client().post(CHECK, data=form)


def test_what_was_begun_in_an_outage_is_found_by_its_sid_and_checked(
    caller: Caller, proxy: Proxy, patient: None
) -> None:
    before = start(caller.app)
    proxy.refuse()
    assert number(fetch(caller.app, before)) == (503, 20503)
    assert number(check(caller.app, before)) == (503, 20503)
    during = start(caller.app)
    assert during != before
    for name in (during, PHONE):
        assert fetch(caller.app, name).get_json()["sid"] == during
    assert check(caller.app, during).get_json()["valid"]
    proxy.heal()
    until(lambda: fetch(caller.app, before).status_code == 200)
    assert number(fetch(caller.app, f"VE{'0' * 32}")) == (404, 20404)


def test_where_the_fallback_can_not_be_read_nothing_is_said_to_be_nowhere(
    caller: Caller, patient: None
) -> None:
    begun = start(caller.app)
    with engines_of(caller.app)[1].begin() as connection:
        connection.execute(sa.text("ALTER TABLE verifications RENAME TO lost"))
    assert fetch(caller.app, begun).get_json()["status"] == "pending"
    assert number(fetch(caller.app, f"VE{'0' * 32}")) == (503, 20503)
