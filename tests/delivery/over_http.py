"""A sender for a server on this machine, and what it makes of one that misbehaves."""

from __future__ import annotations

import pytest

from otp_service.delivery.providers.gupshup import Gupshup
from otp_service.delivery.providers.gupshup_settings import GupshupSettings
from otp_service.delivery.sender import HttpSender
from otp_service.domain.errors import (
    DeliveryError,
)
from otp_service.domain.messages import Message
from tests.delivery.misbehaving import (
    Turn,
    serve,
)

KEY = "canary-key-zxywvut98765"
CODE = "730194"
PHONE = "+919876543210"
MESSAGE = Message(PHONE, CODE, expires_in=300)
ID = "ee4a68a0-1203"
DEADLINE = 0.8  # seconds, where a test has to wait for it
PROMPT = 4.0  # seconds: far from DEADLINE, and far from what a drip would take


def sender_for(url: str, deadline: float = 8.0) -> HttpSender:
    settings = GupshupSettings(KEY, "917834811114", "tpl", "MyOtpApp", url)
    return HttpSender(Gupshup(settings), deadline=deadline)


def refusal(sender: HttpSender) -> DeliveryError:
    with pytest.raises(DeliveryError) as caught:
        sender.send(MESSAGE)
    return caught.value


def refusal_of(turn: Turn, deadline: float = 8.0) -> DeliveryError:
    with serve(turn) as server:
        error = refusal(sender_for(server.url, deadline))
        assert len(server.requests) == 1, "sent more than once"
    return error
