"""Looking at messages that were stored."""

from __future__ import annotations

import sqlalchemy as sa

from otp_service.domain.ports import StoredMessage
from otp_service.domain.verification import Delivery, Verification
from otp_service.storage.db.database import Database
from otp_service.storage.db.transaction import Transaction, given
from otp_service.storage.models.deliveries import DeliveryRow
from otp_service.storage.models.verifications import CodeRow, VerificationRow
from otp_service.storage.sql import rows
from otp_service.storage.sql.columns import DELIVERY, ITS_CODE, VERIFICATION
from otp_service.storage.sql.sealed_codes import OF_DELIVERY, S

V, C, D = VerificationRow, CodeRow, DeliveryRow

_RECENT = Transaction(
    sa.select(*VERIFICATION, *DELIVERY, C.secret_id, C.mac, S.sealed)
    .select_from(D)
    .join(V, V.id == D.verification_id)
    .join(C, ITS_CODE)
    .outerjoin(S, OF_DELIVERY)
    .where(D.provider == given("provider"))
    .order_by(D.created_at.desc(), D.id)
    .limit(given("count", sa.Integer())),
    name="recent_messages",
    reads=True,
)
_LAST = Transaction(
    sa.select(*DELIVERY)
    .select_from(D)
    .outerjoin(C, ITS_CODE)
    .where(D.verification_id == given("id"), D.generation == given("generation"))
    .order_by(D.created_at.desc(), D.id)
    .limit(1),
    name="last_message",
    reads=True,
)
_BEGUN = Transaction(
    sa.select(*VERIFICATION, *DELIVERY)
    .select_from(V)
    .outerjoin(D, D.verification_id == V.id)
    .outerjoin(C, ITS_CODE)
    .where(V.id == given("id"))
    .order_by(D.created_at, D.generation, D.id),
    name="begun",
    reads=True,
)


def recent(database: Database, provider: str, count: int) -> list[StoredMessage]:
    """The newest messages of one provider, oldest first."""
    found = database.run(_RECENT, provider=provider, count=count)
    return [rows.message(row) for row in reversed(found)]


def begun(database: Database, verification_id: str) -> Verification | None:
    """A verification with its deliveries, be it whose it may."""
    return rows.with_deliveries(database.run(_BEGUN, id=verification_id))


def last(database: Database, verification: Verification) -> Delivery | None:
    """The newest message with the verification's newest code."""
    found = database.run(_LAST, id=verification.id, generation=verification.generation)
    return rows.delivery(found[0]) if found else None
