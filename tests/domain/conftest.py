"""The service over a store and a sender that are stand-ins."""

from __future__ import annotations

import pytest

from otp_service.domain.sending import Sending
from otp_service.domain.service import OtpService
from tests.domain.fakes import FakeOutbox, FakeStore, dispatch_over
from tests.domain.samples import CODES, POLICY
from tests.fakes import FakeSender


@pytest.fixture
def store() -> FakeStore:
    return FakeStore()


@pytest.fixture
def sender() -> FakeSender:
    return FakeSender()


@pytest.fixture
def service(store: FakeStore, sender: FakeSender) -> OtpService:
    outbox = FakeOutbox()
    sending = Sending(dispatch_over(outbox, sender), outbox, CODES, POLICY)
    return OtpService(store, sending, CODES, POLICY)
