"""Storing a code and the message that is to carry it."""

from __future__ import annotations

import secrets
from dataclasses import replace
from typing import Any

import sqlalchemy as sa
import sqlalchemy.orm

from otp_service.domain.drafts import Draft, Earlier, Issued
from otp_service.domain.limits import Guard, Limits
from otp_service.domain.messages import Outgoing
from otp_service.domain.quotas import Block, Lock, Quota
from otp_service.domain.verification import Channel
from otp_service.storage.db.answer import Row
from otp_service.storage.db.database import Database
from otp_service.storage.db.transaction import Statement, Transaction, given
from otp_service.storage.models.deliveries import DeliveryRow
from otp_service.storage.models.verifications import VerificationRow
from otp_service.storage.sql import conditions, guesses, new_rows, rows
from otp_service.storage.sql.audit import Action, entry
from otp_service.storage.sql.columns import VERIFICATION
from otp_service.storage.sql.conditions import ALWAYS, LIVE
from otp_service.storage.sql.limits import COUNTED_DOWN, facts, refusal_windows, send_windows
from otp_service.storage.sql.new_rows import KEY, PHONE
from otp_service.storage.sql.pumping import PumpingGuard
from otp_service.storage.sql.request_rate import RequestRate

V, D = VerificationRow, DeliveryRow
E = sa.orm.aliased(D)  # of an earlier request
Values = dict[str, Any]


class Issue:
    """One round trip that stores a draft under these ``limits``, unless one of them is met."""

    def __init__(self, limits: Limits) -> None:
        self._limits = limits
        # A database plans each of them anew, so what is not asked for is left out.
        self._addressed = IssueStatements(limits)
        self._unaddressed = IssueStatements(replace(limits, address_sends=()))

    def run(
        self,
        database: Database,
        draft: Draft,
        verification_id: str | None = None,
        generation: int = 1,
    ) -> Issued:
        """As a new verification; or as this generation of the one with this id."""
        statements = self._addressed if draft.address else self._unaddressed
        values = _values(draft, verification_id or _new_id(database), generation)
        store = statements.issue if generation == 1 else statements.reissue
        (row,) = database.run(store, **values)
        rows.refuse_caller(row, self._limits.client_requests)
        quota, limit = rows.quota(row, statements.windows)
        live = rows.verification(row) if row.id else None
        block = lock = None
        if not (row.stored or row.earlier):
            block, lock = statements.why_not(database, values, generation)
        if draft.exempt:
            quota, limit, block = Quota(self._limits.phone_sends[0].count), None, None
        suspicions = statements.guard.suspicions(row)
        return Issued(
            draft,
            generation,
            live=live,
            quota=quota,
            outgoing=_outgoing(row, draft, values) if row.stored else None,
            limit=limit,
            earlier=_earlier(row) if row.earlier else None,
            block=block,
            lock=lock,
            suspicions=suspicions,
            blocked=bool(suspicions) and statements.guard.enforced,
        )


def _new_id(database: Database) -> str:
    """128 random bits behind the home's letter."""
    return database.letter + secrets.token_hex(16)


def _values(draft: Draft, verification_id: str, generation: int) -> Values:
    """What the statements are `given`."""
    options = draft.options
    return {
        **rows.of_request(draft.person, draft.phone_digest, options.key),
        "id": verification_id,
        "delivery_id": secrets.token_hex(16),
        "generation": generation,
        "channel": draft.channel.value,
        "provider": draft.provider,
        "sms_provider": draft.sms_provider,
        "locale": options.locale,
        "background": options.background,
        "lifetime": draft.lifetime,
        "max_attempts": draft.max_attempts,
        "mac": draft.mac_for(verification_id, generation),
        "secret_id": draft.secret_id,
        "exempt": draft.exempt,
        "address": draft.address,
        "prefix": draft.prefix,
        "country": draft.country,
    }


def _outgoing(row: Row, draft: Draft, values: Values) -> Outgoing:
    """The draft's message, as it was stored."""
    return Outgoing(
        verification_id=values["id"],
        delivery_id=values["delivery_id"],
        phone=draft.person.phone,
        generation=values["generation"],
        secret_id=draft.secret_id,
        channel=Channel(row.on),
        provider=row.by,
        locale=draft.options.locale,
        expires_in=draft.lifetime,
        auto=bool(row.auto),
    )


def _earlier(row: Row) -> Earlier:
    return Earlier(row.earlier, row.earlier_delivery, row.fingerprint or "")


class IssueStatements:
    """`issue` and `reissue` under these ``limits``, and why neither stored a message."""

    def __init__(self, limits: Limits) -> None:
        self.windows = send_windows(limits)
        self.guard = PumpingGuard(limits.pumping)
        self._limits = limits
        self._rate = RequestRate(limits.client_requests)
        self._budget = guesses.GuessBudget(limits)
        self._refusals = refusal_windows(limits)
        self._look = self._why_not()
        # What is counted for a prefix or an address is counted behind a lock of its own.
        self._locks: list[Any] = [*self._rate.locks, KEY, PHONE]
        if limits.pumping.guard is not Guard.OFF:
            self._locks.append(given("prefix", sa.String()))
        if limits.address_sends:
            self._locks.append(given("address", sa.String()))
        new = new_rows.new_verification(limits, self._budget.left, self._allowed())
        self.issue = self._transaction("issue", new, "verification.started")
        following = new_rows.next_generation(self._allowed())
        self.reissue = self._transaction("reissue", following, "verification.resent")

    def _transaction(self, name: str, store: Statement, action: Action) -> Transaction:
        this = D.id == given("delivery_id")
        phone = {"phone": given("masked", sa.String()), "phone_digest": given("phone_digest")}
        audit = entry(action, D, this, verification_id=D.verification_id, **phone)
        statements = [*self._rate.count, store, *new_rows.add_message(), audit, self._answer()]
        return Transaction(*statements, name=name, serialize=self._locks)

    def _why_not(self) -> Transaction:
        """Apart from what stores: to plan it takes as long as to store a message."""
        found = [*self._budget.facts, *facts(self._refusals, ())]
        looked_at = sa.select(conditions.NOW.label("as_of"), *found).select_from(ALWAYS)
        return Transaction(looked_at, name="why_not", reads=True)

    def why_not(
        self, database: Database, values: Values, generation: int
    ) -> tuple[Block | None, Lock | None]:
        """A limit that is met, and why a new verification would get no guess, where the answer
        does not tell why nothing was stored.
        """
        (row,) = database.run(self._look, **values)
        refused = Block.of(*rows.quota(row, self._refusals))
        if generation > 1:
            return refused, None
        return refused or guesses.crowd(self._limits, row), self._budget.lock(row)

    def _allowed(self) -> sa.ColumnElement[bool]:
        """No limit is met, and no request with this idempotency key has stored a message."""
        both = [*self.windows, *self._refusals]
        room = sa.and_(*(window.open for window in both), self.guard.admits)
        fresh = ~sa.exists().where(conditions.of_key(D, KEY))
        return sa.and_(fresh, self._rate.admits, sa.or_(given("exempt", sa.Boolean()), room))

    def _answer(self) -> Statement:
        """The message if it was stored, what the same request led to before, the live
        verification, how full the windows are, and what looks like pumping.
        """
        earlier = sa.and_(conditions.of_key(E, KEY), E.id != given("delivery_id"))
        message = [D.id.label("stored"), D.channel.label("on"), D.provider.label("by"), D.auto]
        before = [E.verification_id.label("earlier"), E.id.label("earlier_delivery"), E.fingerprint]
        counted = [*facts(self.windows, COUNTED_DOWN), *self._rate.facts, *self.guard.facts]
        return (
            sa.select(*message, *before, *counted, *VERIFICATION)
            .select_from(ALWAYS)
            .outerjoin(V, sa.and_(V.id == conditions.newest_verification(), LIVE))
            .outerjoin(D, D.id == given("delivery_id"))
            .outerjoin(E, earlier)
            .limit(1)
        )
