"""What a person proves: verifications, their codes, the attempts at them."""

from __future__ import annotations

from datetime import datetime

import sqlalchemy as sa
from sqlalchemy.orm import Mapped, mapped_column

from otp_service.storage.models.base import Model, where_not_null


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


def of_verification() -> Mapped[str]:
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


class SealedCodeRow(Model):
    """The digits of a code that a caller made, sealed for who sends it; deleted once it is out."""

    __tablename__ = "sealed_codes"
    verification_id: Mapped[str] = mapped_column(
        sa.String(40), sa.ForeignKey(VerificationRow.id, ondelete="CASCADE"), primary_key=True
    )
    generation: Mapped[int] = mapped_column(primary_key=True, autoincrement=False)
    sealed: Mapped[str] = mapped_column(sa.String(255), comment="the digits")
    secret_id: Mapped[str] = mapped_column(sa.String(8), comment="the secret that sealed it")
    expires_at: Mapped[datetime] = mapped_column(index=True)


class AttemptRow(Model):
    """A wrong guess, or a check with an idempotency key. A right one without leaves no row.

    The failures of a phone, over all its verifications, are counted here.
    """

    __tablename__ = "attempts"
    id: Mapped[str] = mapped_column(sa.String(40), primary_key=True)
    verification_id: Mapped[str] = of_verification()
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
