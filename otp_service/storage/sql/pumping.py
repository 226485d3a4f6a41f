"""Sends that look like toll fraud, counted where the send is decided.

Nothing is kept: both rules look at what was sent lately, so a block ends by itself when that is
no longer so. A test number has neither prefix nor country here.
"""

from __future__ import annotations

from typing import Any

import sqlalchemy as sa
import sqlalchemy.orm

from otp_service.domain.limits import DAY, Guard, Pumping
from otp_service.domain.verification import Status
from otp_service.storage.db.answer import Row
from otp_service.storage.db.lookup import Lookup
from otp_service.storage.db.transaction import given
from otp_service.storage.models.deliveries import DeliveryRow
from otp_service.storage.models.dialects import from_now
from otp_service.storage.models.verifications import VerificationRow
from otp_service.storage.sql import conditions

D = sa.orm.aliased(DeliveryRow)
V = sa.orm.aliased(VerificationRow)
# Somebody read a code there: whoever asks for another one is a person, not a pump.
_WAS_VERIFIED = Lookup(
    sa.select(sa.true().label("was_verified"))
    .where(V.phone == given("phone"), V.status == Status.VERIFIED.value)
    .limit(1)
)


class PumpingGuard:
    """The rules as a lookup and a condition of the statements that store a message."""

    def __init__(self, rules: Pumping, *, conversion: bool = True) -> None:
        """Without ``conversion`` where it can't be known."""
        self._rules = rules
        self._conversion = conversion
        self._enough = -(-rules.percent * rules.sends // 100)
        self._others = _other_numbers(rules)
        self._verified = _verified_lately(rules)

    @property
    def lookups(self) -> list[Lookup]:
        verified = [self._verified] if self._conversion else []
        found = [self._others, *verified, _WAS_VERIFIED]
        return [] if self._rules.guard is Guard.OFF else found

    @property
    def admits(self) -> sa.ColumnElement[bool]:
        if self._rules.guard is not Guard.ENFORCE:
            return sa.true()
        few = self._others["other_numbers"] < self._rules.numbers.count
        if not self._conversion:
            return sa.or_(_WAS_VERIFIED["was_verified"], few)
        verified = self._verified["verified_lately"]
        enough = sa.func.coalesce(verified, self._rules.sends) >= self._enough
        return sa.or_(_WAS_VERIFIED["was_verified"], sa.and_(few, enough))

    @property
    def facts(self) -> list[sa.Label[Any]]:
        return [column for each in self.lookups for column in each.columns()]

    def suspicions(self, row: Row) -> tuple[str, ...]:
        """Which rules the message of this answer seems to break: prefix_numbers, conversion."""
        if self._rules.guard is Guard.OFF or row.was_verified:
            return ()
        seen = {
            self._rules.numbers.name: row.other_numbers >= self._rules.numbers.count,
            "conversion": self._conversion
            and row.verified_lately is not None
            and row.verified_lately < self._enough,
        }
        return tuple(name for name, is_so in seen.items() if is_so)

    @property
    def enforced(self) -> bool:
        return self._rules.guard is Guard.ENFORCE


def _other_numbers(rules_: Pumping) -> Lookup:
    """How many other numbers of the prefix got messages lately."""
    lately = D.created_at > from_now(-rules_.numbers.seconds)
    others = sa.and_(D.prefix == given("prefix", sa.String()), D.phone != given("phone"))
    query = sa.select(sa.func.count(D.phone.distinct()).label("other_numbers"))
    return Lookup(query.where(others, lately, conditions.cost(D)))


def _verified_lately(rules_: Pumping) -> Lookup:
    """How many of the country's newest verifications whose codes have ended were verified.

    Null if there were too few to tell. What is younger than a code's lifetime may yet be.
    """
    # Both at once, since only the index of both can find that: by time alone a rare country's are
    # looked for among all others'.
    place = sa.tuple_(V.country, V.created_at)
    country = given("country", sa.String())
    begins, ends = from_now(-DAY), from_now(given("ended", sa.Integer()))
    ended = (place >= sa.tuple_(country, begins), place <= sa.tuple_(country, ends))
    refused = sa.and_(V.status == Status.FAILED.value, V.attempts == 0)
    newest = (
        sa.select(V.status)
        .where(V.country.is_not(None), *ended, ~refused)
        .order_by(V.country.desc(), V.created_at.desc())
        .limit(rules_.sends)
        .subquery()
    )
    verified = sa.func.sum(sa.case((newest.c.status == Status.VERIFIED.value, 1), else_=0))
    enough = sa.func.count() >= rules_.sends
    verified_lately = sa.case((enough, verified)).label("verified_lately")
    return Lookup(sa.select(verified_lately).select_from(newest))
