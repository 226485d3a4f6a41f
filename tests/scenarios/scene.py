"""A scene: the service on real sockets, a simulated provider, and a backend that calls."""

from __future__ import annotations

from collections.abc import Mapping
from contextlib import suppress
from dataclasses import dataclass, field, replace
from datetime import datetime
from typing import Any

import requests

from otp_service.simulator import Message, Simulator
from tests.faults.service import PHONE, Answer, Caller
from tests.faults.waiting import until

SECRET = "a-webhook-secret-of-the-tests"
APP_SECRET = "an-app-secret-of-the-tests"
WHATSAPP = {
    "GUPSHUP_API_KEY": "k" * 20,
    "GUPSHUP_SOURCE": "917834811114",
    "GUPSHUP_TEMPLATE_ID": "5a1e0000-0000-4000-8000-000000000002",
    "GUPSHUP_SRC_NAME": "DemoApp",
    "GUPSHUP_WEBHOOK_SECRET": SECRET,
    "API_KEYS": "off",
}
SMS = {
    "GUPSHUP_SMS_USERID": "2000000001",
    "GUPSHUP_SMS_PASSWORD": "a-password",
    "OTP_SMS_AFTER_SECONDS": "60",
}
META = {
    "META_ACCESS_TOKEN": "t" * 20,
    "META_PHONE_NUMBER_ID": "158072934066266",
    "META_TEMPLATE": "verification_code",
    "META_APP_SECRET": APP_SECRET,
    "META_VERIFY_TOKEN": "a-verify-token",
}


@dataclass(frozen=True)
class Scene(Caller):
    """What a backend and its users see. ``simulator`` is every provider."""

    url: str
    simulator: Simulator
    headers: Mapping[str, str] = field(default_factory=dict)

    def call(self, method: str, path: str, body: dict[str, object] | None = None) -> Answer:
        response = requests.request(
            method, self.url + path, json=body, headers=self.headers, timeout=30
        )
        return Answer.of(response.status_code, response.json(), response.headers.items())

    def asking(self, **headers: str) -> Scene:
        """The same caller with these headers; ``Idempotency_Key`` is sent with a dash."""
        named = {name.replace("_", "-"): value for name, value in headers.items()}
        return replace(self, headers=named)

    def deliveries(self, answer: Answer) -> list[dict[str, Any]]:
        found: list[dict[str, Any]] = self.get(answer.id).data["deliveries"]
        return found

    def story(self, answer: Answer) -> str:
        """How far each message came, as "whatsapp failed, sms delivered"."""
        return ", ".join(f"{each['channel']} {each['status']}" for each in self.deliveries(answer))

    def comes_to(self, answer: Answer, story: str) -> list[dict[str, Any]]:
        """Wait until the verification's messages are that far; the deliveries."""
        with suppress(AssertionError):
            until(lambda: self.story(answer) == story)
        came_to = self.story(answer)
        assert came_to == story, came_to
        return self.deliveries(answer)

    def code(self, phone: str = PHONE) -> str:
        """What the phone shows."""
        code = self.simulator.last_code(phone)
        assert code
        return code

    def got(self, phone: str = PHONE) -> list[Message]:
        """The messages that reached the phone."""
        return [message for message in self.simulator.messages(phone) if message.arrived]


def seconds(time: str) -> float:
    """Since the epoch, of an RFC 3339 time in UTC."""
    return datetime.fromisoformat(time.replace("Z", "+00:00")).timestamp()
