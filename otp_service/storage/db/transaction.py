"""Several statements as one transaction, and on Postgres in one round trip.

PostgreSQL runs the statements of one simple-protocol message as a single transaction, each with
a snapshot of its own (PostgreSQL manual, "Multiple Statements in a Simple Query"). So the first
one can wait for a lock and those behind it see what its holder committed, which one statement
with many `WITH` parts would not. That needs READ COMMITTED, whatever is the database's default.
SQLite runs the same statements one by one between `BEGIN IMMEDIATE` and `COMMIT`, where nobody
else writes.
"""

from __future__ import annotations

from collections.abc import Sequence
from typing import Any

import sqlalchemy as sa

from otp_service.storage.db import failures, postgres
from otp_service.storage.models.dialects import ON_SQLITE, TIMELINE

SECONDS = 2.0  # for all of a transaction on Postgres: a connection, locks, statements, the answer
# In the message, since a pooler may give each transaction another session. SET TRANSACTION has to
# come before any query.
_BEGIN = "SET TRANSACTION ISOLATION LEVEL READ COMMITTED;\nSET LOCAL statement_timeout = %(limit)s"
# The server's own limit, in ms, is for each statement of a message (the manual's
# "statement_timeout"). Before each it is set to what is left for all: now() stands still. 0 would
# be no limit.
_WHAT_IS_LEFT = (
    "SELECT set_config('statement_timeout', greatest(1, %(limit)s - "
    "1000 * date_part('epoch', clock_timestamp() - now()))::int::text, true)"
)

Statement = sa.sql.expression.Executable


def given(name: str, type_: Any = None) -> sa.BindParameter[Any]:
    """A value that each run of a `Transaction` gives, under the same name in every statement."""
    return sa.bindparam(f"given_{name}", type_=type_)


class Transaction:
    """Statements prepared once, run often. The last one's rows are the answer.

    With ``serialize`` (texts, given or looked up, such as a phone number, or nulls), runs with an
    equal value wait for each other, for one value after the other. ``reads`` says that nothing is
    written.
    Raises `HomeUnreachable` where the connection failed, so that nothing is known, and
    `StorageUnavailable` for whatever else the database did not do.
    """

    def __init__(
        self,
        *statements: Any,
        serialize: Sequence[sa.ColumnElement[Any]] = (),
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
            failure = failures.failure_of(error)
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
            if not connection.info.get("timeline", True):
                sql = sql.replace(TIMELINE, "NULL::text")
            given_values = constants | values | {"limit": _server_limit()}
            result = connection.exec_driver_sql(sql, given_values)
            return result.all() if result.returns_rows else []

    def _compile(self, dialect: sa.Dialect) -> tuple[str, dict[str, Any]]:
        """One message, and the values that are the same in each run."""
        keys = [sa.func.hashtextextended(text, 0) for text in self._serialize]
        locks = [sa.select(sa.func.pg_advisory_xact_lock(key)) for key in keys]
        statements, constants = [], {}
        for number, statement in enumerate([*locks, *self._statements]):
            compiled = statement.compile(dialect=dialect)
            names = {}
            for name, value in compiled.params.items():
                is_given = name.startswith("given_")
                names[name] = f"%({name})s" if is_given else f"%(s{number}_{name})s"
                if not is_given:
                    constants[f"s{number}_{name}"] = value
            statements.append(compiled.string % names)
        return f"{_BEGIN};\n" + f";\n{_WHAT_IS_LEFT};\n".join(statements), constants


def _server_limit() -> int:
    """Milliseconds, half of what is left here: a slow server can be told from a silent one."""
    return max(1, int(500 * (postgres.left() or 0)))


def begin_on_sqlite(connection: sa.Connection) -> None:
    """Take the write lock at once: a transaction that reads first could lose it to another."""
    read_only = connection.get_execution_options().get("read_only")
    connection.exec_driver_sql("BEGIN" if read_only else "BEGIN IMMEDIATE")
