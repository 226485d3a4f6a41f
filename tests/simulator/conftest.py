from __future__ import annotations

import json
from collections.abc import Callable, Iterator

import pytest
import requests

from otp_service.simulator import Simulator, faults
from tests.e2e.browser import browser, page, watch
from tests.simulator.receiver import Receiver, receiver

__all__ = ["browser", "page", "watch"]  # fixtures, for the tests in this folder

PHONE = "+919876543210"
Send = Callable[..., requests.Response]


def number(name: str) -> str:
    """A phone whose ending chooses this fault."""
    return f"+9198765{faults.named(name).ending}"


@pytest.fixture(name="receiver")
def running_receiver() -> Iterator[Receiver]:
    with receiver() as running:
        yield running


@pytest.fixture
def simulator(receiver: Receiver) -> Iterator[Simulator]:
    """It tells everything to the receiver, at once."""
    with Simulator(seed=1, delay=0.001, retry_pause=0.01) as running:
        running.callback_url = running.meta_callback_url = receiver.url
        running.sms_callback_url = receiver.url
        yield running


@pytest.fixture
def send(simulator: Simulator) -> Send:
    """A send over Gupshup's WhatsApp API as it should be; fields may be other ones."""

    def send(phone: str = PHONE, code: str = "123456", **fields: str) -> requests.Response:
        form = {
            "channel": "whatsapp",
            "source": "917834811114",
            "src.name": "DemoApp",
            "destination": phone.lstrip("+"),
            "template": json.dumps({"id": "any-id", "params": [code, code]}),
        }
        headers = {"apikey": "any-key"}
        data = form | fields
        return requests.post(simulator.gupshup_url, data=data, headers=headers, timeout=10)

    return send


@pytest.fixture
def send_sms(simulator: Simulator) -> Send:
    def send_sms(phone: str = PHONE, *, verb: str = "POST", **fields: str) -> requests.Response:
        form = {
            "userid": "2000",
            "password": "any",
            "method": "SendMessage",
            "send_to": phone.lstrip("+"),
            "msg": "4321 is your code",
            "format": "json",
        } | fields
        if verb == "GET":
            return requests.get(simulator.sms_url, params=form, timeout=10)
        return requests.post(simulator.sms_url, data=form, timeout=10)

    return send_sms


@pytest.fixture
def send_meta(simulator: Simulator) -> Send:
    def send_meta(
        phone: str = PHONE, *, token: str = "any", button: bool = True
    ) -> requests.Response:
        value = {"parameters": [{"type": "text", "text": "0042"}]}
        components: list[dict[str, object]] = [{"type": "body", **value}]
        if button:
            components += [{"type": "button", "sub_type": "url", "index": "0", **value}]
        body = {
            "messaging_product": "whatsapp",
            "to": phone.lstrip("+"),
            "type": "template",
            "template": {
                "name": "otp_copy_code",
                "language": {"code": "en_US"},
                "components": components,
            },
            "biz_opaque_callback_data": "delivery-1",
        }
        headers = {"Authorization": f"Bearer {token}"} if token else {}
        url = f"{simulator.meta_url}/158072934066266/messages"
        return requests.post(url, json=body, headers=headers, timeout=10)

    return send_meta
