"""What is sent and what providers tell of it: deliveries, receipts, events."""

from __future__ import annotations

from datetime import datetime

import sqlalchemy as sa
from sqlalchemy.orm import Mapped, mapped_column

from otp_service.storage.models.base import Model, where_not_null
from otp_service.storage.models.verifications import of_verification


def _price(of: str) -> Mapped[str | None]:
    return mapped_column(sa.String(40), comment=f"its price's {of}, in the provider's words")


class DeliveryRow(Model):
    """One message. The sends of a phone are counted here."""

    __tablename__ = "deliveries"
    id: Mapped[str] = mapped_column(sa.String(40), primary_key=True)
    verification_id: Mapped[str] = of_verification()
    phone: Mapped[str] = mapped_column(sa.String(16))
    generation: Mapped[int]
    channel: Mapped[str] = mapped_column(sa.String(16))
    provider: Mapped[str] = mapped_column(sa.String(32))
    provider_message_id: Mapped[str | None] = mapped_column(sa.String(255), index=True)
    status: Mapped[str] = mapped_column(sa.String(16))
    error_code: Mapped[str | None] = mapped_column(sa.String(64))
    reason: Mapped[str | None] = mapped_column(sa.String(255), comment="the provider's own words")
    created_at: Mapped[datetime]
    submitted_at: Mapped[datetime | None]
    sent_at: Mapped[datetime | None]
    delivered_at: Mapped[datetime | None]
    read_at: Mapped[datetime | None]
    failed_at: Mapped[datetime | None]
    background: Mapped[bool | None] = mapped_column(comment="the caller does not wait for it")
    auto: Mapped[bool | None] = mapped_column(comment="it may be followed by an SMS")
    follows: Mapped[str | None] = mapped_column(
        sa.String(40), comment="the message in whose place it was sent"
    )
    tries: Mapped[int | None] = mapped_column(
        comment="calls of the provider, those before included"
    )
    due_at: Mapped[datetime | None] = mapped_column(comment="when the worker looks at it")
    lease: Mapped[str | None] = mapped_column(
        sa.String(40), comment="who has it in hand until then"
    )
    idempotency_key: Mapped[str | None] = mapped_column(sa.String(64), comment="its digest")
    fingerprint: Mapped[str | None] = mapped_column(sa.String(64), comment="of the request")
    address: Mapped[str | None] = mapped_column(
        sa.String(64), comment="keyed hash of the end user's"
    )
    prefix: Mapped[str | None] = mapped_column(
        sa.String(16), comment="the phone less its last four digits"
    )
    client: Mapped[str | None] = mapped_column(sa.String(64), comment="who asked for it")

    price_category: Mapped[str | None] = _price("category")
    price_billable: Mapped[bool | None] = mapped_column(comment="whether it is charged for")
    price_model: Mapped[str | None] = _price("model")
    price_type: Mapped[str | None] = _price("type")

    __table_args__ = (
        sa.Index(None, "phone", "created_at"),
        where_not_null("due_at"),
        where_not_null("idempotency_key"),
        where_not_null("address", "created_at"),
        where_not_null("prefix", "created_at"),
        sa.Index(
            "ix_deliveries_client_failed_at",
            "client",
            "failed_at",
            postgresql_where=sa.text("failed_at IS NOT NULL"),
            sqlite_where=sa.text("failed_at IS NOT NULL"),
        ),
    )


class ReceiptRow(Model):
    """What a provider told of a message, until it is applied to the delivery."""

    __tablename__ = "receipts"
    id: Mapped[str] = mapped_column(sa.String(40), primary_key=True)
    provider: Mapped[str] = mapped_column(sa.String(32))
    provider_message_id: Mapped[str] = mapped_column(sa.String(255))
    delivery_id: Mapped[str | None] = mapped_column(
        sa.String(40), comment="that we gave with the message"
    )
    status: Mapped[str] = mapped_column(sa.String(16))
    at: Mapped[datetime] = mapped_column(comment="by the provider's clock")
    error_code: Mapped[str | None] = mapped_column(sa.String(64))
    reason: Mapped[str | None] = mapped_column(sa.String(255), comment="the provider's own words")
    created_at: Mapped[datetime]
    due_at: Mapped[datetime] = mapped_column(index=True, comment="when it is applied, or tried to")
    price_category: Mapped[str | None] = _price("category")
    price_billable: Mapped[bool | None] = mapped_column(comment="whether it is charged for")
    price_model: Mapped[str | None] = _price("model")
    price_type: Mapped[str | None] = _price("type")


class ProviderEventRow(Model):
    """The newest that a provider told of a template, a number or the account, by topic."""

    __tablename__ = "provider_events"
    id: Mapped[str] = mapped_column(
        sa.String(64), primary_key=True, comment="digest of what it is about"
    )
    provider: Mapped[str] = mapped_column(sa.String(32))
    kind: Mapped[str] = mapped_column(sa.String(16))
    name: Mapped[str] = mapped_column(sa.String(255))
    ref: Mapped[str | None] = mapped_column(sa.String(255), comment="the provider's id for it")
    language: Mapped[str | None] = mapped_column(sa.String(64))
    owner: Mapped[str | None] = mapped_column(
        sa.String(255), comment="the app or the number it belongs to"
    )
    topic: Mapped[str] = mapped_column(sa.String(16))
    state: Mapped[str] = mapped_column(sa.String(40))
    level: Mapped[str] = mapped_column(sa.String(16))
    detail: Mapped[str | None] = mapped_column(sa.String(255), comment="the provider's own words")
    at: Mapped[datetime] = mapped_column(comment="by the provider's clock")
    created_at: Mapped[datetime]
