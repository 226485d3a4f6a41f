"""Verifications, their codes, attempts and deliveries; API keys.

Revision: 0001, the first
"""

from __future__ import annotations

from typing import Any

import sqlalchemy as sa
from alembic import op

revision = "0001"
down_revision = None
branch_labels = None
depends_on = None

SCHEMA = "otp_service"  # taken away on SQLite, by the connection's schema_translate_map


def _time(name: str, *, null: bool = False) -> sa.Column[Any]:
    return sa.Column(name, sa.DateTime(timezone=True), nullable=null)


def _text(name: str, length: int, *, null: bool = False, **kwargs: object) -> sa.Column[Any]:
    return sa.Column(name, sa.String(length), nullable=null, **kwargs)  # type: ignore[arg-type]


def _whole(name: str, **kwargs: object) -> sa.Column[Any]:
    return sa.Column(name, sa.Integer(), nullable=False, **kwargs)  # type: ignore[arg-type]


def _of_verification(table: str) -> sa.ForeignKeyConstraint:
    return sa.ForeignKeyConstraint(
        ["verification_id"],
        [f"{SCHEMA}.verifications.id"],
        name=f"fk_{table}_verification_id",
        ondelete="CASCADE",
    )


def _index(table: str, *columns: str) -> None:
    op.create_index(f"ix_{table}_{'_'.join(columns)}", table, list(columns), schema=SCHEMA)


def upgrade() -> None:
    op.create_table(
        "verifications",
        _text("id", 40),
        _text("client", 64),
        _text("phone", 16),
        _text("purpose", 32),
        _text("channel", 16),
        _text("locale", 64, null=True),
        _text("status", 16),
        _whole("generation", comment="the newest code's"),
        _whole("oldest_generation", comment="codes before it no longer verify"),
        _whole("attempts", comment="wrong guesses so far"),
        _whole("max_attempts"),
        _time("created_at"),
        _time("expires_at"),
        _time("verified_at", null=True),
        _time("canceled_at", null=True),
        sa.PrimaryKeyConstraint("id", name="pk_verifications"),
        schema=SCHEMA,
    )
    _index("verifications", "client", "phone", "purpose", "created_at")
    _index("verifications", "created_at")
    _index("verifications", "phone")
    _upgrade_codes_and_attempts()
    _upgrade_deliveries()
    op.create_table(
        "api_keys",
        _text("name", 64),
        _text("digest", 64),
        _text("scopes", 255, comment="separated by spaces"),
        _time("created_at"),
        _time("revoked_at", null=True),
        sa.PrimaryKeyConstraint("name", name="pk_api_keys"),
        sa.UniqueConstraint("digest", name="uq_api_keys_digest"),
        schema=SCHEMA,
    )


def _upgrade_codes_and_attempts() -> None:
    op.create_table(
        "codes",
        _text("verification_id", 40),
        _whole("generation", autoincrement=False),
        _text("mac", 64),
        _text("secret_id", 8, comment="the secret that made it"),
        _time("expires_at"),
        sa.PrimaryKeyConstraint("verification_id", "generation", name="pk_codes"),
        _of_verification("codes"),
        schema=SCHEMA,
    )
    op.create_table(
        "attempts",
        _text("id", 40),
        _text("verification_id", 40),
        _text("phone", 16),
        sa.Column("correct", sa.Boolean(), nullable=False),
        _time("created_at"),
        sa.PrimaryKeyConstraint("id", name="pk_attempts"),
        _of_verification("attempts"),
        schema=SCHEMA,
    )
    _index("attempts", "verification_id")
    _index("attempts", "phone", "created_at")


def _upgrade_deliveries() -> None:
    op.create_table(
        "deliveries",
        _text("id", 40),
        _text("verification_id", 40),
        _text("phone", 16),
        _whole("generation"),
        _text("channel", 16),
        _text("provider", 32),
        _text("provider_message_id", 255, null=True),
        _text("status", 16),
        _text("error_code", 64, null=True),
        _text("reason", 255, null=True, comment="the provider's own words"),
        _time("created_at"),
        *(_time(f"{step}_at", null=True) for step in _STEPS),
        sa.PrimaryKeyConstraint("id", name="pk_deliveries"),
        _of_verification("deliveries"),
        schema=SCHEMA,
    )
    _index("deliveries", "verification_id")
    _index("deliveries", "provider_message_id")
    _index("deliveries", "phone", "created_at")


_STEPS = ("submitted", "sent", "delivered", "read", "failed")


def downgrade() -> None:
    for table in ("api_keys", "deliveries", "attempts", "codes", "verifications"):
        op.drop_table(table, schema=SCHEMA)
