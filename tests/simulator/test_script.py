"""Faults to come, as a test wrote them down."""

from __future__ import annotations

import pytest
import requests

from otp_service.simulator import Simulator
from tests.simulator.conftest import PHONE, Send, number
from tests.simulator.receiver import Receiver


def test_any_other_code_can_be_asked_for(
    simulator: Simulator, send: Send, receiver: Receiver
) -> None:
    simulator.script(next=1, fault="failed:99999")
    simulator.script(next=1, fault="sync-failed:131026")
    send()
    simulator.settle()
    message_id = send().json()["messageId"]
    simulator.settle()
    assert [callback.event["payload"].get("code") for callback in receiver.callbacks] == [
        None,
        99999,
        131026,
    ]
    assert receiver.callbacks[-1].event["id"] == message_id


def test_a_script_counts_sends_and_prefers_its_own_phone(simulator: Simulator, send: Send) -> None:
    simulator.script(next=2, fault="http:500")
    simulator.script("+91 98765-43210", fault="http:400")
    assert [send().status_code for _ in range(2)] == [400, 400]
    assert [send("+12015553931").status_code for _ in range(3)] == [500, 500, 202]
    simulator.reset()
    assert send().status_code == 202


def test_a_script_goes_before_the_number(simulator: Simulator, send: Send) -> None:
    simulator.script(next=1, fault="ok")
    phone = number("http:500")
    assert [send(phone).status_code for _ in range(2)] == [202, 500]
    simulator.number_faults = False
    assert send(phone).status_code == 202


def test_a_script_can_be_in_ones_own_words(
    simulator: Simulator, send: Send, receiver: Receiver
) -> None:
    simulator.script(next=1, answer="no-id", receipts=["sent", "read", "sent"], early=True)
    assert "messageId" not in send().json()
    assert receiver.types == ["sent", "read", "sent"]


def test_a_refusal_with_receipts_was_none(
    simulator: Simulator, send: Send, receiver: Receiver
) -> None:
    simulator.script(next=1, answer="http:500", receipts=["delivered"])
    assert send().status_code == 500
    simulator.settle()
    assert receiver.types == ["delivered"]
    assert simulator.last_code(PHONE) == "123456"


@pytest.mark.parametrize(
    "entry",
    [
        {"fault": "nonsense"},
        {"fault": "failed:"},
        {"fault": "stall:forever"},
        {"answer": "http:200"},
        {"receipts": ["arrived"]},
        {"receipts": "sent"},
        {"next": 0, "fault": "ok"},
        {"next": True, "fault": "ok"},
        {"channel": "pigeon", "fault": "ok"},
        {"unknown": 1},
    ],
)
def test_a_script_that_makes_no_sense_is_refused(
    simulator: Simulator, entry: dict[str, object]
) -> None:
    url = f"{simulator.url}/simulator/script"
    answer = requests.post(url, json={"faults": [{"fault": "http:500"}, entry]}, timeout=10)
    assert answer.status_code == 400
    assert answer.json()["status"] == "error"


def test_a_refused_script_changes_nothing(simulator: Simulator, send: Send) -> None:
    with pytest.raises(ValueError, match="no such fault"):
        simulator.script(fault="nonsense")
    assert send().status_code == 202
