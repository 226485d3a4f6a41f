"""The sender of an account that does not exist."""

from __future__ import annotations

import time
from collections.abc import Iterator

import pytest

from otp_service.delivery.providers.gupshup import Gupshup
from otp_service.delivery.sender import HttpSender
from otp_service.domain.messages import Sender
from tests.delivery.account import SETTINGS
from tests.delivery.over_http import PROMPT


@pytest.fixture
def sender() -> Sender:
    return HttpSender(Gupshup(SETTINGS))


@pytest.fixture
def prompt() -> Iterator[None]:
    """The test ends far before a server that drips would let it."""
    started = time.monotonic()
    yield
    assert time.monotonic() - started < PROMPT
