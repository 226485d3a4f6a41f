"""Indexes for the limits that count by address, by prefix and by country.

Apart from the columns, since they are made outside of a transaction: a table that is being written
to is not locked for it.

Expand only: the release before works with this schema, too.

Revision: 0006, after 0005
"""

from __future__ import annotations

import sqlalchemy as sa
from alembic import op

from otp_service.storage.concurrent_index import index_alone

revision = "0006"
down_revision = "0005"
branch_labels = None
depends_on = None

SCHEMA = "otp_service"
INDEXES = (("deliveries", "address"), ("deliveries", "prefix"), ("verifications", "country"))


def upgrade() -> None:
    for table, column in INDEXES:
        some = sa.text(f"{column} IS NOT NULL")
        name = f"ix_{table}_{column}_created_at"
        with index_alone(name):
            op.create_index(
                name,
                table,
                [column, "created_at"],
                schema=SCHEMA,
                postgresql_where=some,
                sqlite_where=some,
                postgresql_concurrently=True,
                if_not_exists=True,
            )


def downgrade() -> None:
    for table, column in INDEXES:
        op.drop_index(f"ix_{table}_{column}_created_at", table, schema=SCHEMA)
