"""How often a client calls: counted in the transaction that does what it asked for.

A client has numbered slots, as many as its limit allows requests in a window, and each request
takes one that nobody has taken for as long as a window: so any window holds no more requests than
there are slots, wherever it begins. Who finds another request at a slot takes the next one, so a
client's requests don't wait for each other; only a new slot is made behind a lock. A request that
is refused takes none, and who goes on calling is let in as soon as somebody who waited would be.
"""

from __future__ import annotations

from typing import Any

import sqlalchemy as sa

from otp_service.domain.limits import Limit
from otp_service.storage.db.lookup import Lookup, Seldom
from otp_service.storage.db.transaction import Statement, given
from otp_service.storage.models.dialects import clock, from_now, wait_in_turn
from otp_service.storage.models.limits import RequestSlotRow

S = RequestSlotRow
CLIENT = given("client", sa.String())


class RequestRate:
    """Of the client that a transaction is given; without a ``limit`` nothing is counted."""

    def __init__(self, limit: Limit | None) -> None:
        self._statements: list[Statement | Lookup | Seldom] = []
        self.facts: list[Any] = []
        """For `rows.refuse_caller`, as a column of the answer."""
        self.admits: sa.ColumnElement[bool] = sa.true()
        if limit:
            self._count(limit)

    @property
    def count(self) -> list[Statement | Lookup | Seldom]:
        """Comes before what it may refuse."""
        return self._statements

    def _count(self, limit: Limit) -> None:
        taken = _take(limit)
        none_free = taken["slot"].is_(None)
        turn = Lookup(sa.select(wait_in_turn("client " + CLIENT).label("turn")).where(none_free))
        made = _next(limit, none_free)
        self.admits = sa.func.coalesce(taken["slot"], made["new_slot"]).is_not(None)
        full = _full(limit, self.admits)
        self.facts = full.columns()
        new = sa.select(CLIENT, made["new_slot"], clock()).where(made["new_slot"].is_not(None))
        self._statements = [
            taken,
            Seldom(
                none_free,
                turn,
                made,
                sa.insert(S).from_select([S.client, S.number, S.taken_at], new),
                full,
            ),
        ]


def _take(limit: Limit) -> Lookup:
    """Take a slot that is free; what another one takes at this moment is left to it."""
    free = sa.select(S.number).where(
        S.client == CLIENT, S.number <= limit.count, S.taken_at <= from_now(-limit.seconds)
    )
    first = free.order_by(S.number).limit(1).with_for_update(skip_locked=True).scalar_subquery()
    taken = sa.update(S).where(S.client == CLIENT, S.number == first).values(taken_at=clock())
    return Lookup(taken.returning(S.number.label("slot")))


def _next(limit: Limit, none_free: sa.ColumnElement[bool]) -> Lookup:
    """The number of a slot more, if there may be one."""
    newest = sa.func.coalesce(sa.func.max(S.number), 0)
    made = sa.select((newest + 1).label("new_slot")).where(S.client == CLIENT, none_free)
    return Lookup(made.having(newest < limit.count, none_free))


def _full(limit: Limit, admits: sa.ColumnElement[bool]) -> Lookup:
    """Since when all slots are taken: the oldest is the next to be free."""
    oldest = sa.select(S.taken_at.label("requests_full_since")).where(
        S.client == CLIENT, S.number <= limit.count, sa.not_(admits)
    )
    return Lookup(oldest.order_by(S.taken_at).limit(1))
