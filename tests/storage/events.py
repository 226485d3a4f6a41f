"""Endpoints that get events, and what was written for them."""

from __future__ import annotations

import secrets

import sqlalchemy as sa

from otp_service.domain.events import EventType
from otp_service.storage.db.answer import Row
from otp_service.storage.models.events import EventEndpointRow, EventRow


def add_endpoint(
    engine: sa.Engine, *types: EventType, client: str | None = None, gone: bool = False
) -> str:
    """The id of a new one, whose secret nobody can open."""
    now = sa.func.from_now(0)
    row = {"id": secrets.token_hex(4), "url": "https://example.com/events", "client": client}
    row |= {"types": " ".join(types), "secret": "sealed", "secret_id": "none"}
    times = {"created_at": now, "revoked_at": now if gone else None}
    with engine.begin() as connection:
        connection.execute(sa.insert(EventEndpointRow).values(**row, with_phone=True, **times))
    return str(row["id"])


def written(engine: sa.Engine, endpoint: str | None = None) -> list[Row]:
    """All events, or those of an endpoint, in their order."""
    every = sa.select(*EventRow.__table__.c).order_by(EventRow.number)
    with engine.connect() as connection:
        found = connection.execute(every).all()
    return [each for each in found if endpoint in (None, each.endpoint_id)]


def types(engine: sa.Engine, endpoint: str | None = None) -> list[str]:
    """What `written` tells, in short: ``verification.started`` and so on."""
    return [each.type for each in written(engine, endpoint)]
