"""Forgetting: what is over is marked, what is old is deleted, a person's rows on request."""

from __future__ import annotations

from typing import Any

import sqlalchemy as sa

from otp_service.domain.verification import Status
from otp_service.storage import provider_events
from otp_service.storage.db.database import Database
from otp_service.storage.db.transaction import Transaction, given
from otp_service.storage.models.dialects import from_now, in_turn
from otp_service.storage.models.limits import PhoneRow
from otp_service.storage.models.verifications import VerificationRow
from otp_service.storage.sql import audit
from otp_service.storage.sql.conditions import NOW
from otp_service.storage.sql.events import UNTOLD
from otp_service.storage.sql.sealed_codes import forget_ended

V = VerificationRow
BATCH = 500
SECONDS = 20.0  # a batch takes milliseconds; a busy database is no reason to give up


def _free(which: sa.Select[Any]) -> sa.Select[Any]:
    """Without the rows that a request or another cleanup holds: nobody waits for anybody."""
    return which.with_for_update(skip_locked=True)


def _batch(which: sa.Select[tuple[str]]) -> sa.Select[tuple[str]]:
    """A `WITH` part is read once; a subquery may be read, and may lock, for each row again."""
    return sa.select(which.limit(BATCH).cte("batch").c.id)


_OVERDUE = (
    sa.select(V.id, V.phone)
    .where(V.status == Status.PENDING.value, V.canceled_at.is_(None), V.expires_at <= NOW)
    .order_by(V.expires_at)
    .limit(BATCH)
)


def _without_checks() -> sa.Select[tuple[str]]:
    """Behind the lock that checks of these phones take, but waiting for none of them."""
    overdue = _free(_OVERDUE).cte("overdue")
    return sa.select(overdue.c.id).where(in_turn(overdue.c.phone))


_EXPIRE = Transaction(
    sa.update(V)
    .where(V.id.in_(_without_checks()))
    .where(V.status == Status.PENDING.value, V.expires_at <= NOW)
    .values(status=Status.EXPIRED.value)
    .returning(V.id),
    seconds=SECONDS,
)


def _delete(which: sa.Select[tuple[str]]) -> Transaction:
    """Delete one batch of verifications; codes, attempts and deliveries go with them."""
    deletion = sa.delete(V).where(V.id.in_(_batch(which))).returning(V.id)
    return Transaction(deletion, seconds=SECONDS)


_BEFORE = from_now(-86_400 * given("days", sa.Integer()))
_OLD = (
    sa.select(V.id)
    .where(V.created_at < _BEFORE, V.expires_at < _BEFORE)  # what it counts for is younger
    .order_by(V.created_at)
)
_DELETE_OLD = _delete(_free(_OLD))
# What is pending is to be marked first, since that tells of it; then that is to be told.
_IS_OVER = sa.or_(V.status != Status.PENDING.value, V.canceled_at.is_not(None))
_PURGE = _delete(sa.select(V.id).where(V.expires_at <= NOW, _IS_OVER, ~UNTOLD))
_ERASE_PHONE = Transaction(sa.delete(PhoneRow).where(PhoneRow.phone == given("phone")))
_ERASE = _delete(sa.select(V.id).where(V.phone == given("phone")))


def _in_batches(transaction: Transaction, engine: sa.Engine, **values: object) -> int:
    """Short transactions until nothing is left; how many rows it were."""
    total = 0
    while rows := transaction.run(engine, **values):
        total += len(rows)
    return total


# Wrong guesses in a row count however long ago they were made (NIST SP 800-63B-4, 3.2.2).
_QUIET = (
    sa.select(PhoneRow.phone.label("id"))
    .where(
        PhoneRow.disabled_at.is_(None),
        PhoneRow.failures == 0,
        PhoneRow.updated_at < _BEFORE,
    )
    .order_by(PhoneRow.updated_at)
)
_FORGET_PHONES = Transaction(
    sa.delete(PhoneRow).where(PhoneRow.phone.in_(_batch(_free(_QUIET)))).returning(PhoneRow.phone),
    seconds=SECONDS,
)


_FORGET_SEALED = Transaction(forget_ended(), seconds=SECONDS)


def cleanup(engine: sa.Engine, days: int) -> tuple[int, int]:
    """How many verifications were marked expired, and how many older than ``days`` deleted."""
    _in_batches(_FORGET_PHONES, engine, days=days)
    provider_events.FORGET_OLD.run(engine, days=days)
    _FORGET_SEALED.run(engine)
    _in_batches(audit.FORGET_OLD, engine, days=audit.KEPT_DAYS)
    return _in_batches(_EXPIRE, engine), _in_batches(_DELETE_OLD, engine, days=days)


def expire(home: Database) -> None:
    """Mark what has expired. Raises `StorageUnavailable`."""
    while home.run(_EXPIRE):
        pass


def purge(engine: sa.Engine) -> int:
    """Delete every verification that has expired, once its events are told; how many it were."""
    _in_batches(_EXPIRE, engine)
    return _in_batches(_PURGE, engine)


def erase(engine: sa.Engine, phone: str) -> int:
    """Delete all that is known of a phone (E.164); how many verifications it were.

    The audit trail stays: it knows the phone by its last digits and by a pseudonym.
    """
    erased = _in_batches(_ERASE, engine, phone=phone)
    _ERASE_PHONE.run(engine, phone=phone)  # as long as there are wrong guesses it tells of them
    return erased
