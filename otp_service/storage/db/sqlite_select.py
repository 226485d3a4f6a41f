"""A look into the fallback that costs a fraction of what a `Transaction` does.

Every send and every check by phone looks whether the fallback knows the person, and in all but an
outage it does not. So this one statement goes to SQLite's driver directly.
"""

from __future__ import annotations

import sqlite3
from typing import Any

import sqlalchemy as sa
from sqlalchemy.dialects import sqlite

from otp_service.domain.errors import StorageUnavailable
from otp_service.storage.models.dialects import ON_SQLITE


class SqliteSelect:
    """One SELECT on SQLite, compiled once. Its rows come as the driver has them."""

    def __init__(self, select: sa.Select[Any]) -> None:
        compiled = select.compile(
            dialect=sqlite.dialect(paramstyle="named"),
            **ON_SQLITE,
        )
        self._sql = str(compiled)
        self._constants = dict(compiled.params)

    def run(self, engine: sa.Engine, **values: object) -> list[tuple[Any, ...]]:
        """Raises `StorageUnavailable`."""
        given = {f"given_{name}": value for name, value in values.items()}
        try:
            connection = engine.raw_connection()
            try:
                cursor = connection.cursor()
                cursor.execute(self._sql, self._constants | given)
                return list(cursor.fetchall())
            finally:
                connection.close()
        except (sqlite3.Error, sa.exc.SQLAlchemyError) as error:
            failure = type(error).__name__  # its text may hold values
        raise StorageUnavailable(failure)
