"""Meta's Cloud API."""

from __future__ import annotations

import hashlib
import hmac

import pytest
import requests

from otp_service.simulator import Simulator
from tests.simulator.conftest import PHONE, Send
from tests.simulator.receiver import Receiver


def test_a_send_is_answered_with_the_messages_id(simulator: Simulator, send_meta: Send) -> None:
    answer = send_meta().json()
    assert answer["messaging_product"] == "whatsapp"
    assert answer["contacts"] == [{"input": "919876543210", "wa_id": "919876543210"}]
    assert answer["messages"][0]["id"].startswith("wamid.")
    assert simulator.last_code(PHONE) == "0042"


def test_statuses_are_signed_over_the_raw_body(
    simulator: Simulator, send_meta: Send, receiver: Receiver
) -> None:
    simulator.meta_app_secret = "app-secret"
    message_id = send_meta().json()["messages"][0]["id"]
    simulator.settle()
    assert [callback.status["status"] for callback in receiver.callbacks] == ["sent", "delivered"]
    for callback in receiver.callbacks:
        right = hmac.new(b"app-secret", callback.body, hashlib.sha256).hexdigest()
        assert callback.headers["X-Hub-Signature-256"] == f"sha256={right}"
        assert callback.status["id"] == message_id
        assert callback.status["recipient_id"] == "919876543210"
        assert callback.status["biz_opaque_callback_data"] == "delivery-1"
    metadata = receiver.callbacks[0].json["entry"][0]["changes"][0]["value"]["metadata"]
    assert metadata["phone_number_id"] == "158072934066266"


def test_a_failure_carries_its_code(
    simulator: Simulator, send_meta: Send, receiver: Receiver
) -> None:
    send_meta("+919876531026")
    simulator.settle()
    (callback,) = receiver.callbacks
    assert callback.status["status"] == "failed"
    assert callback.status["errors"][0]["code"] == 131026
    assert simulator.last_code("+919876531026") is None


def test_a_wrong_or_missing_token_is_refused(simulator: Simulator, send_meta: Send) -> None:
    assert send_meta(token="").status_code == 401
    simulator.meta_token = "right"
    refused = send_meta(token="wrong")
    assert refused.status_code == 401
    assert refused.json()["error"].keys() == {"message", "type", "code", "fbtrace_id"}
    assert (refused.json()["error"]["type"], refused.json()["error"]["code"]) == (
        "OAuthException",
        190,
    )
    assert send_meta(token="right").status_code == 200


def test_a_template_without_its_button_is_refused(send_meta: Send) -> None:
    refused = send_meta(button=False)
    assert (refused.status_code, refused.json()["error"]["code"]) == (400, 132000)


@pytest.mark.parametrize("body", ["", "[]", "{}", '{"to": 7}', '{"to": "9", "template": []}'])
def test_what_is_no_template_message_is_refused(simulator: Simulator, body: str) -> None:
    url = f"{simulator.meta_url}/1/messages"
    headers = {"Authorization": "Bearer any"}
    refused = requests.post(url, data=body, headers=headers, timeout=10)
    assert (refused.status_code, refused.json()["error"]["code"]) == (400, 100)


def test_refusals_speak_metas_language(send_meta: Send) -> None:
    refused = send_meta("+919876500429")
    assert (refused.status_code, refused.json()["error"]["code"]) == (429, 130429)
