"""What the fixtures hand out is what `schema.upgrade` makes."""

from __future__ import annotations

import sqlite3
import stat
from pathlib import Path
from typing import Any

import pytest
import sqlalchemy as sa

from otp_service.storage import schema
from otp_service.storage.models.base import db
from otp_service.storage.models.dialects import SCHEMA
from tests.databases import HEAD, Postgres, new_sqlite_file
from tests.storage.supabase import catalogs, closed
from tests.storage.upgrades import engine_on

TABLES = list(db.metadata.tables)
TRIGGERS = "SELECT tgname, tgenabled FROM pg_trigger WHERE NOT tgisinternal ORDER BY tgname"
SEQUENCES = f"SELECT * FROM pg_sequences WHERE schemaname = '{SCHEMA}'"
NEXT = f"SELECT last_value, is_called FROM {SCHEMA}.audit_id_seq"
FILL = f"INSERT INTO {SCHEMA}.audit (at, actor, action) VALUES (now(), 'me', 'key.create')"


def run(url: str, *statements: str) -> None:
    with engine_on(url) as engine, engine.connect() as connection:
        for statement in statements:
            connection.exec_driver_sql(statement)


def everything(url: str) -> dict[str, Any]:
    """All that a test could see: what the schema is, and what is in it."""
    with engine_on(url) as engine, engine.connect() as connection:
        counts = {t: connection.scalar(sa.text(f"SELECT count(*) FROM {t}")) for t in TABLES}
        sequences = [connection.exec_driver_sql(sql).all() for sql in (SEQUENCES, NEXT)]
        found = {"rows": counts, "sequences": sequences, "rights": closed(engine)}
        found["triggers"] = connection.exec_driver_sql(TRIGGERS).all()
        return catalogs(engine) | found


def test_a_postgres_that_was_emptied_is_as_upgrade_makes_it(postgres_server: Postgres) -> None:
    url = postgres_server.url
    postgres_server.clear()
    with engine_on(url) as engine:
        schema.upgrade(engine)
    made = everything(url)
    postgres_server.make_ready()
    run(url, FILL, FILL)
    assert everything(url)["rows"][f"{SCHEMA}.audit"] == 2
    postgres_server.make_ready()
    assert everything(url) == made
    assert set(made["rows"].values()) == {0}
    assert made["revision"] == [(HEAD,)]


@pytest.mark.parametrize(
    "change",
    [
        f"DROP SCHEMA {SCHEMA} CASCADE",
        f"ALTER TABLE {SCHEMA}.phones ADD CONSTRAINT never CHECK (false) NOT VALID",
        f"ALTER TABLE {SCHEMA}.audit DISABLE TRIGGER audit_append_only",
        f"GRANT SELECT ON {SCHEMA}.phones TO PUBLIC",
        f"CREATE POLICY extra ON {SCHEMA}.phones USING (true)",
        f"UPDATE {SCHEMA}.alembic_version SET version_num = '0001'",
    ],
)
def test_a_postgres_whose_schema_was_changed_is_made_again(
    postgres_server: Postgres, change: str
) -> None:
    postgres_server.make_ready()
    made = everything(postgres_server.url)
    run(postgres_server.url, change)
    postgres_server.make_ready()
    assert everything(postgres_server.url) == made


def test_a_new_sqlite_file_is_as_upgrade_makes_it(tmp_path: Path) -> None:
    copy, made = tmp_path / "copy.db", tmp_path / "made.db"
    new_sqlite_file(copy)
    with engine_on(f"sqlite:///{made}") as engine:
        schema.upgrade(engine)
    assert dump(copy) == dump(made)
    assert {each.name for each in tmp_path.iterdir()} == {"copy.db", "made.db"}
    assert stat.S_IMODE(copy.stat().st_mode) == stat.S_IMODE(made.stat().st_mode) == 0o600


def dump(file: Path) -> list[str]:
    connection = sqlite3.connect(file)
    try:
        [mode] = connection.execute("PRAGMA journal_mode").fetchone()
        return [str(mode), *connection.iterdump()]
    finally:
        connection.close()
