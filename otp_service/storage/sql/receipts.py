"""The transactions on receipts. Whatever their order and number, the end state is the same.

A webhook may tell of a thousand messages at once, so each of these takes many rows.
"""

from __future__ import annotations

from typing import Any

import sqlalchemy as sa

from otp_service.domain import failures
from otp_service.domain.verification import DeliveryStatus as S
from otp_service.storage.db.transaction import Transaction
from otp_service.storage.models.deliveries import DeliveryRow, ReceiptRow
from otp_service.storage.models.dialects import UtcTime, from_now
from otp_service.storage.sql import outbox
from otp_service.storage.sql.conditions import NOW, due
from otp_service.storage.sql.json_rows import rows_of

D, R = DeliveryRow, ReceiptRow
KEPT = 3_600  # seconds: a receipt may come before its message's row, but not that long before
LEASE = 10.0  # seconds
_TEXT, _TIME = sa.String(), UtcTime()
_WHY = ("error_code", "reason")
_PRICE: dict[str, sa.types.TypeEngine[Any]] = {
    "price_category": _TEXT,
    "price_billable": sa.Boolean(),
    "price_model": _TEXT,
    "price_type": _TEXT,
}


def _keep() -> Transaction:
    names = ("id", "provider", "provider_message_id", "delivery_id", "status", *_WHY)
    told = rows_of("receipts", **dict.fromkeys(names, _TEXT), **_PRICE, at=_TIME)
    values = {
        **{getattr(R, name): told.c[name] for name in (*names, *_PRICE)},
        R.at: sa.func.coalesce(told.c.at, NOW),
        R.created_at: NOW,
        R.due_at: NOW,
    }
    return Transaction(sa.insert(R).from_select(list(values), sa.select(*values.values())))


KEEP = _keep()


TAKE = Transaction(
    sa.update(R)
    .where(R.id.in_(sa.select(due(R).c.id)))
    .values(due_at=from_now(LEASE))
    .returning(*R.__table__.c, NOW.label("as_of"))
)


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
    told = rows_of("told", number=sa.Integer(), **dict.fromkeys(names, _TEXT))
    by = told.c
    priced = sa.or_(*(getattr(D, name).is_not(None) for name in _PRICE)).label("priced")
    found = sa.select(by.number, D.id, priced).join_from(told, D, D.provider == by.provider)
    theirs = found.where(D.provider_message_id == by.provider_message_id)
    ours = found.where(D.id == by.delivery_id, _CALL_IS_OVER)
    return Transaction(theirs.union(ours), reads=True)  # two looks, each by an index


FIND = _find()
# Where the provider's answer was lost it is not known when it took the message.
_SUBMITTED_AT = sa.func.coalesce(D.submitted_at, D.created_at)


_TIMES = {f"{status.value}_at": _TIME for status in (S.SENT, S.DELIVERED, S.READ, S.FAILED)}


def _apply() -> Transaction:
    """What was told of each of these deliveries: the earliest time of each status that it reached.

    ``look_in``, in seconds, is for one that failed.
    """
    texts = dict.fromkeys(("id", "provider_message_id", *_WHY), _TEXT)
    told = rows_of("told", **texts, **_TIMES, **_PRICE, look_in=sa.Float())
    arrived = sa.or_(_reached("read_at", told), _reached("delivered_at", told))
    fails = _is_news(D.failed_at, told.c.failed_at)
    looked_at = sa.case(
        (arrived, None),
        (sa.and_(fails, D.failed_at.is_(None)), from_now(told.c.look_in)),
        else_=D.due_at,
    )
    update = sa.update(D).where(D.id == told.c.id, _CALL_IS_OVER)
    update = update.values(
        status=_status(told),
        provider_message_id=sa.func.coalesce(D.provider_message_id, told.c.provider_message_id),
        submitted_at=_SUBMITTED_AT,
        **{name: _earliest(getattr(D, name), told.c[name]) for name in _TIMES},
        **{name: _greater(getattr(D, name), told.c[name]) for name in _PRICE},
        error_code=_why(fails, D.error_code, told.c.error_code),
        reason=_why(fails, D.reason, told.c.reason),
        due_at=looked_at,
    )
    # Two workers that have receipts of the same deliveries take their rows in the same order.
    these = sa.select(D.id).where(D.id.in_(sa.select(told.c.id)))
    return Transaction(these.order_by(D.id).with_for_update(), update.returning(D.id))


def _reached(name: str, told: sa.Subquery) -> sa.ColumnElement[bool]:
    return sa.or_(told.c[name].is_not(None), getattr(D, name).is_not(None))


def _status(told: sa.Subquery) -> sa.ColumnElement[str]:
    """Read off the times, so that it does not matter what came first."""
    return sa.case(
        (_reached("read_at", told), S.READ.value),
        (_reached("delivered_at", told), S.DELIVERED.value),
        (_reached("failed_at", told), S.FAILED.value),
        (told.c.sent_at.is_not(None), S.SENT.value),
        else_=D.status,
    )


def _when(told: Any) -> sa.ColumnElement[Any]:
    """Not before the message was submitted: providers tell whole seconds, by their own clocks."""
    return sa.case((told < _SUBMITTED_AT, _SUBMITTED_AT), else_=told)


def _is_news(column: Any, told: Any) -> sa.ColumnElement[bool]:
    """This status was told of, for the first time or of an earlier time."""
    return sa.and_(told.is_not(None), sa.or_(column.is_(None), column > _when(told)))


def _earliest(column: Any, told: Any) -> sa.ColumnElement[Any]:
    """When this status was reached: the earliest time that any receipt told, however many come."""
    return sa.case((_is_news(column, told), _when(told)), else_=column)


def _greater(column: Any, told: Any) -> sa.ColumnElement[Any]:
    """What a provider told twice and not alike: whichever came first, the same one is kept."""
    return sa.case((sa.or_(column.is_(None), told > column), told), else_=column)


def _why(fails: sa.ColumnElement[bool], column: Any, told: Any) -> sa.ColumnElement[Any]:
    """Of the failure that a receipt told; that of the call itself, "unconfirmed", is over."""
    return sa.case((fails, told), (D.failed_at.is_(None), None), else_=column)


APPLY = _apply()


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


DONE = _done()
