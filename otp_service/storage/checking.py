"""The transaction that judges a code."""

from __future__ import annotations

from collections.abc import Sequence

import sqlalchemy as sa

from otp_service.domain.limits import Limit
from otp_service.domain.verification import Status
from otp_service.storage import rules
from otp_service.storage.functions import bind_tag
from otp_service.storage.models import AttemptRow, CodeRow, VerificationRow
from otp_service.storage.rules import ALWAYS, LIVE, NOW
from otp_service.storage.transaction import Transaction, given

V, C, A = VerificationRow, CodeRow, AttemptRow
ASKED = given("verification_id", sa.String())


def judge(limits: Sequence[Limit], secrets: int) -> Transaction:
    """Count one attempt, consume the code if it is right, and tell what became of it.

    ``secrets`` is how many secrets are configured: a code may have been made with any of them.
    The attempt's own row is the verdict: no row, not judged.
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
    attempt = {
        A.id: given("attempt_id"),
        A.verification_id: V.id,
        A.phone: V.phone,
        A.correct: right,
        A.created_at: NOW,
    }
    # One whose guesses are used up is not live any more: the last guess ended it, see _settle.
    judgeable = (V.id == theirs, LIVE, *(window.open for window in windows))
    judged = sa.select(*attempt.values()).where(*judgeable)
    answer = (
        sa.select(A.correct, *rules.facts(windows), *V.__table__.c)
        .select_from(ALWAYS)
        .outerjoin(V, V.id == theirs)
        .outerjoin(A, A.id == given("attempt_id"))
    )
    return Transaction(
        sa.insert(A).from_select(list(attempt), judged),
        _settle(),
        answer,
        serialize=given("phone"),
    )


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
