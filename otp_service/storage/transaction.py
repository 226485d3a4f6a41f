"""Several statements as one transaction, and on Postgres in one round trip.

PostgreSQL runs the statements of one simple-protocol message as a single transaction, each with
a snapshot of its own (PostgreSQL manual, "Multiple Statements in a Simple Query"). So the first
one can wait for a lock and those behind it see what its holder committed, which one statement
with many `WITH` parts would not. SQLite runs the same statements one by one between
`BEGIN IMMEDIATE` and `COMMIT`, where nobody else writes.
"""

from __future__ import annotations

from collections.abc import Sequence
from typing import Any

import psycopg2
import sqlalchemy as sa

from otp_service.domain.errors import HomeUnreachable, StorageUnavailable
from otp_service.storage import postgres
from otp_service.storage.models import ON_SQLITE

SECONDS = 2.0  # for all of a transaction on Postgres: a connection, locks, statements, the answer
_LOST = {"57P01", "57P02", "57P03"}  # the server is shut down, has crashed, is not up yet

Statement = sa.sql.expression.Executable


def given(name: str, type_: Any = None) -> sa.BindParameter[Any]:
    """A value that each run of a `Transaction` gives, under the same name in every statement."""
    return sa.bindparam(f"given_{name}", type_=type_)


class Transaction:
    """Statements prepared once, run often. The last one's rows are the answer.

    With ``serialize`` (given texts, such as a phone number, or nulls), runs with an equal value
    wait for each other, for one value after the other. ``reads`` says that nothing is written.
    Raises `HomeUnreachable` where the connection failed, so that nothing is known, and
    `StorageUnavailable` for whatever else the database did not do.
    """

    def __init__(
        self,
        *statements: Any,
        serialize: Sequence[sa.BindParameter[Any]] = (),
        reads: bool = False,
        seconds: float = SECONDS,
    ) -> None:
        self._statements = statements
        self._serialize = serialize
        self._reads = reads
        self._seconds = seconds
        self._message: tuple[str, dict[str, Any]] | None = None
        self._compiled: list[Any] = []

    def run(self, engine: sa.Engine, **values: Any) -> Sequence[sa.Row[Any]]:
        given_values = {f"given_{name}": value for name, value in values.items()}
        run = self._on_sqlite if engine.dialect.name == "sqlite" else self._on_postgres
        try:
            return run(engine, given_values)
        except sa.exc.SQLAlchemyError as error:
            failure = failure_of(error)
        # Raised outside of the handler: a database error's text holds the row.
        raise failure

    def _on_sqlite(self, engine: sa.Engine, values: dict[str, Any]) -> Sequence[sa.Row[Any]]:
        if not self._compiled:
            self._compiled = self._compile_for_sqlite(engine)
        with engine.execution_options(read_only=self._reads).begin() as connection:
            for statement in self._compiled:
                result = connection.execute(statement, values)
            return result.all() if result.returns_rows else []

    def _compile_for_sqlite(self, engine: sa.Engine) -> list[Any]:
        """Once: to find a statement in SQLAlchemy's cache takes longer than SQLite takes for it."""
        found = []
        for statement in self._statements:
            compiled = statement.compile(dialect=engine.dialect, **ON_SQLITE)
            compiled.schema_translate_map = None  # done: not to be done again at each run
            found.append(compiled)
        return found

    def _on_postgres(self, engine: sa.Engine, values: dict[str, Any]) -> Sequence[sa.Row[Any]]:
        if self._message is None:
            self._message = self._compile(engine.dialect)
        sql, constants = self._message
        with postgres.deadline(self._seconds), engine.connect() as connection:
            result = connection.exec_driver_sql(sql, constants | values)
            return result.all() if result.returns_rows else []

    def _compile(self, dialect: sa.Dialect) -> tuple[str, dict[str, Any]]:
        """One message, and the values that are the same in each run."""
        # The server's own limit comes first, so that a slow server can be told from a silent one.
        milliseconds = str(int(500 * self._seconds))
        timeout = sa.func.set_config("statement_timeout", milliseconds, True)
        statements = [sa.select(timeout), *self._statements]
        for number, text in enumerate(self._serialize, start=1):
            key = sa.func.hashtextextended(text, 0)
            statements.insert(number, sa.select(sa.func.pg_advisory_xact_lock(key)))
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


def failure_of(error: sa.exc.SQLAlchemyError) -> StorageUnavailable:
    """Connection-class or not, by SQLSTATE; without one, by whether there is a connection.

    A full pool, a lock or statement timeout, a wrong password, a full disk are not: an attacker
    could provoke them, or an operator must see them.
    """
    cause, reason = getattr(error, "orig", None), describe(error)
    if not isinstance(cause, psycopg2.Error):
        return StorageUnavailable(reason)
    certain = isinstance(cause, (postgres.NoAnswer, postgres.ConnectFailed))
    lost = certain or (isinstance(error, sa.exc.DBAPIError) and error.connection_invalidated)
    if cause.pgcode:
        lost = cause.pgcode.startswith("08") or cause.pgcode in _LOST
    return HomeUnreachable(reason, certain=certain) if lost else StorageUnavailable(reason)


def describe(error: sa.exc.SQLAlchemyError) -> str:
    """What failed, without the database's text, which may quote a row."""
    cause = getattr(error, "orig", None)
    sqlstate = getattr(cause, "pgcode", None)
    return f"{type(cause or error).__name__}, SQLSTATE {sqlstate or 'none'}"
