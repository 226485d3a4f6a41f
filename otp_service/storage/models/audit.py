"""The audit trail."""

from __future__ import annotations

from datetime import datetime

import sqlalchemy as sa
from sqlalchemy.orm import Mapped, mapped_column

from otp_service.storage.models.base import Model, where_not_null


class AuditRow(Model):
    """Who did what. The database itself refuses to change it: see migration 0005."""

    __tablename__ = "audit"
    id: Mapped[int] = mapped_column(
        sa.BigInteger().with_variant(sa.Integer(), "sqlite"), sa.Identity(), primary_key=True
    )
    at: Mapped[datetime]
    actor: Mapped[str] = mapped_column(sa.String(64), comment="a client, or an operator's account")
    action: Mapped[str] = mapped_column(sa.String(32))
    verification_id: Mapped[str | None] = mapped_column(sa.String(40))
    phone: Mapped[str | None] = mapped_column(sa.String(16), comment="masked")
    phone_digest: Mapped[str | None] = mapped_column(sa.String(64), comment="keyed")
    detail: Mapped[str | None] = mapped_column(sa.String(255))

    __table_args__ = (where_not_null("verification_id"), where_not_null("phone_digest"))
