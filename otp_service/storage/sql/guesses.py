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

from otp_service.domain.limits import LOCKED_FOR, Limit, Limits
from otp_service.domain.quotas import Block, Lock
from otp_service.storage.db.answer import Row
from otp_service.storage.db.lookup import Lookup, Seldom
from otp_service.storage.db.transaction import given
from otp_service.storage.models.dialects import least
from otp_service.storage.sql import limits as sql_limits
from otp_service.storage.sql import phone_state
from otp_service.storage.sql.phone_state import DISABLED, IN_A_ROW, LIVE_ONES

MOST = given("max_attempts", sa.Integer())
EXEMPT = given("exempt", sa.Boolean())
# A test number may have any number of live ones: its ceilings hold where it is checked.
_OUT = sa.case((EXEMPT, 0), else_=LIVE_ONES["guesses_out"])


class GuessBudget:
    """What a verification of the phone gets if it is begun now."""

    def __init__(self, limits: Limits) -> None:
        self._in_a_row = limits.in_a_row
        self._wrong = sql_limits.wrong_guesses(limits)
        self._ceilings = [limit.count for limit in limits.guess_ceilings]
        each = [most - self._wrong.count(number) for number, most in enumerate(self._ceilings)]
        each.append(self._in_a_row.count - IN_A_ROW)
        self.left = sa.case((DISABLED, 0), else_=least(MOST, least(*each) - _OUT))
        """Guesses, `MOST` at most; none if it is not above 0."""

    @property
    def lookups(self) -> list[Lookup | Seldom]:
        wrong = Seldom(phone_state.IS_KNOWN, *self._wrong.lookups)
        return [phone_state.ROW, LIVE_ONES, wrong]

    @property
    def facts(self) -> list[sa.Label[Any]]:
        """For `lock` and `crowd`, as columns of an answer."""
        looked_up = [*phone_state.ROW.columns(), *LIVE_ONES.columns(), *self._wrong.facts]
        return [self.left.label("guesses_left"), _OUT.label("out"), *looked_up]

    def lock(self, row: Row) -> Lock | None:
        """What keeps a verification from being given any guess, and until when at least."""
        if row.guesses_left > 0:
            return None
        if row.disabled_at or self._in_a_row.count <= (row.in_a_row or 0):
            return Lock(Block(self._in_a_row, LOCKED_FOR), too_many=True)  # until an operator's
        blocks, too_many, wrong = [], False, self._wrong.times(row)
        for used, ceiling in zip(self._wrong.used(row), self._ceilings, strict=True):
            too_many = too_many or used.events >= used.limit.count
            if ceiling - used.events - row.out <= 0:
                oldest = wrong[used.events - 1] if used.events else None
                blocks.append(_block(used.limit, row, oldest))
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
