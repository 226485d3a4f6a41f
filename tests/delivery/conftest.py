"""The sender of an account that does not exist."""

from __future__ import annotations

import pytest

from otp_service.delivery.providers.gupshup import Gupshup
from otp_service.delivery.sender import HttpSender
from otp_service.domain.messages import Sender
from tests.delivery.account import SETTINGS


@pytest.fixture
def sender() -> Sender:
    return HttpSender(Gupshup(SETTINGS))
