"""Receipts, stored until they are applied, and forgotten then."""

from __future__ import annotations

import secrets
from collections.abc import Callable, Iterable, Sequence
from typing import Any

import sqlalchemy as sa

from otp_service.domain.failures import FAILURES
from otp_service.domain.messages import Receipt
from otp_service.domain.verification import DeliveryStatus
from otp_service.storage.db.answer import Row
from otp_service.storage.db.database import Database, keep_in_first
from otp_service.storage.db.transaction import Transaction
from otp_service.storage.models.deliveries import ReceiptRow
from otp_service.storage.models.dialects import UtcTime, from_now
from otp_service.storage.sql import rows
from otp_service.storage.sql.conditions import NOW, due
from otp_service.storage.sql.json_rows import as_json, rows_of
from otp_service.storage.sql.receipt_batch import PRICE, Waiting, price_of

R = ReceiptRow
KEPT = 3_600  # seconds: a receipt may come before its message's row, but not that long before
LEASE = 10.0  # seconds
_TEXT = sa.String()
_WHY = ("error_code", "reason")


def _keep() -> Transaction:
    names = (
        "id",
        "provider",
        "provider_message_id",
        "delivery_id",
        "status",
        "error_code",
        "reason",
    )
    given = rows_of("receipts", **dict.fromkeys(names, _TEXT), **PRICE, at=UtcTime())
    values = {
        **{getattr(R, name): given.c[name] for name in (*names, *PRICE)},
        R.at: sa.func.coalesce(given.c.at, NOW),
        R.created_at: NOW,
        R.due_at: NOW,
    }
    new = sa.insert(R).from_select(list(values), sa.select(*values.values()))
    return Transaction(new, name="keep_receipts")


_KEEP = _keep()


def keep(databases: Sequence[Database], receipts: Iterable[Receipt]) -> None:
    """All of them in one transaction, in the first home that can be reached."""
    keep_in_first(databases, _KEEP, receipts=as_json(map(_as_stored, receipts)))


def _as_stored(receipt: Receipt) -> dict[str, Any]:
    return {
        "id": secrets.token_hex(16),
        "provider": receipt.provider,
        "provider_message_id": receipt.message_id,
        "delivery_id": receipt.delivery_id,
        "status": receipt.status.value,
        "at": receipt.at,
        "error_code": receipt.failure and receipt.failure.code,
        "reason": receipt.reason or None,
        **price_of(receipt),
    }


_TAKE = Transaction(
    sa.update(R)
    .where(R.id.in_(sa.select(due(R).c.id)))
    .values(due_at=from_now(LEASE))
    .returning(*R.__table__.c, NOW.label("as_of")),
    name="take_receipts",
)


def take(home: Database, count: int, look_in: Callable[[Receipt], float]) -> list[Waiting]:
    """The oldest that are due, leased; ``look_in`` tells in how many seconds a worker should look
    at a delivery that failed.
    """
    return [_waiting(row, look_in) for row in home.run(_TAKE, count=count)]


def _waiting(row: Row, look_in: Callable[[Receipt], float]) -> Waiting:
    receipt = Receipt(
        provider=row.provider,
        message_id=row.provider_message_id,
        status=DeliveryStatus(row.status),
        at=row.at,
        failure=FAILURES.get(row.error_code or ""),
        reason=row.reason or "",
        delivery_id=row.delivery_id,
        price=rows.price(row._asdict()),
    )
    age = (row.as_of - row.created_at).total_seconds()
    return Waiting(row.id, receipt, age, look_in(receipt))


def _done() -> Transaction:
    """Forget those that were applied and those that wait for long; try the others ``again_in``."""
    applied = rows_of("applied", id=_TEXT)
    waiting = rows_of("waiting", id=_TEXT, again_in=sa.Float())
    too_old = R.created_at < from_now(-KEPT)
    return Transaction(
        sa.delete(R).where(R.id.in_(sa.select(applied.c.id))),
        sa.delete(R).where(R.id.in_(sa.select(waiting.c.id)), too_old),
        sa.update(R).where(R.id == waiting.c.id).values(due_at=from_now(waiting.c.again_in)),
    )


_DONE = _done()


def done(home: Database, applied: Iterable[Waiting], left: Iterable[Waiting]) -> None:
    """Forget those that were ``applied``; the others are tried again, until they are too old."""
    home.run(
        _DONE,
        applied=as_json({"id": each.id} for each in applied),
        waiting=as_json({"id": each.id, "again_in": max(1.0, each.age / 2)} for each in left),
    )
