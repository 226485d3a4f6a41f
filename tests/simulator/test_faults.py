"""What goes wrong, by number and by script."""

from __future__ import annotations

import time
from pathlib import Path

import pytest
import requests

from otp_service.simulator import Simulator
from otp_service.simulator.fault_table import TABLE
from tests.simulator.conftest import PHONE, Send, number

DOCUMENT = Path(__file__).parents[2] / "docs" / "simulator.md"


@pytest.mark.parametrize("status", [400, 401, 403, 429, 500, 503])
def test_a_number_can_be_refused(simulator: Simulator, send: Send, status: int) -> None:
    phone = number(f"http:{status}")
    answer = send(phone)
    assert answer.status_code == status
    assert answer.json()["status"] == "error"
    assert "Retry-After" not in answer.headers
    simulator.settle()
    assert simulator.last_code(phone) is None
    assert [m.status for m in simulator.messages(phone)] == ["refused"]


def test_a_refusal_can_say_when_to_come_back(send: Send) -> None:
    answer = send(number("retry-after:30"))
    assert (answer.status_code, answer.headers["Retry-After"]) == (429, "30")


@pytest.mark.parametrize("name", ["html", "garbage", "error-200", "no-id"])
def test_a_2xx_may_not_say_what_it_should(send: Send, name: str) -> None:
    answer = send(number(name))
    assert answer.status_code in (200, 202)
    assert b"messageId" not in answer.content


@pytest.mark.parametrize(("name", "arrives"), [("closed", False), ("closed-taken", True)])
def test_the_connection_can_be_closed_without_an_answer(
    simulator: Simulator, send: Send, name: str, arrives: bool
) -> None:
    with pytest.raises(requests.ConnectionError):
        send(number(name))
    assert (simulator.last_code(number(name)) is not None) == arrives
    assert send().status_code == 202


def test_an_answer_can_take_its_time(simulator: Simulator, send: Send) -> None:
    simulator.script(next=1, fault="stall:0.3")
    began = time.monotonic()
    assert send().status_code == 202
    assert time.monotonic() - began > 0.3


def test_a_stall_does_not_hold_up_the_end() -> None:
    began = time.monotonic()
    with Simulator(delay=0.01) as simulator:
        simulator.script(next=1, fault="stall:30")
        with pytest.raises(requests.ReadTimeout):
            requests.post(
                simulator.gupshup_url,
                data={"source": "911", "src.name": "x", "destination": "919876543210",
                      "template": '{"id": "x"}'},
                headers={"apikey": "k"},
                timeout=0.1,
            )  # fmt: skip
    assert time.monotonic() - began < 10


def test_endings_are_unique_and_documented() -> None:
    endings = [fault.ending for fault in TABLE]
    assert len(endings) == len(set(endings))
    for fault in TABLE:
        row = f"| `{fault.ending}` | `{fault.name}` | {fault.description.replace('|', '&#124;')} |"
        assert row in DOCUMENT.read_text()


def test_a_number_with_a_fault_of_sms_is_not_on_whatsapp(
    simulator: Simulator, send: Send, send_sms: Send
) -> None:
    phone = number("sms-failed:003")
    send(phone)
    send_sms(phone)
    simulator.settle()
    assert [m.status for m in simulator.messages(phone)] == ["failed:131026", "failed:003"]


def test_a_number_with_a_fault_of_whatsapp_gets_sms(
    simulator: Simulator, send: Send, send_sms: Send
) -> None:
    send(number("failed:131026"))
    send_sms(number("failed:131026"))
    assert simulator.last_code(number("failed:131026")) == "4321"
    assert send(PHONE).status_code == 202
