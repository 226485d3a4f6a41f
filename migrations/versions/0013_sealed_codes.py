"""Codes that callers made: sealed, until they are out.

Expand only: the release before works with this schema, too. It knows nothing of such codes, so
they are to be asked for once every server and worker has this release.

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
    of = sa.ForeignKeyConstraint(
        ["verification_id"],
        [f"{SCHEMA}.verifications.id"],
        name="fk_sealed_codes_verification_id",
        ondelete="CASCADE",
    )
    op.create_table(
        "sealed_codes",
        sa.Column("verification_id", sa.String(40), nullable=False),
        sa.Column("generation", sa.Integer, nullable=False, autoincrement=False),
        sa.Column("sealed", sa.String(255), nullable=False, comment="the digits"),
        sa.Column("secret_id", sa.String(8), nullable=False, comment="the secret that sealed it"),
        sa.Column("expires_at", sa.DateTime(timezone=True), nullable=False),
        sa.PrimaryKeyConstraint("verification_id", "generation", name="pk_sealed_codes"),
        of,
        schema=SCHEMA,
    )
    op.create_index("ix_sealed_codes_expires_at", "sealed_codes", ["expires_at"], schema=SCHEMA)


def downgrade() -> None:
    op.drop_table("sealed_codes", schema=SCHEMA)
