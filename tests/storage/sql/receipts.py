"""Receipts of one message, and what applies them."""

from __future__ import annotations

from datetime import datetime, timedelta, timezone

from otp_service.domain import failures
from otp_service.domain.follow_up import look_in
from otp_service.domain.messages import Receipt
from otp_service.domain.verification import DeliveryStatus
from otp_service.storage.outbox import Messages

S = DeliveryStatus
NOW = datetime.now(timezone.utc).replace(microsecond=0) + timedelta(hours=1)
SENT, DELIVERED, READ = (
    Receipt("fake", "fake-1", status, NOW + timedelta(seconds=second))
    for second, status in enumerate((S.SENT, S.DELIVERED, S.READ))
)
WALLET = Receipt("fake", "fake-1", S.FAILED, NOW, failures.BALANCE_EMPTY, "1003")


def settle(messages: Messages) -> int:
    return messages.settle(100, look_in)
