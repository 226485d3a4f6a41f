"""Transactions on SQLite that wait for the disk together."""

from __future__ import annotations

import sqlite3
from collections.abc import Iterator
from concurrent.futures import Future, ThreadPoolExecutor
from contextlib import closing, contextmanager
from pathlib import Path
from typing import Any

import pytest
import sqlalchemy as sa

from otp_service.domain.errors import StorageUnavailable
from otp_service.storage.db import engine as engines
from otp_service.storage.db import group_commit
from otp_service.storage.db.transaction import Transaction, given
from otp_service.storage.models.keys import ApiKeyRow
from otp_service.storage.sql.conditions import NOW
from tests import databases
from tests.faults.waiting import until

K = ApiKeyRow
_NEW = (sa.literal("name"), given("digest"), sa.literal(""), NOW)
ADD = Transaction(
    sa.insert(K).from_select([K.name, K.digest, K.scopes, K.created_at], sa.select(*_NEW)),
    sa.select(sa.func.count().label("keys")).select_from(K),
)
COUNT = Transaction(sa.select(sa.func.count().label("keys")).select_from(K), reads=True)


@pytest.fixture
def engine(tmp_path: Path) -> Iterator[sa.Engine]:
    """With one connection, as a server has it."""
    url = databases.new_sqlite_file(tmp_path / "otp.db")
    engine = sa.create_engine(url, **engines.options(url, 16))
    engines.prepare(engine)
    yield engine
    engine.dispose()


class Together:
    """Transactions that come while another one has the connection."""

    def __init__(self, engine: sa.Engine, pool: ThreadPoolExecutor) -> None:
        self._engine = engine
        self._pool = pool
        self._group: group_commit.GroupCommit = engine.get_execution_options()["commits"]
        self.began: list[Future[Any]] = []

    def run(self, transaction: Transaction, **values: object) -> None:
        """Begins, in the order of these calls: the first one leads, alone."""
        self.began.append(self._pool.submit(transaction.run, self._engine, **values))
        until(lambda: self._group._is_led and len(self._group._waiting) == len(self.began) - 1)

    @property
    def failures(self) -> list[int]:
        """Which of them failed, by their number."""
        ended = [(number, each.exception()) for number, each in enumerate(self.began)]
        assert all(error is None or type(error) is StorageUnavailable for _, error in ended)
        return [number for number, error in ended if error]


@contextmanager
def together(engine: sa.Engine) -> Iterator[Together]:
    with ThreadPoolExecutor(40) as pool:
        with closing(engine.raw_connection()):
            begun = Together(engine, pool)
            yield begun
        for each in begun.began:
            each.exception()


def count(engine: sa.Engine) -> int:
    [row] = COUNT.run(engine)
    return int(row.keys)


def test_those_that_wait_share_a_commit_and_follow_each_other(engine: sa.Engine) -> None:
    done: list[str] = []
    with engine.connect() as connection:
        driver: Any = connection.connection.dbapi_connection
        driver.set_trace_callback(done.append)
    done.clear()
    with together(engine) as begun:
        for number in range(5):
            begun.run(ADD, digest=f"d{number}")
    assert [each.result()[0].keys for each in begun.began] == [1, 2, 3, 4, 5]
    assert done.count("COMMIT") == 2


def test_who_is_answered_finds_his_row_on_the_disk(engine: sa.Engine) -> None:
    path = Path(str(engine.url.database))

    def add_and_look(number: int) -> bool:
        ADD.run(engine, digest=f"d{number}")
        with closing(sqlite3.connect(path)) as other:
            sql = "SELECT count(*) FROM api_keys WHERE digest = ?"
            return bool(other.execute(sql, (f"d{number}",)).fetchone()[0])

    with ThreadPoolExecutor(8) as pool:
        assert all(pool.map(add_and_look, range(60)))
    assert count(engine) == 60


def test_one_that_fails_takes_no_other_with_it(engine: sa.Engine) -> None:
    with together(engine) as begun:
        for digest in ("a", "b", "a", "c", "b", "d"):
            begun.run(ADD, digest=digest)
    assert begun.failures == [2, 4]
    assert count(engine) == 4


def test_where_the_file_stays_locked_all_of_a_group_fail_and_the_next_do_not(
    engine: sa.Engine,
) -> None:
    path = Path(str(engine.url.database))
    with engine.connect() as connection:
        connection.exec_driver_sql("PRAGMA busy_timeout = 50")
    with closing(sqlite3.connect(path, isolation_level=None)) as other:
        other.execute("BEGIN IMMEDIATE")
        with together(engine) as begun:
            for number in range(4):
                begun.run(ADD, digest=f"d{number}")
        assert begun.failures == [0, 1, 2, 3]
    ADD.run(engine, digest="d")
    assert count(engine) == 1


def test_a_group_is_not_larger_than_it_may_be(
    engine: sa.Engine, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(group_commit, "MOST", 2)
    with together(engine) as begun:
        for number in range(6):
            begun.run(ADD, digest=f"d{number}")
    assert begun.failures == []
    assert count(engine) == 6
