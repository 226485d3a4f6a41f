"""Postgres goes away: codes are issued on the fallback, and no answer is a lie."""

from __future__ import annotations

import logging

import pytest
import sqlalchemy as sa
from flask import Flask

from otp_service import create_app
from otp_service.storage.models.base import engines_of
from tests.conftest import SECRET, MakeApp
from tests.faults.proxy import Proxy
from tests.faults.service import PHONE, Caller
from tests.faults.waiting import until
from tests.storage.helpers import wrong

pytestmark = pytest.mark.usefixtures("patient")


def test_while_postgres_is_away_codes_are_sent_and_accepted_once(
    caller: Caller, proxy: Proxy
) -> None:
    proxy.refuse()
    sent = caller.send()
    assert (sent.status, sent.code, sent.id[0]) == (200, "ok", "s")
    assert caller.send().code == "otp_already_sent"
    assert caller.verify(wrong(sent.otp)).code == "invalid_otp"
    assert caller.verify(sent.otp).code == "ok"
    assert caller.verify(sent.otp).code == "otp_not_found"
    assert caller.verify(sent.otp, verification_id=sent.id).code == "otp_not_found"


def test_a_code_in_postgres_survives_an_outage_and_the_outage_charges_nothing(
    caller: Caller, proxy: Proxy
) -> None:
    sent = caller.send()
    assert sent.id[0] == "p"
    proxy.refuse()
    for more in ({}, {"verification_id": sent.id}):
        for otp in [sent.otp, wrong(sent.otp)] * 5:
            answer = caller.verify(otp, **more)
            assert (answer.status, answer.code) == (503, "storage_unavailable")
            assert int(answer.headers["Retry-After"]) > 0
    assert caller.get(sent.id).status == 503
    assert caller.cancel(sent.id).status == 503
    proxy.heal()
    until(lambda: caller.get(sent.id).status == 200)
    assert caller.get(sent.id).data["attempts_remaining"] == 5
    assert caller.verify(sent.otp).code == "ok"


def test_a_phone_that_the_fallback_does_not_know_is_not_said_to_have_no_code(
    caller: Caller, proxy: Proxy
) -> None:
    proxy.refuse()
    assert caller.verify("123456").code == "storage_unavailable"
    proxy.heal()
    until(lambda: caller.verify("123456").code == "otp_not_found")


def test_five_guesses_are_judged_in_the_fallback_too(caller: Caller, proxy: Proxy) -> None:
    proxy.refuse()
    sent = caller.send()
    codes = [caller.verify(wrong(sent.otp)).code for _ in range(6)]
    assert codes == ["invalid_otp"] * 5 + ["too_many_attempts"]
    assert caller.verify(sent.otp).code == "too_many_attempts"
    proxy.heal()
    until(lambda: caller.ready().data["database"] == "ok")
    assert caller.verify(sent.otp).code == "too_many_attempts"


def test_a_resend_during_an_outage_starts_a_verification_in_the_fallback(
    caller: Caller, proxy: Proxy
) -> None:
    first = caller.send()
    proxy.refuse()
    second = caller.resend()
    assert (second.code, second.id[0]) == ("ok", "s")
    third = caller.resend()
    assert third.id == second.id
    assert caller.verify(second.otp).code == "invalid_otp"
    assert caller.verify(third.otp).code == "ok"
    assert caller.verify(first.otp, verification_id=first.id).status == 503


def test_a_verification_stays_in_its_home_when_postgres_is_back(
    caller: Caller, proxy: Proxy
) -> None:
    proxy.refuse()
    sent = caller.send()
    proxy.heal()
    until(lambda: caller.ready().data["database"] == "ok")
    assert caller.ready().data["fallback"] == "draining"
    again = caller.send()
    assert (again.code, again.id) == ("otp_already_sent", sent.id)
    resent = caller.resend()
    assert (resent.code, resent.id) == ("ok", sent.id)
    assert caller.get(sent.id).data["status"] == "pending"
    assert caller.verify(resent.otp).code == "ok"
    assert caller.send().id[0] == "p"


def test_the_newest_code_counts_after_an_outage_whichever_home_it_has(
    caller: Caller, proxy: Proxy
) -> None:
    before = caller.send()
    proxy.refuse()
    during = caller.send()
    proxy.heal()
    until(lambda: caller.ready().data["database"] == "ok")
    assert caller.verify(before.otp).code == "invalid_otp"
    assert caller.verify(during.otp).code == "ok"
    after = caller.resend()  # the one from before the outage is alive, and gets a new code
    assert after.id == before.id
    proxy.refuse()
    assert caller.verify(after.otp).code == "storage_unavailable"
    proxy.heal()
    until(lambda: caller.verify(after.otp).code == "ok")


def test_when_a_new_code_is_in_postgres_the_fallback_does_not_answer_for_it(
    caller: Caller, proxy: Proxy
) -> None:
    proxy.refuse()
    used = caller.send()
    assert caller.verify(used.otp).code == "ok"
    proxy.heal()
    until(lambda: caller.ready().data["database"] == "ok")
    sent = caller.send()
    assert sent.id[0] == "p"
    proxy.refuse()
    assert caller.verify(sent.otp).code == "storage_unavailable"  # not "not found"


def test_a_canceled_verification_of_the_fallback_never_verifies(
    caller: Caller, proxy: Proxy
) -> None:
    proxy.refuse()
    sent = caller.send()
    assert caller.cancel(sent.id).data["status"] == "canceled"
    assert caller.verify(sent.otp).code == "otp_not_found"


def test_the_fallback_drains_and_is_purged_when_postgres_is_back(
    caller: Caller, proxy: Proxy
) -> None:
    proxy.refuse()
    sent = caller.send()
    assert (caller.ready().status, caller.ready().data["fallback"]) == (200, "active")
    proxy.heal()
    until(lambda: caller.ready().data["fallback"] == "draining")
    caller.pass_time(181)
    until(lambda: caller.ready().data["fallback"] == "standby")
    until(lambda: caller.get(sent.id).code == "not_found")


def test_without_a_fallback_an_outage_is_503_for_all(
    make_app: MakeApp, urls: dict[str, str], proxy: Proxy
) -> None:
    caller = Caller(make_app(**urls | {"FALLBACK_DATABASE_URL": "off"}))
    proxy.refuse()
    for answer in (caller.send(), caller.resend(), caller.verify("123456")):
        assert (answer.status, answer.code) == (503, "storage_unavailable")
    assert caller.ready().status == 503
    assert caller.ready().data["fallback"] == "off"
    proxy.heal()
    until(lambda: caller.send().code == "ok")


def test_the_log_tells_when_the_store_in_use_changes(
    caller: Caller, proxy: Proxy, caplog: pytest.LogCaptureFixture
) -> None:
    caplog.set_level(logging.INFO)
    proxy.refuse()
    otp = caller.send().otp
    assert "the database is down" in caplog.text
    assert "issued in the fallback" in caplog.text
    proxy.heal()
    until(lambda: "the database is back after" in caplog.text)
    caller.pass_time(181)
    until(lambda: "the fallback has drained: verifications removed: 1" in caplog.text)
    assert PHONE[1:] not in caplog.text
    assert otp not in caplog.text


def test_limits_in_the_fallback_are_divided_by_the_instances(
    make_app: MakeApp, urls: dict[str, str], proxy: Proxy
) -> None:
    caller = Caller(make_app(**urls, INSTANCE_COUNT="2"))
    assert caller.send(PHONE, purpose="before").data["sends_remaining"] == 4
    proxy.refuse()
    sent = caller.send()
    assert sent.data["sends_remaining"] == 1  # of 5 // 2
    assert caller.resend().code == "ok"
    assert caller.resend().code == "send_limit_exceeded"
    codes = [caller.verify(wrong(sent.otp)).code for _ in range(6)]
    assert codes == ["invalid_otp"] * 5 + ["too_many_attempts"]


def test_a_broken_fallback_does_not_end_what_postgres_can_do(
    caller: Caller,
) -> None:
    with engines_of(caller.app)[1].begin() as connection:
        connection.execute(sa.text("ALTER TABLE verifications RENAME TO lost"))
    sent = caller.send()
    assert (sent.code, sent.id[0]) == ("ok", "p")
    assert caller.verify(wrong(sent.otp)).code == "invalid_otp"
    assert caller.verify(sent.otp).code == "ok"
    assert caller.verify(sent.otp).status == 503  # "not found" would be a guess
    assert caller.ready().data == caller.ready().data | {
        "database": "ok",
        "fallback": "unavailable",
    }


def test_keys_are_known_during_an_outage_and_after_a_start_in_it(
    make_app: MakeApp, urls: dict[str, str], proxy: Proxy
) -> None:
    def call(app: Flask, key: str) -> int:
        headers = {"Authorization": f"Bearer {key}"}
        body = {"phone_number": PHONE}
        return app.test_client().post("/resend-otp", json=body, headers=headers).status_code

    app = make_app(**urls, API_KEYS="required")
    run = app.test_cli_runner().invoke
    key, ended = (run(args=["otp", "keys", "create", name]).stdout.strip() for name in "ab")
    run(args=["otp", "keys", "revoke", "b"])
    assert (call(app, key), call(app, ended)) == (200, 401)
    proxy.refuse()
    started = create_app(urls | {"API_KEYS": "required", "OTP_SECRET": SECRET})
    for each in (app, started):
        assert (call(each, key), call(each, ended), call(each, "guess")) == (200, 401, 401)


def test_the_sandboxs_page_shows_the_messages_of_both_homes(caller: Caller, proxy: Proxy) -> None:
    first = caller.send()
    proxy.refuse()
    second = caller.send(PHONE, purpose="payment")

    def shown() -> list[str]:
        messages = caller.call("GET", "/sandbox/messages").data["messages"]
        return [message["code"] for message in messages]

    assert shown() == [second.otp]
    proxy.heal()
    until(lambda: shown() == [first.otp, second.otp])
