"""The transactions on stored messages: what became of one, and who looks at it next."""

from __future__ import annotations

from typing import Any

import sqlalchemy as sa
import sqlalchemy.orm

from otp_service.domain import failures
from otp_service.domain.verification import Channel, DeliveryStatus, Status
from otp_service.storage.db.transaction import Transaction, given
from otp_service.storage.models.deliveries import DeliveryRow
from otp_service.storage.models.dialects import UtcTime, from_now
from otp_service.storage.models.verifications import CodeRow, VerificationRow
from otp_service.storage.sql.conditions import LIVE, NOW, due
from otp_service.storage.sql.new_rows import PHONE

V, C, D = VerificationRow, CodeRow, DeliveryRow
OTHER = sa.orm.aliased(D)
LEASE = 60.0  # seconds: several times what sending one message may take
QUEUED, FAILED = DeliveryStatus.QUEUED.value, DeliveryStatus.FAILED.value
SMS = Channel.SMS.value

THIS = D.id == given("delivery_id")
# A worker whose lease has ended, and who did not notice, changes nothing.
OURS = sa.and_(THIS, D.lease.is_not_distinct_from(given("lease", sa.String())))
THIS_CODE = sa.and_(C.verification_id == given("id"), C.generation == given("generation"))
DUE = from_now(given("due_in", sa.Float()))
CODE, REASON = given("error_code", sa.String()), given("reason", sa.String())
TRIES = sa.func.coalesce(D.tries, 0) + 1
MAY_BE_OUT = D.error_code == failures.UNCONFIRMED.code

SUBMITTED = Transaction(
    sa.update(D)
    .where(THIS, D.status == QUEUED)
    .values(
        status=DeliveryStatus.SUBMITTED.value,
        submitted_at=NOW,
        provider_message_id=given("provider_message_id"),
        error_code=None,  # of a try before
        reason=None,
        tries=TRIES,
        due_at=DUE,
        lease=None,
    ),
    sa.update(V)
    .where(V.id == given("id"), V.oldest_generation < given("supersede"))
    .values(oldest_generation=given("supersede")),
    serialize=[PHONE],
)

POSTPONE = Transaction(
    sa.update(D)
    .where(OURS)
    .values(error_code=CODE, reason=REASON, tries=TRIES, due_at=DUE, lease=None)
)

_NEVER_SENT = sa.and_(D.status == QUEUED, sa.not_(sa.func.coalesce(MAY_BE_OUT, False)))
CLOSE = Transaction(
    sa.update(D)
    .where(OURS)
    .values(
        due_at=None,
        lease=None,
        status=sa.case((_NEVER_SENT, FAILED), else_=D.status),
        failed_at=sa.case((_NEVER_SENT, NOW), else_=D.failed_at),
        error_code=sa.case(
            (_NEVER_SENT, sa.func.coalesce(D.error_code, failures.OVERTAKEN.code)),
            else_=D.error_code,
        ),
    )
)


def _fail(error_code: sa.ColumnElement[str]) -> sa.Update:
    """End this message's turn: failed, if there is an error and it had not been sent."""
    fails = sa.and_(error_code.is_not(None), D.status == QUEUED)
    return (
        sa.update(D)
        .where(OURS)
        .values(
            due_at=None,
            lease=None,
            status=sa.case((fails, FAILED), else_=D.status),
            failed_at=sa.case((fails, NOW), else_=D.failed_at),
            error_code=sa.case((fails, error_code), else_=D.error_code),
            reason=sa.case((fails, REASON), else_=D.reason),
            tries=sa.case((fails, TRIES), else_=D.tries),
        )
    )


def _refused() -> Transaction:
    """Undo what storing the code did, so that the person can ask again at once.

    Unless another message carries the code too. The codes sent before stay good until their own
    expiry; without any the verification ends.
    """
    failed = sa.exists().where(THIS, D.status == FAILED)
    carried = sa.exists().where(
        OTHER.verification_id == given("id"),
        OTHER.generation == given("generation"),
        OTHER.id != given("delivery_id"),
        sa.or_(OTHER.submitted_at.is_not(None), OTHER.error_code == failures.UNCONFIRMED.code),
    )
    others = sa.select(sa.func.max(C.expires_at, type_=UtcTime()))
    last_expiry = others.where(C.verification_id == given("id")).scalar_subquery()
    ended = sa.case((last_expiry.is_(None), Status.FAILED.value), else_=V.status)
    return Transaction(
        _fail(CODE),
        sa.delete(C).where(THIS_CODE, failed, ~carried),
        sa.update(V)
        .where(V.id == given("id"), V.status == Status.PENDING.value, failed)
        .values(expires_at=sa.func.coalesce(last_expiry, V.expires_at), status=ended),
        serialize=[PHONE],
    )


REFUSED = _refused()


def _follow() -> Transaction:
    """Another message with the same code, once: see `Outbox.follow`."""
    new = given("new_id")
    had_its_sms = sa.exists().where(OTHER.verification_id == V.id, OTHER.channel == SMS)
    may = sa.and_(
        THIS,
        D.lease.is_(None),  # as `_fail` leaves it, if it was ours
        D.delivered_at.is_(None),
        LIVE,
        V.generation == D.generation,
        ~sa.exists().where(OTHER.verification_id == V.id, OTHER.follows == D.id),
        sa.or_(given("channel") != SMS, D.channel == SMS, ~had_its_sms),
    )
    counted = (D.address, D.prefix, D.client)  # by limits, like the one before
    values: dict[Any, Any] = {column: column for column in counted} | {
        D.id: new,
        D.verification_id: D.verification_id,
        D.phone: D.phone,
        D.generation: D.generation,
        D.channel: given("channel"),
        D.provider: given("provider"),
        D.status: sa.literal(QUEUED),
        D.created_at: NOW,
        D.background: D.background,
        D.auto: given("auto", sa.Boolean()),
        D.follows: D.id,
        D.tries: D.tries,
        D.due_at: DUE,
        D.lease: given("new_lease", sa.String()),
    }
    row = sa.select(*values.values()).select_from(D).join(V, V.id == D.verification_id).where(may)
    stored = sa.exists().where(D.id == new)
    return Transaction(
        _fail(CODE),
        sa.insert(D).from_select(list(values), row),
        sa.update(V).where(V.id == given("id"), stored).values(channel=given("channel")),
        sa.select(D.id, D.tries).where(D.id == new),
        serialize=[PHONE],
    )


FOLLOW = _follow()


def _take() -> Transaction:
    """Lease the messages that are due, and tell all that it takes to send them."""
    lease = given("lease")
    current = sa.and_(LIVE, V.generation == D.generation, C.expires_at > NOW)
    of_this = sa.and_(C.verification_id == V.id, C.generation == D.generation)
    columns = [V.locale, C.secret_id, C.expires_at, NOW.label("as_of"), current.label("current")]
    return Transaction(
        sa.update(D)
        .where(D.id.in_(sa.select(due(D).c.id)))
        .values(lease=lease, due_at=from_now(LEASE)),
        sa.select(*D.__table__.c, *columns)
        .join(V, V.id == D.verification_id)
        .outerjoin(C, of_this)
        .where(D.due_at.is_not(None), D.lease == lease)
        .order_by(D.created_at, D.id),
    )


TAKE = _take()
