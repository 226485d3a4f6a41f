"""What a test asks of the simulator, in its process and over HTTP."""

from __future__ import annotations

import pytest
import requests

from otp_service.simulator import Simulator
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
    simulator.delay = 60
    simulator.script(fault="offline")
    first = send().json()["messageId"]
    assert requests.delete(f"{simulator.url}/simulator/messages", timeout=10).status_code == 200
    assert simulator.messages() == []
    simulator.settle()
    assert receiver.callbacks == []
    assert send().json()["messageId"] != first
    assert simulator.messages()[0].fault == "ok"
