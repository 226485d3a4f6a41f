"""What all that store a message have in common: the limits that it depends on."""

from __future__ import annotations

import secrets
from collections.abc import Callable, Sequence
from dataclasses import replace
from typing import Any, Generic, TypeVar

import sqlalchemy as sa
import sqlalchemy.orm

from otp_service.domain.drafts import Draft, Earlier
from otp_service.domain.limits import Guard, Limit, Limits
from otp_service.domain.messages import Outgoing
from otp_service.domain.quotas import Block, Quota
from otp_service.domain.verification import Channel
from otp_service.storage.db.answer import Row
from otp_service.storage.db.database import Database
from otp_service.storage.db.lookup import Lookup, Seldom
from otp_service.storage.db.transaction import Statement, Transaction, given
from otp_service.storage.models.deliveries import DeliveryRow
from otp_service.storage.sql import conditions, new_rows, rows
from otp_service.storage.sql.audit import Action, entry
from otp_service.storage.sql.columns import AS_OF
from otp_service.storage.sql.conditions import ALWAYS
from otp_service.storage.sql.limits import (
    messages_of_address,
    messages_to_phone,
    refusals_of_client,
    refusals_to_phone,
)
from otp_service.storage.sql.new_rows import KEY, PHONE
from otp_service.storage.sql.pumping import PumpingGuard
from otp_service.storage.sql.request_rate import RequestRate

E = sa.orm.aliased(DeliveryRow)  # of an earlier request
Values = dict[str, Any]

EARLIER = Lookup(
    sa.select(
        E.verification_id.label("earlier"), E.id.label("earlier_delivery"), E.fingerprint
    ).where(conditions.of_key(E, KEY))
)
"""The message of a request with this idempotency key."""


class MessageStatements:
    """The transactions that store a message under these ``limits``, and what their answers say."""

    def __init__(self, limits: Limits, guard: PumpingGuard) -> None:
        self.limits = limits
        self.guard = guard
        self._rate = RequestRate(limits.client_requests)
        self._sends = [messages_to_phone(limits), messages_of_address(limits)]
        self._refusals = [refusals_to_phone(limits), refusals_of_client(limits)]
        # What is counted for a prefix or an address is counted behind a lock of its own.
        self._locks: list[Any] = [KEY, PHONE]
        if limits.pumping.guard is Guard.ENFORCE:
            self._locks.append(given("prefix", sa.String()))
        if limits.address_sends:
            self._locks.append(given("address", sa.String()))

    def run(self, transaction: Transaction, database: Database, values: Values) -> Row:
        """The answer, unless the client calls too often."""
        (row,) = database.run(transaction, **values)
        rows.refuse_caller(row, self.limits.client_requests)
        return row

    def quota(self, row: Row) -> tuple[Quota, Limit | None]:
        """What the limits of sends leave; and the one that is met the longest, if any."""
        added = 1 if row.stored else 0
        used = [each for events in self._sends for each in events.used(row, added=added)]
        return rows.quota(row.as_of, used)

    def refused(self, row: Row) -> Block | None:
        """A limit of what providers refuse that is met."""
        used = [each for events in self._refusals for each in events.used(row)]
        return Block.of(*rows.quota(row.as_of, used))

    def transaction(
        self,
        name: str,
        store: Lookup,
        action: Action,
        *,
        lookups: Sequence[Lookup | Seldom],
        facts: Sequence[sa.ColumnElement[Any]],
        then: Sequence[Statement] = (),
    ) -> Transaction:
        """That stores the message of ``store``, if that is stored, and does what comes ``then``.
        ``lookups`` are of its own, and ``facts`` its own part of the answer.
        """
        is_stored = store["stored_id"].is_not(None)
        phone = {"phone": given("masked", sa.String()), "phone_digest": given("phone_digest")}
        audit = entry(action, ALWAYS, is_stored, verification_id=given("id"), **phone)
        return Transaction(
            *self._rate.count,
            *lookups,
            *(lookup for each in (*self._sends, *self._refusals) for lookup in each.lookups),
            *self.guard.lookups,
            Seldom(KEY.is_not(None), EARLIER),
            Seldom(new_rows.SMS.is_not(None), new_rows.NOT_ON_WHATSAPP),
            store,
            Seldom(is_stored, *new_rows.add_message(store), audit, *then),
            Seldom(new_rows.is_given(store), new_rows.add_sealed_code(store)),
            sa.select(*self._message(store), *self._known(), *facts, AS_OF),
            name=name,
            serialize=self._locks,
        )

    def allowed(self) -> sa.ColumnElement[bool]:
        """No limit is met, and no request with this idempotency key has stored a message."""
        events = [*self._sends, *self._refusals]
        room = sa.and_(*(open_ for each in events for open_ in each.open), self.guard.admits)
        fresh = EARLIER["earlier"].is_(None)
        return sa.and_(fresh, self._rate.admits, sa.or_(given("exempt", sa.Boolean()), room))

    def _message(self, store: Lookup) -> list[sa.Label[Any]]:
        return [
            store["stored_id"].label("stored"),
            new_rows.CHANNEL.label("on"),
            new_rows.PROVIDER.label("by"),
            new_rows.AUTO.label("auto"),
        ]

    def _known(self) -> list[sa.Label[Any]]:
        """What the same request led to before, and what was looked up."""
        counted = [fact for each in (*self._sends, *self._refusals) for fact in each.facts]
        return [*EARLIER.columns(), *counted, *self._rate.facts, *self.guard.facts]


Made = TypeVar("Made", bound=MessageStatements)


class ByAddress(Generic[Made]):
    """Statements for drafts with an address and for those without: a database looks at each of
    them, so what is not asked for is left out.
    """

    def __init__(self, make: Callable[[Limits], Made], limits: Limits) -> None:
        self._addressed = make(limits)
        self._unaddressed = make(replace(limits, address_sends=()))

    def of(self, draft: Draft) -> Made:
        return self._addressed if draft.address else self._unaddressed


def new_id(database: Database) -> str:
    """128 random bits behind the home's letter."""
    return database.letter + secrets.token_hex(16)


def values_of(draft: Draft, verification_id: str, generation: int) -> Values:
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
        "mac": draft.mac_for(verification_id, generation),
        "sealed": draft.seal_for and draft.seal_for(verification_id, generation),
        "secret_id": draft.secret_id,
        "exempt": draft.exempt,
        "address": draft.address,
        "prefix": draft.prefix,
        "country": draft.country,
    }


def outgoing(row: Row, draft: Draft, values: Values) -> Outgoing | None:
    """The draft's message, if it was stored."""
    if not row.stored:
        return None
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
        sealed=values["sealed"],
    )


def earlier(row: Row) -> Earlier | None:
    """What the same request led to before, if it was made before."""
    if not row.earlier:
        return None
    return Earlier(row.earlier, row.earlier_delivery, row.fingerprint or "")
