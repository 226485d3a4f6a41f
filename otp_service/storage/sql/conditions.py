"""The pieces of SQL that several statements share."""

from __future__ import annotations

from typing import Any

import sqlalchemy as sa
import sqlalchemy.orm

from otp_service.domain import failures
from otp_service.domain.verification import Channel, DeliveryStatus, Status
from otp_service.storage.db.transaction import given
from otp_service.storage.models.deliveries import DeliveryRow
from otp_service.storage.models.dialects import from_now, timeline
from otp_service.storage.models.verifications import AttemptRow, VerificationRow

V, A, D = VerificationRow, AttemptRow, DeliveryRow
Condition = sa.ColumnElement[bool]

NOW = from_now(0)
OF_PERSON = sa.and_(
    V.client == given("client"), V.phone == given("phone"), V.purpose == given("purpose")
)


RELAYED = "relayed"
"""The status of a row of `verifications` whose code somebody else made and checks: it is no
verification, and none of the statuses that one has.
"""


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
WRONG = sa.and_(A.phone == given("phone"), A.correct.is_(sa.false()))


DAY = 86_400
# How long a phone that WhatsApp does not know is not tried there again, where an SMS may go
# instead: days if there is no such account, hours if it only can't be delivered to now.
NOT_ON_WHATSAPP = {failures.NOT_ON_WHATSAPP.code: 7 * DAY, failures.UNDELIVERABLE.code: DAY // 2}


def not_on_whatsapp(phone: sa.BindParameter[str]) -> Condition:
    """A WhatsApp message to the phone failed for such a reason, and none has arrived since."""
    F, L = sa.orm.aliased(D), sa.orm.aliased(D)  # noqa: N806 (failed, later)
    # Not as an index of all failures has it: those of this phone are looked for.
    failed_at = sa.func.coalesce(F.failed_at, F.created_at)
    reasons = [
        sa.and_(F.error_code == code, failed_at > from_now(-seconds))
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


KEY_IS_KNOWN = sa.select(D.id).where(of_key(D, given("idempotency_key", sa.String()))).limit(1)

# All at once, since only the index of all of them can find that. With an equality for each, a plan
# that was made while the table was empty may walk along all verifications by their time.
_WHO = sa.tuple_(V.client, V.phone, V.purpose)
_THIS_PERSON = sa.tuple_(given("client"), given("phone"), given("purpose"))
_BACKWARDS = (V.client.desc(), V.phone.desc(), V.purpose.desc(), V.created_at.desc())


def newest_of_person(*columns: Any) -> sa.Select[Any]:
    """Of the person's verifications the newest."""
    theirs = sa.select(*columns).where(_WHO >= _THIS_PERSON, _WHO <= _THIS_PERSON)
    theirs = theirs.where(V.status != RELAYED)
    return theirs.order_by(*_BACKWARDS).limit(1)


def newest_verification(*conditions: Condition) -> sa.ScalarSelect[str]:
    """The id of the newest of which that is true. Only that one can be live."""
    return newest_of_person(V.id).where(*conditions).scalar_subquery()


# One row always: a person without any verification still has limits.
ALWAYS = sa.select(sa.literal(1).label("one")).subquery("always")


def due(row: Any) -> sa.CTE:
    """The ids of what a worker has to look at, oldest first, without what another one holds."""
    found = sa.select(row.id).where(row.due_at <= NOW).order_by(row.due_at)
    return found.limit(given("count", sa.Integer())).with_for_update(skip_locked=True).cte("due")
