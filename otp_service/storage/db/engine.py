"""Engine options and connection events: what each database needs to keep the promises."""

from __future__ import annotations

import os
import select
import sqlite3
import ssl
import time
from pathlib import Path
from typing import Any

import sqlalchemy as sa
from psycopg2 import extensions

from otp_service import private_files, syscalls
from otp_service.storage.db import postgres, transaction
from otp_service.storage.db.group_commit import GroupCommit
from otp_service.storage.db.session import Session
from otp_service.storage.models import dialects
from otp_service.storage.models.dialects import SCHEMA

BESIDE_REQUESTS = 2  # connections that the worker and the list of keys may take
BUSY_SECONDS = 5.0  # how long a thread waits for a SQLite file that others write to


def options(url: str, threads: int) -> dict[str, Any]:
    """`create_engine`'s arguments for a server with so many request threads."""
    common = {"hide_parameters": True}
    if sa.make_url(url).get_backend_name() == "sqlite":
        return common | {
            # SQLite has one writer anyway. Threads that wait for one connection get it in turn;
            # threads that wait for the file's lock poll for it, and some wait long.
            "pool_size": 1,
            "max_overflow": 0,
            "pool_timeout": BUSY_SECONDS,
            "connect_args": {"timeout": BUSY_SECONDS},
            "execution_options": {"schema_translate_map": {SCHEMA: None}},
        }
    return common | {
        # Every rule is one message to the server (see transaction.py), which is a transaction of
        # its own: with psycopg2's implicit BEGIN each would take two more round trips.
        "isolation_level": "AUTOCOMMIT",
        "pool_size": threads,
        "max_overflow": BESIDE_REQUESTS,
        "pool_reset_on_return": None,  # so there is nothing to roll back
        "pool_timeout": 0.5,  # a full pool is answered within a second, before a lock is given up
        "use_native_hstore": False,  # would be asked for on each new connection
        "connect_args": {
            "tcp_user_timeout": 2000,
            "application_name": "otp_service",
            "client_encoding": "utf8",  # whatever the database's: psycopg2 would refuse to send it
        },
    }


def prepare(engine: sa.Engine) -> None:
    """Attach the events that make this engine's connections ready for use."""
    if engine.dialect.name == "sqlite":
        _create_private_file(engine.url.database)
        engine.update_execution_options(commits=GroupCommit())
        sa.event.listen(engine, "connect", _prepare_sqlite)
        sa.event.listen(engine, "begin", transaction.begin_on_sqlite)
    else:
        if (engine.url.query.get("sslrootcert") or os.environ.get("PGSSLROOTCERT")) == "system":
            _name_the_machines_authorities()
        extensions.set_wait_callback(postgres.wait)  # for all of psycopg2 in this process
        sa.event.listen(engine, "do_connect", postgres.connect)
        sa.event.listen(engine, "checkout", _refuse_dropped_connection)
        sa.event.listen(engine, "engine_connect", _without_limit)


def _create_private_file(path: str | None) -> None:
    if path and path != ":memory:":
        private_files.sqlite(Path(path))


def _prepare_sqlite(connection: Any, _record: Any) -> None:
    connection.isolation_level = None  # pysqlite must not begin transactions of its own accord
    _write_ahead(connection)
    for pragma in ("synchronous=FULL", "foreign_keys=ON"):
        connection.execute(f"PRAGMA {pragma}")
    dialects.add_to_sqlite(connection)


def _write_ahead(connection: Any) -> None:
    """Of several processes that open a new file at once one sets the mode.

    The others are told "locked" without the wait that is set for every other statement.
    """
    end = time.monotonic() + BUSY_SECONDS
    while True:
        try:
            connection.execute("PRAGMA journal_mode=WAL")
        except sqlite3.OperationalError:
            if time.monotonic() > end:
                raise
            time.sleep(0.01)
        else:
            return


def _name_the_machines_authorities() -> None:
    """psycopg2's wheel has an OpenSSL of its own, which looks for them where it was built."""
    found = ssl.get_default_verify_paths()
    places = {"SSL_CERT_FILE": found.cafile, "SSL_CERT_DIR": found.capath}
    if not places.keys() & os.environ.keys():
        os.environ.update({name: place for name, place in places.items() if place})


def _without_limit(connection: sa.Connection) -> None:
    """Who takes a connection himself, such as an upgrade, may need longer than a `Transaction`."""
    session: Session = connection.connection.info["session"]
    if session.limit is not None:
        session.limit = None
        connection.connection.cursor().execute("RESET statement_timeout")


def _refuse_dropped_connection(connection: Any, _record: Any, _proxy: Any) -> None:
    """An idle connection with something to read was closed by the server: take a new one.

    Costs no round trip, unlike a ping, and covers a restarted database.
    """
    if syscalls.is_ready(connection.fileno(), select.POLLIN):
        raise sa.exc.DisconnectionError
