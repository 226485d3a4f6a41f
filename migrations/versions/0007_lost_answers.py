"""Receipts that name our own delivery, where the provider's answer to its send was lost.

Expand only: the release before works with this schema, too.

Revision: 0007, after 0006
"""

from __future__ import annotations

import sqlalchemy as sa
from alembic import op

revision = "0007"
down_revision = "0006"
branch_labels = None
depends_on = None

SCHEMA = "otp_service"


def _schema() -> str | None:
    """ALTER TABLE does not heed the connection's schema_translate_map."""
    return SCHEMA if op.get_context().dialect.name == "postgresql" else None


def upgrade() -> None:
    comment = "that we gave with the message"
    delivery_id = sa.Column("delivery_id", sa.String(40), comment=comment)
    op.add_column("receipts", delivery_id, schema=_schema())


def downgrade() -> None:
    op.drop_column("receipts", "delivery_id", schema=_schema())
