"""Codes that callers made: sealed until nobody needs them any more, then wiped.

What is wiped stays as an empty text until the code has ended: without any row, a code is taken for
one of ours, and another one would be derived.
"""

from __future__ import annotations

from typing import Any

import sqlalchemy as sa

from otp_service.domain.verification import DeliveryStatus
from otp_service.storage.db.transaction import Statement, given
from otp_service.storage.models.deliveries import DeliveryRow
from otp_service.storage.models.verifications import SealedCodeRow, VerificationRow
from otp_service.storage.sql.conditions import NOW, OF_PERSON, RELAYED, Condition

S, D, V = SealedCodeRow, DeliveryRow, VerificationRow
WIPED = ""
OF_DELIVERY = sa.and_(S.verification_id == D.verification_id, S.generation == D.generation)
CAN_BE_READ = sa.or_(S.sealed.is_(None), S.sealed != WIPED)
"""Where its row is joined if there is one: no caller made it, or it is not wiped yet."""


def is_wiped() -> Condition:
    """The code of this delivery."""
    return sa.exists().where(OF_DELIVERY, S.sealed == WIPED)


def wipe(*which: Condition) -> sa.Update:
    return sa.update(S).where(S.sealed != WIPED, *which).values(sealed=WIPED)


def wipe_this() -> Statement:
    """The one of the message that a transaction is about."""
    this = (S.verification_id == given("id"), S.generation == given("generation"))
    return wipe(*this, given("wipe", sa.Boolean()))


def wipe_of(deliveries: Any) -> Statement:
    """Those of ``deliveries``, which is a query of their ids."""
    return wipe(sa.exists().where(OF_DELIVERY, D.id.in_(deliveries)))


def overtake(is_stored: Condition) -> Statement:
    """Those that were relayed to the same person before and are not out, or may be sent again."""
    before = sa.select(V.id).where(
        OF_PERSON, V.status == RELAYED, V.expires_at > NOW, V.id != given("id")
    )
    waits = sa.or_(D.status == DeliveryStatus.QUEUED.value, D.due_at.is_not(None))
    return wipe(is_stored, S.verification_id.in_(before), sa.exists().where(OF_DELIVERY, waits))


def forget_ended() -> Statement:
    return sa.delete(S).where(S.expires_at <= NOW)
