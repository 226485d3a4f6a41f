"""Judging a code that a person typed."""

from __future__ import annotations

import secrets
from dataclasses import replace
from typing import Any

import sqlalchemy as sa
import sqlalchemy.orm

from otp_service.domain.checks import Check, CheckResult, Verdict
from otp_service.domain.limits import LOCKED_FOR, Limits
from otp_service.domain.quotas import Block
from otp_service.domain.verification import Status, Verification
from otp_service.storage.db.answer import Row
from otp_service.storage.db.database import Database
from otp_service.storage.db.transaction import Statement, Transaction, given
from otp_service.storage.models.dialects import bind_tag, clock
from otp_service.storage.models.verifications import AttemptRow, CodeRow, VerificationRow
from otp_service.storage.sql import attempts, conditions, rows
from otp_service.storage.sql.attempts import KEY, THIS
from otp_service.storage.sql.audit import entry
from otp_service.storage.sql.columns import VERIFICATION
from otp_service.storage.sql.conditions import ALWAYS, LIVE, NOW
from otp_service.storage.sql.limits import disabled, facts, failure_windows
from otp_service.storage.sql.request_rate import RequestRate

V, C, A = VerificationRow, CodeRow, AttemptRow
ASKED = given("verification_id", sa.String())
PHONE = given("phone")
EARLIER = sa.orm.aliased(A)
THEIRS = conditions.newest_verification(sa.or_(ASKED.is_(None), V.id == ASKED))


class CheckCode:
    """One round trip that judges a code under these ``limits``.

    ``secrets_count`` is how many secrets are configured: a code may have been made with any.
    """

    def __init__(self, limits: Limits, secrets_count: int) -> None:
        self._limits = limits
        self._windows = failure_windows(limits, ASKED)
        self._rate = RequestRate(limits.client_requests)
        self._tags = [f"tag_{number}" for number in range(secrets_count)]
        self._transaction = self._statements()

    def run(self, database: Database, check: Check) -> CheckResult:
        tags = dict(zip(self._tags, check.tags, strict=True))
        (row,) = database.run(self._transaction, **_values(check), **tags)
        rows.refuse_caller(row, self._limits.client_requests)
        if check.key and row.fingerprint not in (None, *check.key.fingerprints):
            return CheckResult(Verdict.KEY_REUSED)
        if row.id is None:
            return CheckResult(Verdict.MISSING)
        return self._result(row, rows.verification(row))

    def _result(self, row: Row, found: Verification) -> CheckResult:
        """Order matters: a used-up verification says so even on a locked phone."""
        found = replace(found, repeated=row.earlier)
        if row.correct:
            return CheckResult(Verdict.RIGHT, found)
        if row.correct is not None:
            left = max(0, found.max_attempts - row.failures)
            return CheckResult(Verdict.WRONG, found, attempts_remaining=left)
        if found.seconds_left and found.status is Status.FAILED and not found.attempts_remaining:
            return CheckResult(Verdict.USED_UP, found)
        if found.status is Status.PENDING and (block := self._block(row)):
            return CheckResult(Verdict.LOCKED, found, block)
        return CheckResult(Verdict.MISSING)

    def _block(self, row: Row) -> Block | None:
        """What kept this answer's check from being judged, if it was one of the limits."""
        if row.disabled:  # nothing but an operator ends it
            return Block(self._limits.in_a_row, LOCKED_FOR)
        return Block.of(*rows.quota(row, self._windows))

    def _statements(self) -> Transaction:
        """Count one attempt, consume the code if it is right, and tell what became of it.

        The attempt's own row is the verdict: no row, not judged. A request that is repeated with
        its idempotency key finds the row that it made before, and nothing is judged again.
        """
        statements = [
            *self._rate.count,
            self._attempt(),
            attempts.settle(),
            attempts.count_in_a_row(self._limits.failures_in_a_row),
            _audited(),
            self._answer(),
        ]
        locks = [*self._rate.locks, KEY, PHONE]
        return Transaction(*statements, name="check_code", serialize=locks)

    def _attempt(self) -> Statement:
        candidates = [bind_tag(V.id, given(name)) for name in self._tags]
        right = sa.exists().where(
            C.verification_id == V.id,
            C.generation >= V.oldest_generation,
            C.expires_at > NOW,
            C.mac.in_(candidates),
        )
        attempt = attempts.values(right)
        # One whose guesses are used up is not live any more: the last guess ended it, see
        # `attempts.settle`. By the clock of now: `LIVE` is of the transaction's start, before it
        # waited for its turn, and what has ended since may have given its guesses to another
        # verification.
        alive = (LIVE, V.expires_at > clock())
        judgeable = (V.id == THEIRS, *alive, *(window.open for window in self._windows))
        fresh = ~sa.exists().where(conditions.of_key(EARLIER, KEY))
        enabled = ~disabled(ASKED)
        new = sa.select(*attempt.values()).where(*judgeable, enabled, fresh, self._rate.admits)
        return sa.insert(A).from_select(list(attempt), new)

    def _answer(self) -> Statement:
        """The attempt is this one, or the one that the same request made before."""
        counted = [*facts(self._windows, ()), *self._rate.facts]
        earlier = sa.func.coalesce(A.id != THIS, sa.false()).label("earlier")
        attempt = (A.correct, A.failures, A.fingerprint, earlier, disabled(ASKED).label("disabled"))
        return (
            sa.select(*attempt, *counted, *VERIFICATION)
            .select_from(ALWAYS)
            .outerjoin(A, sa.or_(A.id == THIS, conditions.of_key(A, KEY)))
            .outerjoin(V, V.id == sa.func.coalesce(A.verification_id, THEIRS))
        )


def _values(check: Check) -> dict[str, Any]:
    """What the statements are `given`."""
    return {
        **rows.of_request(check.person, check.phone_digest, check.key),
        "attempt_id": secrets.token_hex(16),
        "verification_id": check.verification_id,
        "exempt": check.exempt,
    }


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
