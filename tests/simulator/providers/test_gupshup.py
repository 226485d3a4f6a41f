"""Gupshup's WhatsApp API, as a client sees it."""

from __future__ import annotations

import json
import re

import pytest
import requests

from otp_service.simulator import Simulator
from tests.simulator.conftest import PHONE, Send
from tests.simulator.receiver import Receiver

UUID = r"[0-9a-f]{8}-[0-9a-f]{4}-4[0-9a-f]{3}-[89ab][0-9a-f]{3}-[0-9a-f]{12}"
COPY_CODE, PLAIN, PAUSED = (f"5a1e0000-0000-4000-8000-00000000000{n}" for n in (1, 2, 3))


def template(template_id: str, *params: str) -> str:
    return json.dumps({"id": template_id, "params": params})


def test_a_send_is_submitted_and_the_phone_shows_its_code(simulator: Simulator, send: Send) -> None:
    answer = send()
    assert answer.status_code == 202
    assert answer.json()["status"] == "submitted"
    assert re.fullmatch(UUID, answer.json()["messageId"])
    assert simulator.last_code(PHONE) == "123456"


def test_its_receipts_come_one_after_the_other(
    simulator: Simulator, send: Send, receiver: Receiver
) -> None:
    message_id = send().json()["messageId"]
    simulator.settle()
    enqueued, sent, delivered = (callback.event for callback in receiver.callbacks)
    assert receiver.types == ["enqueued", "sent", "delivered"]
    assert enqueued["id"] == sent["gsId"] == delivered["gsId"] == message_id
    assert enqueued["payload"]["whatsappMessageId"] == sent["id"] == delivered["id"]
    assert "gsId" not in enqueued
    assert sent["destination"] == PHONE.lstrip("+")
    assert isinstance(sent["payload"]["ts"], int)
    envelope = receiver.callbacks[0].json
    assert (envelope["version"], envelope["type"]) == (2, "message-event")
    assert envelope["timestamp"] > 1_000_000_000_000  # milliseconds


def test_messages_are_read_if_people_read(
    simulator: Simulator, send: Send, receiver: Receiver
) -> None:
    simulator.read = True
    send()
    simulator.settle()
    assert receiver.types[-1] == "read"


@pytest.mark.parametrize(
    ("fields", "message"),
    [
        ({"destination": "12"}, "Invalid Destination"),
        ({"destination": ""}, "Invalid Destination"),
        ({"destination": "९१९८७६५४३२१०"}, "Invalid Destination"),
        ({"src.name": ""}, "Invalid App Details"),
        ({"source": ""}, "Invalid App Details"),
        ({"channel": "telegram"}, "Invalid App Details"),
        ({"template": "not json"}, "Invalid Template Parameters"),
        ({"template": "[]"}, "Invalid Template Parameters"),
        ({"template": '{"id": 7}'}, "Invalid Template Parameters"),
        ({"template": '{"id": "x", "params": [123456]}'}, "Invalid Template Parameters"),
        ({"template": "[" * 4000}, "Invalid Template Parameters"),
    ],
)
def test_a_wrong_request_is_refused(
    send: Send, simulator: Simulator, fields: dict[str, str], message: str
) -> None:
    answer = send(**fields)
    assert answer.status_code == 400
    assert answer.json() == {"status": "error", "message": message}
    assert simulator.messages() == []


def test_a_wrong_or_missing_key_is_refused(simulator: Simulator, send: Send) -> None:
    assert send().status_code == 202
    simulator.api_key = "the-right-key"
    assert send().status_code == 401
    assert requests.post(simulator.gupshup_url, timeout=10).status_code == 401
    assert send().json()["message"] == "Authentication Failed"


def test_only_the_accounts_own_app_and_number_may_send(simulator: Simulator, send: Send) -> None:
    simulator.app_name, simulator.source = "DemoApp", "+917834811114"
    assert send().status_code == 202
    assert send(**{"src.name": "Other"}).status_code == 400
    assert send(source="911111111111").status_code == 400


def test_the_receiver_gets_the_secret(simulator: Simulator, send: Send, receiver: Receiver) -> None:
    simulator.callback_url, simulator.callback_secret = f"{receiver.url}?token=abc", "s3cret"
    send()
    simulator.settle()
    assert receiver.callbacks[0].target == "/webhook?token=abc"
    assert receiver.callbacks[0].headers["Authorization"] == "Bearer s3cret"


def test_version_3_is_metas_envelope_with_gupshups_id(
    simulator: Simulator, send: Send, receiver: Receiver
) -> None:
    simulator.callback_version = 3
    simulator.script(next=1, receipts=["enqueued", "sent", "failed:131026"])
    message_id = send().json()["messageId"]
    simulator.settle()
    enqueued, sent, failed = (callback.status for callback in receiver.callbacks)
    assert {s["gs_id"] for s in (enqueued, sent, failed)} == {message_id}
    assert isinstance(enqueued["timestamp"], int)
    assert re.fullmatch("[0-9]{10}", sent["timestamp"])
    assert failed["errors"][0]["code"] == 131026
    assert "gs_app_id" in receiver.callbacks[0].json


def test_quirks_of_real_callbacks_can_be_had(
    simulator: Simulator, send: Send, receiver: Receiver
) -> None:
    simulator.quirks = {"string-ts", "string-codes", "no-reason", "no-phone", "conversation"}
    simulator.script(next=1, receipts=["sent", "failed:131026"])
    send()
    simulator.settle()
    sent, failed = receiver.callbacks
    assert isinstance(sent.event["payload"]["ts"], str)
    assert sent.event["conversation"]["type"] == "authentication"
    assert "phone" not in sent.json
    assert failed.event["payload"] == {"code": "131026"}


def test_an_unknown_quirk_is_an_error() -> None:
    with pytest.raises(ValueError, match="no such quirk: odd"):
        Simulator(quirks={"odd"})


def test_the_list_shows_a_template_of_each_kind(simulator: Simulator) -> None:
    url = f"{simulator.url}/wa/app/some-app/template"
    listed = requests.get(url, headers={"apikey": "any"}, timeout=10).json()
    templates = {t["id"]: t for t in listed["templates"]}
    assert listed["status"] == "success"
    assert [templates[i]["status"] for i in (COPY_CODE, PLAIN, PAUSED)] == [
        "APPROVED",
        "APPROVED",
        "PAUSED",
    ]
    meta = json.loads(templates[COPY_CODE]["containerMeta"])
    assert meta["buttons"] == [{"type": "OTP", "otp_type": "COPY_CODE", "text": "Copy code"}]
    assert meta["messageSendTtlSeconds"] == 180
    assert "buttons" not in json.loads(templates[PLAIN]["containerMeta"])
    one = requests.get(f"{url}/{PLAIN}", headers={"apikey": "any"}, timeout=10).json()
    assert one["template"] == templates[PLAIN]
    assert requests.get(url, timeout=10).status_code == 401


def test_the_code_once_leaves_the_button_without_it(simulator: Simulator, send: Send) -> None:
    send(template=template(COPY_CODE, "123456"))
    send(template=template(COPY_CODE, "123456", "123456"))
    send(template=template(PLAIN, "123456"))
    assert [m.copies for m in simulator.messages()] == ["{{1}}", "123456", None]


@pytest.mark.parametrize(
    ("sent", "code"),
    [
        (template(PAUSED, "1234", "1234"), 132015),
        (template(PLAIN, "1234", "1234"), 132000),
        (template(COPY_CODE), 132000),
    ],
)
def test_a_template_that_does_not_fit_fails_later(
    simulator: Simulator, send: Send, receiver: Receiver, sent: str, code: int
) -> None:
    assert send(template=sent).status_code == 202
    simulator.settle()
    assert receiver.callbacks[-1].event["payload"]["code"] == code
    assert simulator.last_code(PHONE) is None
