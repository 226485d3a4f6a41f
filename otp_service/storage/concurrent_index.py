"""An index that a migration makes while others write to its table."""

from __future__ import annotations

from collections.abc import Iterator
from contextlib import contextmanager

import sqlalchemy as sa
from alembic import op

from otp_service.storage import schema
from otp_service.storage.models.dialects import SCHEMA


@contextmanager
def index_alone(name: str) -> Iterator[None]:
    """In a migration, around CREATE INDEX CONCURRENTLY IF NOT EXISTS: outside of a transaction.

    What the migration did before is committed. Nothing on SQLite.
    """
    context = op.get_context()
    if context.dialect.name != "postgresql":
        yield
        return
    with context.autocommit_block():
        op.execute(f"SET lock_timeout = '{schema.LOCK_TIMEOUT}'")
        op.execute("SET statement_timeout = 0")
        try:
            if not context.as_sql and _is_invalid(op.get_bind(), name):
                op.drop_index(name, schema=SCHEMA, postgresql_concurrently=True)
            yield
        finally:
            op.execute("RESET lock_timeout")
            op.execute("RESET statement_timeout")


def _is_invalid(connection: sa.Connection, index: str) -> bool:
    """An interrupted CREATE INDEX CONCURRENTLY leaves one that nobody reads."""
    known = sa.table("pg_index", sa.column("indexrelid"), sa.column("indisvalid", sa.Boolean))
    this = known.c.indexrelid == sa.func.to_regclass(f"{SCHEMA}.{index}")
    return bool(connection.scalar(sa.select(~known.c.indisvalid).where(this)))
