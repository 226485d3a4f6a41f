"""The store: the domain's `Store` on one SQL database."""

from __future__ import annotations

import secrets
from collections.abc import Sequence
from dataclasses import replace
from typing import Any

import sqlalchemy as sa

from otp_service.domain.limits import Limits
from otp_service.domain.ports import (
    Check,
    Draft,
    Issued,
    Judged,
    PhoneQuestion,
    Quota,
    RequestKey,
    StoredMessage,
    Verdict,
)
from otp_service.domain.verification import Delivery, Person, Status, Verification
from otp_service.storage import retention, rows
from otp_service.storage.db.database import Database
from otp_service.storage.db.transaction import Transaction
from otp_service.storage.sql import check as checking
from otp_service.storage.sql import issue as issuing
from otp_service.storage.sql import verifications
from otp_service.storage.sql.audit import masked


class SqlStore:
    """Verifications in one database.

    ``secrets_count`` is how many secrets are configured, so how many tags each check carries;
    ``limits`` are those that this database decides.
    """

    def __init__(
        self,
        database: Database,
        *,
        secrets_count: int,
        limits: Limits = Limits(),  # noqa: B008
    ) -> None:
        self.database = database
        self._limits = limits
        self._issuing = issuing.Issuing(limits)
        self._issuing_unaddressed = issuing.Issuing(replace(limits, address_sends=()))
        self._judging = checking.Judging(limits, secrets_count)
        self._resource = verifications.Resource(limits)

    def _run(self, transaction: Transaction, **values: object) -> Sequence[sa.Row[Any]]:
        return self.database.run(transaction, request_id=secrets.token_hex(16), **values)

    def new_id(self) -> str:
        """128 random bits behind the home's letter."""
        return self.database.letter + secrets.token_hex(16)

    def issue(self, draft: Draft) -> Issued:
        issuing = self._issuing if draft.address else self._issuing_unaddressed
        transaction = issuing.issue if draft.generation == 1 else issuing.reissue
        values = vars(draft.person) | vars(draft.wish) | vars(draft) | _key(draft.wish.key)
        (row,) = self._run(transaction, **values, masked=masked(draft.person.phone))
        issuing.rate.refuse(row)
        quota, limit = rows.quota(row, issuing.windows)
        if draft.exempt:
            quota, limit = Quota(self._limits.phone_sends[0].count), None
        suspicions = issuing.guard.suspicions(row)
        live = rows.verification(row) if row.id else None
        message, earlier = rows.issued(row, draft)
        block = lock = None
        if not (message or earlier):
            (why,) = self._run(issuing.look, **values)
            block, lock = issuing.blocks(why, draft)
        return Issued(
            draft,
            stored=message is not None,
            live=live,
            quota=quota,
            outgoing=message,
            limit=limit,
            earlier=earlier,
            block=None if draft.exempt else block,
            lock=lock,
            suspicions=suspicions,
            blocked=bool(suspicions) and issuing.guard.enforced,
        )

    def live(self, person: Person) -> Verification | None:
        return rows.first(self._run(verifications.LIVE_ONE, **vars(person)))

    def known(self, person: Person) -> Status | None:
        """That of the person's newest verification, until it expires. On SQLite only."""
        found = verifications.KNOWN.run(self.database.engine, **vars(person))
        return Status(found[0][0]) if found else None

    def forget(self, person: Person) -> None:
        """Let what the person has expire now."""
        self._run(verifications.FORGET, **vars(person))

    def unexpired(self) -> int:
        """How many verifications here may still be asked for by phone."""
        return len(self._run(verifications.ALL_UNEXPIRED))

    def purge(self) -> int:
        """Delete what has expired; how many verifications it were."""
        return retention.purge(self.database.engine)

    def check(self, check: Check) -> Judged:
        (row,) = self._run(
            self._judging.judge,
            attempt_id=secrets.token_hex(16),
            **vars(check.person),
            phone_digest=check.phone_digest,
            masked=masked(check.person.phone),
            verification_id=check.verification_id,
            exempt=check.exempt,
            **{f"tag_{number}": tag for number, tag in enumerate(check.tags)},
            **_key(check.key),
        )
        self._judging.rate.refuse(row)
        if check.key and row.fingerprint not in (None, *check.key.fingerprints):
            return Judged(Verdict.KEY_REUSED)
        return _judged(row, self._judging)

    def get(
        self, client: str, verification_id: str, *, support: bool = False
    ) -> Verification | None:
        read = self._resource.read_any if support else self._resource.read
        return self._resource_of(read, client, verification_id)

    def of_phone(self, asked: PhoneQuestion) -> list[Verification]:
        of_phone = self._resource.list_any if asked.support else self._resource.list
        found = self._run(of_phone, **vars(asked), masked=masked(asked.phone))
        self._resource.rate.refuse(found[0])
        return rows.all_with_deliveries(found)

    def has_phone(self, phone: str) -> bool:
        """Whether there is any verification of it. On SQLite only."""
        return bool(verifications.HAS_PHONE.run(self.database.engine, phone=phone))

    def last_message(self, verification: Verification) -> Delivery | None:
        found = self._run(
            verifications.LAST_MESSAGE, id=verification.id, generation=verification.generation
        )
        return rows.delivery(found[0]) if found else None

    def cancel(self, client: str, verification_id: str) -> Verification | None:
        return self._resource_of(self._resource.cancel, client, verification_id)

    def _resource_of(
        self, transaction: Transaction, client: str, verification_id: str
    ) -> Verification | None:
        found = self._run(transaction, client=client, id=verification_id)
        self._resource.rate.refuse(found[0])
        return rows.with_deliveries(found)

    def recent_messages(self, provider: str, count: int) -> list[StoredMessage]:
        found = self._run(verifications.RECENT, provider=provider, count=count)
        return [rows.message(row) for row in reversed(found)]

    def ping(self) -> None:
        self._run(verifications.PING)


def _key(key: RequestKey | None) -> dict[str, str | None]:
    return {
        "idempotency_key": key.idempotency_key if key else None,
        "fingerprint": key.fingerprints[0] if key else None,
    }


def _judged(row: sa.Row[Any], judging: checking.Judging) -> Judged:
    """The verdict. Order matters: a used-up verification says so even on a locked phone."""
    if row.id is None:
        return Judged(Verdict.MISSING)
    found = replace(rows.verification(row), repeated=row.earlier)
    if row.correct:
        return Judged(Verdict.RIGHT, found)
    if row.correct is not None:
        return Judged(Verdict.WRONG, replace(found, attempts=row.failures))
    if found.seconds_left and found.status is Status.FAILED and not found.attempts_remaining:
        return Judged(Verdict.USED_UP, found)
    if found.status is Status.PENDING and (block := judging.block(row)):
        return Judged(Verdict.LOCKED, found, block)
    return Judged(Verdict.MISSING)
