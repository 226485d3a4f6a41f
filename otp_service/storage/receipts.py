"""The transactions on receipts. Whatever their order and number, the end state is the same."""

from __future__ import annotations

from typing import Any

import sqlalchemy as sa

from otp_service.domain import failures
from otp_service.domain.verification import DeliveryStatus as S
from otp_service.storage import outbox
from otp_service.storage.functions import UtcTime, from_now
from otp_service.storage.models import DeliveryRow, ReceiptRow
from otp_service.storage.rules import NOW, due
from otp_service.storage.transaction import Transaction, given

D, R = DeliveryRow, ReceiptRow
KEPT = 3_600  # seconds: a receipt may come before its message's row, but not that long before
LEASE = 10.0  # seconds

AT = given("at", UtcTime())
THIS = R.id == given("id")
PROVIDER_MESSAGE_ID = given("provider_message_id")
# The call for it is over, and maybe nobody could note what the provider answered. While one is
# under way `outbox.SUBMITTED` is still to come, and must find the row as it was.
_CALL_IS_OVER = sa.or_(
    D.provider_message_id.is_not(None),
    D.error_code == failures.UNCONFIRMED.code,
    sa.and_(D.error_code.is_(None), D.lease.is_(None), D.created_at < from_now(-outbox.LEASE)),
)
MATCHES = sa.and_(
    D.provider == given("provider"),
    sa.or_(
        D.provider_message_id == PROVIDER_MESSAGE_ID,
        sa.and_(D.id == given("delivery_id", sa.String()), _CALL_IS_OVER),
    ),
)
_SAYS = given("status", sa.String())


def _keep() -> Transaction:
    values = {
        R.id: given("id"),
        R.provider: given("provider"),
        R.provider_message_id: PROVIDER_MESSAGE_ID,
        R.delivery_id: given("delivery_id", sa.String()),
        R.status: _SAYS,
        R.at: sa.func.coalesce(AT, NOW),
        R.error_code: given("error_code", sa.String()),
        R.reason: given("reason", sa.String()),
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


def _says(*statuses: S) -> sa.ColumnElement[bool]:
    told = [sa.literal(status.value) == _SAYS for status in statuses]
    return sa.or_(*told)


# Where the provider's answer was lost it is not known when it took the message.
_SUBMITTED_AT = sa.func.coalesce(D.submitted_at, D.created_at)
# Not before the message was submitted: providers tell whole seconds, by clocks of their own.
_WHEN = sa.case((_SUBMITTED_AT > AT, _SUBMITTED_AT), else_=AT)


def _is_news(column: Any, *statuses: S) -> sa.ColumnElement[bool]:
    """It tells of this status, for the first time or of an earlier time."""
    return sa.and_(_says(*statuses), sa.or_(column.is_(None), column > _WHEN))


def _earliest(column: Any, *statuses: S) -> sa.ColumnElement[Any]:
    """When this status was reached: the earliest time that any receipt told, however many come."""
    return sa.case((_is_news(column, *statuses), _WHEN), else_=column)


def _why(fails: sa.ColumnElement[bool], column: Any) -> sa.ColumnElement[Any]:
    """Of the failure that a receipt told; that of the call itself, "unconfirmed", is over."""
    told = given(column.name, sa.String())
    return sa.case((fails, told), (D.failed_at.is_(None), None), else_=column)


def _apply() -> Transaction:
    """A receipt's part in its delivery's state; ``look_in`` is for one that failed."""
    arrived = sa.or_(_says(S.DELIVERED, S.READ), D.delivered_at.is_not(None))
    fails = _is_news(D.failed_at, S.FAILED)
    status = sa.case(
        (sa.or_(_says(S.READ), D.read_at.is_not(None)), S.READ.value),
        (arrived, S.DELIVERED.value),
        (sa.or_(_says(S.FAILED), D.failed_at.is_not(None)), S.FAILED.value),
        else_=sa.case((_says(S.SENT), S.SENT.value), else_=D.status),
    )
    update = (
        sa.update(D)
        .where(MATCHES)
        .values(
            status=status,
            provider_message_id=sa.func.coalesce(D.provider_message_id, PROVIDER_MESSAGE_ID),
            submitted_at=_SUBMITTED_AT,
            sent_at=_earliest(D.sent_at, S.SENT),
            delivered_at=_earliest(D.delivered_at, S.DELIVERED, S.READ),
            read_at=_earliest(D.read_at, S.READ),
            failed_at=_earliest(D.failed_at, S.FAILED),
            error_code=_why(fails, D.error_code),
            reason=_why(fails, D.reason),
            due_at=sa.case(
                (arrived, None),
                (sa.and_(fails, D.failed_at.is_(None)), from_now(given("look_in", sa.Float()))),
                else_=D.due_at,
            ),
        )
    )
    found = sa.exists().where(MATCHES)
    return Transaction(
        update,
        sa.delete(R).where(THIS, sa.or_(found, R.created_at < from_now(-KEPT))),
        sa.update(R).where(THIS).values(due_at=from_now(given("again_in", sa.Float()))),
        sa.select(found.label("found")),
    )


APPLY = _apply()
DROP = Transaction(sa.delete(R).where(THIS))
