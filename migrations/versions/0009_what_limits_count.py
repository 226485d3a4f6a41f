"""What limits count besides: a client's requests one by one, and whose a message was.

Expand only: the release before works with this schema, too.

Revision: 0009, after 0008
"""

from __future__ import annotations

import sqlalchemy as sa
from alembic import op

revision = "0009"
down_revision = "0008"
branch_labels = None
depends_on = None

SCHEMA = "otp_service"


def _schema() -> str | None:
    """ALTER TABLE does not heed the connection's schema_translate_map."""
    return SCHEMA if op.get_context().dialect.name == "postgresql" else None


def upgrade() -> None:
    op.create_table(
        "requests",
        sa.Column("id", sa.String(40), nullable=False),
        sa.Column("client", sa.String(64), nullable=False),
        sa.Column("created_at", sa.DateTime(timezone=True), nullable=False),
        sa.PrimaryKeyConstraint("id", name="pk_requests"),
        schema=SCHEMA,
    )
    op.create_index(
        "ix_requests_client_created_at", "requests", ["client", "created_at"], schema=SCHEMA
    )
    client = sa.Column("client", sa.String(64), comment="who asked for it")
    op.add_column("deliveries", client, schema=_schema())


def downgrade() -> None:
    op.drop_column("deliveries", "client", schema=_schema())
    op.drop_table("requests", schema=SCHEMA)
