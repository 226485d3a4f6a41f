"""The events that are to be told: taken in turn, told, put off, told again."""

from __future__ import annotations

import secrets
from datetime import datetime
from typing import Any

import sqlalchemy as sa
import sqlalchemy.orm

from otp_service.domain.events import Event, EventType
from otp_service.storage.db.answer import Row
from otp_service.storage.db.database import Database
from otp_service.storage.db.transaction import Transaction, given
from otp_service.storage.models.dialects import UtcTime, from_now
from otp_service.storage.models.events import EventEndpointRow, EventRow
from otp_service.storage.models.verifications import VerificationRow
from otp_service.storage.sql.conditions import NOW, RELAYED
from otp_service.storage.sql.event_endpoints import LIVE

E, V, P = EventRow, VerificationRow, EventEndpointRow
OTHER = sa.orm.aliased(E)
LEASE = 60.0  # seconds: several times what one try may take
LOOKED_AT = 200  # at a time, to find those that nothing is before
_LOOKS = 20  # of a take; where all wait for others, the next one goes on
_NUMBER = OTHER.number + 0  # see `_siblings`
_WAITS = E.due_at.is_not(None)
UNTOLD = sa.exists().where(E.verification_id == V.id, _WAITS, E.endpoint_id.in_(LIVE))
"""Of a verification: an endpoint is still to be told of it."""


_COUNTS = sa.func.count(OTHER.due_at) > 0


def _siblings(found: Any, of: Any, endpoint: Any, *numbers: Any) -> sa.ScalarSelect[Any]:
    """``found``, an aggregate, of those of a verification for an endpoint with such ``numbers``;
    None if none of them is due.

    A condition on ``due_at``, an aggregate that is least or most alone, or one on the bare number
    would let Postgres, if it plans this while the table is empty, choose an index that makes it
    walk along all that is due. SQLite reads both sides of a row of columns badly.
    """
    these = (OTHER.verification_id == of, OTHER.endpoint_id == endpoint, *numbers)
    return sa.select(sa.case((_COUNTS, found))).where(*these).scalar_subquery()


def _of_its(name: str) -> sa.Label[Any]:
    """A column of its verification, as ``its_NAME`` among what an update returns. Without an alias
    SQLite would be told no table, and without the cast it would use no index.
    """
    its = sa.orm.aliased(V)
    this = its.id == sa.cast(E.verification_id, sa.Text)
    return sa.select(getattr(its, name)).where(this).scalar_subquery().label(f"its_{name}")


def _take() -> Transaction:
    """Lease some that nothing is before. What is behind another waits at least until that is due,
    and so is not looked at again and again.
    """
    # Who has one in hand may be done with it at this moment: that is not waited for.
    not_in_hand = sa.func.max(sa.case((OTHER.lease.is_(None), OTHER.due_at)), type_=UtcTime())
    latest = sa.func.coalesce(not_in_hand, NOW, type_=UtcTime())
    earlier = E.number > _NUMBER
    before = _siblings(latest, E.verification_id, E.endpoint_id, earlier).label("before")
    of_endpoint = sa.select(E.number, E.due_at, before)
    due = of_endpoint.where(E.endpoint_id == given("endpoint_id"), E.due_at <= NOW)
    due = due.order_by(E.due_at, E.number).limit(given("looked_at", sa.Integer()))
    locked = due.with_for_update(skip_locked=True).cte("due")
    is_first = locked.c.before.is_(None)
    in_order = sa.func.row_number().over(
        partition_by=is_first, order_by=[locked.c.due_at, locked.c.number]
    )
    each = sa.select(locked.c.number, locked.c.before, in_order.label("place")).subquery("each")
    is_first = each.c.before.is_(None)
    wait = sa.case((each.c.before > from_now(1), each.c.before), else_=from_now(1))
    of_its = [_of_its(name) for name in ("client", "phone", "purpose", "status")]
    return Transaction(
        sa.update(E)
        .where(E.number == each.c.number)
        .where(sa.or_(~is_first, each.c.place <= given("count", sa.Integer())))
        .values(
            lease=sa.case((is_first, given("lease", sa.String()))),
            due_at=sa.case((is_first, from_now(LEASE)), else_=wait),
        )
        .returning(*E.__table__.c, *of_its),
        name="take_events",
    )


_TAKE = _take()


def take(home: Database, endpoint_id: str, count: int) -> list[Event]:
    """Of one home, in their order: as many as ``count``, which is 1 or more."""
    taken: list[Event] = []
    lease, looked_at = secrets.token_hex(8), max(count, LOOKED_AT)
    for _ in range(_LOOKS):
        left = {"count": count - len(taken), "looked_at": looked_at}
        found = home.run(_TAKE, endpoint_id=endpoint_id, lease=lease, **left)
        taken += [_event(home, row) for row in found if row.lease]
        if len(taken) == count or len(found) < looked_at:
            break
    return sorted(taken, key=lambda event: event.number)


def _event(home: Database, row: Row) -> Event:
    is_relayed = row.its_status == RELAYED
    return Event(
        id=row.id,
        endpoint_id=row.endpoint_id,
        type=EventType(row.type),
        at=row.at,
        client=row.its_client,
        phone=row.its_phone,
        purpose=row.its_purpose,
        verification_id=None if is_relayed else row.verification_id,
        message_id=row.verification_id if is_relayed else None,
        delivery_id=row.delivery_id,
        channel=row.channel,
        status=row.status,
        failure=row.failure,
        reason=row.reason,
        tries=row.tries,
        home=home.letter,
        number=row.number,
        lease=row.lease,
    )


# Who has lost its lease, and did not notice, changes nothing.
_OURS = sa.and_(E.number == given("number"), E.lease == given("lease"))
_TRIED: dict[str, Any] = {"tries": E.tries + 1, "lease": None}


def _over(**values: Any) -> Transaction:
    """It is not due any more: now the next one of its verification is."""
    this = sa.exists().where(OTHER.number == given("number"), OTHER.due_at.is_(None))
    first = sa.func.min(sa.case((OTHER.due_at.is_not(None), OTHER.number)))
    later = given("number") < _NUMBER
    behind = _siblings(first, given("of"), given("endpoint_id"), later)
    next_ = sa.and_(E.number == behind, E.lease.is_(None), E.due_at > NOW)
    return Transaction(
        sa.update(E).where(_OURS).values(**_TRIED, due_at=None, **values),
        sa.update(E).where(next_, this).values(due_at=NOW),
        name="event_is_over",
    )


_TOLD, _GIVEN_UP = _over(told_at=NOW), _over()
_POSTPONE = Transaction(
    sa.update(E).where(_OURS).values(**_TRIED, due_at=from_now(given("due_in", sa.Float()))),
    name="postpone_event",
)


def told(home: Database, event: Event) -> None:
    _run(home, _TOLD, event)


def postpone(home: Database, event: Event, due_in: float | None) -> None:
    if due_in is None:
        _run(home, _GIVEN_UP, event)
    else:
        home.run(_POSTPONE, number=event.number, lease=event.lease, due_in=due_in)


def _run(home: Database, transaction: Transaction, event: Event) -> None:
    of = event.verification_id or event.message_id
    ids = {"number": event.number, "lease": event.lease, "of": of}
    home.run(transaction, **ids, endpoint_id=event.endpoint_id)


_BATCH = 500


def _replay() -> Transaction:
    endpoint = given("endpoint_id", sa.String())
    these = (
        sa.select(E.number)
        .where(E.number > given("after", sa.BigInteger()), E.at >= given("since", UtcTime()))
        .where(sa.or_(endpoint.is_(None), E.endpoint_id == endpoint), E.endpoint_id.in_(LIVE))
    )
    batch = these.order_by(E.number).limit(_BATCH).cte("batch")
    again = {"due_at": NOW, "lease": None, "told_at": None, "tries": 0}
    found = sa.update(E).where(E.number.in_(sa.select(batch.c.number))).values(**again)
    return Transaction(found.returning(E.number), seconds=60)


_REPLAY = _replay()


def replay(engine: sa.Engine, since: datetime, endpoint_id: str | None = None) -> int:
    """Tell again what happened since then (aware), be it to one endpoint or to all that still get
    events, in order; how many events it were. Of one home.
    """
    count, after = 0, 0
    while found := _REPLAY.run(engine, since=since, endpoint_id=endpoint_id, after=after):
        count, after = count + len(found), max(row.number for row in found)
    return count


def _backlog() -> Transaction:
    waiting = sa.select(sa.func.count()).where(_WAITS, E.endpoint_id.in_(LIVE))
    due = sa.select(E.due_at).where(E.endpoint_id == P.id, E.due_at <= NOW).order_by(E.due_at)
    oldest = sa.select(sa.func.min(due.limit(1).scalar_subquery(), type_=UtcTime()))
    return Transaction(
        sa.select(
            waiting.scalar_subquery().label("waiting"),
            oldest.where(P.revoked_at.is_(None)).scalar_subquery().label("oldest"),
            NOW.label("as_of"),
        ),
        name="event_backlog",
        reads=True,
    )


_BACKLOG = _backlog()


def backlog(home: Database) -> tuple[int, float]:
    """How many events are still to be told, and for how many seconds the oldest that is due has
    waited for who tells it; 0 if none is due. One that is to be tried again later is not due.
    """
    ((waiting, oldest, as_of),) = home.run(_BACKLOG)
    return waiting, (as_of - oldest).total_seconds() if oldest else 0.0
