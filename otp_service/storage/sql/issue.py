"""Storing a code and the message that is to carry it."""

from __future__ import annotations

import secrets
from dataclasses import replace
from typing import Any

import sqlalchemy as sa
import sqlalchemy.orm

from otp_service.domain.drafts import Draft, Earlier, Issued
from otp_service.domain.limits import Guard, Limit, Limits
from otp_service.domain.messages import Outgoing
from otp_service.domain.quotas import Block, Lock, Quota
from otp_service.domain.verification import Channel
from otp_service.storage.db.answer import Row
from otp_service.storage.db.database import Database
from otp_service.storage.db.lookup import Lookup, Seldom
from otp_service.storage.db.transaction import Statement, Transaction, given
from otp_service.storage.models.deliveries import DeliveryRow
from otp_service.storage.sql import conditions, guesses, new_rows, rows
from otp_service.storage.sql.audit import Action, entry
from otp_service.storage.sql.columns import AS_OF
from otp_service.storage.sql.conditions import ALWAYS
from otp_service.storage.sql.guesses import GuessBudget
from otp_service.storage.sql.limits import (
    messages_of_address,
    messages_to_phone,
    refusals_of_client,
    refusals_to_phone,
)
from otp_service.storage.sql.new_rows import KEY, PHONE
from otp_service.storage.sql.phone_state import LIVE_ONES
from otp_service.storage.sql.pumping import PumpingGuard
from otp_service.storage.sql.request_rate import RequestRate

E = sa.orm.aliased(DeliveryRow)  # of an earlier request
Values = dict[str, Any]


class Issue:
    """One round trip that stores a draft under these ``limits``, unless one of them is met."""

    def __init__(self, limits: Limits) -> None:
        # A database looks at each of them, so what is not asked for is left out.
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
        rows.refuse_caller(row, statements.limits.client_requests)
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
        "ended": -draft.lifetime,  # what was begun then has ended now, in seconds from now
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
    """`issue` and `reissue` under these ``limits``: first what they depend on is looked up."""

    def __init__(self, limits: Limits) -> None:
        self.limits = limits
        self.guard = PumpingGuard(limits.pumping)
        self._rate = RequestRate(limits.client_requests)
        self._budget = GuessBudget(limits)
        self._sends = [messages_to_phone(limits), messages_of_address(limits)]
        self._refusals = [refusals_to_phone(limits), refusals_of_client(limits)]
        # What is counted for a prefix or an address is counted behind a lock of its own.
        self._locks: list[Any] = [KEY, PHONE]
        if limits.pumping.guard is Guard.ENFORCE:
            self._locks.append(given("prefix", sa.String()))
        if limits.address_sends:
            self._locks.append(given("address", sa.String()))
        new = new_rows.new_verification(limits, self._budget.left, self._allowed())
        self.issue = self._transaction("issue", new, "verification.started")
        following = new_rows.next_generation(self._allowed())
        self.reissue = self._transaction("reissue", following, "verification.resent")

    def quota(self, row: Row) -> tuple[Quota, Limit | None]:
        """What the limits of sends leave; and the one that is met the longest, if any."""
        added = 1 if row.stored else 0
        used = [each for events in self._sends for each in events.used(row, added=added)]
        return rows.quota(row.as_of, used)

    def why_not(self, row: Row, generation: int) -> tuple[Block | None, Lock | None]:
        """A limit that is met, and why a new verification would get no guess, where the quota
        does not tell why nothing was stored.
        """
        used = [each for events in self._refusals for each in events.used(row)]
        refused = Block.of(*rows.quota(row.as_of, used))
        if generation > 1:
            return refused, None
        return refused or guesses.crowd(self.limits, row), self._budget.lock(row)

    def _transaction(self, name: str, store: Lookup, action: Action) -> Transaction:
        is_stored = store["stored_id"].is_not(None)
        phone = {"phone": given("masked", sa.String()), "phone_digest": given("phone_digest")}
        audit = entry(action, ALWAYS, is_stored, verification_id=given("id"), **phone)
        return Transaction(
            *self._rate.count,
            *self._budget.lookups,
            *(lookup for each in (*self._sends, *self._refusals) for lookup in each.lookups),
            *self.guard.lookups,
            Seldom(KEY.is_not(None), _EARLIER),
            Seldom(LIVE_ONES["live_count"] > 0, new_rows.OWN_LIVE),
            Seldom(new_rows.SMS.is_not(None), new_rows.NOT_ON_WHATSAPP),
            store,
            Seldom(is_stored, *new_rows.add_message(store), audit),
            self._answer(store),
            name=name,
            serialize=self._locks,
        )

    def _allowed(self) -> sa.ColumnElement[bool]:
        """No limit is met, and no request with this idempotency key has stored a message."""
        events = [*self._sends, *self._refusals]
        room = sa.and_(*(open_ for each in events for open_ in each.open), self.guard.admits)
        fresh = _EARLIER["earlier"].is_(None)
        return sa.and_(fresh, self._rate.admits, sa.or_(given("exempt", sa.Boolean()), room))

    def _answer(self, store: Lookup) -> Statement:
        """The message if it was stored, what the same request led to before, the live
        verification, and what was looked up.
        """
        message = [
            store["stored_id"].label("stored"),
            new_rows.CHANNEL.label("on"),
            new_rows.PROVIDER.label("by"),
            new_rows.AUTO.label("auto"),
        ]
        counted = [fact for each in (*self._sends, *self._refusals) for fact in each.facts]
        known = [*_EARLIER.columns(), *counted, *self._rate.facts, *self.guard.facts]
        live = new_rows.live_one(store)
        return sa.select(*message, *known, *self._budget.facts, *live, AS_OF)


_EARLIER = Lookup(
    sa.select(
        E.verification_id.label("earlier"), E.id.label("earlier_delivery"), E.fingerprint
    ).where(conditions.of_key(E, KEY))
)
"""The message of a request with this idempotency key."""
