"""What the receipts of one batch tell of each delivery, as one row for it."""

from __future__ import annotations

from collections.abc import Iterable, Sequence
from dataclasses import dataclass
from typing import Any

import sqlalchemy as sa

from otp_service.domain.failures import FAILURES
from otp_service.domain.messages import Receipt
from otp_service.domain.verification import DeliveryStatus, Price
from otp_service.storage.sql import rows

Values = dict[str, Any]


@dataclass(frozen=True)
class Waiting:
    """A stored receipt: its row's ``id`` and ``age``, and when to look at what it says failed."""

    id: str
    receipt: Receipt
    age: float
    look_in: float


def kept(receipt: Receipt, row_id: str) -> Values:
    return {
        "id": row_id,
        "provider": receipt.provider,
        "provider_message_id": receipt.message_id,
        "delivery_id": receipt.delivery_id,
        "status": receipt.status.value,
        "at": receipt.at,
        "error_code": receipt.failure and receipt.failure.code,
        "reason": receipt.reason or None,
        **_price(receipt),
    }


def receipt(row: sa.Row[Any]) -> Receipt:
    return Receipt(
        provider=row.provider,
        message_id=row.provider_message_id,
        status=DeliveryStatus(row.status),
        at=row.at,
        failure=FAILURES.get(row.error_code or ""),
        reason=row.reason or "",
        delivery_id=row.delivery_id,
        price=rows.price(row._mapping),
    )


def _price(receipt: Receipt) -> Values:
    told = receipt.price or Price()
    return {f"price_{name}": getattr(told, name) for name in rows.PRICE}


def keys(waiting: Sequence[Waiting]) -> list[Values]:
    """By what each is known to belong to a delivery, ``number`` being its place."""
    return [
        {
            "number": number,
            "provider": each.receipt.provider,
            "provider_message_id": each.receipt.message_id,
            "delivery_id": each.receipt.delivery_id,
        }
        for number, each in enumerate(waiting)
    ]


def told(found: Iterable[tuple[str, Waiting]]) -> list[Values]:
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
    for name, told in _price(each.receipt).items():
        if told is not None and (row.get(name) is None or told > row[name]):
            row[name] = told
    names = [f"{status.value}_at"]
    if status is DeliveryStatus.READ:  # which implies it, and may be all that comes
        names.append("delivered_at")
    for name in names:
        if _is_earlier(row, name, at):
            row[name] = at


def _is_earlier(row: Values, name: str, at: Any) -> bool:
    return name not in row or at < row[name]
