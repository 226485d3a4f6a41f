"""Indexes for what is due and for repeated requests.

Apart from the columns, since they are made outside of a transaction: a table that is being written
to is not locked for it.

Expand only: the release before works with this schema, too.

Revision: 0004, after 0003
"""

from __future__ import annotations

import sqlalchemy as sa
from alembic import op

from otp_service.storage.concurrent_index import index_alone

revision = "0004"
down_revision = "0003"
branch_labels = None
depends_on = None

SCHEMA = "otp_service"
INDEXES = (
    ("attempts", "idempotency_key"),
    ("deliveries", "due_at"),
    ("deliveries", "idempotency_key"),
)


def upgrade() -> None:
    for table, column in INDEXES:
        some = sa.text(f"{column} IS NOT NULL")
        name = f"ix_{table}_{column}"
        with index_alone(name):
            op.create_index(
                name,
                table,
                [column],
                schema=SCHEMA,
                postgresql_where=some,
                sqlite_where=some,
                postgresql_concurrently=True,
                if_not_exists=True,
            )


def downgrade() -> None:
    for table, column in INDEXES:
        op.drop_index(f"ix_{table}_{column}", table, schema=SCHEMA)
