"""Deliveries that are retried and followed by others, receipts, repeated requests.

Expand only: the release before works with this schema, too.

Revision: 0003, after 0002
"""

from __future__ import annotations

from typing import Any

import sqlalchemy as sa
from alembic import op

revision = "0003"
down_revision = "0002"
branch_labels = None
depends_on = None

SCHEMA = "otp_service"


def _time(name: str, **kwargs: Any) -> sa.Column[Any]:
    return sa.Column(name, sa.DateTime(timezone=True), **kwargs)


def _text(name: str, length: int, **kwargs: Any) -> sa.Column[Any]:
    return sa.Column(name, sa.String(length), **kwargs)


def _repeated() -> list[sa.Column[Any]]:
    return [
        _text("idempotency_key", 64, comment="its digest"),
        _text("fingerprint", 64, comment="of the request"),
    ]


def _attempts() -> list[sa.Column[Any]]:
    comment = "wrong guesses of the verification, this one included"
    return [sa.Column("failures", sa.Integer(), comment=comment), *_repeated()]


def _deliveries() -> list[sa.Column[Any]]:
    return [
        sa.Column("background", sa.Boolean(), comment="the caller does not wait for it"),
        sa.Column("auto", sa.Boolean(), comment="it may be followed by an SMS"),
        _text("follows", 40, comment="the message in whose place it was sent"),
        sa.Column("tries", sa.Integer(), comment="calls of the provider, those before included"),
        _time("due_at", comment="when the worker looks at it"),
        _text("lease", 40, comment="who has it in hand until then"),
        *_repeated(),
    ]


ADDED = {"attempts": _attempts, "deliveries": _deliveries}


def _schema() -> str | None:
    """ALTER TABLE does not heed the connection's schema_translate_map."""
    return SCHEMA if op.get_context().dialect.name == "postgresql" else None


def upgrade() -> None:
    for table, columns in ADDED.items():
        for column in columns():
            op.add_column(table, column, schema=_schema())
    op.create_table(
        "receipts",
        _text("id", 40, nullable=False),
        _text("provider", 32, nullable=False),
        _text("provider_message_id", 255, nullable=False),
        _text("status", 16, nullable=False),
        _time("at", nullable=False, comment="by the provider's clock"),
        _text("error_code", 64),
        _text("reason", 255, comment="the provider's own words"),
        _time("created_at", nullable=False),
        _time("due_at", nullable=False, comment="when it is applied, or tried to"),
        sa.PrimaryKeyConstraint("id", name="pk_receipts"),
        schema=SCHEMA,
    )
    op.create_index("ix_receipts_due_at", "receipts", ["due_at"], schema=SCHEMA)


def downgrade() -> None:
    op.drop_table("receipts", schema=SCHEMA)
    for table, columns in ADDED.items():
        for column in columns():
            op.drop_column(table, column.name, schema=_schema())
