"""Looking at a verification by its id or its phone, and ending it."""

from __future__ import annotations

from collections.abc import Sequence
from typing import Any

import sqlalchemy as sa

from otp_service.domain.limits import Limits
from otp_service.domain.phone import mask
from otp_service.domain.ports import PhoneQuery
from otp_service.domain.verification import RelayedMessage, Status, Verification
from otp_service.storage.db.answer import Row
from otp_service.storage.db.database import Database
from otp_service.storage.db.transaction import Statement, Transaction, given
from otp_service.storage.models.audit import AuditRow
from otp_service.storage.models.deliveries import DeliveryRow
from otp_service.storage.models.verifications import CodeRow, VerificationRow
from otp_service.storage.sql import conditions, rows
from otp_service.storage.sql.audit import Action, entry, of_start
from otp_service.storage.sql.columns import DELIVERY, ITS_CODE, VERIFICATION
from otp_service.storage.sql.conditions import LIVE, NOW
from otp_service.storage.sql.request_rate import RequestRate

V, C, D = VerificationRow, CodeRow, DeliveryRow
ANY = V.id == given("id")
MINE = V.client == given("client")
OWN = sa.and_(ANY, MINE)
IS_RELAYED = V.status == conditions.RELAYED
_THEIR_PHONE = sa.select(V.phone).where(OWN).scalar_subquery()
_PHONE = {"phone": given("masked", sa.String()), "phone_digest": given("phone_digest")}


def _phone_of(verification_id: Any) -> dict[str, Any]:
    """What an entry says of the phone: as it was written when the verification began."""
    return {name: of_start(getattr(AuditRow, name), verification_id) for name in _PHONE}


class ClientVerifications:
    """The verifications of a client, as it asks for them. Support sees those of every client, and
    leaves an entry of it in the audit trail.
    """

    def __init__(self, limits: Limits) -> None:
        self._limit = limits.client_requests
        self._rate = RequestRate(self._limit)
        self._get, self._get_any = self._reads("verification.read", ~IS_RELAYED)
        self._relayed, self._relayed_any = self._reads("message.read", IS_RELAYED)
        self._list, self._list_any = self._lists()
        self._cancel = self._cancels()

    def get(
        self, database: Database, client: str, verification_id: str, *, support: bool = False
    ) -> Verification | None:
        """One of them, with its deliveries."""
        get = self._get_any if support else self._get
        return rows.with_deliveries(self._run(database, get, client=client, id=verification_id))

    def relayed(
        self, database: Database, client: str, message_id: str, *, support: bool = False
    ) -> RelayedMessage | None:
        """The same of a code that somebody else made."""
        get = self._relayed_any if support else self._relayed
        return rows.relayed(self._run(database, get, client=client, id=message_id))

    def of_phone(self, database: Database, query: PhoneQuery) -> list[Verification]:
        """The newest ones of a phone."""
        found = self._run(
            database,
            self._list_any if query.support else self._list,
            client=query.client,
            phone=query.phone,
            phone_digest=query.phone_digest,
            masked=mask(query.phone, "*"),
            count=query.count,
        )
        return rows.all_with_deliveries(found)

    def cancel(self, database: Database, client: str, verification_id: str) -> Verification | None:
        """End it if it is pending; as it is now."""
        found = self._run(database, self._cancel, client=client, id=verification_id)
        return rows.with_deliveries(found)

    def _run(self, database: Database, transaction: Transaction, **values: object) -> Sequence[Row]:
        found = database.run(transaction, **values)
        rows.refuse_caller(found[0], self._limit)
        return found

    def _reads(
        self, action: Action, kind: sa.ColumnElement[bool]
    ) -> tuple[Transaction, Transaction]:
        rate = self._rate.count
        its = {"verification_id": V.id, **_phone_of(V.id)}
        read = entry(action, V, sa.and_(ANY, kind, self._rate.admits), **its)
        own, anybodys = sa.and_(OWN, kind), sa.and_(ANY, kind)
        return (
            Transaction(*rate, self._answer(own), name="get", reads=not rate),
            Transaction(*rate, read, self._answer(anybodys), name="get"),
        )

    def _lists(self) -> tuple[Transaction, Transaction]:
        rate = self._rate.count
        listed = entry("verifications.listed", conditions.ALWAYS, self._rate.admits, **_PHONE)
        return (
            Transaction(*rate, self._newest(MINE), name="of_phone", reads=not rate),
            Transaction(*rate, listed, self._newest(sa.true()), name="of_phone"),
        )

    def _cancels(self) -> Transaction:
        ends = sa.and_(OWN, LIVE, self._rate.admits)
        its = {"verification_id": V.id, **_phone_of(V.id)}
        return Transaction(
            *self._rate.count,
            entry("verification.canceled", V, ends, **its),
            sa.update(V).where(ends).values(status=Status.CANCELED.value, canceled_at=NOW),
            self._answer(sa.and_(OWN, ~IS_RELAYED)),
            name="cancel",
            serialize=[_THEIR_PHONE],
        )

    def _answer(self, which: sa.ColumnElement[bool]) -> Statement:
        """A row for each delivery; one without an id if there is no such verification."""
        return self._with_deliveries(conditions.ALWAYS.outerjoin(V, which))

    def _newest(self, whose: sa.ColumnElement[bool]) -> Statement:
        """The newest of a phone, each as `_answer` has it."""
        of_phone = sa.select(V.id).where(V.phone == given("phone"), ~IS_RELAYED, whose)
        newest = of_phone.order_by(V.created_at.desc(), V.id).limit(given("count", sa.Integer()))
        found = newest.subquery("newest")
        these = conditions.ALWAYS.outerjoin(found, sa.true()).outerjoin(V, V.id == found.c.id)
        return self._with_deliveries(these, V.created_at.desc(), V.id)

    def _with_deliveries(self, these: sa.FromClause, *order: Any) -> Statement:
        return (
            sa.select(*VERIFICATION, *DELIVERY, *self._rate.facts)
            .select_from(these)
            .outerjoin(D, D.verification_id == V.id)
            .outerjoin(C, ITS_CODE)
            .order_by(*order, D.created_at, D.generation, D.id)
        )
