"""Indexes that go away for a while and come back the same."""

from __future__ import annotations

from collections.abc import Iterator
from contextlib import contextmanager

import sqlalchemy as sa

from bench.progress import say
from otp_service.storage.models.dialects import SCHEMA

_CONSTRAINTS = """
SELECT conrelid::regclass::text, conname, pg_get_constraintdef(oid) FROM pg_constraint
WHERE connamespace = %(schema)s::regnamespace AND contype IN ('f', 'p', 'u')
ORDER BY contype, conname
"""  # foreign keys first: they hang on the primary keys
_INDEXES = """
SELECT indexname, indexdef FROM pg_indexes WHERE schemaname = %(schema)s ORDER BY indexname
"""


@contextmanager
def without_indexes(connection: sa.Connection) -> Iterator[None]:
    """Indexes are built much faster at once than row by row."""
    constraints, indexes = _read(connection, _CONSTRAINTS), _read(connection, _INDEXES)
    for table, name, _ in constraints:
        connection.exec_driver_sql(f"ALTER TABLE {table} DROP CONSTRAINT {name}")
    free = _read(connection, _INDEXES)  # those of constraints went with them
    for name, _ in free:
        connection.exec_driver_sql(f"DROP INDEX {SCHEMA}.{name}")
    yield
    for name, definition in free:
        say(f"  {name}")
        connection.exec_driver_sql(definition)
    for table, name, definition in reversed(constraints):
        say(f"  {name}")
        connection.exec_driver_sql(f"ALTER TABLE {table} ADD CONSTRAINT {name} {definition}")
    assert [constraints, indexes] == [_read(connection, q) for q in (_CONSTRAINTS, _INDEXES)]


def _read(connection: sa.Connection, query: str) -> list[tuple[str, ...]]:
    return [tuple(row) for row in connection.exec_driver_sql(query, {"schema": SCHEMA})]
