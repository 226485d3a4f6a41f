"""Storing a code that somebody else made, and the message that is to carry it."""

from __future__ import annotations

from otp_service.domain.drafts import Draft, Issued
from otp_service.domain.limits import Limits
from otp_service.domain.quotas import Quota
from otp_service.storage.db.database import Database
from otp_service.storage.db.transaction import Transaction
from otp_service.storage.sql import message_statements, new_rows, phone_state, sealed_codes
from otp_service.storage.sql.conditions import KEY_IS_KNOWN
from otp_service.storage.sql.message_statements import ByAddress, MessageStatements
from otp_service.storage.sql.pumping import PumpingGuard

_KNOWS_KEY = Transaction(KEY_IS_KNOWN, name="knows_key", reads=True)


class Relay:
    """One round trip that stores a draft under these ``limits``, unless one of them is met."""

    def __init__(self, limits: Limits) -> None:
        self._statements = ByAddress(RelayStatements, limits)

    def run(self, database: Database, draft: Draft) -> Issued:
        statements = self._statements.of(draft)
        values = message_statements.values_of(draft, message_statements.new_id(database), 1)
        row = statements.run(statements.relay, database, values)
        quota, limit = statements.quota(row)
        block = None if row.stored or row.earlier else statements.refused(row)
        if draft.exempt:
            quota, limit, block = Quota(statements.limits.phone_sends[0].count), None, None
        suspicions = statements.guard.suspicions(row)
        return Issued(
            draft,
            generation=1,
            live=None,
            quota=quota,
            outgoing=message_statements.outgoing(row, draft, values),
            limit=limit,
            earlier=message_statements.earlier(row),
            block=block,
            suspicions=suspicions,
            blocked=bool(suspicions) and statements.guard.enforced,
        )


class RelayStatements(MessageStatements):
    """`relay` under these ``limits``: nobody guesses here, and nothing is known of conversion."""

    def __init__(self, limits: Limits) -> None:
        super().__init__(limits, PumpingGuard(limits.pumping, conversion=False))
        new = new_rows.new_relay(self.allowed())
        self.relay = self.transaction(
            "relay",
            new,
            "message.relayed",
            lookups=[phone_state.ROW],
            facts=[],
            then=[sealed_codes.overtake(new["stored_id"].is_not(None))],
        )


def knows_key(database: Database, key: str) -> bool:
    """Whether a request with this idempotency key was stored here."""
    return bool(database.run(_KNOWS_KEY, idempotency_key=key))
