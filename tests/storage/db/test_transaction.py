"""Several statements as one transaction, in one round trip."""

from __future__ import annotations

import logging
import threading
from collections.abc import Iterator, Mapping
from concurrent.futures import ThreadPoolExecutor
from contextlib import ExitStack, contextmanager
from pathlib import Path

import pytest
import sqlalchemy as sa

from otp_service.domain.errors import HomeUnreachable, StorageUnavailable
from otp_service.domain.service import OtpService
from otp_service.domain.verification import Person
from otp_service.storage.db import engine as engines
from otp_service.storage.db.transaction import Transaction, given
from otp_service.storage.models.keys import ApiKeyRow
from otp_service.storage.sql.conditions import NOW
from otp_service.turns import Turns
from tests.fakes import FakeSender
from tests.faults.waiting import until
from tests.statements import behind_a_pooler, recorded


def add_key(name: str) -> sa.Insert:
    values = {"name": name, "digest": given("digest"), "scopes": "", "created_at": NOW}
    return sa.insert(ApiKeyRow).from_select(list(values), sa.select(*_literals(values)))


def _literals(values: Mapping[str, object]) -> list[sa.ColumnElement[object]]:
    return [v if isinstance(v, sa.ColumnElement) else sa.literal(v) for v in values.values()]


def count_keys(engine: sa.Engine) -> int:
    with engine.connect() as connection:
        return connection.scalar(sa.select(sa.func.count()).select_from(ApiKeyRow)) or 0


def test_all_statements_take_effect_or_none(engine: sa.Engine) -> None:
    both = Transaction(add_key("one"), add_key("two"))  # the same digest twice is refused
    with pytest.raises(StorageUnavailable):
        both.run(engine, digest="d")
    assert count_keys(engine) == 0


def test_a_database_errors_text_is_neither_raised_nor_logged(
    engine: sa.Engine, caplog: pytest.LogCaptureFixture
) -> None:
    caplog.set_level(logging.DEBUG)
    Transaction(add_key("one")).run(engine, digest="+919876543210")
    with pytest.raises(StorageUnavailable) as caught:
        Transaction(add_key("two")).run(engine, digest="+919876543210")
    assert caught.value.__context__ is None
    assert "9876543210" not in caplog.text + caught.value.reason
    kinds = ("IntegrityError, SQLSTATE none", "UniqueViolation, SQLSTATE 23505")
    assert caught.value.reason in kinds


@pytest.mark.parametrize("database_url", ["postgres"], indirect=True)
def test_a_check_is_one_message_to_the_database_and_a_send_two(
    engine: sa.Engine, service: OtpService, person: Person, sender: FakeSender
) -> None:
    service.send(person)  # opens the connection
    service.verify(person, sender.last_code)
    service.send(person)  # and has the session know what it is asked
    messages = recorded(engine)
    service.verify(person, sender.last_code)
    assert len(messages) == 1
    assert len(messages[0]) < 600  # bytes
    messages.clear()
    service.send(person)
    assert len(messages) == 2
    assert sum(map(len, messages)) < 1200


def test_no_connection_is_held_while_the_provider_is_called(
    engine: sa.Engine, service: OtpService, person: Person, sender: FakeSender
) -> None:
    held: list[int] = []
    assert isinstance(engine.pool, sa.pool.QueuePool)
    pool = engine.pool
    sender.on_send = lambda: held.append(pool.checkedout())
    service.send(person)
    assert held == [0]


@pytest.mark.parametrize("database_url", ["postgres"], indirect=True)
def test_who_waits_for_a_connection_lets_others_compute(engine: sa.Engine) -> None:
    """Else those who have one could wait for their turn, and he for theirs, until both give up."""
    turns, clock = Turns(1), Transaction(sa.select(NOW))
    with ExitStack() as held, ThreadPoolExecutor(1) as pool:
        assert isinstance(engine.pool, sa.QueuePool)
        for _ in range(engine.pool.size() + engines.BESIDE_REQUESTS):
            held.callback(engine.raw_connection().close)

        def ask() -> object:
            with turns.one():
                return clock.run(engine)

        waiting = pool.submit(ask)
        until(lambda: wait_for_connection(engine.pool))
        turns.take()
        assert turns.is_mine
        turns.leave()
        assert not waiting.done()
        held.close()
        assert waiting.result() is not None


def wait_for_connection(pool: sa.Pool) -> bool:
    return bool(pool._pool.not_empty._waiters)  # type: ignore[attr-defined]


def test_sqlite_keeps_its_file_private_and_safe(tmp_path: Path) -> None:
    url = f"sqlite:///{tmp_path}/otp.db"
    engine = sa.create_engine(url, **engines.options(url, 2))
    engines.prepare(engine)
    with engine.connect() as connection:
        assert connection.exec_driver_sql("PRAGMA journal_mode").scalar() == "wal"
        assert connection.exec_driver_sql("PRAGMA synchronous").scalar() == 2
    assert (tmp_path / "otp.db").stat().st_mode & 0o777 == 0o600


KEYS = ("first", "second", "third")
LOCK = "SELECT pg_advisory_xact_lock(hashtextextended('{key}', 0))"


@contextmanager
def held_in_turn(engine: sa.Engine, seconds: float) -> Iterator[None]:
    """Other sessions hold the locks on `KEYS`, each so much longer than the one before."""

    several = engine.execution_options(isolation_level="READ COMMITTED")  # statements, that is

    def hold(number: int, key: str) -> None:
        with several.begin() as connection:
            connection.exec_driver_sql(LOCK.format(key=key))
            all_held.wait()
            connection.exec_driver_sql(f"SELECT pg_sleep({seconds * (number + 1)})")

    all_held = threading.Barrier(len(KEYS) + 1)
    with ThreadPoolExecutor(len(KEYS)) as pool:
        held = [pool.submit(hold, number, key) for number, key in enumerate(KEYS)]
        all_held.wait()
        yield
    for each in held:
        each.result()


@pytest.mark.parametrize("database_url", ["postgres"], indirect=True)
def test_several_waits_in_one_transaction_have_one_limit_and_are_no_outage(
    engine: sa.Engine,
) -> None:
    keys = [given(key) for key in KEYS]
    waits = {key: key for key in KEYS}
    behind_locks = Transaction(sa.select(sa.literal("done")), serialize=keys)
    in_statements = Transaction(
        *(
            sa.select(sa.func.pg_advisory_xact_lock(sa.func.hashtextextended(key, 0)))
            for key in keys
        )
    )
    for number, transaction in enumerate((behind_locks, in_statements) * 2):
        if number == 2:
            behind_a_pooler(engine)
        with held_in_turn(engine, 1.1), pytest.raises(StorageUnavailable) as caught:
            transaction.run(engine, **waits)
        assert not isinstance(caught.value, HomeUnreachable)
        assert caught.value.reason == "QueryCanceled, SQLSTATE 57014"


@pytest.mark.parametrize("database_url", ["postgres"], indirect=True)
def test_what_connecting_took_is_not_left_for_waiting(engine: sa.Engine) -> None:
    """A slow connection and then a lock: the server's limit comes before the client's, still."""
    sa.event.listen(engine, "checkout", lambda *_: threading.Event().wait(1.4))
    transaction = Transaction(sa.select(sa.literal("done")), serialize=[given("key")])
    holder = sa.create_engine(engine.url, isolation_level="AUTOCOMMIT")
    with holder.connect() as connection:
        connection.exec_driver_sql("SELECT pg_advisory_lock(hashtextextended('one', 0))")
        with pytest.raises(StorageUnavailable) as caught:
            transaction.run(engine, key="one")
    holder.dispose()
    assert caught.value.reason == "QueryCanceled, SQLSTATE 57014"


@pytest.mark.parametrize("database_url", ["postgres"], indirect=True)
def test_what_is_locked_may_be_looked_up(engine: sa.Engine) -> None:
    name = sa.select(ApiKeyRow.name).where(ApiKeyRow.digest == given("digest"))
    transaction = Transaction(sa.select(sa.literal(1)), serialize=[name.scalar_subquery()])
    Transaction(add_key("second")).run(engine, digest="d")
    assert len(transaction.run(engine, digest="unknown")) == 1
    with held_in_turn(engine, 1.1), pytest.raises(StorageUnavailable) as caught:
        transaction.run(engine, digest="d")
    assert caught.value.reason == "QueryCanceled, SQLSTATE 57014"


@pytest.mark.statement(29)
@pytest.mark.parametrize("database_url", ["postgres"], indirect=True)
def test_behind_a_pooler_each_transaction_is_read_committed_and_the_session_stays_as_it_was(
    engine: sa.Engine,
) -> None:
    behind_a_pooler(engine)
    names = ("transaction_isolation", "statement_timeout")
    settings = sa.select(*(sa.func.current_setting(name) for name in names))
    for _ in range(2):
        with engine.connect() as connection:
            connection.exec_driver_sql("SET default_transaction_isolation = 'repeatable read'")
            connection.exec_driver_sql("SET statement_timeout = '7s'")
        [inside] = Transaction(settings, reads=True).run(engine)
        assert inside[0] == "read committed"
        assert inside[1] != "7s"
        with engine.connect() as connection:
            [after] = connection.execute(settings)
        assert tuple(after) == ("repeatable read", "7s")
