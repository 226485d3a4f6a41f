"""The tables of who may call, how often, and what was done."""

from __future__ import annotations

from datetime import datetime

import sqlalchemy as sa
from sqlalchemy.orm import Mapped, mapped_column

from otp_service.storage.models import Model, where_not_null


class ApiKeyRow(Model):
    """Who may call: a client by its name, with one key or two.

    ``digest`` is SHA-256 of the key, which itself is nowhere.
    """

    __tablename__ = "api_keys"
    name: Mapped[str] = mapped_column(sa.String(64))
    digest: Mapped[str] = mapped_column(sa.String(64), primary_key=True)
    scopes: Mapped[str] = mapped_column(sa.String(255), comment="separated by spaces")
    created_at: Mapped[datetime]
    revoked_at: Mapped[datetime | None]
    last_used_at: Mapped[datetime | None] = mapped_column(comment="to the minute")


class SigningKeyRow(Model):
    """A key pair that signs proofs (Ed25519); ``kid`` is the public key's thumbprint."""

    __tablename__ = "signing_keys"
    kid: Mapped[str] = mapped_column(sa.String(64), primary_key=True)
    public_key: Mapped[str] = mapped_column(sa.String(255), comment="raw, base64url")
    private_key: Mapped[str] = mapped_column(
        sa.String(1024), comment="encrypted with an OTP_SECRET"
    )
    secret_id: Mapped[str] = mapped_column(sa.String(8), comment="the secret that encrypted it")
    created_at: Mapped[datetime]
    signs_from: Mapped[datetime] = mapped_column(comment="published since created_at")
    revoked_at: Mapped[datetime | None]


class PhoneRow(Model):
    """A phone across its verifications, since a guess was wrong or it was unlocked."""

    __tablename__ = "phones"
    phone: Mapped[str] = mapped_column(sa.String(16), primary_key=True)
    failures: Mapped[int] = mapped_column(comment="wrong guesses in a row")
    disabled_at: Mapped[datetime | None] = mapped_column(
        comment="when there were too many in a row"
    )
    unlocked_at: Mapped[datetime | None] = mapped_column(
        comment="limits don't count what was before"
    )
    updated_at: Mapped[datetime] = mapped_column(index=True)


class RequestRow(Model):
    """A client's request that was let in: what its limit counts, for as long as it does."""

    __tablename__ = "requests"
    id: Mapped[str] = mapped_column(sa.String(40), primary_key=True)
    client: Mapped[str] = mapped_column(sa.String(64))
    created_at: Mapped[datetime]

    __table_args__ = (sa.Index(None, "client", "created_at"),)


class ClientRequestsRow(Model):
    """The release before counts here. It goes with the next migration."""

    __tablename__ = "client_requests"
    client: Mapped[str] = mapped_column(sa.String(64), primary_key=True)
    used: Mapped[int] = mapped_column(comment="since then")
    began_at: Mapped[datetime]


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
