"""What a test asks of the simulator, in its process and over HTTP."""

from __future__ import annotations

import threading
from typing import Literal

import pytest
import requests

from otp_service.simulator import Simulator
from tests.faults.waiting import until
from tests.simulator.conftest import PHONE, Send
from tests.simulator.receiver import Receiver


def test_messages_tell_what_each_phone_got_and_what_was_reported(
    simulator: Simulator, send: Send, receiver: Receiver
) -> None:
    receiver.answers = [500]
    simulator.retries = 0
    message_id = send(code="007700").json()["messageId"]
    simulator.settle()  # the 500 is this one's
    send("+12015553931")
    simulator.settle()
    url = f"{simulator.url}/simulator/messages"
    (message,) = requests.get(url, params={"phone": PHONE}, timeout=10).json()["messages"]
    assert message["id"] == message_id
    assert (message["channel"], message["template"]) == ("whatsapp", "any-id")
    assert (message["code"], message["params"]) == ("007700", ["007700", "007700"])
    callbacks = [(callback["receipt"], callback["answer"]) for callback in message["callbacks"]]
    assert callbacks == [("enqueued", "500"), ("sent", "200"), ("delivered", "200")]
    assert len(requests.get(url, timeout=10).json()["messages"]) == 2


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


def test_a_receipt_can_be_sent_by_hand(
    simulator: Simulator, send: Send, receiver: Receiver
) -> None:
    simulator.script(next=1, fault="lost")
    message_id = send().json()["messageId"]
    url = f"{simulator.url}/simulator/receipts"
    body = {"messageId": message_id, "receipt": "failed:131049"}
    assert requests.post(url, json=body, timeout=10).json() == {"status": "success", "taken": True}
    assert simulator.receipt(message_id, "read")
    assert receiver.types == ["failed", "read"]
    for wrong, status in (({"messageId": "no"}, 404), (body | {"receipt": "x"}, 400)):
        assert requests.post(url, json=wrong, timeout=10).status_code == status
    with pytest.raises(LookupError):
        simulator.receipt("no", "read")


@pytest.mark.parametrize("version", [2, 3])
def test_gupshups_test_event_wants_a_2xx(
    simulator: Simulator, receiver: Receiver, version: Literal[2, 3]
) -> None:
    simulator.callback_version, simulator.callback_secret = version, "s3cret"
    assert simulator.subscribe("gupshup")
    assert receiver.callbacks[0].headers["Authorization"] == "Bearer s3cret"
    assert ("set-callback" if version == 3 else "sandbox-start") in receiver.callbacks[
        0
    ].body.decode()
    receiver.answers = [404]
    assert not simulator.subscribe("gupshup")


def test_metas_challenge_wants_an_echo(simulator: Simulator, receiver: Receiver) -> None:
    simulator.meta_verify_token = "verify-me"
    url = f"{simulator.url}/simulator/subscriptions"
    refused = requests.post(url, json={"provider": "meta"}, timeout=10)
    assert refused.json() == {"status": "success", "taken": False}
    assert receiver.callbacks[0].query["hub.verify_token"] == "verify-me"
    receiver.body = receiver.callbacks[0].query["hub.challenge"].encode()
    assert simulator.subscribe("meta")
    assert requests.post(url, json={"provider": "x"}, timeout=10).status_code == 400


def test_a_script_comes_over_http(simulator: Simulator, send: Send) -> None:
    url = f"{simulator.url}/simulator/script"
    faults = [{"destination": PHONE, "fault": "http:503"}, {"next": 3, "fault": "http:429"}]
    assert requests.post(url, json={"faults": faults}, timeout=10).status_code == 200
    assert send().status_code == 503
    assert requests.delete(url, timeout=10).status_code == 200
    assert send().status_code == 202
    assert requests.post(url, data="nonsense", timeout=10).status_code == 400


def test_a_reset_forgets_messages_script_and_receipts_to_come(
    simulator: Simulator, send: Send, receiver: Receiver
) -> None:
    simulator.delay = 0.2
    simulator.script(fault="offline")
    first = send().json()["messageId"]
    assert requests.delete(f"{simulator.url}/simulator/messages", timeout=10).status_code == 200
    assert simulator.messages() == []
    simulator.settle()
    assert receiver.callbacks == []
    assert send().json()["messageId"] != first
    assert simulator.messages()[0].fault == "ok"


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
    simulator.script(next=1, fault="stall:0.5")
    sending = threading.Thread(target=send)
    sending.start()
    until(lambda: bool(simulator.messages()))
    simulator.reset()
    sending.join()
    simulator.settle()
    assert receiver.callbacks == []


def test_only_the_newest_messages_are_kept() -> None:
    with Simulator(keep=3, delay=0) as simulator:
        for number in range(5):
            form = {"userid": "1", "password": "2", "method": "SendMessage", "msg": f"{number}000"}
            requests.post(simulator.sms_url, data=form | {"send_to": "919876543210"}, timeout=10)
        assert [m.code for m in simulator.messages()] == ["2000", "3000", "4000"]


def play(seed: int, receiver: Receiver) -> tuple[list[str], list[str]]:
    """The ids and the receipts of three sends of different kinds."""
    receiver.callbacks.clear()
    with Simulator(seed=seed, delay=0.005, callback_url=receiver.url) as simulator:
        for phone in ("919876543210", "919876590015", "919876590017"):
            form = {"source": "911", "src.name": "x", "destination": phone}
            form["template"] = '{"id": "x", "params": ["1234"]}'
            requests.post(simulator.gupshup_url, form, headers={"apikey": "k"}, timeout=10)
            simulator.settle()
        ids = [f"{m.id} {m.whatsapp_id}" for m in simulator.messages()]
    return ids, receiver.types


def test_the_same_seed_gives_the_same_ids_and_order(receiver: Receiver) -> None:
    assert play(7, receiver) == play(7, receiver)
    assert play(7, receiver)[0] != play(8, receiver)[0]


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


def test_leaving_it_ends_its_threads() -> None:
    before = threading.active_count()
    with Simulator(callback_url="http://127.0.0.1:1/") as simulator:
        simulator.settle(0)
    assert threading.active_count() == before
