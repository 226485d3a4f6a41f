"""Storing a code and the message that is to carry it."""

from __future__ import annotations

from otp_service.domain.drafts import Draft, Issued
from otp_service.domain.limits import Limits
from otp_service.domain.quotas import Block, Lock, Quota
from otp_service.storage.db.answer import Row
from otp_service.storage.db.database import Database
from otp_service.storage.db.lookup import Lookup, Seldom
from otp_service.storage.db.transaction import Transaction
from otp_service.storage.sql import guesses, message_statements, new_rows, rows
from otp_service.storage.sql.audit import Action
from otp_service.storage.sql.guesses import GuessBudget
from otp_service.storage.sql.message_statements import ByAddress, MessageStatements
from otp_service.storage.sql.phone_state import LIVE_ONES
from otp_service.storage.sql.pumping import PumpingGuard


class Issue:
    """One round trip that stores a draft under these ``limits``, unless one of them is met."""

    def __init__(self, limits: Limits) -> None:
        self._statements = ByAddress(IssueStatements, limits)

    def run(
        self,
        database: Database,
        draft: Draft,
        verification_id: str | None = None,
        generation: int = 1,
    ) -> Issued:
        """As a new verification; or as this generation of the one with this id."""
        statements = self._statements.of(draft)
        its_id = verification_id or message_statements.new_id(database)
        values = message_statements.values_of(draft, its_id, generation) | {
            "ended": -draft.lifetime,  # what was begun then has ended now, in seconds from now
            "max_attempts": draft.max_attempts,
        }
        store = statements.issue if generation == 1 else statements.reissue
        row = statements.run(store, database, values)
        quota, limit = statements.quota(row)
        block = lock = None
        if not (row.stored or row.earlier):
            block, lock = statements.why_not(row, generation)
        if draft.exempt:
            quota, limit, block = Quota(statements.limits.phone_sends[0].count), None, None
        suspicions = statements.guard.suspicions(row)
        return Issued(
            draft,
            generation,
            live=rows.verification(row) if row.id else None,
            quota=quota,
            outgoing=message_statements.outgoing(row, draft, values),
            limit=limit,
            earlier=message_statements.earlier(row),
            block=block,
            lock=lock,
            suspicions=suspicions,
            blocked=bool(suspicions) and statements.guard.enforced,
        )


class IssueStatements(MessageStatements):
    """`issue` and `reissue` under these ``limits``."""

    def __init__(self, limits: Limits) -> None:
        super().__init__(limits, PumpingGuard(limits.pumping))
        self._budget = GuessBudget(limits)
        new = new_rows.new_verification(limits, self._budget.left, self.allowed())
        self.issue = self._transaction("issue", new, "verification.started")
        following = new_rows.next_generation(self.allowed())
        self.reissue = self._transaction("reissue", following, "verification.resent")

    def why_not(self, row: Row, generation: int) -> tuple[Block | None, Lock | None]:
        """A limit that is met, and why a new verification would get no guess, where the quota
        does not tell why nothing was stored.
        """
        refused = self.refused(row)
        if generation > 1:
            return refused, None
        return refused or guesses.crowd(self.limits, row), self._budget.lock(row)

    def _transaction(self, name: str, store: Lookup, action: Action) -> Transaction:
        """Its answer has the person's live verification, too."""
        own = Seldom(LIVE_ONES["live_count"] > 0, new_rows.OWN_LIVE)
        facts = [*self._budget.facts, *new_rows.live_one(store)]
        lookups = [*self._budget.lookups, own]
        return self.transaction(name, store, action, lookups=lookups, facts=facts)
