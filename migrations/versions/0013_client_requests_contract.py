"""Where the release before the last one counted a client's requests goes.

Revision: 0013, after 0012
"""

from __future__ import annotations

import sqlalchemy as sa
from alembic import op

revision = "0013"
down_revision = "0012"
branch_labels = None
depends_on = None

SCHEMA = "otp_service"


def upgrade() -> None:
    op.drop_table("client_requests", schema=SCHEMA)


def downgrade() -> None:
    op.create_table(
        "client_requests",
        sa.Column("client", sa.String(64), nullable=False),
        sa.Column("used", sa.Integer, nullable=False, comment="since then"),
        sa.Column("began_at", sa.DateTime(timezone=True), nullable=False),
        sa.PrimaryKeyConstraint("client", name="pk_client_requests"),
        schema=SCHEMA,
    )
