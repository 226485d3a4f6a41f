"""Who may call, and what signs proofs."""

from __future__ import annotations

from datetime import datetime

import sqlalchemy as sa
from sqlalchemy.orm import Mapped, mapped_column

from otp_service.storage.models.base import Model


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
