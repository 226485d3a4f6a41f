"""The pieces of SQL that several statements share."""

from __future__ import annotations

from collections.abc import Sequence
from typing import Any

import sqlalchemy as sa
import sqlalchemy.orm

from otp_service.domain import failures
from otp_service.domain.failures import Outcome
from otp_service.domain.limits import Limit, Limits
from otp_service.domain.verification import Channel, DeliveryStatus, Status
from otp_service.storage.access_models import PhoneRow
from otp_service.storage.db.transaction import given
from otp_service.storage.dialects import from_now, timeline
from otp_service.storage.models import AttemptRow, DeliveryRow, VerificationRow

V, A, D = VerificationRow, AttemptRow, DeliveryRow
Condition = sa.ColumnElement[bool]

NOW = from_now(0)
OF_PERSON = sa.and_(
    V.client == given("client"), V.phone == given("phone"), V.purpose == given("purpose")
)


def same_timeline(row: Any) -> Condition:
    """After a failover to a standby that lagged behind, what was consumed may look unused again:
    a code that was issued on another timeline is void.
    """
    return sa.or_(row.timeline.is_(None), row.timeline == timeline())


def live(row: Any) -> Condition:
    """A verification that can still be verified."""
    pending = row.status == Status.PENDING.value
    return sa.and_(pending, row.expires_at > NOW, same_timeline(row))


LIVE = live(V)


# A message that was refused reached nobody and cost nothing, so it does not count.
def cost(row: Any) -> Condition:
    return sa.or_(row.status != DeliveryStatus.FAILED.value, row.submitted_at.is_not(None))


SENT = sa.and_(D.phone == given("phone"), cost(D))
FAILED = sa.and_(A.phone == given("phone"), A.correct.is_(sa.false()))


DAY = 86_400
# How long a phone that WhatsApp does not know is not tried there again, where an SMS may go
# instead: days if there is no such account, hours if it only can't be delivered to now.
NOT_ON_WHATSAPP = {failures.NOT_ON_WHATSAPP.code: 7 * DAY, failures.UNDELIVERABLE.code: DAY // 2}


def not_on_whatsapp(phone: sa.BindParameter[str]) -> Condition:
    """A WhatsApp message to the phone failed for such a reason, and none has arrived since."""
    F, L = sa.orm.aliased(D), sa.orm.aliased(D)  # noqa: N806 (failed, later)
    reasons = [
        sa.and_(F.error_code == code, F.failed_at > from_now(-seconds))
        for code, seconds in NOT_ON_WHATSAPP.items()
    ]
    later = sa.exists().where(
        L.phone == phone, L.channel == F.channel, L.delivered_at > F.failed_at
    )
    on_whatsapp = F.channel == Channel.WHATSAPP.value
    recent = F.created_at > from_now(-max(NOT_ON_WHATSAPP.values()) - DAY)
    failed = F.status == DeliveryStatus.FAILED.value
    return sa.exists().where(
        F.phone == phone, recent, on_whatsapp, failed, sa.or_(*reasons), ~later
    )


def of_key(row: Any, key: sa.BindParameter[str]) -> Condition:
    """Of a request with this idempotency key, which counts for 24 hours."""
    return sa.and_(row.idempotency_key == key, row.created_at > from_now(-DAY))


def newest_verification(*conditions: Condition) -> sa.ScalarSelect[str]:
    """The id of the person's newest verification: only that one can be live."""
    query = sa.select(V.id).where(OF_PERSON, *conditions).order_by(V.created_at.desc()).limit(1)
    return query.scalar_subquery()


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
    by_phone_alone = sa.and_(FAILED, verification_id.is_(None))
    counted = dict.fromkeys(limits.phone_failures, by_phone_alone)
    counted |= dict.fromkeys(limits.guess_ceilings, FAILED)
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


# What `rows.verification` needs besides the row.
AS_OF: tuple[sa.Label[Any], ...] = (NOW.label("as_of"), same_timeline(V).label("same_timeline"))


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


# One row always: a person without any verification still has limits.
ALWAYS = sa.select(sa.literal(1).label("one")).subquery("always")


def due(row: Any) -> sa.CTE:
    """The ids of what a worker has to look at, oldest first, without what another one holds."""
    found = sa.select(row.id).where(row.due_at <= NOW).order_by(row.due_at)
    return found.limit(given("count", sa.Integer())).with_for_update(skip_locked=True).cte("due")
