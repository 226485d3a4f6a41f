"""Codes of others while Postgres is away: the fallback takes them, if they would be sent."""

from __future__ import annotations

import pytest

from tests.conftest import MakeApp
from tests.faults.proxy import Proxy
from tests.faults.service import PHONE, Answer, Caller
from tests.faults.waiting import until

pytestmark = pytest.mark.usefixtures("patient")


def relay(caller: Caller, otp: str = "04711", **headers: str) -> Answer:
    response = caller.http.post(
        "/messages", json={"phone_number": PHONE, "otp": otp}, headers=headers
    )
    return Answer.of(response.status_code, response.get_json(), response.headers.items())


def shown(caller: Caller) -> list[str]:
    messages = caller.http.get("/sandbox/messages").get_json()["data"]["messages"]
    return [each["code"] for each in messages]


def found(caller: Caller, told: Answer) -> Answer:
    return caller.call("GET", f"/messages/{told.data['message_id']}")


def test_one_is_taken_sent_and_can_be_looked_at(caller: Caller, proxy: Proxy) -> None:
    proxy.refuse()
    told = relay(caller)
    assert (told.status, told.data["message_id"][0], shown(caller)) == (200, "s", ["04711"])
    assert found(caller, told).data["status"] == "submitted"


def test_one_in_postgres_can_not_be_looked_at_meanwhile_and_is_not_said_to_be_missing(
    caller: Caller, proxy: Proxy
) -> None:
    told = relay(caller)
    assert told.data["message_id"][0] == "p"
    proxy.refuse()
    assert found(caller, told).code == "storage_unavailable"
    proxy.heal()
    until(lambda: found(caller, told).status == 200)


def test_a_request_that_is_repeated_when_postgres_is_back_sends_nothing(
    caller: Caller, proxy: Proxy
) -> None:
    key = {"Idempotency-Key": "k"}
    proxy.refuse()
    first = relay(caller, **key)
    proxy.heal()
    until(lambda: caller.call("GET", f"/messages/p{'0' * 32}").status == 404)
    again = relay(caller, **key)
    assert again.data["message_id"] == first.data["message_id"]
    assert again.headers["Idempotent-Replayed"] == "true"
    assert shown(caller).count("04711") == 1


def test_where_no_worker_would_find_it_nothing_is_stored_for_one(
    make_app: MakeApp, urls: dict[str, str], proxy: Proxy
) -> None:
    caller = Caller(make_app(**urls, OTP_WORKER="off"))
    proxy.refuse()
    refused = relay(caller, Prefer="respond-async")
    assert (refused.status, refused.code) == (503, "storage_unavailable")
    assert shown(caller) == []
    assert relay(caller).status == 200, "one that is sent at once"
