"""The tables.

On Postgres they live in a schema of their own, so that a hosted database (Supabase) does not
publish them through its API; on SQLite, which has no schemas, without one.
"""

from __future__ import annotations

from datetime import datetime
from typing import TYPE_CHECKING, Any

import sqlalchemy as sa
from flask import Flask
from flask_sqlalchemy import SQLAlchemy
from sqlalchemy.orm import DeclarativeBase, Mapped, mapped_column, registry

from otp_service.storage.dialects import UtcTime

SCHEMA = "otp_service"
ON_SQLITE: dict[str, Any] = {
    "schema_translate_map": {SCHEMA: "main"},  # what SQLite calls the schema of its file
    "render_schema_translate": True,
}
"""How a statement is compiled for it, ahead of its runs."""


class Base(DeclarativeBase):
    metadata = sa.MetaData(
        schema=SCHEMA,
        naming_convention={
            "ix": "ix_%(table_name)s_%(column_0_N_name)s",
            "pk": "pk_%(table_name)s",
            "uq": "uq_%(table_name)s_%(column_0_name)s",
            "fk": "fk_%(table_name)s_%(column_0_name)s",
        },
    )
    registry = registry(metadata=metadata, type_annotation_map={datetime: UtcTime()})


db = SQLAlchemy(model_class=Base)
if TYPE_CHECKING:
    Model = Base
else:
    Model = db.Model


def engines_of(app: Flask) -> list[sa.Engine]:
    """The database's engine, and the fallback's if there is one."""
    with app.app_context():
        return [db.engines[name] for name in (None, "fallback") if name in db.engines]


def where_not_null(*columns: str) -> sa.Index:
    """Of the rows that have a value in the first of them."""
    some = sa.text(f"{columns[0]} IS NOT NULL")
    return sa.Index(None, *columns, postgresql_where=some, sqlite_where=some)


class VerificationRow(Model):
    """One person proving one phone for one purpose. ``phone`` is E.164."""

    __tablename__ = "verifications"
    id: Mapped[str] = mapped_column(sa.String(40), primary_key=True)
    client: Mapped[str] = mapped_column(sa.String(64))
    phone: Mapped[str] = mapped_column(sa.String(16))
    purpose: Mapped[str] = mapped_column(sa.String(32))
    channel: Mapped[str] = mapped_column(sa.String(16))
    locale: Mapped[str | None] = mapped_column(sa.String(64))
    status: Mapped[str] = mapped_column(sa.String(16))
    generation: Mapped[int] = mapped_column(comment="the newest code's")
    oldest_generation: Mapped[int] = mapped_column(comment="codes before it no longer verify")
    attempts: Mapped[int] = mapped_column(comment="wrong guesses so far")
    max_attempts: Mapped[int]
    created_at: Mapped[datetime]
    expires_at: Mapped[datetime]
    verified_at: Mapped[datetime | None]
    canceled_at: Mapped[datetime | None]
    timeline: Mapped[str | None] = mapped_column(
        sa.String(8), comment="of the Postgres it was issued on: a failover begins another"
    )
    country: Mapped[str | None] = mapped_column(sa.String(2), comment="of the phone (ISO 3166)")

    __table_args__ = (
        where_not_null("country", "created_at"),
        sa.Index(None, "client", "phone", "purpose", "created_at"),
        sa.Index(None, "created_at"),
        sa.Index(None, "phone"),
        # For the cleanup alone: since no request asks for canceled_at, the planner can't be led to
        # look for a person's live verification among all that are live.
        sa.Index(
            "ix_verifications_pending_expires_at",
            "expires_at",
            postgresql_where=sa.text("status = 'pending' AND canceled_at IS NULL"),
            sqlite_where=sa.text("status = 'pending' AND canceled_at IS NULL"),
        ),
    )


def _of_verification() -> Mapped[str]:
    return mapped_column(
        sa.String(40), sa.ForeignKey(VerificationRow.id, ondelete="CASCADE"), index=True
    )


class CodeRow(Model):
    """One generation's code, as `codes.bind` of its tag; the digits are nowhere."""

    __tablename__ = "codes"
    verification_id: Mapped[str] = mapped_column(
        sa.String(40), sa.ForeignKey(VerificationRow.id, ondelete="CASCADE"), primary_key=True
    )
    generation: Mapped[int] = mapped_column(primary_key=True, autoincrement=False)
    mac: Mapped[str] = mapped_column(sa.String(64))
    secret_id: Mapped[str] = mapped_column(sa.String(8), comment="the secret that made it")
    expires_at: Mapped[datetime]


class AttemptRow(Model):
    """One judged check. The failures of a phone, over all its verifications, are counted here."""

    __tablename__ = "attempts"
    id: Mapped[str] = mapped_column(sa.String(40), primary_key=True)
    verification_id: Mapped[str] = _of_verification()
    phone: Mapped[str] = mapped_column(sa.String(16))
    correct: Mapped[bool]
    created_at: Mapped[datetime]
    failures: Mapped[int | None] = mapped_column(
        comment="wrong guesses of the verification, this one included"
    )
    idempotency_key: Mapped[str | None] = mapped_column(sa.String(64), comment="its digest")
    fingerprint: Mapped[str | None] = mapped_column(sa.String(64), comment="of the request")

    __table_args__ = (
        sa.Index(None, "phone", "created_at"),
        where_not_null("idempotency_key"),
    )


def _price(of: str) -> Mapped[str | None]:
    return mapped_column(sa.String(40), comment=f"its price's {of}, in the provider's words")


class DeliveryRow(Model):
    """One message. The sends of a phone are counted here."""

    __tablename__ = "deliveries"
    id: Mapped[str] = mapped_column(sa.String(40), primary_key=True)
    verification_id: Mapped[str] = _of_verification()
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
