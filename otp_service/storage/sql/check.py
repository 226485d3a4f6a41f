"""Judging a code that a person typed."""

from __future__ import annotations

import random
from collections.abc import Iterator
from typing import Any

import sqlalchemy as sa
import sqlalchemy.orm

from otp_service.domain.checks import Check, CheckResult, Verdict
from otp_service.domain.limits import LOCKED_FOR, Limits
from otp_service.domain.quotas import Block
from otp_service.domain.verification import Status, Verification
from otp_service.storage.db.answer import Row
from otp_service.storage.db.database import Database
from otp_service.storage.db.lookup import Lookup, Seldom
from otp_service.storage.db.transaction import Statement, Transaction, given
from otp_service.storage.models.dialects import bind_tag, clock
from otp_service.storage.models.verifications import CodeRow, VerificationRow
from otp_service.storage.sql import attempts, conditions, phone_state, rows
from otp_service.storage.sql.attempts import EARLIER, KEY
from otp_service.storage.sql.columns import AS_OF, STORED
from otp_service.storage.sql.conditions import LIVE, NOW
from otp_service.storage.sql.limits import Used, disabled, wrong_guesses
from otp_service.storage.sql.request_rate import RequestRate

V, C = VerificationRow, CodeRow
ASKED = given("verification_id", sa.String())
PHONE = given("phone")


class CheckCode:
    """One round trip that judges a code under these ``limits``.

    ``secrets_count`` is how many secrets are configured: a code may have been made with any.
    """

    def __init__(self, limits: Limits, secrets_count: int) -> None:
        self._limits = limits
        self._wrong = wrong_guesses(limits)
        self._rate = RequestRate(limits.client_requests)
        self._is_open = self._open()
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
        found = rows.verification(row, repeated=row.earlier_id is not None)
        return self._result(check, row, found)

    def _result(self, check: Check, row: Row, found: Verification) -> CheckResult:
        """Order matters: a used-up verification says so even on a locked phone."""
        if row.correct:
            return CheckResult(Verdict.RIGHT, found)
        if row.correct is not None:
            left = max(0, found.max_attempts - row.failures)
            return CheckResult(Verdict.WRONG, found, attempts_remaining=left)
        if found.seconds_left and found.status is Status.FAILED and not found.attempts_remaining:
            return CheckResult(Verdict.USED_UP, found)
        if found.status is Status.PENDING and (block := self._block(check, row)):
            return CheckResult(Verdict.LOCKED, found, block)
        return CheckResult(Verdict.MISSING)

    def _block(self, check: Check, row: Row) -> Block | None:
        """What kept this answer's check from being judged, if it was one of the limits."""
        if row.is_disabled:  # nothing but an operator ends it
            return Block(self._limits.in_a_row, LOCKED_FOR)
        return Block.of(*rows.quota(row.as_of, self._used(check, row)))

    def _used(self, check: Check, row: Row) -> Iterator[Used]:
        """Who names a verification has the guesses that it got when it was issued, see `guesses`:
        for him the ceilings hold, which no number but a test number can meet while it has any.
        """
        if not check.verification_id:
            yield from self._wrong.used(row)
        yield from self._wrong.used(row, self._limits.guess_ceilings)

    def _open(self) -> Lookup:
        """No window of wrong guesses is full, of those that `_used` has."""
        ceilings = self._limits.guess_ceilings
        below = [self._wrong.count(n) < limit.count for n, limit in enumerate(ceilings)]
        by_phone = [sa.or_(ASKED.is_not(None), open_) for open_ in self._wrong.open]
        return Lookup(sa.select(sa.and_(sa.true(), *below, *by_phone).label("is_open")))

    def _statements(self) -> Transaction:
        """Count one attempt, consume the code if it is right, and tell what became of it.

        A request that is repeated with its idempotency key finds the attempt that it made before,
        and nothing is judged again.
        """
        their = self._theirs()
        judged = attempts.Judged(their)
        return Transaction(
            *self._rate.count,
            phone_state.ROW,
            Seldom(phone_state.IS_KNOWN, *self._wrong.lookups, self._is_open),
            Seldom(KEY.is_not(None), EARLIER),
            their,
            Seldom(judged.is_kept, judged.add()),
            Seldom(their["is_judged"], judged.settle(), judged.audit()),
            Seldom(judged.counts, judged.count_in_a_row(self._limits.failures_in_a_row)),
            self._answer(their, judged),
            name="check_code",
            serialize=[KEY, PHONE],
        )

    def _theirs(self) -> Lookup:
        """The person's newest verification, or the one that is asked for, or that of the request
        before: whether the code may be judged, and is right.

        One whose guesses are used up is not live any more: the last guess ended it. By the clock of
        now: `LIVE` is of the transaction's start, before it waited for its turn, and what has ended
        since may have given its guesses to another verification.
        """
        candidates = [bind_tag(V.id, given(name)) for name in self._tags]
        right = (
            C.verification_id == V.id,
            C.generation >= V.oldest_generation,
            C.expires_at > NOW,
            C.mac.in_(candidates),
        )
        may = (
            LIVE,
            V.expires_at > clock(),
            sa.func.coalesce(self._is_open["is_open"], sa.true()),
            ~disabled(ASKED, V.created_at),
            EARLIER["earlier_id"].is_(None),
            self._rate.admits,
        )
        judged = (C.mac.is_not(None).label("is_right"), sa.and_(*may).label("is_judged"))
        newest = conditions.newest_of_person(*STORED, *judged).outerjoin(C, sa.and_(*right))
        this = sa.func.coalesce(EARLIER["earlier_id"], ASKED, V.id)
        return Lookup(newest.where(V.id == this))

    def _answer(self, their: Lookup, judged: attempts.Judged) -> Statement:
        """The attempt is this one, or the one that the same request made before."""
        is_judged = their["is_judged"]
        correct = sa.case((is_judged, their["is_right"]), else_=EARLIER["earlier_correct"])
        failures = sa.case((is_judged, judged.failures), else_=EARLIER["earlier_failures"])
        attempt = [correct.label("correct"), failures.label("failures")]
        before = EARLIER.columns("earlier_id", "fingerprint")
        is_disabled = disabled(ASKED, their["created_at"]).label("is_disabled")
        counted = [is_disabled, *self._wrong.facts, *self._rate.facts]
        found = [
            sa.case((is_judged, judged.changes[name]), else_=their[name]).label(name)
            if name in judged.changes
            else their[name].label(name)
            for name in (str(column.key) for column in STORED)
        ]
        return sa.select(*attempt, *before, *counted, *found, AS_OF)


def _values(check: Check) -> dict[str, Any]:
    """What the statements are `given`."""
    return {
        **rows.of_request(check.person, check.phone_digest, check.key),
        "attempt_id": f"{random.getrandbits(128):032x}",
        "verification_id": check.verification_id,
        "exempt": check.exempt,
    }
