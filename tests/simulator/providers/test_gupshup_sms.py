"""Gupshup's enterprise SMS API."""

from __future__ import annotations

import json
from urllib.parse import parse_qs

import pytest

from otp_service.simulator import Simulator
from tests.simulator.conftest import PHONE, Send
from tests.simulator.receiver import Receiver


@pytest.mark.parametrize("verb", ["GET", "POST"])
def test_an_sms_is_taken_and_reported(
    simulator: Simulator, send_sms: Send, receiver: Receiver, verb: str
) -> None:
    answer = send_sms(verb=verb).json()["response"]
    simulator.settle()
    assert (answer["status"], answer["phone"]) == ("success", PHONE.lstrip("+"))
    assert simulator.last_code(PHONE) == "4321"
    (callback,) = receiver.callbacks
    assert callback.method == "GET"
    assert callback.query["externalId"] == answer["id"]
    assert (callback.query["status"], callback.query["errCode"]) == ("SUCCESS", "000")
    assert callback.query.keys() >= {"deliveredTS", "cause", "phoneNo", "noOfFrags", "mask"}


def test_the_plain_format_says_the_same(simulator: Simulator, send_sms: Send) -> None:
    answer = send_sms(format="text")
    message = simulator.messages()[0]
    assert answer.text == f"success | 919876543210 | {message.id}"


@pytest.mark.parametrize(
    ("fields", "code"),
    [
        ({"password": ""}, "102"),
        ({"send_to": "12"}, "105"),
        ({"method": "Nonsense"}, "106"),
    ],
)
def test_an_error_comes_with_status_200(send_sms: Send, fields: dict[str, str], code: str) -> None:
    answer = send_sms(**fields)
    assert answer.status_code == 200
    assert answer.json()["response"]["status"] == "error"
    assert answer.json()["response"]["id"] == code


def test_an_error_in_the_plain_format(send_sms: Send) -> None:
    assert send_sms(format="text", password="").text.startswith("error | 102 | ")


def test_only_the_right_password_is_accepted(simulator: Simulator, send_sms: Send) -> None:
    simulator.sms_userid, simulator.sms_password = "2000", "right"
    assert send_sms().json()["response"]["id"] == "102"
    assert send_sms(password="right").json()["response"]["status"] == "success"


@pytest.mark.parametrize("method", ["form", "json"])
def test_reports_can_come_as_a_batch(
    simulator: Simulator, send_sms: Send, receiver: Receiver, method: str
) -> None:
    simulator.sms_callback_method = method  # type: ignore[assignment]
    simulator.script(next=1, fault="sms-failed:003")
    message_id = send_sms().json()["response"]["id"]
    simulator.settle()
    body = receiver.callbacks[0].body.decode()
    (event,) = json.loads(parse_qs(body)["response"][0] if method == "form" else body)
    assert event["externalId"] == message_id
    assert (event["eventType"], event["errCode"]) == ("FAILED", "003")
    assert event["cause"] == "UNKNOWN_SUBSCRIBER"
    assert event["destAddr"] == PHONE.lstrip("+")


def test_the_url_of_a_get_may_have_a_query(
    simulator: Simulator, send_sms: Send, receiver: Receiver
) -> None:
    simulator.sms_callback_url = f"{receiver.url}?token=abc"
    send_sms()
    simulator.settle()
    assert receiver.callbacks[0].query["token"] == "abc"
    assert receiver.callbacks[0].query["status"] == "SUCCESS"


def test_a_report_can_be_of_no_help(
    simulator: Simulator, send_sms: Send, receiver: Receiver
) -> None:
    send_sms("+919876570099")
    simulator.settle()
    assert receiver.callbacks[0].query["status"] == "UNKNOWN"


@pytest.mark.parametrize(("ending", "code"), [("70102", "102"), ("70105", "105")])
def test_a_number_can_be_refused_in_the_body(send_sms: Send, ending: str, code: str) -> None:
    answer = send_sms(f"+9198765{ending}")
    assert (answer.status_code, answer.json()["response"]["id"]) == (200, code)


def test_a_number_can_be_refused_by_the_status(send_sms: Send) -> None:
    assert send_sms("+919876570500").status_code == 500
