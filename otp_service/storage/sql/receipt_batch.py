"""What the receipts of one batch tell of each delivery, as one row for it."""

from __future__ import annotations

from collections.abc import Iterable
from dataclasses import dataclass
from typing import Any

import sqlalchemy as sa

from otp_service.domain.messages import Receipt
from otp_service.domain.verification import DeliveryStatus, Price
from otp_service.storage.sql import rows

Values = dict[str, Any]
PRICE: dict[str, sa.types.TypeEngine[Any]] = {
    "price_category": sa.String(),
    "price_billable": sa.Boolean(),
    "price_model": sa.String(),
    "price_type": sa.String(),
}


@dataclass(frozen=True)
class Waiting:
    """A stored receipt: its row's ``id`` and ``age``, and when to look at what it says failed."""

    id: str
    receipt: Receipt
    age: float
    look_in: float


def price_of(receipt: Receipt) -> Values:
    price = receipt.price or Price()
    return {f"price_{name}": getattr(price, name) for name in rows.PRICE}


def merged(found: Iterable[tuple[str, Waiting]]) -> list[Values]:
    """One row for each delivery, by its id: the earliest time of each status, and why it failed."""
    of_deliveries: dict[str, Values] = {}
    for delivery_id, each in found:
        row = {"id": delivery_id, "provider_message_id": each.receipt.message_id}
        row["provider"] = each.receipt.provider
        _add(of_deliveries.setdefault(delivery_id, row), each)
    return list(of_deliveries.values())


def _add(row: Values, each: Waiting) -> None:
    status, at = each.receipt.status, each.receipt.at
    if status is DeliveryStatus.FAILED and _is_earlier(row, "failed_at", at):
        failure = each.receipt.failure
        row |= {"error_code": failure and failure.code, "reason": each.receipt.reason or None}
        row["look_in"] = each.look_in
    for name, value in price_of(each.receipt).items():
        if value is not None and (row.get(name) is None or value > row[name]):
            row[name] = value
    names = [f"{status.value}_at"]
    if status is DeliveryStatus.READ:  # which implies it, and may be all that comes
        names.append("delivered_at")
    for name in names:
        if _is_earlier(row, name, at):
            row[name] = at


def _is_earlier(row: Values, name: str, at: Any) -> bool:
    return name not in row or at < row[name]
