"""The homes: Postgres, and this machine's SQLite file for when Postgres is away.

Each verification has one home for life and its id begins with that home's letter. Nothing is
copied between them: copying is what lets a code be used twice. By phone alone a person's newest
verification decides. That is the fallback's for as long as the fallback knows an unexpired one of
this person: while one is live there nobody gets another, and before Postgres gets a new one the
fallback forgets those that have ended.
"""

from __future__ import annotations

import logging
import threading
import time
from collections.abc import Callable
from contextlib import suppress

from otp_service.domain.errors import HomeUnreachable, StorageUnavailable
from otp_service.domain.ports import (
    Check,
    Draft,
    Issued,
    Judged,
    PhoneQuestion,
    StoredMessage,
    StoreState,
    Verdict,
)
from otp_service.domain.verification import Delivery, Person, Status, Verification
from otp_service.storage.verifications import SqlStore

DRAIN_SECONDS = 1.0
log = logging.getLogger(__name__)

DraftFor = Callable[[str], Draft]


class Homes:
    """The domain's `Store`. ``fallback`` is None where ``primary`` is all there is."""

    def __init__(self, primary: SqlStore, fallback: SqlStore | None = None) -> None:
        self._primary = primary
        self._fallback = fallback
        self._draining = threading.Lock()

    def _home(self, verification_id: str) -> SqlStore:
        if self._fallback and verification_id.startswith(self._fallback.database.letter):
            return self._fallback
        return self._primary

    def issue(self, person: Person, draft_for: DraftFor) -> Issued:
        if self._fallback is None:
            return self._primary.issue(draft_for(self._primary.new_id()))
        if self._live_in(self._fallback, person):
            return self._issue_in(self._fallback, draft_for)
        try:
            return self._issue_in(self._primary, draft_for)
        except HomeUnreachable:
            # With a new id and code: the reply may have been lost, and then the first draft is
            # stored. Its code is never sent, so nobody can use it.
            issued = self._issue_in(self._fallback, draft_for)
        log.info("issued in the fallback, since the database can't be reached")
        self.drain()
        return issued

    def _issue_in(self, home: SqlStore, draft_for: DraftFor) -> Issued:
        return home.issue(draft_for(home.new_id()))

    def _live_in(self, fallback: SqlStore, person: Person) -> bool:
        """Whether the fallback has the person's live verification; it forgets one that ended."""
        try:
            known = fallback.known(person)
        except StorageUnavailable:  # a broken fallback must not end what Postgres can still do
            return False
        if known not in (None, Status.PENDING):
            fallback.forget(person)
        return known is Status.PENDING

    def reissue(self, draft: Draft) -> Issued:
        return self._home(draft.id).issue(draft)

    def live(self, person: Person) -> Verification | None:
        if self._fallback is None:
            return self._primary.live(person)
        if self._live_in(self._fallback, person):
            return self._fallback.live(person)
        try:
            return self._primary.live(person)
        except HomeUnreachable:
            return None

    def check(self, check: Check) -> Judged:
        if check.verification_id:
            return self._home(check.verification_id).check(check)
        if self._fallback is None:
            return self._primary.check(check)
        try:
            known = self._fallback.known(check.person)
        except StorageUnavailable:
            return self._check_primary_alone(check)
        return (self._fallback if known else self._primary).check(check)

    def _check_primary_alone(self, check: Check) -> Judged:
        """The fallback can't be read. "Missing" would be a guess, anything else is certain."""
        judged = self._primary.check(check)
        if judged.verdict is Verdict.MISSING:
            raise StorageUnavailable
        return judged

    def get(
        self, client: str, verification_id: str, *, support: bool = False
    ) -> Verification | None:
        return self._home(verification_id).get(client, verification_id, support=support)

    def of_phone(self, asked: PhoneQuestion) -> list[Verification]:
        """Postgres first: while it is away there is no list, and none is audited."""
        found = self._primary.of_phone(asked)
        if self._fallback and self._fallback.has_phone(asked.phone):
            found += self._fallback.of_phone(asked)
        newest_first = sorted(found, key=lambda each: each.created_at, reverse=True)
        return newest_first[: asked.count]

    def last_message(self, verification: Verification) -> Delivery | None:
        return self._home(verification.id).last_message(verification)

    def cancel(self, client: str, verification_id: str) -> Verification | None:
        return self._home(verification_id).cancel(client, verification_id)

    def recent_messages(self, provider: str, count: int) -> list[StoredMessage]:
        if self._fallback is None:
            return self._primary.recent_messages(provider, count)
        found = self._fallback.recent_messages(provider, count)
        with suppress(HomeUnreachable):
            found += self._primary.recent_messages(provider, count)
        return sorted(found, key=lambda message: message.delivery.created_at)[-count:]

    def state(self) -> StoreState:
        """Asks each home, but for a database that is known to be down."""
        database, fallback = _answers(self._primary), "off"
        if self._fallback:
            fallback = "unavailable"
            if _answers(self._fallback):
                draining = "draining" if self._fallback.unexpired() else "standby"
                fallback = "active" if self._primary.database.is_down else draining
        return StoreState("ok" if database else "unavailable", fallback)

    def drain(self) -> None:
        """Look after the fallback, in a thread of its own, until nothing in it is alive."""
        if self._fallback and self._draining.acquire(blocking=False):
            threading.Thread(target=self._drain, name="fallback-drain", daemon=True).start()

    def _drain(self) -> None:
        assert self._fallback
        removed, alive = 0, True
        try:
            while alive:
                time.sleep(DRAIN_SECONDS)
                if not self._primary.database.is_down:
                    removed += self._fallback.purge()
                    alive = self._fallback.unexpired() > 0
        except StorageUnavailable as failure:
            log.error("the fallback could not be purged: %s", failure.reason)
        else:
            log.info("the fallback has drained: verifications removed: %d", removed)
        finally:
            self._draining.release()


def _answers(home: SqlStore) -> bool:
    try:
        home.ping()
    except StorageUnavailable:
        return False
    return True
