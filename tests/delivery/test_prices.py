"""What providers tell of a message's price."""

from __future__ import annotations

from typing import Any

import pytest

from otp_service.delivery.providers import gupshup_receipts, meta_receipts
from otp_service.domain.verification import DeliveryStatus, Price
from tests.delivery import callbacks
from tests.delivery.callbacks import envelope, v2

REGULAR = {"billable": True, "pricing_model": "PMP", "type": "regular"}


def status(**more: Any) -> dict[str, Any]:
    return {"id": "wamid.1", "gs_id": "1", "status": "sent", "timestamp": "1747136691"} | more


@pytest.mark.parametrize(
    ("pricing", "price"),
    [
        (
            REGULAR | {"category": "authentication"},
            Price("authentication", True, "PMP", "regular"),
        ),
        (
            REGULAR | {"category": "AUTHENTICATION_INTERNATIONAL"},
            Price("authentication_international", True, "PMP", "regular"),
        ),
        (
            {"billable": "false", "pricing_model": "CBP", "category": "service"},
            Price("service", False, "CBP"),
        ),
        ({"billable": False}, Price(billable=False)),
        ({}, None),
        ("PMP", None),
        ([REGULAR], None),
        ({"billable": 1, "category": "a\u0000b", "type": ["regular"], "pricing_model": 5}, None),
        ({"category": "x" * 300}, None),
    ],
)
@pytest.mark.parametrize("read", [meta_receipts.read, gupshup_receipts.read])
def test_metas_price_is_read_from_either_providers_envelope(
    read: Any, pricing: object, price: Price | None
) -> None:
    (receipt,) = read(envelope(status(pricing=pricing)))
    assert receipt.price == price


@pytest.mark.parametrize(
    "event",
    [
        v2("sent", {"ts": 1747136691}, pricing={"policy": "PMP", "category": "Authentication"}),
        v2("sent", {"pricing": {"policy": "PMP", "category": "authentication"}}, ts=1747136691),
    ],
)
def test_so_is_that_of_gupshups_version_2_wherever_it_stands(event: dict[str, Any]) -> None:
    (receipt,) = gupshup_receipts.read(event)
    assert receipt.price == Price("authentication", None, "PMP")
    assert receipt.at
    assert int(receipt.at.timestamp()) == 1747136691


def test_a_billing_event_tells_that_its_message_was_sent_and_the_price() -> None:
    (receipt,) = gupshup_receipts.read(callbacks.BILLING_EVENT)
    assert receipt.message_id == "3b3e7121-3c8c-4347-8d18-7aa0bc3be374"
    assert receipt.status is DeliveryStatus.SENT
    assert receipt.price == Price("authentication", True, None, "regular")


def test_of_an_older_billing_event_the_type_is_the_category() -> None:
    deductions = {"type": "service", "model": "CBP", "billable": False}
    references = {"gsId": "1", "destination": "919876543216"}
    event = {"type": "billing-event", "payload": {"deductions": deductions}}
    event["payload"]["references"] = references  # type: ignore[index]
    (receipt,) = gupshup_receipts.read(event)
    assert receipt.price == Price("service", False, "CBP")
