"""Homes as one might build them: each breaks the promise, and `Promise` has to notice."""

from __future__ import annotations

from contextlib import suppress

import sqlalchemy as sa

from otp_service.domain.errors import HomeUnreachable, StorageUnavailable
from otp_service.domain.ports import Check, Issued, Judged, Verdict
from otp_service.domain.verification import Person
from otp_service.storage.homes import DraftFor, Homes
from otp_service.storage.models import db
from otp_service.storage.verifications import SqlStore

TABLES = [db.metadata.tables[f"otp_service.{name}"] for name in ("verifications", "codes")]


class CopyingHomes(Homes):
    """When Postgres is back it gets a copy of what the fallback holds; either accepts a code."""

    def check(self, check: Check) -> Judged:
        if self._fallback is None or check.verification_id:
            return super().check(check)
        with suppress(StorageUnavailable, sa.exc.DBAPIError):
            self._primary.ping()
            copy(self._fallback, self._primary)
        judged = super().check(check)
        if judged.verdict is Verdict.MISSING and self._fallback.known(check.person):
            with suppress(HomeUnreachable):
                return self._primary.check(check)
        return judged


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

    def check(self, check: Check) -> Judged:
        try:
            return super().check(check)
        except HomeUnreachable:
            return Judged(Verdict.MISSING)


class RetryingHomes(Homes):
    """What Postgres did not confirm goes to the fallback as it is, with its id and its code."""

    def issue(self, person: Person, draft_for: DraftFor) -> Issued:
        assert self._fallback
        if self._live_in(self._fallback, person):
            return self._issue_in(self._fallback, draft_for)
        draft = draft_for(self._primary.new_id())
        try:
            return self._primary.issue(draft)
        except HomeUnreachable:
            return self._fallback.issue(draft)
