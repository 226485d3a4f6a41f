"""Creating and upgrading the schema: safe to repeat, side by side, and while others use it.

On Postgres one upgrade at a time works, behind a lock, and each migration is a transaction of its
own that waits for no table longer than `LOCK_TIMEOUT`: whoever waits for a table makes all who
come later wait, too. Migrations expand; what the release before needs goes with the next one.
Alembic is imported when there is something to do, which a server's start seldom has.
"""

from __future__ import annotations

import logging
import threading
import time
from collections.abc import Callable, Iterator
from contextlib import contextmanager
from pathlib import Path

import sqlalchemy as sa

from otp_service.storage.db import postgres
from otp_service.storage.db.database import PROBE_SECONDS, is_there
from otp_service.storage.db.failures import describe
from otp_service.storage.models.dialects import SCHEMA

MIGRATIONS = Path(__file__).resolve().parent.parent.parent / "migrations"
LOCK = 7_268_452_001  # any number: only this schema's upgrades take it
LOCK_TIMEOUT = "5s"
TURN_SECONDS = 60.0
ASK_SECONDS = 20.0  # for what takes milliseconds: neither a lock nor silence may keep it for ever
_POLL_SECONDS = 0.2
log = logging.getLogger(__name__)
_UNLIMITED = ("statement_timeout", "idle_in_transaction_session_timeout", "transaction_timeout")


class AnotherUpgradeIsRunning(sa.exc.SQLAlchemyError):
    """For longer than `TURN_SECONDS`."""


class SchemaIsNewer(sa.exc.SQLAlchemyError):
    """The database is at a revision that this release does not have."""


def upgrade(engine: sa.Engine) -> None:
    """Bring the database to the newest revision; where it is there, write nothing.

    Raises SQLAlchemy's errors, `AnotherUpgradeIsRunning` and `SchemaIsNewer` among them.
    """
    with postgres.deadline(ASK_SECONDS):
        at = _revision(engine)
    if at == revisions()[-1]:
        return
    if engine.dialect.name == "postgresql":
        _upgrade_postgres(engine.execution_options(isolation_level="READ COMMITTED"))
    else:
        with engine.begin() as connection:  # behind the file's write lock
            _migrate(connection)


def upgrade_when_there(engine: sa.Engine, then: Callable[[], None] = lambda: None) -> None:
    """`upgrade` a Postgres that may be away, beside what goes on: returns at once.

    ``then`` is called at the end, whether or not that was possible.
    """
    work = threading.Thread(target=_upgrade_late, args=[engine, then], daemon=True)
    work.name = "late-upgrade"
    work.start()


def _upgrade_late(engine: sa.Engine, then: Callable[[], None]) -> None:
    while not is_there(engine):
        time.sleep(PROBE_SECONDS)
    try:
        upgrade(engine)
    except SchemaIsNewer:  # a release was rolled back
        log.warning("the schema is newer than this release: left as it is")
    except sa.exc.SQLAlchemyError as error:
        log.error("the schema was not upgraded, see otp init-db: %s", describe(error))
    finally:
        then()


def is_behind(engine: sa.Engine) -> bool:
    """Whether `upgrade` would have something to do; False if the database can't be asked."""
    try:
        with postgres.deadline(2):
            at = _revision(engine)
    except sa.exc.SQLAlchemyError:
        return False
    return at is None or at in revisions()[:-1]


def revisions() -> list[str]:
    """Of this release, oldest first: files of migrations begin with theirs, 0001, 0002, …"""
    return sorted(path.name.partition("_")[0] for path in MIGRATIONS.glob("versions/[0-9]*.py"))


def _revision(engine: sa.Engine) -> str | None:
    """Which one the database is at; None before the first."""
    own = SCHEMA if engine.dialect.name == "postgresql" else None
    version = sa.table("alembic_version", sa.column("version_num"), schema=own)
    with engine.connect() as connection:
        if not sa.inspect(connection).has_table(version.name, schema=own):
            return None
        at: str | None = connection.scalar(sa.select(version.c.version_num))
        return at


def _upgrade_postgres(engine: sa.Engine) -> None:
    with _turn(engine), engine.connect() as connection:
        sa.event.listen(connection, "begin", _set_timeouts)
        if not sa.inspect(connection).has_schema(SCHEMA):  # IF NOT EXISTS asks for the right, too
            connection.execute(sa.schema.CreateSchema(SCHEMA))
        connection.commit()
        _migrate(connection)


@contextmanager
def _turn(engine: sa.Engine) -> Iterator[None]:
    """Hold the lock, in a transaction that does nothing else.

    Waiting means asking again: a statement that waits has a snapshot, and the holder's CREATE
    INDEX CONCURRENTLY waits for every snapshot. The connection is detached since the pool may have
    room for one only.
    """
    with engine.connect() as connection:
        connection.detach()
        end = time.monotonic() + TURN_SECONDS
        while not connection.scalar(sa.select(sa.func.pg_try_advisory_xact_lock(LOCK))):
            connection.rollback()
            if time.monotonic() > end:
                raise AnotherUpgradeIsRunning(f"for more than {TURN_SECONDS:g} seconds")
            time.sleep(_POLL_SECONDS)
        _set_timeouts(connection)
        yield


def _set_timeouts(connection: sa.Connection) -> None:
    """For this transaction only: a pooler may give the session to somebody else next."""
    settings = sa.table("pg_settings", sa.column("name"))
    value = sa.case((settings.c.name == "lock_timeout", LOCK_TIMEOUT), else_="0")
    names = settings.c.name.in_(["lock_timeout", *_UNLIMITED])  # some are newer than others
    connection.execute(sa.select(sa.func.set_config(settings.c.name, value, True)).where(names))


def _migrate(connection: sa.Connection) -> None:
    from alembic import command  # noqa: PLC0415
    from alembic.config import Config  # noqa: PLC0415
    from alembic.util import CommandError  # noqa: PLC0415

    config = Config()
    config.set_main_option("script_location", str(MIGRATIONS))
    config.attributes["connection"] = connection
    try:
        command.upgrade(config, "head")
    except CommandError as error:
        raise SchemaIsNewer(str(error)) from error
