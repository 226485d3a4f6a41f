"""Limits as SQL: how many events their windows hold, and since when they are full."""

from __future__ import annotations

from collections.abc import Sequence
from typing import Any

import sqlalchemy as sa
import sqlalchemy.orm

from otp_service.domain import failures
from otp_service.domain.failures import Outcome
from otp_service.domain.limits import Limit, Limits
from otp_service.storage.db.transaction import given
from otp_service.storage.models.deliveries import DeliveryRow
from otp_service.storage.models.dialects import from_now
from otp_service.storage.models.limits import PhoneRow
from otp_service.storage.models.verifications import AttemptRow, VerificationRow
from otp_service.storage.sql.conditions import DAY, SENT, WRONG, Condition, cost

V, A, D = VerificationRow, AttemptRow, DeliveryRow
P = PhoneRow
# An operator who unlocks a phone lets everything before count no more.
UNLOCKED_AT = sa.select(P.unlocked_at).where(P.phone == given("phone")).scalar_subquery()


class Window:
    """A limit over rows with a time: how many there were, and since when it is full."""

    def __init__(
        self, limit: Limit, created_at: Any, counted: Condition, *, since: Any = None
    ) -> None:
        self.limit = limit
        recent = sa.and_(counted, created_at > from_now(-limit.seconds))
        if since is not None:
            recent = sa.and_(recent, created_at > sa.func.coalesce(since, from_now(-DAY * 366)))
        self.used = sa.select(sa.func.count()).where(recent).scalar_subquery()
        # The window is full as long as its limit-th newest event has not left it.
        nth = sa.select(created_at).where(recent).order_by(created_at.desc())
        self.full_since = nth.offset(limit.count - 1).limit(1).scalar_subquery()

    @property
    def open(self) -> Condition:
        return self.full_since.is_(None)


# What a provider refuses for the recipient's or the destination's sake, unless another message
# went out in its place. What is the account's fault, or the provider's, locks nobody out.
_NOT_OURS = (Outcome.RECIPIENT, Outcome.DESTINATION)
_REFUSALS = [code for code, failure in failures.FAILURES.items() if failure.outcome in _NOT_OURS]


def _refused() -> Condition:
    its = sa.orm.aliased(D)
    replaced = sa.exists().where(its.verification_id == D.verification_id, its.follows == D.id)
    theirs = sa.or_(*(D.error_code == code for code in _REFUSALS))
    return sa.and_(~cost(D), theirs, ~replaced)


def refusal_windows(limits: Limits) -> list[Window]:
    """Of messages that were refused: to the phone, and of the client."""
    to_phone = sa.and_(D.phone == given("phone"), _refused())
    windows = [
        Window(limit, D.created_at, to_phone, since=UNLOCKED_AT) for limit in limits.phone_refusals
    ]
    of_client = sa.and_(D.client == given("client", sa.String()), _refused())
    return windows + [Window(limit, D.failed_at, of_client) for limit in limits.client_refusals]


def send_windows(limits: Limits) -> list[Window]:
    """In the order of ``limits.sends``."""
    its = sa.orm.aliased(V)
    purpose = sa.exists().where(its.id == D.verification_id, its.purpose == given("purpose"))
    to_phone = dict.fromkeys(limits.phone_sends, SENT)
    for_purpose = dict.fromkeys(limits.purpose_sends + limits.cooldown, sa.and_(SENT, purpose))
    windows = [
        Window(limit, D.created_at, counted, since=UNLOCKED_AT)
        for limit, counted in (to_phone | for_purpose).items()
    ]
    of_address = sa.and_(D.address == given("address", sa.String()), cost(D))
    return windows + [Window(limit, D.created_at, of_address) for limit in limits.address_sends]


def failure_windows(limits: Limits, verification_id: sa.BindParameter[Any]) -> list[Window]:
    """Wrong guesses for the phone, whatever the verification.

    Who names one has the guesses that it got when it was issued, see `guesses`: for him the
    ceilings hold, which no number but a test number can meet while it has any.
    """
    by_phone_alone = sa.and_(WRONG, verification_id.is_(None))
    counted = dict.fromkeys(limits.phone_failures, by_phone_alone)
    counted |= dict.fromkeys(limits.guess_ceilings, WRONG)
    return [
        Window(limit, A.created_at, failed, since=UNLOCKED_AT) for limit, failed in counted.items()
    ]


def disabled(verification_id: sa.BindParameter[Any]) -> Condition:
    """The phone had too many wrong guesses in a row, before the verification that is named.

    One that was begun before has guesses that were counted among those, but a test number's, which
    may have any number of live ones.
    """
    beginning = sa.select(V.created_at).where(V.id == verification_id).scalar_subquery()
    exempt = given("exempt", sa.Boolean())
    before = sa.or_(verification_id.is_(None), exempt, P.disabled_at < beginning)
    return sa.exists().where(P.phone == given("phone"), P.disabled_at.is_not(None), before)


# Of which a page may tell the person how much is left.
COUNTED_DOWN = ("phone_sends", "purpose_sends")


def facts(windows: Sequence[Window], counted: Sequence[str]) -> list[sa.Label[Any]]:
    """Every window's state, as columns; of limits with these names how much is used, too."""
    columns = []
    for number, window in enumerate(windows):
        columns.append(window.full_since.label(f"full_since_{number}"))
        if window.limit.name in counted:
            columns.append(window.used.label(f"used_{number}"))
    return columns
