"""What a database is sent, as its driver sends it."""

from __future__ import annotations

from collections.abc import Callable
from typing import Any

import pytest
import sqlalchemy as sa
from psycopg2 import extensions

from otp_service.storage.db.answer import Row
from otp_service.storage.db.transaction import Transaction


def recorded(engine: sa.Engine) -> list[bytes]:
    """Grows by each message to a Postgres, or each statement on a SQLite file, from now on."""
    messages: list[bytes] = []

    class Recorder(extensions.cursor):
        def execute(self, sql: Any, values: Any = None) -> None:
            try:
                super().execute(sql, values)
            finally:
                messages.append(self.query or b"")

    def record(connection: Any, *_: object) -> None:
        if engine.dialect.name == "sqlite":
            connection.set_trace_callback(lambda sql: messages.append(sql.encode()))
        else:
            connection.cursor_factory = Recorder

    sa.event.listen(engine, "checkout", record)
    return messages


def behind_a_pooler(engine: sa.Engine) -> None:
    """From now on its connections are taken for a pooler's, which keep nothing for us."""

    def tell(_connection: object, record: Any, _proxy: object) -> None:
        record.info["session"].is_ours = False

    sa.event.listen(engine, "checkout", tell)


def transactions(
    monkeypatch: pytest.MonkeyPatch,
    on: sa.Engine,
    before: Callable[[str], object] = lambda name: None,
) -> list[tuple[str, int]]:
    """The name of each that runs from now on, and how many rows it answered; ``before`` it runs
    something may happen. On this engine: an application of another test may still be ending.
    """
    really, ran = Transaction.run, list[tuple[str, int]]()

    def run(self: Transaction, engine: sa.Engine, **values: Any) -> list[Row]:
        if engine is not on:
            return really(self, engine, **values)
        name = self._on_server._name
        before(name)
        rows = really(self, engine, **values)
        ran.append((name, len(rows)))
        return rows

    monkeypatch.setattr(Transaction, "run", run)
    return ran
