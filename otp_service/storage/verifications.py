"""The store: the domain's `Store` on one SQL database."""

from __future__ import annotations

from dataclasses import dataclass
from functools import partial

from otp_service.domain.errors import StorageUnavailable
from otp_service.domain.limits import Limits
from otp_service.domain.ports import StoreState
from otp_service.storage import retention
from otp_service.storage.db.database import PING, Database
from otp_service.storage.sql import deliveries, live, relay
from otp_service.storage.sql.check import CheckCode
from otp_service.storage.sql.issue import Issue
from otp_service.storage.sql.relay import Relay
from otp_service.storage.sql.verifications import ClientVerifications


@dataclass(frozen=True)
class Operations:
    """What depends on the limits that a database decides. Compiled once for each kind."""

    issue: Issue
    check: CheckCode
    relay: Relay
    verifications: ClientVerifications

    @classmethod
    def under(cls, limits: Limits, secrets_count: int) -> Operations:
        """``secrets_count`` is how many secrets are configured, so how many tags a check has."""
        check = CheckCode(limits, secrets_count)
        return cls(Issue(limits), check, Relay(limits), ClientVerifications(limits))


class SqlStore:
    """Verifications in one database: each method is an operation of `storage/sql`, which has its
    statements, its parameters and the reader of its answer.
    """

    def __init__(self, database: Database, operations: Operations) -> None:
        self.database = database
        self.operations = operations
        self.issue = partial(operations.issue.run, database)
        self.reissue = self.issue
        self.check = partial(operations.check.run, database)
        self.relay = partial(operations.relay.run, database)
        self.relayed = partial(operations.verifications.relayed, database)
        self.live = partial(live.live, database)
        self.get = partial(operations.verifications.get, database)
        self.of_phone = partial(operations.verifications.of_phone, database)
        self.cancel = partial(operations.verifications.cancel, database)
        self.has = partial(live.has, database)
        self.begun = partial(deliveries.begun, database)
        self.last_message = partial(deliveries.last, database)
        self.recent_messages = partial(deliveries.recent, database)
        # Of a fallback:
        self.known = partial(live.known, database)
        self.knows_anybody = partial(live.knows_anybody, database)
        self.has_phone = partial(live.has_phone, database)
        self.forget = partial(live.forget, database)
        self.knows_key = partial(relay.knows_key, database)
        self.in_use = partial(live.in_use, database)

    def id_of(self, digits: str, /) -> str:
        """The id that it would have here."""
        return self.database.letter + digits

    def purge(self) -> int:
        """Delete what has expired; how many verifications it were."""
        return retention.purge(self.database.engine)

    @property
    def is_up(self) -> bool:
        """Whether it answers; a database that is known to be down is not asked."""
        try:
            self.database.run(PING)
        except StorageUnavailable:
            return False
        return True

    def drain(self) -> None:
        """Where it is all there is, nothing waits for another home to come back."""

    def state(self) -> StoreState:
        return StoreState("ok" if self.is_up else "unavailable", "off")
