"""What goes wrong, by number and by script."""

from __future__ import annotations

import time
from pathlib import Path

import pytest
import requests

from otp_service.simulator import Simulator, faults
from otp_service.simulator.fault_table import TABLE, Fault
from tests.simulator.conftest import PHONE, Send
from tests.simulator.receiver import Receiver

DOCUMENT = Path(__file__).parents[2] / "docs" / "simulator.md"


def number(name: str) -> str:
    return f"+9198765{faults.named(name).ending}"


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


@pytest.mark.parametrize(
    ("name", "types"),
    [
        ("lost", []),
        ("offline", ["enqueued", "sent"]),
        ("no-delivered", ["enqueued", "sent"]),
        ("duplicated", ["enqueued", "enqueued", "sent", "sent", "delivered", "delivered"]),
        ("reordered", ["delivered", "sent", "enqueued"]),
        ("read-only", ["enqueued", "sent", "read"]),
        ("failed-then-delivered", ["enqueued", "failed", "delivered"]),
        ("delivered-then-failed", ["enqueued", "sent", "delivered", "failed"]),
    ],
)
def test_receipts_can_be_lost_doubled_and_mixed_up(
    simulator: Simulator, send: Send, receiver: Receiver, name: str, types: list[str]
) -> None:
    assert send(number(name)).status_code == 202
    simulator.settle()
    assert receiver.types == types
    assert (simulator.last_code(number(name)) is None) == (name == "offline")


def test_doubled_receipts_are_the_same_to_the_byte(
    simulator: Simulator, send: Send, receiver: Receiver
) -> None:
    send(number("duplicated"))
    simulator.settle()
    assert receiver.callbacks[0].body == receiver.callbacks[1].body


def test_receipts_in_the_wrong_order_tell_the_right_times(
    simulator: Simulator, send: Send, receiver: Receiver
) -> None:
    send(number("reordered"))
    simulator.settle()
    times = [callback.json["timestamp"] for callback in receiver.callbacks]
    assert times == sorted(times, reverse=True)
    assert times[0] > times[-1]


def test_receipts_can_come_before_the_answer(
    simulator: Simulator, send: Send, receiver: Receiver
) -> None:
    message_id = send(number("early")).json()["messageId"]
    assert receiver.types == ["enqueued", "sent", "delivered"]
    assert receiver.callbacks[0].event["id"] == message_id


def test_receipts_tell_when_each_thing_happened(
    simulator: Simulator, send: Send, receiver: Receiver
) -> None:
    simulator.delay = 0.2
    send()
    simulator.settle()
    enqueued, sent, delivered = (callback.json["timestamp"] for callback in receiver.callbacks)
    assert sent - enqueued >= 200
    assert delivered - sent >= 200


@pytest.mark.parametrize("name", ["early", "reordered", "duplicated", "ok"])
def test_no_receipt_tells_of_the_future(
    simulator: Simulator, send: Send, receiver: Receiver, name: str
) -> None:
    simulator.delay = 100 if name == "early" else 0.1
    simulator.script(next=1, fault=name)
    began = time.time()
    send()
    simulator.settle()
    for callback in receiver.callbacks:
        assert began - 0.1 < callback.json["timestamp"] / 1000 < callback.at + 0.1


@pytest.mark.parametrize("fault", [f for f in TABLE if f.name.startswith("failed:")])
def test_every_code_of_the_table_comes_later(
    simulator: Simulator, send: Send, receiver: Receiver, fault: Fault
) -> None:
    message_id = send(f"+9198765{fault.ending}").json()["messageId"]
    simulator.settle()
    failed = receiver.callbacks[-1].event
    code = fault.name.partition(":")[2]
    assert failed["payload"] == {"code": int(code), "reason": fault.description}
    if 1000 < int(code) < 5000:
        assert receiver.types == ["failed"]
        assert (failed["id"], failed.get("gsId")) == (message_id, None)
    else:
        assert receiver.types == ["enqueued", "failed"]
        assert failed["gsId"] == message_id


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
