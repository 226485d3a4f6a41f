"""The store: the domain's `Store` on one SQL database."""

from __future__ import annotations

import secrets
from collections.abc import Sequence
from dataclasses import replace
from typing import Any

import sqlalchemy as sa

from otp_service.domain.limits import FAILURES, SENDS, Limit
from otp_service.domain.ports import (
    Check,
    Draft,
    Issued,
    Judged,
    Quota,
    RequestKey,
    StoredMessage,
    Verdict,
)
from otp_service.domain.verification import Person, Status, Verification
from otp_service.storage import checking, issuing, reading, retention, rows
from otp_service.storage.database import Database
from otp_service.storage.transaction import Transaction


class SqlStore:
    """Verifications in one database.

    ``secrets_count`` is how many secrets are configured, so how many tags each check carries;
    ``instances`` how many such databases share the limits.
    """

    def __init__(self, database: Database, *, secrets_count: int, instances: int = 1) -> None:
        self.database = database
        self._sends = [limit.shared_by(instances) for limit in SENDS]
        self._failures = [limit.shared_by(instances) for limit in FAILURES]
        self._issue = issuing.issue(self._sends)
        self._reissue = issuing.reissue(self._sends)
        self._judge = checking.judge(self._failures, secrets_count)

    def _run(self, transaction: Transaction, **values: object) -> Sequence[sa.Row[Any]]:
        return self.database.run(transaction, **values)

    def new_id(self) -> str:
        """128 random bits behind the home's letter."""
        return self.database.letter + secrets.token_hex(16)

    def issue(self, draft: Draft) -> Issued:
        transaction = self._issue if draft.generation == 1 else self._reissue
        values = vars(draft.person) | vars(draft.wish) | vars(draft) | _key(draft.wish.key)
        (row,) = self._run(transaction, **values)
        quota, limit = rows.quota(row, self._sends)
        if draft.exempt:
            quota, limit = Quota(self._sends[0].count), None
        live = rows.verification(row) if row.id else None
        message, earlier = rows.issued(row, draft)
        return Issued(
            draft,
            stored=message is not None,
            live=live,
            quota=quota,
            outgoing=message,
            limit=limit,
            earlier=earlier,
        )

    def live(self, person: Person) -> Verification | None:
        return rows.first(self._run(reading.LIVE_ONE, **vars(person)))

    def known(self, person: Person) -> Status | None:
        """That of the person's newest verification, until it expires. On SQLite only."""
        found = reading.KNOWN.run(self.database.engine, **vars(person))
        return Status(found[0][0]) if found else None

    def forget(self, person: Person) -> None:
        """Let what the person has expire now."""
        self._run(reading.FORGET, **vars(person))

    def unexpired(self) -> int:
        """How many verifications here may still be asked for by phone."""
        return len(self._run(reading.ALL_UNEXPIRED))

    def purge(self) -> int:
        """Delete what has expired; how many verifications it were."""
        return retention.purge(self.database.engine)

    def check(self, check: Check) -> Judged:
        (row,) = self._run(
            self._judge,
            attempt_id=secrets.token_hex(16),
            **vars(check.person),
            verification_id=check.verification_id,
            **{f"tag_{number}": tag for number, tag in enumerate(check.tags)},
            **_key(check.key),
        )
        if check.key and row.fingerprint not in (None, *check.key.fingerprints):
            return Judged(Verdict.KEY_REUSED)
        return _judged(row, self._failures)

    def get(self, client: str, verification_id: str) -> Verification | None:
        return rows.with_deliveries(self._run(reading.ONE, client=client, id=verification_id))

    def cancel(self, client: str, verification_id: str) -> Verification | None:
        return rows.with_deliveries(self._run(reading.CANCEL, client=client, id=verification_id))

    def recent_messages(self, provider: str, count: int) -> list[StoredMessage]:
        found = self._run(reading.RECENT, provider=provider, count=count)
        return [rows.message(row) for row in reversed(found)]

    def ping(self) -> None:
        self._run(reading.PING)


def _key(key: RequestKey | None) -> dict[str, str | None]:
    return {
        "idempotency_key": key.idempotency_key if key else None,
        "fingerprint": key.fingerprints[0] if key else None,
    }


def _judged(row: sa.Row[Any], limits: Sequence[Limit]) -> Judged:
    """The verdict. Order matters: a used-up verification says so even on a locked phone."""
    if row.id is None:
        return Judged(Verdict.MISSING)
    found = rows.verification(row)
    if row.correct:
        return Judged(Verdict.RIGHT, found)
    if row.correct is not None:
        return Judged(Verdict.WRONG, replace(found, attempts=row.failures))
    if found.expires_in and found.status is Status.FAILED and not found.attempts_remaining:
        return Judged(Verdict.USED_UP, found)
    quota, limit = rows.quota(row, limits)
    if found.status is Status.PENDING and limit:
        return Judged(Verdict.LOCKED, found, quota.retry_after, limit)
    return Judged(Verdict.MISSING)
