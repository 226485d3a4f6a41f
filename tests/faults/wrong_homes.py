"""Homes as one might build them: each breaks the promise, and `Promise` has to notice."""

from __future__ import annotations

import secrets
from contextlib import suppress

import sqlalchemy as sa

from otp_service.domain.checks import Check, CheckResult, Verdict
from otp_service.domain.drafts import Draft, Issued
from otp_service.domain.errors import HomeUnreachable, StorageUnavailable
from otp_service.storage.db.database import PING
from otp_service.storage.homes import Homes
from otp_service.storage.models.base import db
from otp_service.storage.verifications import SqlStore

TABLES = [db.metadata.tables[f"otp_service.{name}"] for name in ("verifications", "codes")]


class CopyingHomes(Homes):
    """When Postgres is back it gets a copy of what the fallback holds; either accepts a code."""

    def check(self, check: Check, /) -> CheckResult:
        if check.verification_id:
            return super().check(check)
        with suppress(StorageUnavailable, sa.exc.DBAPIError):
            self._primary.database.run(PING)
            copy(self._fallback, self._primary)
        result = super().check(check)
        if result.verdict is Verdict.MISSING and self._fallback.known(check.person):
            with suppress(HomeUnreachable):
                return self._primary.check(check)
        return result


def copy(source: SqlStore, target: SqlStore) -> None:
    for table in TABLES:
        with source.database.engine.connect() as reading:
            rows = [dict(found) for found in reading.execute(sa.select(table)).mappings()]
        key = list(table.primary_key)
        with target.database.engine.connect() as writing:
            for values in rows:
                known = sa.exists().where(*(column == values[column.name] for column in key))
                new = sa.select(*(sa.literal(v, table.c[n].type) for n, v in values.items()))
                writing.execute(sa.insert(table).from_select(list(values), new.where(~known)))


class ForgetfulHomes(Homes):
    """A phone that the fallback does not know has no code, it says, while Postgres is away."""

    def check(self, check: Check, /) -> CheckResult:
        try:
            return super().check(check)
        except HomeUnreachable:
            return CheckResult(Verdict.MISSING)


class RetryingHomes(Homes):
    """What Postgres did not confirm goes to the fallback as it is, with its id and its code."""

    def issue(self, draft: Draft, /) -> Issued:
        if self._live_in_fallback(draft.person):
            return self._fallback.issue(draft)
        its_id = self._primary.database.letter + secrets.token_hex(16)
        try:
            return self._primary.issue(draft, its_id)
        except HomeUnreachable:
            return self._fallback.issue(draft, its_id)
