"""Which receipts follow, in what order, and the times they report."""

from __future__ import annotations

import time

import pytest

from otp_service.simulator import Simulator
from otp_service.simulator.fault_table import TABLE, Fault
from tests.simulator.conftest import Send, number
from tests.simulator.receiver import Receiver


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
