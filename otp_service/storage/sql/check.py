"""The transaction that judges a code."""

from __future__ import annotations

from typing import Any

import sqlalchemy as sa
import sqlalchemy.orm
from sqlalchemy.dialects.postgresql import insert  # SQLite compiles its ON CONFLICT just as well

from otp_service.domain.limits import LOCKED_FOR, Limits
from otp_service.domain.ports import Block
from otp_service.domain.verification import Status
from otp_service.storage import rows
from otp_service.storage.access_models import PhoneRow
from otp_service.storage.db.transaction import Statement, Transaction, given
from otp_service.storage.dialects import bind_tag, clock
from otp_service.storage.models import AttemptRow, CodeRow, VerificationRow
from otp_service.storage.sql import conditions
from otp_service.storage.sql.audit import entry
from otp_service.storage.sql.conditions import ALWAYS, LIVE, NOW
from otp_service.storage.sql.request_rate import RequestRate

V, C, A, P = VerificationRow, CodeRow, AttemptRow, PhoneRow
ASKED = given("verification_id", sa.String())
KEY = given("idempotency_key", sa.String())
PHONE = given("phone")
THIS = given("attempt_id")
EARLIER = sa.orm.aliased(A)
THEIRS = conditions.newest_verification(sa.or_(ASKED.is_(None), V.id == ASKED))


class Judging:
    """The transaction under these ``limits``, and how its answer is read.

    ``secrets`` is how many secrets are configured: a code may have been made with any of them.
    """

    def __init__(self, limits: Limits, secrets: int) -> None:
        self.windows = conditions.failure_windows(limits, ASKED)
        self.rate = RequestRate(limits.client_requests)
        self._in_a_row = limits.in_a_row
        self.judge = self._transaction(secrets)

    def _transaction(self, secrets: int) -> Transaction:
        """Count one attempt, consume the code if it is right, and tell what became of it.

        The attempt's own row is the verdict: no row, not judged. A request that is repeated with
        its idempotency key finds the row that it made before, and nothing is judged again.
        """
        statements = [
            *self.rate.count,
            self._judged(secrets),
            _settle(),
            _count_in_a_row(self._in_a_row.count),
            _audited(),
            self._answer(),
        ]
        return Transaction(*statements, serialize=[*self.rate.locks, KEY, PHONE])

    def _judged(self, secrets: int) -> Statement:
        candidates = [bind_tag(V.id, given(f"tag_{number}")) for number in range(secrets)]
        right = sa.exists().where(
            C.verification_id == V.id,
            C.generation >= V.oldest_generation,
            C.expires_at > NOW,
            C.mac.in_(candidates),
        )
        attempt = _attempt(right)
        # One whose guesses are used up is not live any more: the last guess ended it, see _settle.
        # By the clock of now: `LIVE` is of the transaction's start, before it waited for its turn,
        # and what has ended since may have given its guesses to another verification.
        alive = (LIVE, V.expires_at > clock())
        judgeable = (V.id == THEIRS, *alive, *(window.open for window in self.windows))
        fresh = ~sa.exists().where(conditions.of_key(EARLIER, KEY))
        enabled = ~conditions.disabled(ASKED)
        new = sa.select(*attempt.values()).where(*judgeable, enabled, fresh, self.rate.admits)
        return sa.insert(A).from_select(list(attempt), new)

    def block(self, row: sa.Row[Any]) -> Block | None:
        """What kept this answer's check from being judged, if it was one of the limits."""
        if row.disabled:  # nothing but an operator ends it
            return Block(self._in_a_row, LOCKED_FOR)
        return Block.of(*rows.quota(row, self.windows))

    def _answer(self) -> Statement:
        """The attempt is this one, or the one that the same request made before."""
        facts = [*conditions.AS_OF, *conditions.facts(self.windows, ()), *self.rate.facts]
        disabled = conditions.disabled(ASKED).label("disabled")
        earlier = sa.func.coalesce(A.id != THIS, sa.false()).label("earlier")
        judged = (A.correct, A.failures, A.fingerprint, earlier, disabled)
        return (
            sa.select(*judged, *facts, *V.__table__.c)
            .select_from(ALWAYS)
            .outerjoin(A, sa.or_(A.id == THIS, conditions.of_key(A, KEY)))
            .outerjoin(V, V.id == sa.func.coalesce(A.verification_id, THEIRS))
        )


def _attempt(right: sa.ColumnElement[bool]) -> dict[Any, Any]:
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


def _settle() -> sa.Update:
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


def _count_in_a_row(most: int) -> Statement:
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


def _audited() -> Statement:
    return entry(
        "verification.checked",
        A,
        A.id == THIS,
        verification_id=A.verification_id,
        phone=given("masked", sa.String()),
        phone_digest=given("phone_digest"),
        detail=sa.case((A.correct, "right"), else_="wrong"),
    )
