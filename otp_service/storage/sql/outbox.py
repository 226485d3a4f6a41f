"""What became of a stored message, and who looks at it next: see the domain's `Outbox`."""

from __future__ import annotations

import secrets
from collections.abc import Mapping

import sqlalchemy as sa

from otp_service.domain import failures
from otp_service.domain.errors import DeliveryError
from otp_service.domain.messages import Outgoing
from otp_service.domain.verification import DeliveryStatus
from otp_service.storage.db.database import Database
from otp_service.storage.db.transaction import Transaction, given
from otp_service.storage.models.deliveries import DeliveryRow
from otp_service.storage.models.dialects import from_now
from otp_service.storage.models.verifications import CodeRow, VerificationRow
from otp_service.storage.sql import rows
from otp_service.storage.sql.conditions import LIVE, NOW, RELAYED, due
from otp_service.storage.sql.new_rows import PHONE
from otp_service.storage.sql.sealed_codes import (
    CAN_BE_READ,
    OF_DELIVERY,
    S,
    forget_ended,
    wipe_this,
)

V, C, D = VerificationRow, CodeRow, DeliveryRow
LEASE = 60.0  # seconds: several times what sending one message may take
QUEUED, FAILED = DeliveryStatus.QUEUED.value, DeliveryStatus.FAILED.value

THIS = D.id == given("delivery_id")
# A worker whose lease has ended, and who did not notice, changes nothing.
OURS = sa.and_(THIS, D.lease.is_not_distinct_from(given("lease", sa.String())))
DUE = from_now(given("due_in", sa.Float()))
CODE, REASON = given("error_code", sa.String()), given("reason", sa.String())
TRIES = sa.func.coalesce(D.tries, 0) + 1
MAY_BE_OUT = D.error_code == failures.UNCONFIRMED.code
Homes = Mapping[str, Database]
"""The databases by their letters, the primary home first."""


def home_of(homes: Homes, verification_id: str) -> Database:
    return homes.get(verification_id[0]) or next(iter(homes.values()))


def run_in_its_home(
    homes: Homes, transaction: Transaction, message: Outgoing, **values: object
) -> rows.Rows:
    return home_of(homes, message.verification_id).run(
        transaction,
        id=message.verification_id,
        delivery_id=message.delivery_id,
        generation=message.generation,
        phone=message.phone,
        lease=message.lease,
        **values,
    )


def reason_of(error: DeliveryError | None) -> dict[str, str | None]:
    code, reason = (error.failure.code, error.reason) if error else (None, None)
    return {"error_code": code, "reason": reason}


_IS_SUBMITTED = (
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
    )
)
_FIRST_SUBMITTED = Transaction(_IS_SUBMITTED, name="submitted")
_SUPERSEDES = (
    sa.update(V)
    .where(V.id == given("id"), V.oldest_generation < given("supersede"))
    .values(oldest_generation=given("supersede"))
)
_SUBMITTED = Transaction(_IS_SUBMITTED, _SUPERSEDES, name="submitted", serialize=[PHONE])
_SUBMITTED_SEALED = Transaction(
    _IS_SUBMITTED, _SUPERSEDES, wipe_this(), name="submitted_sealed", serialize=[PHONE]
)


def submitted(
    homes: Homes, message: Outgoing, provider_message_id: str, grace: int, due_in: float | None
) -> None:
    transaction = _SUBMITTED
    if message.sealed is not None:
        transaction = _SUBMITTED_SEALED
    elif message.generation == 1:  # before which there is no code to end
        transaction = _FIRST_SUBMITTED
    run_in_its_home(
        homes,
        transaction,
        message,
        provider_message_id=provider_message_id,
        supersede=message.generation - grace,
        due_in=due_in,
        wipe=due_in is None,
    )


_POSTPONE = Transaction(
    sa.update(D)
    .where(OURS)
    .values(error_code=CODE, reason=REASON, tries=TRIES, due_at=DUE, lease=None),
    name="postpone",
)


def postpone(homes: Homes, message: Outgoing, error: DeliveryError, due_in: float | None) -> None:
    run_in_its_home(homes, _POSTPONE, message, **reason_of(error), due_in=due_in)


_HAND_OVER = Transaction(
    sa.update(D)
    .where(THIS, D.status == QUEUED, D.error_code.is_(None), D.due_at.is_(None))
    .values(due_at=NOW)
)


def hand_over(homes: Homes, verification_id: str, delivery_id: str) -> None:
    home_of(homes, verification_id).run(_HAND_OVER, delivery_id=delivery_id)


_NEVER_SENT = sa.and_(D.status == QUEUED, sa.not_(sa.func.coalesce(MAY_BE_OUT, False)))
_CLOSED = (
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
_CLOSE = Transaction(_CLOSED, name="close")
_CLOSE_SEALED = Transaction(_CLOSED, wipe_this(), name="close_sealed")


def close(homes: Homes, message: Outgoing) -> None:
    transaction = _CLOSE if message.sealed is None else _CLOSE_SEALED
    run_in_its_home(homes, transaction, message, wipe=True)


def _take() -> Transaction:
    """Lease the messages that are due, and tell all that it takes to send them. Callers' codes
    that have ended are forgotten with the same message.
    """
    lease = given("lease")
    relayed = V.status == RELAYED
    newest = sa.and_(sa.or_(LIVE, relayed), V.generation == D.generation)
    current = sa.and_(newest, C.expires_at > NOW, CAN_BE_READ).label("current")
    of_this = sa.and_(C.verification_id == V.id, C.generation == D.generation)
    columns = [V.locale, C.secret_id, C.expires_at, S.sealed, NOW.label("as_of"), current]
    return Transaction(
        sa.update(D)
        .where(D.id.in_(sa.select(due(D).c.id)))
        .values(lease=lease, due_at=from_now(LEASE)),
        forget_ended(),
        sa.select(*D.__table__.c, *columns)
        .join(V, V.id == D.verification_id)
        .outerjoin(C, of_this)
        .outerjoin(S, OF_DELIVERY)
        .where(D.due_at.is_not(None), D.lease == lease)
        .order_by(D.created_at, D.id),
        name="take",
    )


_TAKE = _take()


def take(home: Database, count: int) -> list[Outgoing]:
    """Of one home."""
    found = home.run(_TAKE, count=count, lease=secrets.token_hex(8))
    return [rows.outgoing(row) for row in found]
