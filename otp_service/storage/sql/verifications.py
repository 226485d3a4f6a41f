"""The transactions that read a verification or end it."""

from __future__ import annotations

from typing import Any

import sqlalchemy as sa

from otp_service.domain.limits import Limits
from otp_service.domain.verification import Status
from otp_service.storage.access_models import AuditRow, PhoneRow, RequestRow, SigningKeyRow
from otp_service.storage.db.glance import Glance
from otp_service.storage.db.transaction import Statement, Transaction, given
from otp_service.storage.models import AttemptRow, CodeRow, DeliveryRow, ReceiptRow, VerificationRow
from otp_service.storage.sql import conditions
from otp_service.storage.sql.audit import entry, of_start
from otp_service.storage.sql.conditions import LIVE, NOW, OF_PERSON
from otp_service.storage.sql.request_rate import RequestRate

V, C, D = VerificationRow, CodeRow, DeliveryRow
VERIFICATION = (*V.__table__.c, *conditions.AS_OF)
DELIVERY = (
    *(column.label(f"delivery_{column.name}") for column in D.__table__.c),
    C.expires_at.label("delivery_expires_at"),
)
ITS_CODE = sa.and_(C.verification_id == D.verification_id, C.generation == D.generation)
ANY = V.id == given("id")
MINE = V.client == given("client")
OWN = sa.and_(ANY, MINE)

_THEIR_PHONE = sa.select(V.phone).where(OWN).scalar_subquery()
UNEXPIRED = V.expires_at > NOW


_PHONE = {"phone": given("masked", sa.String()), "phone_digest": given("phone_digest")}


def _phone_of(verification_id: Any) -> dict[str, Any]:
    """What an entry says of the phone: as it was told when the verification began."""
    return {name: of_start(getattr(AuditRow, name), verification_id) for name in _PHONE}


class Resource:
    """The verification as a client asks for it by its id: to look, or to end it.

    ``read_any`` and ``list_any`` are for support: they look at those of every client, and leave
    an entry of it in the audit trail.
    """

    def __init__(self, limits: Limits) -> None:
        self.rate = RequestRate(limits.client_requests)
        reads = not self.rate.count
        rate, locks = self.rate.count, self.rate.locks
        self.read = Transaction(*rate, self._answer(), serialize=locks, reads=reads)
        self.list = Transaction(*rate, self._list(MINE), serialize=locks, reads=reads)
        its = {"verification_id": V.id, **_phone_of(V.id)}
        read = entry("verification.read", V, sa.and_(ANY, self.rate.admits), **its)
        self.read_any = Transaction(*rate, read, self._answer(ANY), serialize=locks)
        listed = entry("verifications.listed", conditions.ALWAYS, self.rate.admits, **_PHONE)
        self.list_any = Transaction(*rate, listed, self._list(sa.true()), serialize=locks)
        ends = sa.and_(OWN, LIVE, self.rate.admits)
        self.cancel = Transaction(
            *rate,
            entry("verification.canceled", V, ends, **its),
            sa.update(V).where(ends).values(status=Status.CANCELED.value, canceled_at=NOW),
            self._answer(),
            serialize=[*locks, _THEIR_PHONE],
        )

    def _answer(self, which: sa.ColumnElement[bool] = OWN) -> Statement:
        """A row for each delivery; one without an id if there is no such verification."""
        return self._with_deliveries(conditions.ALWAYS.outerjoin(V, which))

    def _list(self, whose: sa.ColumnElement[bool]) -> Statement:
        """The newest of a phone, each as `_answer` has it."""
        of_phone = sa.select(V.id).where(V.phone == given("phone"), whose)
        newest = of_phone.order_by(V.created_at.desc(), V.id).limit(given("count", sa.Integer()))
        found = newest.subquery("newest")
        these = conditions.ALWAYS.outerjoin(found, sa.true()).outerjoin(V, V.id == found.c.id)
        return self._with_deliveries(these, V.created_at.desc(), V.id)

    def _with_deliveries(self, these: sa.FromClause, *order: Any) -> Statement:
        return (
            sa.select(*VERIFICATION, *DELIVERY, *self.rate.facts)
            .select_from(these)
            .outerjoin(D, D.verification_id == V.id)
            .outerjoin(C, ITS_CODE)
            .order_by(*order, D.created_at, D.generation, D.id)
        )


_IS_NEWEST = V.id == conditions.newest_verification()

LIVE_ONE = Transaction(sa.select(*VERIFICATION).where(_IS_NEWEST, LIVE), reads=True)

HAS_PHONE = Glance(sa.select(V.id).where(V.phone == given("phone")).limit(1))

KNOWN = Glance(sa.select(V.status).where(_IS_NEWEST, UNEXPIRED))

ALL_UNEXPIRED = Transaction(sa.select(V.id).where(UNEXPIRED), reads=True)

FORGET = Transaction(sa.update(V).where(OF_PERSON, UNEXPIRED).values(expires_at=NOW))

RECENT = Transaction(
    sa.select(*VERIFICATION, *DELIVERY, C.secret_id)
    .select_from(D)
    .join(V, V.id == D.verification_id)
    .join(C, ITS_CODE)
    .where(D.provider == given("provider"))
    .order_by(D.created_at.desc(), D.id)
    .limit(given("count", sa.Integer())),
    reads=True,
)

LAST_MESSAGE = Transaction(
    sa.select(*DELIVERY)
    .select_from(D)
    .outerjoin(C, ITS_CODE)
    .where(D.verification_id == given("id"), D.generation == given("generation"))
    .order_by(D.created_at.desc(), D.id)
    .limit(1),
    reads=True,
)

# All columns: a schema that an upgrade has not finished yet does not answer.
_ALL_ROWS = (
    AuditRow,
    RequestRow,
    PhoneRow,
    SigningKeyRow,
    ReceiptRow,
    AttemptRow,
    D,
    V,
)
PING = Transaction(*(sa.select(*row.__table__.c).limit(1) for row in _ALL_ROWS), reads=True)
