"""Accounts at Gupshup and Meta that do not exist, and a message that is sent."""

from __future__ import annotations

from typing import Any

import pytest
from requests_mock import Mocker

from otp_service.delivery.providers.gupshup_settings import GupshupSettings
from otp_service.domain.errors import (
    DeliveryError,
)
from otp_service.domain.messages import Message, Sender

KEY = "sk-canary-key-0123456789abcdef"
CODE = "048213"
PHONE = "+919876543210"
URL = "https://gupshup.test/wa/api/v1/template/msg"
SETTINGS = GupshupSettings(KEY, "+91 78348 11114", "tpl-uuid", "MyOtpApp", URL)
MESSAGE = Message(PHONE, CODE, expires_in=300)
META = {
    "META_ACCESS_TOKEN": "t0ken-of-meta-000001",
    "META_PHONE_NUMBER_ID": "158072934066266",
    "META_TEMPLATE": "verification_code",
    "META_APP_SECRET": "an-app-secret",
    "META_VERIFY_TOKEN": "a-verify-token",
}
"""The settings of an account at Meta."""


def refusal(sender: Sender, **answer: Any) -> DeliveryError:
    with Mocker() as gupshup:
        gupshup.post(URL, **answer)
        with pytest.raises(DeliveryError) as caught:
            sender.send(MESSAGE)
    return caught.value
