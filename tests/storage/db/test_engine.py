"""What each kind of database needs on its connections."""

from __future__ import annotations

import sqlite3
from pathlib import Path

import pytest
import sqlalchemy as sa

from otp_service import create_app
from otp_service.storage.db import engine as engines
from otp_service.storage.models.base import engines_of

AWAY = "postgresql://nobody@127.0.0.1:9/none"


class LockedAtFirst(sqlite3.Connection):
    """What SQLite says, without waiting, while another process switches a new file to WAL."""

    times = 3

    def execute(self, sql: str, *more: object) -> sqlite3.Cursor:
        if "journal_mode" in sql and LockedAtFirst.times > 0:
            LockedAtFirst.times -= 1
            raise sqlite3.OperationalError("database is locked")
        return super().execute(sql, *more)  # type: ignore[arg-type]


def test_a_new_file_that_another_process_is_opening_is_asked_again(tmp_path: Path) -> None:
    url = f"sqlite:///{tmp_path}/otp.db"
    options = engines.options(url, 2)
    options["connect_args"] |= {"factory": LockedAtFirst}
    engine = sa.create_engine(url, **options)
    engines.prepare(engine)
    with engine.connect() as connection:
        assert connection.exec_driver_sql("PRAGMA journal_mode").scalar() == "wal"
    assert LockedAtFirst.times == 0
    engine.dispose()


def test_a_file_that_stays_locked_is_an_error(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(engines, "BUSY_SECONDS", 0.1)
    monkeypatch.setattr(LockedAtFirst, "times", 10**6)
    url = f"sqlite:///{tmp_path}/otp.db"
    options = engines.options(url, 2)
    options["connect_args"] |= {"factory": LockedAtFirst}
    engine = sa.create_engine(url, **options)
    engines.prepare(engine)
    with pytest.raises(sa.exc.OperationalError):
        engine.connect()


def test_the_services_own_pool_waits_as_long_as_its_options_say() -> None:
    """Flask-SQLAlchemy's way to make engines would take 0.5 seconds for none."""
    (engine,) = engines_of(create_app({"DATABASE_URL": AWAY, "FALLBACK_DATABASE_URL": "off"}))
    assert isinstance(engine.pool, sa.QueuePool)
    assert engine.pool.timeout() == engines.options(AWAY, 1)["pool_timeout"] == 0.5
