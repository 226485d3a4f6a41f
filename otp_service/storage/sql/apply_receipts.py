"""Applying receipts to their deliveries: in whatever order and number, the end state is the same.

A webhook may tell of a thousand messages at once, so each of these takes many rows.
"""

from __future__ import annotations

from collections.abc import Iterable, Sequence
from typing import Any

import sqlalchemy as sa

from otp_service.domain import failures
from otp_service.domain.verification import DeliveryStatus as S
from otp_service.storage.db.answer import Row
from otp_service.storage.db.database import Database
from otp_service.storage.db.transaction import Transaction
from otp_service.storage.models.deliveries import DeliveryRow
from otp_service.storage.models.dialects import UtcTime, from_now
from otp_service.storage.sql import outbox, sealed_codes
from otp_service.storage.sql.json_rows import as_json, rows_of
from otp_service.storage.sql.receipt_batch import PRICE, Values, Waiting

D = DeliveryRow
_TEXT, _TIME = sa.String(), UtcTime()
_WHY = ("error_code", "reason")

# The call for it is over, and maybe nobody could note what the provider answered. While one is
# under way `outbox.submitted` is still to come, and must find the row as it was.
_CALL_IS_OVER = sa.or_(
    D.provider_message_id.is_not(None),
    D.error_code == failures.UNCONFIRMED.code,
    sa.and_(D.error_code.is_(None), D.lease.is_(None), D.created_at < from_now(-outbox.LEASE)),
)


def _find() -> Transaction:
    """Which deliveries these receipts (``number``) tell of: by the provider's id, or by ours; and
    whether their price is known.
    """
    names = ("provider", "provider_message_id", "delivery_id")
    batch = rows_of("batch", number=sa.Integer(), **dict.fromkeys(names, _TEXT))
    by = batch.c
    priced = sa.or_(*(getattr(D, name).is_not(None) for name in PRICE)).label("priced")
    found = sa.select(by.number, D.id, priced).join_from(batch, D, D.provider == by.provider)
    theirs = found.where(D.provider_message_id == by.provider_message_id)
    ours = found.where(D.id == by.delivery_id, _CALL_IS_OVER)
    looks = theirs.union(ours)  # each by an index
    return Transaction(looks, name="find_deliveries", reads=True)


_FIND = _find()


def find(home: Database, waiting: Sequence[Waiting]) -> Sequence[Row]:
    """For each that tells of a delivery in this home its place (``number``), the delivery's
    ``id`` and whether that is ``priced``.
    """
    batch = [
        {
            "number": number,
            "provider": each.receipt.provider,
            "provider_message_id": each.receipt.message_id,
            "delivery_id": each.receipt.delivery_id,
        }
        for number, each in enumerate(waiting)
    ]
    return home.run(_FIND, batch=as_json(batch))


# Where the provider's answer was lost it is not known when it took the message.
_SUBMITTED_AT = sa.func.coalesce(D.submitted_at, D.created_at)


_TIMES = {f"{status.value}_at": _TIME for status in (S.SENT, S.DELIVERED, S.READ, S.FAILED)}


def _apply() -> Transaction:
    """What was told of each of these deliveries: the earliest time of each status that it reached.

    ``look_in``, in seconds, is for one that failed.
    """
    texts = dict.fromkeys(("id", "provider_message_id", *_WHY), _TEXT)
    batch = rows_of("batch", **texts, **_TIMES, **PRICE, look_in=sa.Float())
    arrived = sa.or_(_reached("read_at", batch), _reached("delivered_at", batch))
    fails = _is_news(D.failed_at, batch.c.failed_at)
    looked_at = sa.case(
        (arrived, None),
        (sa.and_(fails, D.failed_at.is_(None)), from_now(batch.c.look_in)),
        else_=D.due_at,
    )
    update = sa.update(D).where(D.id == batch.c.id, _CALL_IS_OVER)
    update = update.values(
        status=_status(batch),
        provider_message_id=sa.func.coalesce(D.provider_message_id, batch.c.provider_message_id),
        submitted_at=_SUBMITTED_AT,
        **{name: _earliest(getattr(D, name), batch.c[name]) for name in _TIMES},
        **{name: _greater(getattr(D, name), batch.c[name]) for name in PRICE},
        error_code=_why(fails, D.error_code, batch.c.error_code),
        reason=_why(fails, D.reason, batch.c.reason),
        due_at=looked_at,
    )
    # Two workers that have receipts of the same deliveries take their rows in the same order.
    these = sa.select(D.id).where(D.id.in_(sa.select(batch.c.id))).order_by(D.id)
    told = sa.or_(batch.c.read_at.is_not(None), batch.c.delivered_at.is_not(None))
    return Transaction(
        these.with_for_update(),
        sealed_codes.wipe_of(sa.select(batch.c.id).where(told)),
        update.returning(D.id),
        name="apply_receipts",
    )


def _reached(name: str, batch: sa.Subquery) -> sa.ColumnElement[bool]:
    return sa.or_(batch.c[name].is_not(None), getattr(D, name).is_not(None))


def _status(batch: sa.Subquery) -> sa.ColumnElement[str]:
    """Read off the times, so that it does not matter what came first."""
    return sa.case(
        (_reached("read_at", batch), S.READ.value),
        (_reached("delivered_at", batch), S.DELIVERED.value),
        (_reached("failed_at", batch), S.FAILED.value),
        (batch.c.sent_at.is_not(None), S.SENT.value),
        else_=D.status,
    )


def _when(new: Any) -> sa.ColumnElement[Any]:
    """Not before the message was submitted: providers tell whole seconds, by their own clocks."""
    return sa.case((new < _SUBMITTED_AT, _SUBMITTED_AT), else_=new)


def _is_news(column: Any, new: Any) -> sa.ColumnElement[bool]:
    """This status was told of, for the first time or of an earlier time."""
    return sa.and_(new.is_not(None), sa.or_(column.is_(None), column > _when(new)))


def _earliest(column: Any, new: Any) -> sa.ColumnElement[Any]:
    """When this status was reached: the earliest time that any receipt told, however many come."""
    return sa.case((_is_news(column, new), _when(new)), else_=column)


def _greater(column: Any, new: Any) -> sa.ColumnElement[Any]:
    """What a provider told twice and not alike: whichever came first, the same one is kept."""
    return sa.case((sa.or_(column.is_(None), new > column), new), else_=column)


def _why(fails: sa.ColumnElement[bool], column: Any, new: Any) -> sa.ColumnElement[Any]:
    """Of the failure that a receipt told; that of the call itself, "unconfirmed", is over."""
    return sa.case((fails, new), (D.failed_at.is_(None), None), else_=column)


_APPLY = _apply()


def apply(home: Database, batch: Iterable[Values]) -> set[str]:
    """The ids of the deliveries that are as ``batch`` says now."""
    return {row.id for row in home.run(_APPLY, batch=as_json(batch))}
