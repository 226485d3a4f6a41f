"""What callers are told of, and where: see the domain's `events`.

Events are written by triggers on verifications and deliveries (migrations 0014 and 0015), so by
whatever transaction changes a status.
"""

from __future__ import annotations

from datetime import datetime

import sqlalchemy as sa
from sqlalchemy.orm import Mapped, mapped_column

from otp_service.storage.models.base import Model
from otp_service.storage.models.verifications import VerificationRow


class EventEndpointRow(Model):
    """An address that gets events."""

    __tablename__ = "event_endpoints"
    id: Mapped[str] = mapped_column(sa.String(40), primary_key=True)
    url: Mapped[str] = mapped_column(sa.String(2048))
    client: Mapped[str | None] = mapped_column(sa.String(64), comment="whose events; null: all")
    types: Mapped[str] = mapped_column(
        sa.String(255), comment="separated by spaces; none of them: all"
    )
    with_phone: Mapped[bool]
    secret: Mapped[str] = mapped_column(sa.String(255), comment="sealed with an OTP_SECRET")
    secret_id: Mapped[str] = mapped_column(sa.String(8), comment="the secret that sealed it")
    created_at: Mapped[datetime]
    revoked_at: Mapped[datetime | None] = mapped_column(comment="removed, or it wants no more")


class EventRow(Model):
    """One event for one endpoint. Of what is the verification's, nothing is copied."""

    __tablename__ = "events"
    number: Mapped[int] = mapped_column(
        sa.BigInteger().with_variant(sa.Integer(), "sqlite"), sa.Identity(), primary_key=True
    )
    id: Mapped[str] = mapped_column(sa.String(40), comment="what the endpoint knows it by")
    # No foreign key: the fallback's endpoints are a copy that is made anew.
    endpoint_id: Mapped[str] = mapped_column(sa.String(40))
    verification_id: Mapped[str] = mapped_column(
        sa.String(40), sa.ForeignKey(VerificationRow.id, ondelete="CASCADE")
    )
    delivery_id: Mapped[str | None] = mapped_column(sa.String(40))
    type: Mapped[str] = mapped_column(sa.String(32))
    at: Mapped[datetime]
    status: Mapped[str] = mapped_column(sa.String(16))
    channel: Mapped[str] = mapped_column(sa.String(16))
    failure: Mapped[str | None] = mapped_column(sa.String(64))
    reason: Mapped[str | None] = mapped_column(sa.String(255), comment="the provider's own words")
    tries: Mapped[int]
    due_at: Mapped[datetime | None] = mapped_column(comment="null: told, or given up")
    lease: Mapped[str | None] = mapped_column(
        sa.String(40), comment="who has it in hand until then"
    )
    told_at: Mapped[datetime | None]

    __table_args__ = (
        sa.Index(None, "verification_id", "endpoint_id", "number"),
        sa.Index(
            "ix_events_endpoint_id_due_at",
            "endpoint_id",
            "due_at",
            postgresql_where=sa.text("due_at IS NOT NULL"),
            sqlite_where=sa.text("due_at IS NOT NULL"),
        ),
    )
