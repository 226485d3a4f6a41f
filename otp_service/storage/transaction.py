"""Several statements as one transaction, and on Postgres in one round trip.

PostgreSQL runs the statements of one simple-protocol message as a single transaction, each with
a snapshot of its own (PostgreSQL manual, "Multiple Statements in a Simple Query"). So the first
one can wait for a lock and those behind it see what its holder committed, which one statement
with many `WITH` parts would not. SQLite runs the same statements one by one between
`BEGIN IMMEDIATE` and `COMMIT`, where nobody else writes.
"""

from __future__ import annotations

import logging
from collections.abc import Sequence
from typing import Any

import sqlalchemy as sa

from otp_service.domain.errors import StorageUnavailable

log = logging.getLogger(__name__)

Statement = sa.sql.expression.Executable


def given(name: str, type_: Any = None) -> sa.BindParameter[Any]:
    """A value that each run of a `Transaction` gives, under the same name in every statement."""
    return sa.bindparam(f"given_{name}", type_=type_)


class Transaction:
    """Statements prepared once, run often. The last one's rows are the answer.

    With ``serialize`` (a given text, such as a phone number), runs with an equal value wait for
    each other. Raises `StorageUnavailable` for whatever the database could not do.
    """

    def __init__(self, *statements: Any, serialize: sa.BindParameter[Any] | None = None) -> None:
        self._statements = statements
        self._serialize = serialize
        self._message: tuple[str, dict[str, Any]] | None = None

    def run(self, engine: sa.Engine, **values: Any) -> Sequence[sa.Row[Any]]:
        given_values = {f"given_{name}": value for name, value in values.items()}
        run = self._on_sqlite if engine.dialect.name == "sqlite" else self._on_postgres
        try:
            return run(engine, given_values)
        except sa.exc.SQLAlchemyError as error:
            failure = describe(error)
        # Raised outside of the handler: a database error's text holds the row.
        log.error("the database failed: %s", failure)
        raise StorageUnavailable

    def _on_sqlite(self, engine: sa.Engine, values: dict[str, Any]) -> Sequence[sa.Row[Any]]:
        with engine.begin() as connection:
            for statement in self._statements:
                result = connection.execute(statement, values)
            return result.all() if result.returns_rows else []

    def _on_postgres(self, engine: sa.Engine, values: dict[str, Any]) -> Sequence[sa.Row[Any]]:
        if self._message is None:
            self._message = self._compile(engine.dialect)
        sql, constants = self._message
        with engine.connect() as connection:
            result = connection.exec_driver_sql(sql, constants | values)
            return result.all() if result.returns_rows else []

    def _compile(self, dialect: sa.Dialect) -> tuple[str, dict[str, Any]]:
        """One message, and the values that are the same in each run."""
        statements = list(self._statements)
        if self._serialize is not None:
            key = sa.func.hashtextextended(self._serialize, 0)
            statements.insert(0, sa.select(sa.func.pg_advisory_xact_lock(key)))
        parts, constants = [], {}
        for number, statement in enumerate(statements):
            compiled = statement.compile(dialect=dialect)
            names = {}
            for name, value in compiled.params.items():
                is_given = name.startswith("given_")
                names[name] = f"%({name})s" if is_given else f"%(s{number}_{name})s"
                if not is_given:
                    constants[f"s{number}_{name}"] = value
            parts.append(compiled.string % names)
        return ";\n".join(parts), constants


def describe(error: sa.exc.SQLAlchemyError) -> str:
    """What failed, without the database's text, which may quote a row."""
    sqlstate = getattr(getattr(error, "orig", None), "pgcode", None)
    return f"{type(error).__name__}, SQLSTATE {sqlstate or 'none'}"
