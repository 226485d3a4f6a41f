"""Databases as `schema.upgrade` makes them, sooner than it does.

Every test gets one without rows, and the migrations alone would take minutes of the whole run. So
a SQLite file is a copy of one that was made once, and a Postgres is emptied; it is made again
after a test that changed more than rows.
"""

from __future__ import annotations

import functools
import tempfile
from pathlib import Path

import sqlalchemy as sa
from alembic.script import ScriptDirectory

from otp_service.storage import schema
from otp_service.storage.db import engine as engines
from otp_service.storage.models.base import db
from otp_service.storage.models.dialects import SCHEMA

HEAD = ScriptDirectory(str(schema.MIGRATIONS)).get_current_head()
REVISION = f"SELECT version_num FROM {SCHEMA}.alembic_version"
_RELATIONS = f"(SELECT oid FROM pg_class WHERE relnamespace = '{SCHEMA}'::regnamespace)"
_CATALOGS = {  # where Postgres keeps what a schema is, and which of the rows are ours
    "pg_namespace": f"nspname = '{SCHEMA}'",
    "pg_class": f"oid IN {_RELATIONS}",
    "pg_attribute": f"attrelid IN {_RELATIONS}",
    "pg_index": f"indexrelid IN {_RELATIONS}",
    "pg_trigger": f"tgrelid IN {_RELATIONS}",
    "pg_policy": f"polrelid IN {_RELATIONS}",
    "pg_constraint": f"connamespace = '{SCHEMA}'::regnamespace",
    "pg_proc": f"pronamespace = '{SCHEMA}'::regnamespace",
    f"{SCHEMA}.alembic_version": "true",
}
# A row that was changed has a new place (ctid) and names the transaction that wrote it (xmin).
_STATE = " UNION ALL ".join(
    f"SELECT '{catalog}', string_agg(ctid::text || xmin::text, ' ' ORDER BY ctid)"
    f" FROM {catalog} WHERE {ours}"
    for catalog, ours in _CATALOGS.items()
)
_EMPTY = "; ".join(
    [
        "BEGIN",
        "SET LOCAL session_replication_role = replica",  # no trigger: the audit trail refuses
        *(f"DELETE FROM {table}" for table in reversed(db.metadata.sorted_tables)),
        f"SELECT setval(oid, 1, false) FROM pg_class WHERE relkind = 'S' AND oid IN {_RELATIONS}",
        "COMMIT",
    ]
)


class Postgres:
    """A database that many tests use, one after the other. Its user is a superuser."""

    def __init__(self, url: str) -> None:
        self.url = url
        self._engine = sa.create_engine(
            url, isolation_level="AUTOCOMMIT", poolclass=sa.NullPool, use_native_hstore=False
        )
        self._made: object = None

    def clear(self) -> None:
        """Leave nothing of ours in it."""
        self._run(f"DROP SCHEMA IF EXISTS {SCHEMA} CASCADE")

    def make_ready(self) -> None:
        """Leave it as `schema.upgrade` makes it, whatever the test before did."""
        if self._made and self._state() == self._made:
            self._run(_EMPTY)
            return
        self.clear()
        engine = sa.create_engine(self.url, **engines.options(self.url, 2))
        engines.prepare(engine)
        schema.upgrade(engine)
        engine.dispose()
        self._made = self._state()

    def _state(self) -> object:
        try:
            with self._engine.connect() as connection:
                return connection.exec_driver_sql(_STATE).all()
        except sa.exc.ProgrammingError:
            return "the schema is not there"

    def _run(self, statements: str) -> None:
        with self._engine.connect() as connection:
            connection.exec_driver_sql(statements)


def upgrade(engine: sa.Engine) -> None:
    """What `schema.upgrade` does: on a new SQLite file, and on a Postgres that is ready, sooner."""
    if engine.dialect.name == "sqlite":
        file = Path(str(engine.url.database))
        if file.is_file() and not file.stat().st_size:
            file.write_bytes(_sqlite_file())
            return
    elif _revision(engine) == HEAD:
        return
    schema.upgrade(engine)


def new_sqlite_file(path: Path) -> str:
    """Its URL; it is ready and has no rows."""
    url = f"sqlite:///{path}"
    engine = sa.create_engine(url)
    engines.prepare(engine)
    upgrade(engine)
    return url


@functools.cache
def _sqlite_file() -> bytes:
    """One that `schema.upgrade` made, closed by all."""
    with tempfile.TemporaryDirectory(prefix="otp-test-sqlite-") as folder:
        file = Path(folder) / "made.db"
        url = f"sqlite:///{file}"
        engine = sa.create_engine(url, **engines.options(url, 1))
        engines.prepare(engine)
        schema.upgrade(engine)
        engine.dispose()
        return file.read_bytes()


def _revision(engine: sa.Engine) -> str | None:
    try:
        with engine.connect() as connection:
            return str(connection.scalar(sa.text(REVISION)))
    except sa.exc.ProgrammingError:
        return None
