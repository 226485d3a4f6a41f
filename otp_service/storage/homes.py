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
from contextlib import suppress

from otp_service.domain.checks import Check, CheckResult, Verdict
from otp_service.domain.drafts import Draft, Issued
from otp_service.domain.errors import HomeUnreachable, StorageUnavailable
from otp_service.domain.ports import PhoneQuery, StoredMessage, StoreState
from otp_service.domain.verification import Delivery, Person, RelayedMessage, Status, Verification
from otp_service.storage.db.sqlite_file import SqliteFile
from otp_service.storage.verifications import SqlStore
from otp_service.syscalls import FileState

DRAIN_SECONDS = 1.0
log = logging.getLogger(__name__)


class Homes:
    """The domain's `Store` over a ``primary`` home and the ``fallback`` for when it is away."""

    def __init__(self, primary: SqlStore, fallback: SqlStore, *, worker_here: bool = True) -> None:
        """``worker_here``: a worker of this machine sends what the fallback keeps."""
        self._worker_here = worker_here
        self._primary = primary
        self._fallback = fallback
        self._draining = threading.Lock()
        self._file = SqliteFile(fallback.database.engine)
        self._nobody_as_of: FileState | None = None

    def _home(self, verification_id: str) -> SqlStore:
        in_fallback = verification_id.startswith(self._fallback.database.letter)
        return self._fallback if in_fallback else self._primary

    def issue(self, draft: Draft, /) -> Issued:
        if self._live_in_fallback(draft.person):
            return self._fallback.issue(draft)
        try:
            return self._primary.issue(draft)
        except HomeUnreachable:
            # With another id and code: the reply may have been lost, and then the first message is
            # stored. Its code is never sent, so nobody can use it.
            issued = self._fallback.issue(draft)
        log.info("issued in the fallback, since the database can't be reached")
        self.drain()
        return issued

    def _live_in_fallback(self, person: Person) -> bool:
        """Whether the fallback has the person's live verification; it forgets one that ended."""
        try:
            known = self._known(person)
        except StorageUnavailable:  # a broken fallback must not end what Postgres can still do
            return False
        if known not in (None, Status.PENDING):
            self._fallback.forget(person)
        return known is Status.PENDING

    def _known(self, person: Person) -> Status | None:
        """What the fallback knows of the person. It is not asked while nobody has written to its
        file since it knew nobody, as nearly always.
        """
        if self._nobody_as_of is not None and self._nobody_as_of == self._file.state():
            return None
        state = self._file.settled_state()
        known = self._fallback.known(person)
        if state and known is None and not self._fallback.knows_anybody():
            self._nobody_as_of = state
        return known

    def reissue(self, draft: Draft, verification_id: str, generation: int, /) -> Issued:
        return self._home(verification_id).reissue(draft, verification_id, generation)

    def relay(self, draft: Draft, /) -> Issued:
        if self._was_asked_in_fallback(draft):
            return self._fallback.relay(draft)
        try:
            return self._primary.relay(draft)
        except HomeUnreachable:
            if draft.options.background and not self._worker_here:
                raise
            issued = self._fallback.relay(draft)
        log.info("relayed in the fallback, since the database can't be reached")
        self.drain()
        return issued

    def _was_asked_in_fallback(self, draft: Draft) -> bool:
        """Whether the same request was stored there, while the database was away."""
        key = draft.options.key
        if key is None or (self._nobody_as_of and self._nobody_as_of == self._file.state()):
            return False
        try:
            return self._fallback.knows_key(key.idempotency_key)
        except StorageUnavailable:
            return False

    def relayed(
        self, client: str, message_id: str, /, *, support: bool = False
    ) -> RelayedMessage | None:
        return self._home(message_id).relayed(client, message_id, support=support)

    def live(self, person: Person, /) -> Verification | None:
        if self._live_in_fallback(person):
            return self._fallback.live(person)
        try:
            return self._primary.live(person)
        except HomeUnreachable:
            return None

    def check(self, check: Check, /) -> CheckResult:
        if check.verification_id:
            return self._home(check.verification_id).check(check)
        try:
            known = self._known(check.person)
        except StorageUnavailable:
            return self._check_primary_alone(check)
        return (self._fallback if known else self._primary).check(check)

    def _check_primary_alone(self, check: Check) -> CheckResult:
        """The fallback can't be read. "Missing" would be a guess, anything else is certain."""
        result = self._primary.check(check)
        if result.verdict is Verdict.MISSING:
            raise StorageUnavailable
        return result

    def get(
        self, client: str, verification_id: str, /, *, support: bool = False
    ) -> Verification | None:
        return self._home(verification_id).get(client, verification_id, support=support)

    def of_phone(self, query: PhoneQuery, /) -> list[Verification]:
        """Postgres first: while it is away there is no list, and none is audited."""
        found = self._primary.of_phone(query)
        if self._fallback.has_phone(query.phone):
            found += self._fallback.of_phone(query)
        newest_first = sorted(found, key=lambda each: each.created_at, reverse=True)
        return newest_first[: query.count]

    def begun(self, verification_id: str, /) -> Verification | None:
        return self._home(verification_id).begun(verification_id)

    def last_message(self, verification: Verification, /) -> Delivery | None:
        return self._home(verification.id).last_message(verification)

    def id_of(self, digits: str, /) -> str:
        """The fallback's, if it has it: while that can't be asked, "nobody's" would be a guess."""
        here, there = self._fallback.id_of(digits), self._primary.id_of(digits)
        try:
            return here if self._fallback.has(here) else there
        except StorageUnavailable:
            if self._primary.has(there):
                return there
            raise

    def cancel(self, client: str, verification_id: str, /) -> Verification | None:
        return self._home(verification_id).cancel(client, verification_id)

    def recent_messages(self, provider: str, count: int, /) -> list[StoredMessage]:
        found = self._fallback.recent_messages(provider, count)
        with suppress(HomeUnreachable):
            found += self._primary.recent_messages(provider, count)
        return sorted(found, key=lambda message: message.delivery.created_at)[-count:]

    def state(self) -> StoreState:
        """Asks each home, but for a database that is known to be down."""
        database, fallback = self._primary.is_up, "unavailable"
        if self._fallback.is_up:
            draining = "draining" if self._fallback.in_use() else "standby"
            fallback = "active" if self._primary.database.is_down else draining
        return StoreState("ok" if database else "unavailable", fallback)

    def drain(self) -> None:
        """Look after the fallback, in a thread of its own, until nothing in it is alive."""
        if self._draining.acquire(blocking=False):
            threading.Thread(target=self._drain, name="fallback-drain", daemon=True).start()

    def _drain(self) -> None:
        removed, alive = 0, True
        try:
            while alive:
                time.sleep(DRAIN_SECONDS)
                if not self._primary.database.is_down:
                    removed += self._fallback.purge()
                    alive = self._fallback.in_use() > 0
        except StorageUnavailable as failure:
            log.error("the fallback could not be purged: %s", failure.reason)
        else:
            log.info("the fallback has drained: verifications removed: %d", removed)
        finally:
            self._draining.release()
