"""Wrong guesses of a phone: how many were judged, and how many are still out.

A verification gets its guesses when it is issued, and nobody takes them from it: who names it is
judged for as long as it has any. So what is out on live verifications counts as if it had been
guessed, and nothing is given out beyond what the limits leave: whatever ids, purposes and clients
are used, no window ever holds more wrong guesses than its ceiling.

The ceiling of the shortest window lies above its limit, by the guesses of one verification. At the
limit checks by phone alone end; what is above it is for who names a verification, so that a
stranger who used up the limit has not locked out the person.
"""

from __future__ import annotations

from datetime import datetime
from typing import Any

import sqlalchemy as sa
import sqlalchemy.orm

from otp_service.domain.limits import LOCKED_FOR, Limit, Limits
from otp_service.domain.quotas import Block, Lock
from otp_service.storage.db.answer import Row
from otp_service.storage.db.transaction import given
from otp_service.storage.models.dialects import UtcTime, from_now, least
from otp_service.storage.models.limits import PhoneRow
from otp_service.storage.models.verifications import AttemptRow, VerificationRow
from otp_service.storage.sql.conditions import WRONG, live
from otp_service.storage.sql.limits import UNLOCKED_AT

A, P = AttemptRow, PhoneRow
L = sa.orm.aliased(VerificationRow)  # live, of the phone, whoever asked for it and for what
PHONE = given("phone")
MOST = given("max_attempts", sa.Integer())
EXEMPT = given("exempt", sa.Boolean())


def _of_live(column: Any) -> sa.ScalarSelect[Any]:
    return sa.select(column).where(L.phone == PHONE, live(L)).scalar_subquery()


# A test number may have any number of live ones: its ceilings hold where it is checked.
OUT = sa.case(
    (EXEMPT, 0), else_=_of_live(sa.func.coalesce(sa.func.sum(L.max_attempts - L.attempts), 0))
)
LIVE_COUNT = _of_live(sa.func.count())
LIVE_UNTIL = _of_live(sa.func.min(L.expires_at, type_=UtcTime()))
_KNOWN = sa.select(P.failures).where(P.phone == PHONE).scalar_subquery()
IN_A_ROW = sa.func.coalesce(_KNOWN, sa.literal(0))
DISABLED = sa.exists().where(P.phone == PHONE, P.disabled_at.is_not(None))


class _WrongGuesses:
    """The wrong guesses in a limit's window, and when the oldest of them was made."""

    def __init__(self, limit: Limit, ceiling: int) -> None:
        beginning = from_now(-limit.seconds)
        since = sa.func.coalesce(UNLOCKED_AT, beginning)
        recent = sa.and_(WRONG, A.created_at > beginning, A.created_at > since)
        oldest = sa.func.min(A.created_at, type_=UtcTime())
        self.limit = limit
        self.count = sa.select(sa.func.count()).where(recent).scalar_subquery()
        self.oldest = sa.select(oldest).where(recent).scalar_subquery()
        self.left = ceiling - self.count


class GuessBudget:
    """What a verification of the phone gets if it is begun now."""

    def __init__(self, limits: Limits) -> None:
        self._in_a_row = limits.in_a_row
        ceilings = (limit.count for limit in limits.guess_ceilings)
        self._windows = list(map(_WrongGuesses, limits.phone_failures, ceilings))
        each = [*(window.left for window in self._windows), self._in_a_row.count - IN_A_ROW]
        self.left = sa.case((DISABLED, 0), else_=least(MOST, least(*each) - OUT))
        """Guesses, `MOST` at most; none if it is not above 0."""

    @property
    def facts(self) -> list[sa.Label[Any]]:
        """For `lock` and `crowd`, as columns of an answer."""
        columns = {
            "guesses_left": self.left,
            "live_count": LIVE_COUNT,
            "live_until": LIVE_UNTIL,
            "is_disabled": sa.or_(DISABLED, self._in_a_row.count <= IN_A_ROW),
        }
        for number, window in enumerate(self._windows):
            columns[f"wrong_{number}"] = window.count
            columns[f"left_{number}"] = window.left - OUT
            columns[f"wrong_since_{number}"] = window.oldest
        return [column.label(name) for name, column in columns.items()]

    def lock(self, row: Row) -> Lock | None:
        """What keeps a verification from being given any guess, and until when at least."""
        if row.guesses_left > 0:
            return None
        if row.is_disabled:  # nothing but an operator ends it
            return Lock(Block(self._in_a_row, LOCKED_FOR), too_many=True)
        blocks, too_many = [], False
        for number, limit in enumerate(window.limit for window in self._windows):
            too_many = too_many or getattr(row, f"wrong_{number}") >= limit.count
            if getattr(row, f"left_{number}") <= 0:
                blocks.append(_block(limit, row, getattr(row, f"wrong_since_{number}")))
        blocks = blocks or [_block(self._in_a_row, row, None)]
        return Lock(max(blocks, key=lambda block: block.retry_after), too_many)


def crowd(limits: Limits, row: Row) -> Block | None:
    """The limit of live verifications, if the phone of this answer has met it."""
    limit = limits.live_verifications
    if row.live_count < limit.count:
        return None
    return Block.until(limit, row.live_until, row.as_of)


def _block(limit: Limit, row: Row, oldest: datetime | None) -> Block:
    """Until a wrong guess leaves the window, or a live verification ends and gives its back."""
    ends = [row.live_until] if row.live_until else []
    if oldest:
        ends.append(limit.ends_at(oldest))
    return Block.until(limit, min(ends), row.as_of) if ends else Block(limit, 1)
