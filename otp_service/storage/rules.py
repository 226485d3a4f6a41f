"""The pieces of SQL that several statements share."""

from __future__ import annotations

from collections.abc import Sequence
from typing import Any

import sqlalchemy as sa

from otp_service.domain.limits import Limit
from otp_service.domain.verification import DeliveryStatus, Status
from otp_service.storage.functions import from_now, timeline
from otp_service.storage.models import AttemptRow, DeliveryRow, VerificationRow
from otp_service.storage.transaction import given

V, A, D = VerificationRow, AttemptRow, DeliveryRow
Condition = sa.ColumnElement[bool]

NOW = from_now(0)
OF_PERSON = sa.and_(
    V.client == given("client"), V.phone == given("phone"), V.purpose == given("purpose")
)
# After a failover to a standby that lagged behind, what was consumed may look unused again: a
# code that was issued on another timeline is void.
SAME_TIMELINE = sa.or_(V.timeline.is_(None), V.timeline == timeline())
LIVE = sa.and_(V.status == Status.PENDING.value, V.expires_at > NOW, SAME_TIMELINE)

# A message that was refused reached nobody and cost nothing, so it does not count.
SENT = sa.and_(
    D.phone == given("phone"),
    sa.or_(D.status != DeliveryStatus.FAILED.value, D.submitted_at.is_not(None)),
)
FAILED = sa.and_(A.phone == given("phone"), A.correct.is_(sa.false()))


def newest_verification(*conditions: Condition) -> sa.ScalarSelect[str]:
    """The id of the person's newest verification: only that one can be live."""
    query = sa.select(V.id).where(OF_PERSON, *conditions).order_by(V.created_at.desc()).limit(1)
    return query.scalar_subquery()


class Window:
    """A limit over rows with a time: how many there were, and since when it is full."""

    def __init__(self, limit: Limit, created_at: Any, counted: Condition) -> None:
        recent = sa.and_(counted, created_at > from_now(-limit.seconds))
        self.used = sa.select(sa.func.count()).where(recent).scalar_subquery()
        # The window is full as long as its limit-th newest event has not left it.
        nth = sa.select(created_at).where(recent).order_by(created_at.desc())
        self.full_since = nth.offset(limit.count - 1).limit(1).scalar_subquery()

    @property
    def open(self) -> Condition:
        return self.full_since.is_(None)


def send_windows(limits: Sequence[Limit]) -> list[Window]:
    return [Window(limit, D.created_at, SENT) for limit in limits]


def failure_windows(limits: Sequence[Limit]) -> list[Window]:
    return [Window(limit, A.created_at, FAILED) for limit in limits]


# What `rows.verification` needs besides the row.
AS_OF: tuple[sa.Label[Any], ...] = (NOW.label("as_of"), SAME_TIMELINE.label("same_timeline"))


def facts(windows: Sequence[Window]) -> list[sa.Label[Any]]:
    """The store's clock and every window's state, as columns."""
    columns = list(AS_OF)
    for number, window in enumerate(windows):
        columns.append(window.used.label(f"used_{number}"))
        columns.append(window.full_since.label(f"full_since_{number}"))
    return columns


# One row always: a person without any verification still has limits.
ALWAYS = sa.select(sa.literal(1).label("one")).subquery("always")
