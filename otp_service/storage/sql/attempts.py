"""What one attempt changes: its own row, its verification, the phone's wrong guesses in a row."""

from __future__ import annotations

from typing import Any

import sqlalchemy as sa
from sqlalchemy.dialects.postgresql import insert  # SQLite compiles its ON CONFLICT just as well

from otp_service.domain.verification import Status
from otp_service.storage.db.transaction import Statement, given
from otp_service.storage.models.dialects import clock
from otp_service.storage.models.limits import PhoneRow
from otp_service.storage.models.verifications import AttemptRow, VerificationRow
from otp_service.storage.sql.conditions import NOW

V, A, P = VerificationRow, AttemptRow, PhoneRow
KEY = given("idempotency_key", sa.String())
THIS = given("attempt_id")


def values(right: sa.ColumnElement[bool]) -> dict[Any, Any]:
    """The row's values."""
    return {
        A.id: THIS,
        A.verification_id: V.id,
        A.phone: V.phone,
        A.correct: right,
        A.failures: V.attempts + sa.case((right, 0), else_=1),
        A.created_at: clock(),
        A.idempotency_key: KEY,
        A.fingerprint: given("fingerprint", sa.String()),
    }


def settle() -> sa.Update:
    """What the attempt does to its verification."""
    this = A.id == THIS
    correct = sa.select(A.correct).where(this).scalar_subquery()
    return (
        sa.update(V)
        .where(V.id == sa.select(A.verification_id).where(this).scalar_subquery())
        .where(V.status == Status.PENDING.value)
        .values(
            attempts=V.attempts + sa.case((correct, 0), else_=1),
            verified_at=sa.case((correct, NOW)),
            status=sa.case(
                (correct, Status.VERIFIED.value),
                (V.attempts + 1 >= V.max_attempts, Status.FAILED.value),
                else_=V.status,
            ),
        )
    )


def count_in_a_row(most: int) -> Statement:
    """Wrong guesses of the phone since the last right one; too many disable it."""
    this = A.id == THIS
    wrong = sa.case((A.correct, 0), else_=1)
    known = sa.exists().where(P.phone == A.phone)
    at_once = sa.case((wrong >= most, clock()), else_=sa.null())
    first = sa.select(A.phone, wrong, at_once, NOW).where(this, sa.or_(~A.correct, known))
    again = insert(P).from_select(["phone", "failures", "disabled_at", "updated_at"], first)
    failures = sa.case((again.excluded.failures == 0, 0), else_=P.failures + 1)
    disabled_at = sa.case((failures >= most, sa.func.coalesce(P.disabled_at, clock())))
    changes = {"failures": failures, "disabled_at": disabled_at, "updated_at": NOW}
    return again.on_conflict_do_update(index_elements=[P.phone], set_=changes)
