"""A client may have several API keys: what tells keys apart is their digest, not the client's name.

No release reads or writes less for it: the one before makes sure by itself, behind a lock, that a
name has one key. It goes on beside this one, and takes every key.

Revision: 0011, after 0010
"""

from __future__ import annotations

import sqlalchemy as sa
from alembic import op

revision = "0011"
down_revision = "0010"
branch_labels = None
depends_on = None

SCHEMA = "otp_service"
KEY, UNIQUE = "pk_api_keys", "uq_api_keys_digest"


def upgrade() -> None:
    if op.get_context().dialect.name == "postgresql":
        op.drop_constraint(KEY, "api_keys", schema=SCHEMA, type_="primary")
        op.create_primary_key(KEY, "api_keys", ["digest"], schema=SCHEMA)
        op.drop_constraint(UNIQUE, "api_keys", schema=SCHEMA, type_="unique")
    else:
        _make_again(sa.PrimaryKeyConstraint("digest", name=KEY))


def downgrade() -> None:
    """Fails while a client has more than one key."""
    if op.get_context().dialect.name == "postgresql":
        op.drop_constraint(KEY, "api_keys", schema=SCHEMA, type_="primary")
        op.create_primary_key(KEY, "api_keys", ["name"], schema=SCHEMA)
        op.create_unique_constraint(UNIQUE, "api_keys", ["digest"], schema=SCHEMA)
    else:
        _make_again(
            sa.PrimaryKeyConstraint("name", name=KEY), sa.UniqueConstraint("digest", name=UNIQUE)
        )


def _make_again(*constraints: sa.Constraint) -> None:
    """SQLite changes no constraint of a table that is there."""
    columns = ("name", "digest", "scopes", "created_at", "revoked_at", "last_used_at")
    times = {name: name == "created_at" for name in columns if name.endswith("_at")}
    op.create_table(
        "api_keys_new",
        sa.Column("name", sa.String(64), nullable=False),
        sa.Column("digest", sa.String(64), nullable=False),
        sa.Column("scopes", sa.String(255), nullable=False),
        *(
            sa.Column(name, sa.DateTime(timezone=True), nullable=not needed)
            for name, needed in times.items()
        ),
        *constraints,
    )
    old, new = (sa.table(name, *map(sa.column, columns)) for name in ("api_keys", "api_keys_new"))
    op.execute(sa.insert(new).from_select(columns, sa.select(old)))
    op.drop_table("api_keys")
    op.rename_table("api_keys_new", "api_keys")
