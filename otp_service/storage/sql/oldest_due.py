"""How late a home's messages and receipts are: what an operator is woken for."""

from __future__ import annotations

from datetime import datetime
from typing import Any

import sqlalchemy as sa

from otp_service.storage.db.database import Database
from otp_service.storage.db.transaction import Transaction
from otp_service.storage.models.deliveries import DeliveryRow, ReceiptRow
from otp_service.storage.sql.conditions import NOW


def _oldest(row: Any) -> sa.ScalarSelect[datetime]:
    due = sa.select(row.due_at).where(row.due_at <= NOW)
    return due.order_by(row.due_at).limit(1).scalar_subquery()


_OLDEST = Transaction(
    sa.select(
        _oldest(DeliveryRow).label("message"),
        _oldest(ReceiptRow).label("receipt"),
        NOW.label("as_of"),
    ),
    name="oldest_due",
    reads=True,
)


def ages(home: Database) -> tuple[float, float]:
    """Seconds for which the oldest message that is due has waited for a worker, and the oldest
    receipt; 0 if none is due. By the home's clock.

    What a worker has in hand is due when its lease ends.
    """
    ((message, receipt, as_of),) = home.run(_OLDEST)
    return _age(message, as_of), _age(receipt, as_of)


def _age(due_at: datetime | None, as_of: datetime) -> float:
    return (as_of - due_at).total_seconds() if due_at else 0.0
