"""Several statements as one transaction, and on Postgres in one round trip.

Each statement has a snapshot of its own, on both databases: the first ones may wait for a lock,
and those behind it see what its holder committed. On Postgres they are a function of the session,
or one message where a pooler is in between (see `function`, `message`). On SQLite they run one by
one (see `script`), and transactions that wait share a commit (see `group_commit`).
"""

from __future__ import annotations

import sqlite3
from collections.abc import Sequence
from typing import Any

import psycopg2
import sqlalchemy as sa

from otp_service.storage.db import failures, postgres
from otp_service.storage.db.answer import Answer, Row
from otp_service.storage.db.function import GIVEN
from otp_service.storage.db.group_commit import GroupCommit
from otp_service.storage.db.script import Script
from otp_service.storage.db.session import Session, Statements
from otp_service.turns import at_database, let_go

SECONDS = 2.0  # for all of a transaction on Postgres: a connection, locks, statements, the answer

Statement = sa.sql.expression.Executable


def given(name: str, type_: Any = None) -> sa.BindParameter[Any]:
    """A value that each run of a `Transaction` gives, under the same name in every statement."""
    return sa.bindparam(f"{GIVEN}{name}", type_=type_)


class Transaction:
    """Statements made once, run often. The last one's rows are the answer.

    ``name`` is what spans, and Postgres's own views and logs, call it. With ``serialize`` (texts,
    given or looked up, such as a phone number, or nulls), runs with an equal value wait for each
    other, for one value after the other. ``reads`` says that nothing is written.
    Raises `HomeUnreachable` where the connection failed, so that nothing is known, and
    `StorageUnavailable` for whatever else the database did not do.
    """

    def __init__(
        self,
        *statements: Any,
        name: str = "transaction",
        serialize: Sequence[sa.ColumnElement[Any]] = (),
        reads: bool = False,
        seconds: float = SECONDS,
    ) -> None:
        self.name = name
        self._statements = statements
        self._on_server = Statements(name, [*_locks(serialize), *statements])
        self._answer = Answer(statements[-1])
        self._reads = reads
        self._seconds = seconds
        self._on_file: Script | None = None

    def run(self, engine: sa.Engine, **values: Any) -> list[Row]:
        given_values = {GIVEN + name: value for name, value in values.items()}
        run = self._on_sqlite if engine.dialect.name == "sqlite" else self._on_postgres
        try:
            with at_database():
                return run(engine, given_values)
        except (sa.exc.SQLAlchemyError, psycopg2.Error, sqlite3.Error) as error:
            failure = failures.failure_of(error)
        # Raised outside of the handler: a database error's text holds the row.
        raise failure

    def _on_sqlite(self, engine: sa.Engine, values: dict[str, Any]) -> list[Row]:
        if self._on_file is None:
            self._on_file = Script(self._statements, self._answer, reads=self._reads)
        with let_go():  # for who has the connection, for the file, for the disk
            commits: GroupCommit = engine.get_execution_options()["commits"]
            return commits.run(engine, self._on_file, values)

    def _on_postgres(self, engine: sa.Engine, values: dict[str, Any]) -> list[Row]:
        with postgres.deadline(self._seconds):
            connection = _connection(engine)
            try:
                cursor = connection.cursor()
                session: Session = connection.info["session"]
                limit = postgres.server_limit()
                self._on_server.run(engine.dialect, session, cursor, values, limit)
                if not self._answer.types:
                    return []
                ((text,),) = cursor.fetchall()
                return self._answer.of_text(text)
            except psycopg2.Error as error:
                if not _is_lost(engine, error, connection):
                    raise
                connection.invalidate(error)
                engine.dispose()  # what was opened before it is likely lost, too
                raise sa.exc.DBAPIError(None, None, error, connection_invalidated=True) from None
            finally:
                connection.close()


def _connection(engine: sa.Engine) -> sa.PoolProxiedConnection:
    """Who has to wait for one lets others compute meanwhile: they have it."""
    if isinstance(engine.pool, sa.QueuePool) and not engine.pool.checkedin():
        with let_go():
            return engine.raw_connection()
    return engine.raw_connection()


def _is_lost(engine: sa.Engine, error: Any, connection: sa.PoolProxiedConnection) -> bool:
    return engine.dialect.is_disconnect(error, connection.dbapi_connection, None)


def _locks(serialize: Sequence[sa.ColumnElement[Any]]) -> list[sa.Select[Any]]:
    keys = [sa.func.hashtextextended(text, 0) for text in serialize]
    locks = [sa.func.pg_advisory_xact_lock(key) for key in keys]
    return [sa.select(*locks)] if locks else []


def begin_on_sqlite(connection: sa.Connection) -> None:
    """Take the write lock at once: a transaction that reads first could lose it to another."""
    read_only = connection.get_execution_options().get("read_only")
    connection.exec_driver_sql("BEGIN" if read_only else "BEGIN IMMEDIATE")
