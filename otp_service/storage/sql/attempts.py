"""What one attempt changes: its own row, its verification, the phone's wrong guesses in a row."""

from __future__ import annotations

from typing import Any

import sqlalchemy as sa
import sqlalchemy.orm
from sqlalchemy.dialects.postgresql import insert  # SQLite compiles its ON CONFLICT just as well

from otp_service.domain.verification import Status
from otp_service.storage.db.lookup import Lookup
from otp_service.storage.db.transaction import Statement, given
from otp_service.storage.models.dialects import clock
from otp_service.storage.models.limits import PhoneRow
from otp_service.storage.models.verifications import AttemptRow, VerificationRow
from otp_service.storage.sql import conditions, phone_state
from otp_service.storage.sql.audit import entry
from otp_service.storage.sql.conditions import ALWAYS, NOW

V, A, P = VerificationRow, AttemptRow, PhoneRow
KEY = given("idempotency_key", sa.String())
PHONE = given("phone", sa.String())

EARLIER = Lookup(
    sa.select(
        A.verification_id.label("earlier_id"),
        A.correct.label("earlier_correct"),
        A.failures.label("earlier_failures"),
        A.fingerprint,
    ).where(conditions.of_key(A, KEY))
)
"""The attempt of a request with this idempotency key."""


class Judged:
    """The statements on an attempt, if ``their`` verification says that it is judged."""

    def __init__(self, their: Lookup) -> None:
        self._id, self._right, self._is_so = (
            their[name] for name in ("id", "is_right", "is_judged")
        )
        self._wrong = sa.case((self._right, 0), else_=1)
        self.failures = their["attempts"] + self._wrong
        """Wrong guesses of the verification, this one included."""
        used_up = self.failures >= their["max_attempts"]
        self.changes: dict[str, sa.ColumnElement[Any]] = {
            "attempts": self.failures,
            "verified_at": sa.case((self._right, NOW)),
            "status": sa.case(
                (self._right, Status.VERIFIED.value),
                (used_up, Status.FAILED.value),
                else_=their["status"],
            ),
        }
        """What it does to its verification, by column."""
        self.counts = sa.and_(self._is_so, sa.or_(sa.not_(self._right), phone_state.IS_KNOWN))
        """Whether it changes how many guesses in a row were wrong."""
        self.is_kept = sa.and_(self._is_so, sa.or_(sa.not_(self._right), KEY.is_not(None)))
        """Whether anybody asks for its row: limits do, and the same request that is repeated."""

    def add(self) -> Statement:
        """Its own row."""
        attempt = {
            A.id: given("attempt_id", sa.String()),
            A.verification_id: self._id,
            A.phone: PHONE,
            A.correct: self._right,
            A.failures: self.failures,
            A.created_at: clock(),
            A.idempotency_key: KEY,
            A.fingerprint: given("fingerprint", sa.String()),
        }
        new = sa.select(*attempt.values()).where(self.is_kept)
        return sa.insert(A).from_select(list(attempt), new)

    def settle(self) -> Statement:
        """Its verification, which is as `_theirs` found it: the phone's lock is held."""
        pending = (V.id == self._id, self._is_so, V.status == Status.PENDING.value)
        return sa.update(V).where(*pending).values(self.changes)

    def count_in_a_row(self, most: int) -> Statement:
        """Wrong guesses of the phone since the last right one; too many disable it."""
        at_once = sa.case((self._wrong >= most, clock()), else_=sa.null())
        first = sa.select(PHONE, self._wrong, at_once, NOW).where(self.counts)
        again = insert(P).from_select(["phone", "failures", "disabled_at", "updated_at"], first)
        failures = sa.case((again.excluded.failures == 0, 0), else_=P.failures + 1)
        disabled_at = sa.case((failures >= most, sa.func.coalesce(P.disabled_at, clock())))
        changes = {"failures": failures, "disabled_at": disabled_at, "updated_at": NOW}
        return again.on_conflict_do_update(index_elements=[P.phone], set_=changes)

    def audit(self) -> Statement:
        return entry(
            "verification.checked",
            ALWAYS,
            self._is_so,
            verification_id=self._id,
            phone=given("masked", sa.String()),
            phone_digest=given("phone_digest"),
            detail=sa.case((self._right, "right"), else_="wrong"),
        )
