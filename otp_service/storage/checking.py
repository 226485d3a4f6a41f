"""The transaction that judges a code."""

from __future__ import annotations

from collections.abc import Sequence
from typing import Any

import sqlalchemy as sa
import sqlalchemy.orm

from otp_service.domain.limits import Limit
from otp_service.domain.verification import Status
from otp_service.storage import rules
from otp_service.storage.functions import bind_tag
from otp_service.storage.models import AttemptRow, CodeRow, VerificationRow
from otp_service.storage.rules import ALWAYS, LIVE, NOW
from otp_service.storage.transaction import Transaction, given

V, C, A = VerificationRow, CodeRow, AttemptRow
ASKED = given("verification_id", sa.String())
KEY = given("idempotency_key", sa.String())
EARLIER = sa.orm.aliased(A)


def judge(limits: Sequence[Limit], secrets: int) -> Transaction:
    """Count one attempt, consume the code if it is right, and tell what became of it.

    ``secrets`` is how many secrets are configured: a code may have been made with any of them.
    The attempt's own row is the verdict: no row, not judged. A request that is repeated with its
    idempotency key finds the row that it made before, and nothing is judged again.
    """
    windows = rules.failure_windows(limits)
    theirs = rules.newest_verification(sa.or_(ASKED.is_(None), V.id == ASKED))
    candidates = [bind_tag(V.id, given(f"tag_{number}")) for number in range(secrets)]
    right = sa.exists().where(
        C.verification_id == V.id,
        C.generation >= V.oldest_generation,
        C.expires_at > NOW,
        C.mac.in_(candidates),
    )
    attempt = _attempt(right)
    # One whose guesses are used up is not live any more: the last guess ended it, see _settle.
    judgeable = (V.id == theirs, LIVE, *(window.open for window in windows))
    fresh = ~sa.exists().where(rules.of_key(EARLIER, KEY))
    judged = sa.select(*attempt.values()).where(*judgeable, fresh)
    # The attempt is this one, or the one that the same request made before.
    answer = (
        sa.select(A.correct, A.failures, A.fingerprint, *rules.facts(windows), *V.__table__.c)
        .select_from(ALWAYS)
        .outerjoin(A, sa.or_(A.id == given("attempt_id"), rules.of_key(A, KEY)))
        .outerjoin(V, V.id == sa.func.coalesce(A.verification_id, theirs))
    )
    return Transaction(
        sa.insert(A).from_select(list(attempt), judged),
        _settle(),
        answer,
        serialize=[KEY, given("phone")],
    )


def _attempt(right: sa.ColumnElement[bool]) -> dict[Any, Any]:
    """The row's values."""
    return {
        A.id: given("attempt_id"),
        A.verification_id: V.id,
        A.phone: V.phone,
        A.correct: right,
        A.failures: V.attempts + sa.case((right, 0), else_=1),
        A.created_at: NOW,
        A.idempotency_key: KEY,
        A.fingerprint: given("fingerprint", sa.String()),
    }


def _settle() -> sa.Update:
    """What the attempt does to its verification."""
    this = A.id == given("attempt_id")
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
