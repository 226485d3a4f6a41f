"""Several statements as one transaction, in one round trip."""

from __future__ import annotations

import logging
from collections.abc import Mapping
from pathlib import Path

import pytest
import sqlalchemy as sa

from otp_service.domain.errors import StorageUnavailable
from otp_service.domain.service import OtpService
from otp_service.domain.verification import Person
from otp_service.storage import engines
from otp_service.storage.access_models import ApiKeyRow
from otp_service.storage.rules import NOW
from otp_service.storage.transaction import Transaction, given
from tests.fakes import FakeSender


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
    statements: list[str] = []
    sa.event.listen(
        engine, "before_cursor_execute", lambda *args: statements.append(args[2]), named=False
    )
    service.verify(person, sender.last_code)
    assert len(statements) == 1
    statements.clear()
    service.send(person)
    assert len(statements) == 2


def test_no_connection_is_held_while_the_provider_is_called(
    engine: sa.Engine, service: OtpService, person: Person, sender: FakeSender
) -> None:
    held: list[int] = []
    assert isinstance(engine.pool, sa.pool.QueuePool)
    pool = engine.pool
    sender.on_send = lambda: held.append(pool.checkedout())
    service.send(person)
    assert held == [0]


def test_sqlite_keeps_its_file_private_and_safe(tmp_path: Path) -> None:
    url = f"sqlite:///{tmp_path}/otp.db"
    engine = sa.create_engine(url, **engines.options(url, 2))
    engines.prepare(engine)
    with engine.connect() as connection:
        assert connection.exec_driver_sql("PRAGMA journal_mode").scalar() == "wal"
        assert connection.exec_driver_sql("PRAGMA synchronous").scalar() == 2
    assert (tmp_path / "otp.db").stat().st_mode & 0o777 == 0o600
