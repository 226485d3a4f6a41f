"""Callbacks that are tried again, wait for nobody, and end with a reset."""

from __future__ import annotations

import threading

from otp_service.simulator import Simulator
from tests.faults.waiting import until
from tests.simulator.conftest import Send
from tests.simulator.receiver import Receiver


def test_a_callback_is_tried_again(simulator: Simulator, send: Send, receiver: Receiver) -> None:
    receiver.answers = [500, 503]
    simulator.script(next=1, receipts=["delivered"])
    send()
    simulator.settle()
    assert [callback.body for callback in receiver.callbacks] == [receiver.callbacks[0].body] * 3
    assert [c.answer for c in simulator.messages()[0].callbacks] == ["500", "503", "200"]


def test_trying_again_repeats_nothing_else(
    simulator: Simulator, send: Send, receiver: Receiver
) -> None:
    receiver.answers = [500]
    send()
    simulator.settle()
    assert sorted(receiver.types) == ["delivered", "enqueued", "enqueued", "sent"]


def test_a_receiver_that_is_away_holds_up_nothing(simulator: Simulator, send: Send) -> None:
    simulator.callback_url = "http://127.0.0.1:1/"
    send()
    simulator.settle()
    assert simulator.messages()[0].callbacks[-1].answer == "no answer: ConnectionRefusedError"
    assert simulator.messages()[0].status == "delivered"


def test_a_url_that_can_not_be_is_no_answer_either(simulator: Simulator, send: Send) -> None:
    simulator.callback_url = "http://127.0.0.1:99999/"
    send()
    simulator.settle()
    assert "no answer" in simulator.messages()[0].callbacks[0].answer


def test_after_a_reset_nothing_follows_a_callback_under_way(
    simulator: Simulator, send: Send, receiver: Receiver
) -> None:
    receiver.answering.clear()
    send()
    until(lambda: bool(receiver.callbacks))
    simulator.reset()
    receiver.answering.set()
    simulator.settle()
    assert receiver.types == ["enqueued"]


def test_after_a_reset_a_stalled_send_has_no_receipts(
    simulator: Simulator, send: Send, receiver: Receiver
) -> None:
    simulator.script(next=1, fault="stall:3")
    sending = threading.Thread(target=send)
    sending.start()
    until(lambda: bool(simulator.messages()))
    simulator.reset()
    sending.join()
    simulator.settle()
    assert receiver.callbacks == []


def test_many_sends_at_once_are_all_reported_in_order(
    simulator: Simulator, send: Send, receiver: Receiver
) -> None:
    threads = [threading.Thread(target=send, args=[f"+1201555{n:04}"]) for n in range(3900, 3930)]
    for thread in threads:
        thread.start()
    for thread in threads:
        thread.join()
    simulator.settle()
    assert len({message.id for message in simulator.messages()}) == 30
    for message in simulator.messages():
        assert [c.receipt for c in message.callbacks] == ["enqueued", "sent", "delivered"]
