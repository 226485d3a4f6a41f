"""The fallback beside Postgres, which is asked only when somebody has written to it."""

from __future__ import annotations

import os
import time
from pathlib import Path

import pytest
import sqlalchemy as sa

from otp_service.domain.limits import Limits
from otp_service.domain.verification import Person, Status
from otp_service.storage.db import engine as engines
from otp_service.storage.db import sqlite_file
from otp_service.storage.db.database import Database
from otp_service.storage.db.sqlite_file import SqliteFile
from otp_service.storage.homes import Homes
from otp_service.storage.verifications import Operations, SqlStore
from tests.databases import new_sqlite_file
from tests.statements import recorded
from tests.storage.conftest import MakeService


@pytest.fixture
def file(tmp_path: Path) -> sa.Engine:
    engine = sa.create_engine(url := new_sqlite_file(tmp_path / "fallback.db"))
    engine.dispose()
    engine = sa.create_engine(url, **engines.options(url, 2))
    engines.prepare(engine)
    return engine


def on(engine: sa.Engine) -> Homes:
    """Of which only the fallback is looked at here."""
    store = SqlStore(Database(engine), Operations.under(Limits(), 1))
    return Homes(store, store)


@pytest.fixture
def homes(file: sa.Engine) -> Homes:
    return on(file)


def settle(engine: sa.Engine) -> None:
    """Let the file's times lie in the past."""
    for path in (str(engine.url.database), f"{engine.url.database}-wal"):
        if os.path.exists(path):
            before = os.stat(path).st_mtime_ns - 10**9
            os.utime(path, ns=(before, before))


def known(homes: Homes, person: Person) -> Status | None:
    return homes._known(person)


def test_a_fallback_that_knew_nobody_is_not_asked_until_it_is_written_to(
    homes: Homes, file: sa.Engine, person: Person, make_service: MakeService
) -> None:
    known(homes, person)
    settle(file)
    assert known(homes, person) is None
    statements = recorded(file)
    assert known(homes, person) is None
    assert statements == []


def test_a_fallback_that_was_written_to_just_now_is_asked_again(
    homes: Homes, file: sa.Engine, person: Person, monkeypatch: pytest.MonkeyPatch
) -> None:
    """What is written in the same step of its clock could not be told."""
    monkeypatch.setattr(sqlite_file, "SETTLED_SECONDS", 3600.0)
    for _ in range(2):
        known(homes, person)
    statements = recorded(file)
    assert known(homes, person) is None
    assert statements


@pytest.mark.parametrize("database_url", ["sqlite"], indirect=True)
def test_what_another_process_issues_there_is_known_at_once(
    engine: sa.Engine, person: Person, make_service: MakeService
) -> None:
    homes = on(engine)
    for _ in range(2):
        known(homes, person)
        settle(engine)
    make_service().send(person)
    assert known(homes, person) is Status.PENDING


@pytest.mark.parametrize("database_url", ["sqlite"], indirect=True)
def test_while_it_knows_somebody_else_it_is_asked(
    engine: sa.Engine, person: Person, make_service: MakeService
) -> None:
    homes = on(engine)
    make_service().send(Person("public", "+919876543211", "login"))
    settle(engine)
    known(homes, person)
    statements = recorded(engine)
    assert known(homes, person) is None
    assert statements


def test_a_file_that_was_written_to_just_now_is_not_settled(
    file: sa.Engine, monkeypatch: pytest.MonkeyPatch
) -> None:
    """Of two writes in one step of its time the second would not be seen."""
    seen = SqliteFile(file)
    settle(file)
    assert seen.settled_state() == seen.state()
    with monkeypatch.context() as patch:  # however long this machine takes from here to there
        patch.setattr(sqlite_file, "SETTLED_SECONDS", 3600.0)
        with file.begin() as connection:
            connection.exec_driver_sql("CREATE TABLE another (a)")
        assert seen.settled_state() is None
    time.sleep(2 * sqlite_file.SETTLED_SECONDS)
    assert seen.settled_state() is not None


def test_a_file_that_is_not_there_has_no_state(tmp_path: Path) -> None:
    assert SqliteFile(sa.create_engine(f"sqlite:///{tmp_path}/none.db")).state() is None
