"""Failovers are noticed, and what is overdue is found without a scan.

Expand only: the release before works with this schema, too.

Revision: 0002, after 0001
"""

from __future__ import annotations

import sqlalchemy as sa
from alembic import op

from otp_service.storage.concurrent_index import index_alone

revision = "0002"
down_revision = "0001"
branch_labels = None
depends_on = None

SCHEMA = "otp_service"
INDEX = "ix_verifications_pending_expires_at"
PENDING = sa.text("status = 'pending' AND canceled_at IS NULL")


def _schema() -> str | None:
    """ALTER TABLE does not heed the connection's schema_translate_map."""
    return SCHEMA if op.get_context().dialect.name == "postgresql" else None


def upgrade() -> None:
    with index_alone(INDEX):  # first, since it alone may be found half done by the next try
        op.create_index(
            INDEX,
            "verifications",
            ["expires_at"],
            schema=SCHEMA,
            postgresql_where=PENDING,
            sqlite_where=PENDING,
            postgresql_concurrently=True,
            if_not_exists=True,
        )
    op.add_column(
        "verifications",
        sa.Column(
            "timeline",
            sa.String(8),
            comment="of the Postgres it was issued on: a failover begins another",
        ),
        schema=_schema(),
    )


def downgrade() -> None:
    op.drop_column("verifications", "timeline", schema=_schema())
    op.drop_index(INDEX, "verifications", schema=SCHEMA)
