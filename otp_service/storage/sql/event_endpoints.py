"""The statements on the endpoints that get events."""

from __future__ import annotations

import sqlalchemy as sa

from otp_service.storage.db.transaction import Transaction, given
from otp_service.storage.models.events import EventEndpointRow
from otp_service.storage.sql import audit
from otp_service.storage.sql.conditions import NOW

P = EventEndpointRow
LIVE = sa.select(P.id).where(P.revoked_at.is_(None))
"""The ids of those that get events."""

_THIS = sa.and_(P.id == given("id"), P.revoked_at.is_(None))
_END = sa.update(P).where(_THIS).values(revoked_at=NOW)
_NEW = {
    P.id: given("id"),
    P.url: given("url"),
    P.client: given("client", sa.String()),
    P.types: given("types"),
    P.with_phone: given("with_phone", sa.Boolean()),
    P.secret: given("secret"),
    P.secret_id: given("secret_id"),
    P.created_at: NOW,
}

ALL = Transaction(
    sa.select(*P.__table__.c).order_by(P.created_at, P.id), name="event_endpoints", reads=True
)
"""Those that have ended, too, oldest first."""
ADD = Transaction(
    sa.insert(P).from_select(list(_NEW), sa.select(*_NEW.values())),
    sa.select(*P.__table__.c).where(P.id == given("id")),
)
REMOVE = Transaction(_END.returning(P.id))
WANTS_NO_MORE = Transaction(
    audit.entry("endpoint.gone", P, _THIS, detail=P.id), _END, name="end_event_endpoint"
)
RESEAL = Transaction(
    sa.update(P)
    .where(P.id == given("id"), P.secret == given("before"))
    .values(secret=given("secret"), secret_id=given("secret_id")),
    name="reseal_event_endpoint",
)
