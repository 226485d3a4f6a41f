"""Voiding what was issued before a moment: who restores a backup can't know what was used since."""

from __future__ import annotations

import time
from datetime import datetime, timedelta, timezone

import sqlalchemy as sa

from otp_service.domain.verification import Status
from otp_service.storage.db.transaction import SECONDS, Transaction, given
from otp_service.storage.models.dialects import UtcTime, in_turn
from otp_service.storage.models.verifications import VerificationRow
from otp_service.storage.sql.conditions import NOW

V = VerificationRow
BATCH = 500
PATIENT = 20.0  # seconds for a batch, which takes milliseconds, and for who waits for a lock

# Whatever its timeline: another failover could end at that one again. A verification that began
# before is void with all its codes, since the next generation's may have been used, too.
_LIVE_BEFORE = sa.and_(
    V.status == Status.PENDING.value,
    V.canceled_at.is_(None),  # as the index of what is pending has it
    V.expires_at > NOW,
    V.created_at < given("before", UtcTime()),
)
# Each by its id: were more asked, the planner could walk along all that is live for each of them.
_STILL = V.status == Status.PENDING.value
_VOIDED = {"status": Status.CANCELED.value, "canceled_at": NOW}


def _free() -> sa.Select[tuple[str]]:
    """Some that no request has in hand, behind the locks of their phones: see `retention`."""
    some = sa.select(V.id, V.phone).where(_LIVE_BEFORE).order_by(V.expires_at).limit(BATCH)
    free = some.with_for_update(skip_locked=True).cte("free")
    return sa.select(free.c.id).where(in_turn(free.c.phone))


_VOID_FREE = Transaction(
    sa.update(V).where(V.id.in_(_free()), _STILL).values(_VOIDED).returning(V.id),
    name="void",
    seconds=PATIENT,
)
_LEFT = Transaction(sa.select(V.id).where(_LIVE_BEFORE), reads=True, seconds=PATIENT)
_THIS = V.id == given("id", sa.String())
_VOID_ONE = Transaction(
    sa.update(V).where(_THIS, _STILL).values(_VOIDED).returning(V.id),
    name="void_one",
    serialize=[sa.select(V.phone).where(_THIS).scalar_subquery()],
    seconds=PATIENT,
)
_CLOCK = Transaction(sa.select(NOW.label("now")), reads=True)


def moment(engine: sa.Engine, asked: datetime | timedelta) -> datetime:
    """When that was by the database's clock: a time, now if it is yet to come; or so long ago."""
    now: datetime = _CLOCK.run(engine)[0].now
    if isinstance(asked, timedelta):
        return now - asked
    return min(asked, now).astimezone(timezone.utc)  # as a SQLite file has it


def void(engine: sa.Engine, before: datetime) -> int:
    """Let no verification that began before then be verified any more; how many still could.

    It holds when this returns. What was issued before and is not there yet, since its transaction
    goes on, is looked for when none can: who waits longer for an answer sends no code.
    """
    voided = _void_what_is_there(engine, before)
    if engine.dialect.name == "sqlite":  # which has one writer at a time
        return voided
    ago: timedelta = _CLOCK.run(engine)[0].now - before
    time.sleep(max(0.0, SECONDS - ago.total_seconds()))
    return voided + _void_what_is_there(engine, before)


def _void_what_is_there(engine: sa.Engine, before: datetime) -> int:
    """Short batches that hold nobody up; then, one by one, what was in a request's hand."""
    voided = 0
    while batch := _VOID_FREE.run(engine, before=before):
        voided += len(batch)
    for left in _LEFT.run(engine, before=before):
        voided += len(_VOID_ONE.run(engine, id=left.id))
    return voided
