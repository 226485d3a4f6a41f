"""Limits as SQL: how many events their windows hold.

The events of one subject, such as the messages to a phone, are looked up once. Whether something is
let in is decided in the transaction, by their counts; their times go to the answer, which tells
how much is left, or until when a limit is met.
"""

from __future__ import annotations

from collections.abc import Iterator, Sequence
from datetime import datetime
from typing import Any, NamedTuple

import sqlalchemy as sa
import sqlalchemy.orm

from otp_service.domain import failures
from otp_service.domain.failures import Outcome
from otp_service.domain.limits import Limit, Limits
from otp_service.storage.db.answer import Row
from otp_service.storage.db.lookup import Lookup, Seldom
from otp_service.storage.db.transaction import given
from otp_service.storage.models.deliveries import DeliveryRow
from otp_service.storage.models.dialects import from_now, times
from otp_service.storage.models.verifications import AttemptRow, VerificationRow
from otp_service.storage.sql import phone_state
from otp_service.storage.sql.conditions import DAY, Condition, cost

V, A, D = VerificationRow, AttemptRow, DeliveryRow
PHONE = given("phone", sa.String())
_FOR_EVER = 366 * DAY  # no window is as long


class Kind(NamedTuple):
    """Of the events of a subject: what is counted, and the limits that count it."""

    counted: Condition
    limits: Sequence[Limit]


class Used(NamedTuple):
    """How many ``events`` a limit's window holds; ``full_since`` if it is full."""

    limit: Limit
    events: int
    full_since: datetime | None


class Events:
    """Rows with a time, of one subject; its columns are named after ``name``.

    Where only ``rare`` rows of a subject count, they are counted if there are any.
    """

    def __init__(
        self, name: str, time: Any, subject: Condition, *kinds: Kind, rare: Condition | None = None
    ) -> None:
        self._name = name
        self._kinds = [kind for kind in kinds if kind.limits]
        columns: list[Any] = [
            sa.func.count().filter(kind.counted, time > from_now(-limit.seconds))
            for kind in self._kinds
            for limit in kind.limits
        ]
        named: list[sa.Label[Any]] = [
            column.label(f"{name}_{number}") for number, column in enumerate(columns)
        ]
        for number, kind in enumerate(self._kinds):
            named.append(times(time).filter(kind.counted).label(f"{name}_times_{number}"))
        longest = max((limit.seconds for limit in self.limits), default=0)
        recent = (subject, time > from_now(-longest))
        self._lookup = Lookup(sa.select(*named).where(*recent)) if named else None
        self._any: Lookup | None = None
        if rare is not None:
            self._any = Lookup(sa.select(time.label(f"{name}_any")).where(*recent, rare).limit(1))

    @property
    def limits(self) -> list[Limit]:
        return [limit for kind in self._kinds for limit in kind.limits]

    @property
    def lookups(self) -> list[Lookup | Seldom]:
        """For a transaction, behind `phone_state.ROW`."""
        if self._lookup is None or self._any is None:
            return [self._lookup] if self._lookup else []
        is_any = self._any[f"{self._name}_any"].is_not(None)
        return [self._any, Seldom(is_any, self._lookup)]

    def count(self, number: int) -> sa.ColumnElement[int]:
        """How many events the window of this limit of `limits` holds."""
        assert self._lookup is not None
        return sa.func.coalesce(self._lookup[f"{self._name}_{number}"], 0)

    @property
    def open(self) -> list[Condition]:
        """One condition a limit."""
        return [self.count(number) < limit.count for number, limit in enumerate(self.limits)]

    @property
    def facts(self) -> list[sa.Label[Any]]:
        """For `used`, as columns of an answer."""
        names = [f"{self._name}_times_{number}" for number in range(len(self._kinds))]
        return self._lookup.columns(*names) if self._lookup else []

    def times(self, row: Row, kind: int = 0) -> list[datetime]:
        """Of one kind, newest first."""
        return sorted(getattr(row, f"{self._name}_times_{kind}") or (), reverse=True)

    def used(
        self, row: Row, limits: Sequence[Limit] | None = None, *, added: int = 0
    ) -> Iterator[Used]:
        """Of each limit, or of others over the first kind.

        ``added`` events are of the answer's own transaction.
        """
        for number, kind in enumerate(self._kinds):
            found = [row.as_of] * added + self.times(row, number)
            ages = [(row.as_of - time).total_seconds() for time in found]
            for limit in kind.limits if limits is None else limits:
                recent = sum(age < limit.seconds for age in ages)
                full = recent >= limit.count
                yield Used(limit, recent, found[limit.count - 1] if full else None)


# What a provider refuses for the recipient's or the destination's sake, unless another message
# went out in its place. What is the account's fault, or the provider's, locks nobody out.
_NOT_OURS = (Outcome.RECIPIENT, Outcome.DESTINATION)
_REFUSALS = [code for code, failure in failures.FAILURES.items() if failure.outcome in _NOT_OURS]


def _refused() -> Condition:
    its = sa.orm.aliased(D)
    replaced = sa.exists().where(its.verification_id == D.verification_id, its.follows == D.id)
    theirs = D.error_code.in_([sa.literal(code) for code in _REFUSALS])
    return sa.and_(~cost(D), theirs, ~replaced)


def _since_unlocked(time: Any) -> Condition:
    """An operator who unlocks a phone lets everything before count no more."""
    unlocked_at = phone_state.ROW["unlocked_at"]
    since: Condition = time > sa.func.coalesce(unlocked_at, from_now(-_FOR_EVER))
    return since


_TO_PHONE = sa.and_(D.phone == PHONE, _since_unlocked(D.created_at))


def messages_to_phone(limits: Limits) -> Events:
    """That went out: in the order of ``limits.sends``."""
    its = sa.orm.aliased(V)
    purpose = sa.exists().where(its.id == D.verification_id, its.purpose == given("purpose"))
    return Events(
        "to_phone",
        D.created_at,
        _TO_PHONE,
        Kind(cost(D), limits.phone_sends),
        Kind(sa.and_(cost(D), purpose), limits.purpose_sends + limits.cooldown),
    )


def messages_of_address(limits: Limits) -> Events:
    address = D.address == given("address", sa.String())
    return Events("of_address", D.created_at, address, Kind(cost(D), limits.address_sends))


def refusals_to_phone(limits: Limits) -> Events:
    kind = Kind(_refused(), limits.phone_refusals)
    return Events("refused", D.created_at, _TO_PHONE, kind, rare=~cost(D))


def refusals_of_client(limits: Limits) -> Events:
    client = D.client == given("client", sa.String())
    kind = Kind(_refused(), limits.client_refusals)
    return Events("of_client", D.failed_at, client, kind, rare=~cost(D))


def wrong_guesses(limits: Limits) -> Events:
    """For the phone, whatever the verification."""
    wrong = sa.and_(A.phone == PHONE, A.correct.is_(sa.false()), _since_unlocked(A.created_at))
    return Events("wrong", A.created_at, wrong, Kind(sa.true(), limits.phone_failures))


def disabled(verification_id: sa.BindParameter[Any], began_at: Any) -> Condition:
    """The phone had too many wrong guesses in a row, before the verification that is named began.

    One that was begun before has guesses that were counted among those, but a test number's, which
    may have any number of live ones.
    """
    exempt = given("exempt", sa.Boolean())
    before = sa.or_(verification_id.is_(None), exempt, phone_state.ROW["disabled_at"] < began_at)
    return sa.and_(phone_state.DISABLED, before)


# Of which a page may tell the person how much is left.
COUNTED_DOWN = ("phone_sends", "purpose_sends")
