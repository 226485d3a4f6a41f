"""What providers tell of prices, of templates, of numbers and of the account.

Expand only: the release before works with this schema, too.

Revision: 0008, after 0007
"""

from __future__ import annotations

import sqlalchemy as sa
from alembic import op

from otp_service.storage.models.dialects import UtcTime

revision = "0008"
down_revision = "0007"
branch_labels = None
depends_on = None

SCHEMA = "otp_service"


def _schema() -> str | None:
    """ALTER TABLE does not heed the connection's schema_translate_map."""
    return SCHEMA if op.get_context().dialect.name == "postgresql" else None


def _price() -> list[sa.Column[str] | sa.Column[bool]]:
    def text(of: str) -> sa.Column[str]:
        comment = f"its price's {of}, in the provider's words"
        return sa.Column(f"price_{of}", sa.String(40), comment=comment)

    billable: sa.Column[bool] = sa.Column(
        "price_billable", sa.Boolean(), comment="whether it is charged for"
    )
    return [text("category"), billable, text("model"), text("type")]


def upgrade() -> None:
    for table in ("deliveries", "receipts"):
        for column in _price():
            op.add_column(table, column, schema=_schema())
    op.create_table(
        "provider_events",
        sa.Column("id", sa.String(64), nullable=False, comment="digest of what it is about"),
        sa.Column("provider", sa.String(32), nullable=False),
        sa.Column("kind", sa.String(16), nullable=False),
        sa.Column("name", sa.String(255), nullable=False),
        sa.Column("ref", sa.String(255), comment="the provider's id for it"),
        sa.Column("language", sa.String(64)),
        sa.Column("owner", sa.String(255), comment="the app or the number it belongs to"),
        sa.Column("topic", sa.String(16), nullable=False),
        sa.Column("state", sa.String(40), nullable=False),
        sa.Column("level", sa.String(16), nullable=False),
        sa.Column("detail", sa.String(255), comment="the provider's own words"),
        sa.Column("at", UtcTime(), nullable=False, comment="by the provider's clock"),
        sa.Column("created_at", UtcTime(), nullable=False),
        sa.PrimaryKeyConstraint("id", name="pk_provider_events"),
        schema=SCHEMA,
    )


def downgrade() -> None:
    op.drop_table("provider_events", schema=SCHEMA)
    for table in ("receipts", "deliveries"):
        for column in reversed(_price()):
            op.drop_column(table, column.name, schema=_schema())
