"""The transactions that store a code and the message that is to carry it."""

from __future__ import annotations

from typing import Any

import sqlalchemy as sa
import sqlalchemy.orm

from otp_service.domain.limits import Guard, Limits
from otp_service.domain.ports import Block, Draft, Lock
from otp_service.domain.verification import Status
from otp_service.storage import rows
from otp_service.storage.db.transaction import Statement, Transaction, given
from otp_service.storage.dialects import clock, from_now, timeline
from otp_service.storage.models import DeliveryRow, VerificationRow
from otp_service.storage.sql import conditions, guesses
from otp_service.storage.sql.audit import Action, entry
from otp_service.storage.sql.conditions import ALWAYS, LIVE, OF_PERSON
from otp_service.storage.sql.guesses import LIVE_COUNT, GuessBudget
from otp_service.storage.sql.new_message import KEY, PHONE, add_message, channel
from otp_service.storage.sql.pumping import PumpingGuard
from otp_service.storage.sql.request_rate import RequestRate

V, D = VerificationRow, DeliveryRow
E = sa.orm.aliased(D)  # of an earlier request


class Issuing:
    """The transactions under these ``limits``: `issue`, `reissue`; `look` where neither stored.

    For messages without an end user's address there is another one, without its limits: a
    database plans each of them anew, so what is not asked for is left out.
    """

    def __init__(self, limits: Limits) -> None:
        self.windows = conditions.send_windows(limits)
        self.rate = RequestRate(limits.client_requests)
        self.guard = PumpingGuard(limits.pumping)
        self._budget = GuessBudget(limits)
        self._limits = limits
        self._refusals = conditions.refusal_windows(limits)
        looked_at = [
            conditions.NOW.label("as_of"),
            *self._budget.facts,
            *conditions.facts(self._refusals, ()),
        ]
        self.look = Transaction(sa.select(*looked_at).select_from(ALWAYS), reads=True)
        """Why a message was not stored, where the answer does not tell: see `blocks`. Apart from
        it, since to plan it takes as long as to store a message.
        """
        # What is counted for a prefix or an address is counted behind a lock of its own.
        self._locks: list[Any] = [*self.rate.locks, KEY, PHONE]
        if limits.pumping.guard is not Guard.OFF:
            self._locks.append(given("prefix", sa.String()))
        if limits.address_sends:
            self._locks.append(given("address", sa.String()))
        self.issue = self._transaction(self._new(), "verification.started")
        self.reissue = self._transaction(self._next(), "verification.resent")

    def _transaction(self, store: Statement, action: Action) -> Transaction:
        this = D.id == given("delivery_id")
        told = {"phone": given("masked", sa.String()), "phone_digest": given("phone_digest")}
        audit = entry(action, D, this, verification_id=D.verification_id, **told)
        statements = [*self.rate.count, store, *add_message(), audit, self._answer()]
        return Transaction(*statements, serialize=self._locks)

    def blocks(self, row: sa.Row[Any], draft: Draft) -> tuple[Block | None, Lock | None]:
        """What `look` found: a limit that is met, and why a new verification would get no guess."""
        refused = Block.of(*rows.quota(row, self._refusals))
        if draft.generation > 1:
            return refused, None
        return refused or guesses.crowd(self._limits, row), self._budget.lock(row)

    def _allowed(self) -> sa.ColumnElement[bool]:
        """No limit is met, and no request with this idempotency key has stored a message."""
        windows = [*self.windows, *self._refusals]
        room = sa.and_(*(window.open for window in windows), self.guard.admits)
        fresh = ~sa.exists().where(conditions.of_key(D, KEY))
        return sa.and_(fresh, self.rate.admits, sa.or_(given("exempt", sa.Boolean()), room))

    def _new(self) -> Statement:
        """A new verification with what guesses are left, unless the person has a live one."""
        budget = sa.select(self._budget.left.label("guesses")).cte("budget")
        budget = budget.prefix_with("MATERIALIZED", dialect="postgresql")  # reckoned once
        values: dict[Any, Any] = {
            V.id: given("id"),
            V.client: given("client"),
            V.phone: PHONE,
            V.purpose: given("purpose"),
            V.channel: channel(),
            V.locale: given("locale"),
            V.status: sa.literal(Status.PENDING.value),
            V.generation: sa.literal(1),
            V.oldest_generation: sa.literal(1),
            V.attempts: sa.literal(0),
            V.max_attempts: budget.c.guesses,
            V.created_at: clock(),
            V.expires_at: from_now(given("lifetime")),
            V.timeline: timeline(),
            V.country: given("country", sa.String()),
        }
        live = sa.exists().where(OF_PERSON, LIVE)
        room = sa.or_(
            given("exempt", sa.Boolean()), self._limits.live_verifications.count > LIVE_COUNT
        )
        new = sa.select(*values.values()).where(budget.c.guesses > 0, ~live, room, self._allowed())
        return sa.insert(V).from_select(list(values), new)

    def _next(self) -> Statement:
        """The next generation of a live one: restarts its expiry, gives no attempts back."""
        return (
            sa.update(V)
            .where(V.id == given("id"), V.generation == given("generation") - 1, LIVE)
            .where(self._allowed())
            .values(
                generation=given("generation"),
                expires_at=from_now(given("lifetime")),
                channel=channel(),
                locale=given("locale"),
            )
        )

    def _answer(self) -> Statement:
        """The message if it was stored, what the same request led to before, the live
        verification, how full the windows are, and what looks like pumping.
        """
        earlier = sa.and_(conditions.of_key(E, KEY), E.id != given("delivery_id"))
        message = [D.id.label("stored"), D.channel.label("on"), D.provider.label("by"), D.auto]
        before = [E.verification_id.label("earlier"), E.id.label("earlier_delivery"), E.fingerprint]
        facts = [
            *conditions.AS_OF,
            *conditions.facts(self.windows, conditions.COUNTED_DOWN),
            *self.rate.facts,
            *self.guard.facts,
        ]
        return (
            sa.select(*message, *before, *facts, *V.__table__.c)
            .select_from(ALWAYS)
            .outerjoin(V, sa.and_(V.id == conditions.newest_verification(), LIVE))
            .outerjoin(D, D.id == given("delivery_id"))
            .outerjoin(E, earlier)
            .limit(1)
        )
