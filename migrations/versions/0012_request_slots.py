"""A client's requests take slots: they no longer wait for each other, and leave nothing to delete.

`requests` stays for the release before, which counts there.

Revision: 0012, after 0011
"""

from __future__ import annotations

import sqlalchemy as sa
from alembic import op

revision = "0012"
down_revision = "0011"
branch_labels = None
depends_on = None

SCHEMA = "otp_service"


def upgrade() -> None:
    op.create_table(
        "request_slots",
        sa.Column("client", sa.String(64), nullable=False),
        sa.Column("number", sa.Integer, nullable=False, autoincrement=False),
        sa.Column("taken_at", sa.DateTime(timezone=True), nullable=False),
        sa.PrimaryKeyConstraint("client", "number", name="pk_request_slots"),
        schema=SCHEMA,
    )


def downgrade() -> None:
    op.drop_table("request_slots", schema=SCHEMA)
