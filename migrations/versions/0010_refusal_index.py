"""An index for the limit of what a provider refuses a client.

Apart from the column, since it is made outside of a transaction: a table that is being written to
is not locked for it.

Expand only: the release before works with this schema, too.

Revision: 0010, after 0009
"""

from __future__ import annotations

import sqlalchemy as sa
from alembic import op

from otp_service.storage.concurrent_index import index_alone

revision = "0010"
down_revision = "0009"
branch_labels = None
depends_on = None

SCHEMA = "otp_service"
INDEX = "ix_deliveries_client_failed_at"


def upgrade() -> None:
    some = sa.text("failed_at IS NOT NULL")
    with index_alone(INDEX):
        op.create_index(
            INDEX,
            "deliveries",
            ["client", "failed_at"],
            schema=SCHEMA,
            postgresql_where=some,
            sqlite_where=some,
            postgresql_concurrently=True,
            if_not_exists=True,
        )


def downgrade() -> None:
    op.drop_index(INDEX, "deliveries", schema=SCHEMA)
