"""The migrations make what the models say, on both kinds of database, up and down."""

from __future__ import annotations

import shutil
import time
from collections.abc import Iterator
from pathlib import Path
from typing import Any

import pytest
import sqlalchemy as sa
from alembic.autogenerate import compare_metadata
from alembic.migration import MigrationContext

from otp_service.storage import api_keys, schema
from otp_service.storage.models.base import db
from otp_service.storage.models.dialects import SCHEMA
from tests.storage.revisions import EACH, HEAD, INDEX, columns, is_valid, tables
from tests.storage.upgrades import (
    add_rows,
    assert_kept,
    engine_on,
    go_to,
    holding,
    own_schema,
    revision,
    rows,
    sqlstate,
    stamp,
)

pytestmark = pytest.mark.from_nothing


@pytest.fixture
def empty(database_url: str) -> Iterator[sa.Engine]:
    """A database with nothing in it, of either kind."""
    with engine_on(database_url) as engine:
        yield engine


@pytest.fixture
def engine(empty: sa.Engine) -> sa.Engine:
    """Upgraded from nothing."""
    schema.upgrade(empty)
    return empty


@pytest.fixture
def postgres(postgres_url: str) -> Iterator[sa.Engine]:
    """A Postgres with nothing in it."""
    with engine_on(postgres_url) as engine:
        yield engine


@pytest.mark.parametrize("database_url", ["postgres"], indirect=True)
def test_the_migrations_end_at_the_models(engine: sa.Engine) -> None:
    options = {
        "include_schemas": True,
        "include_name": lambda name, kind, _: kind != "schema" or name == SCHEMA,
        "version_table_schema": SCHEMA,
    }
    with engine.connect() as connection:
        context = MigrationContext.configure(connection, opts=options)
        assert compare_metadata(context, db.metadata) == []


def test_every_table_has_the_models_columns_and_indexes(engine: sa.Engine) -> None:
    own, found = own_schema(engine), sa.inspect(engine)
    for table in db.metadata.tables.values():
        has = found.get_columns(table.name, schema=own)
        assert {c["name"]: c["nullable"] for c in has} == {c.name: c.nullable for c in table.c}
        indexes = {index["name"] for index in found.get_indexes(table.name, schema=own)}
        assert {index.name for index in table.indexes} <= indexes


def test_the_tables_can_be_taken_down_and_made_again(engine: sa.Engine) -> None:
    before = tables(engine)
    assert "verifications" in before
    go_to(engine, "base")
    assert tables(engine) == {"alembic_version"}
    schema.upgrade(engine)
    assert tables(engine) == before


def test_each_migration_can_be_taken_back_and_made_again(engine: sa.Engine) -> None:
    before = columns(engine)
    for each in EACH[:-1]:
        go_to(engine, str(each.down_revision))
    assert "timeline" not in columns(engine)
    schema.upgrade(engine)
    assert columns(engine) == before


def test_on_postgres_nothing_is_left_in_the_public_schema(postgres: sa.Engine) -> None:
    schema.upgrade(postgres)
    assert sa.inspect(postgres).get_table_names(schema="public") == []


def test_what_the_release_before_stored_is_still_there_after_an_upgrade(empty: sa.Engine) -> None:
    go_to(empty, "0001")
    add_rows(empty)
    before = rows(empty)
    schema.upgrade(empty)
    assert revision(empty) == HEAD
    assert_kept(before, rows(empty))


def test_the_release_before_can_still_write_after_an_upgrade(empty: sa.Engine) -> None:
    go_to(empty, "0001")
    first_tables = set(rows(empty))
    schema.upgrade(empty)
    add_rows(empty)
    assert {table for table, found in rows(empty).items() if found} == first_tables


OLD_CREATE = """
    INSERT INTO {table} (name, digest, scopes, created_at)
    SELECT :name, :digest, 'otp', CURRENT_TIMESTAMP
    WHERE NOT EXISTS (SELECT 1 FROM {table} WHERE name = :name)
"""


def test_the_release_that_knew_one_key_a_client_goes_on_beside_several(empty: sa.Engine) -> None:
    """Its statements: it makes a key of a new name only, takes every key, and ends all of them."""
    schema.upgrade(empty)
    table = f"{SCHEMA}.api_keys" if own_schema(empty) else "api_keys"
    keys = [api_keys.create(empty, "shop") for _ in range(2)]
    with empty.begin() as connection:
        for name in ("shop", "desk"):
            create = sa.text(OLD_CREATE.format(table=table))
            connection.execute(create, {"name": name, "digest": name})
        known = connection.execute(sa.text(f"SELECT digest, name FROM {table}")).all()
        assert dict(map(tuple, known)) == {"desk": "desk"} | {
            api_keys.digest(str(key)): "shop" for key in keys
        }
        revoke = f"UPDATE {table} SET revoked_at = CURRENT_TIMESTAMP WHERE name = 'shop'"
        assert connection.execute(sa.text(revoke)).rowcount == 2
    assert {row.name for row in api_keys.everything(empty) if not row.revoked_at} == {"desk"}


def test_the_files_names_tell_what_alembic_reads_in_them() -> None:
    assert schema.revisions() == [each.revision for each in reversed(EACH)]


def test_it_is_known_whether_an_upgrade_would_do_anything(empty: sa.Engine) -> None:
    assert schema.is_behind(empty)
    go_to(empty, "0001")
    assert schema.is_behind(empty)
    schema.upgrade(empty)
    assert not schema.is_behind(empty)
    with empty.begin() as connection:
        connection.execute(sa.update(stamp(empty)).values(version_num="9999"))
    assert not schema.is_behind(empty)  # a release was rolled back


def test_an_upgrade_can_be_repeated(empty: sa.Engine) -> None:
    schema.upgrade(empty)
    add_rows(empty)
    before = rows(empty)
    schema.upgrade(empty)
    assert rows(empty) == before


def test_where_nothing_is_to_do_an_upgrade_needs_to_read_the_revision_only(
    postgres: sa.Engine,
) -> None:
    schema.upgrade(postgres)
    with postgres.connect() as connection:
        for sql in (
            "CREATE ROLE otp_test_reader LOGIN PASSWORD 'reads'",
            f"GRANT USAGE ON SCHEMA {SCHEMA} TO otp_test_reader",
            f"GRANT SELECT ON {SCHEMA}.alembic_version TO otp_test_reader",
        ):
            connection.execute(sa.text(sql))
        try:
            url = postgres.url.set(username="otp_test_reader", password="reads")
            reading = {"options": "-c default_transaction_read_only=on"}
            reader = sa.create_engine(url, connect_args=reading)
            schema.upgrade(reader)
            reader.dispose()
        finally:
            connection.execute(sa.text("DROP OWNED BY otp_test_reader"))
            connection.execute(sa.text("DROP ROLE otp_test_reader"))


def test_a_newer_schema_is_refused_and_left_as_it_is(empty: sa.Engine) -> None:
    schema.upgrade(empty)
    with empty.begin() as connection:
        connection.execute(sa.update(stamp(empty)).values(version_num="9999"))
    with pytest.raises(schema.SchemaIsNewer, match="9999"):
        schema.upgrade(empty)
    assert revision(empty) == "9999"


def test_a_migration_that_fails_leaves_those_before_it_done(
    postgres: sa.Engine, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    migrations = shutil.copytree(schema.MIGRATIONS, tmp_path / "migrations")
    (migrations / "versions" / "9999_fails.py").write_text(FAILS)
    with monkeypatch.context() as patched:
        patched.setattr(schema, "MIGRATIONS", migrations)
        with pytest.raises(sa.exc.DataError):
            schema.upgrade(postgres)
    assert revision(postgres) == HEAD
    assert "half" not in columns(postgres)


FAILS = f"""
from alembic import op
revision, down_revision = "9999", "{HEAD}"

def upgrade():
    op.execute("ALTER TABLE {SCHEMA}.verifications ADD COLUMN half integer")
    op.execute("SELECT 1 / 0")
"""


def test_one_connection_is_enough_for_the_pool(postgres_url: str) -> None:
    with engine_on(postgres_url, pool_size=1) as engine:
        schema.upgrade(engine)
        assert revision(engine) == HEAD


def test_an_upgrade_waits_for_a_table_no_longer_than_its_lock_timeout(
    postgres: sa.Engine, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(schema, "LOCK_TIMEOUT", "200ms")
    go_to(postgres, "0001")
    with holding(postgres, f"LOCK TABLE {SCHEMA}.verifications IN ACCESS EXCLUSIVE MODE"):
        began = time.monotonic()
        with pytest.raises(sa.exc.OperationalError) as refused:
            schema.upgrade(postgres)
        assert time.monotonic() - began < 4  # of 5 by default
    assert sqlstate(refused.value) == "55P03"
    assert revision(postgres) == "0001"
    assert "timeline" not in columns(postgres)
    assert is_valid(postgres, INDEX) is None


def test_a_new_column_waits_for_a_table_no_longer_than_its_lock_timeout(
    postgres: sa.Engine, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(schema, "LOCK_TIMEOUT", "200ms")
    go_to(postgres, "0001")
    a_reader = f"LOCK TABLE {SCHEMA}.verifications IN ACCESS SHARE MODE"
    with holding(postgres, a_reader):  # an index can be built beside it, no column added
        began = time.monotonic()
        with pytest.raises(sa.exc.OperationalError) as refused:
            schema.upgrade(postgres)
        assert time.monotonic() - began < 4  # of 5 by default
    assert sqlstate(refused.value) == "55P03"
    assert revision(postgres) == "0001"
    assert "timeline" not in columns(postgres)
    schema.upgrade(postgres)
    assert revision(postgres) == HEAD


def test_an_index_whose_building_was_interrupted_is_built_again(
    postgres: sa.Engine, monkeypatch: pytest.MonkeyPatch
) -> None:
    go_to(postgres, "0001")
    a_writer = f"LOCK TABLE {SCHEMA}.verifications IN ROW EXCLUSIVE MODE"
    with holding(postgres, a_writer), monkeypatch.context() as patched:
        patched.setattr(schema, "LOCK_TIMEOUT", "200ms")
        with pytest.raises(sa.exc.OperationalError):
            schema.upgrade(postgres)
    assert is_valid(postgres, INDEX) is False
    schema.upgrade(postgres)
    assert is_valid(postgres, INDEX) is True
    assert revision(postgres) == HEAD


def test_a_roles_own_timeouts_do_not_end_an_upgrade(
    postgres_url: str, monkeypatch: pytest.MonkeyPatch
) -> None:
    migrate = schema._migrate
    shown: list[Any] = []

    def slowly(connection: sa.Connection) -> None:
        connection.execute(sa.text("SELECT pg_sleep(0.4)"))
        shown.append(connection.scalar(sa.text("SHOW lock_timeout")))
        connection.commit()
        migrate(connection)

    monkeypatch.setattr(schema, "_migrate", slowly)
    short = "-c statement_timeout=200 -c idle_in_transaction_session_timeout=200"
    with engine_on(postgres_url, connect_args={"options": short}) as engine:
        schema.upgrade(engine)
        assert revision(engine) == HEAD
        with engine.connect() as connection:  # and are as they were afterwards
            settings = ("lock_timeout", "statement_timeout")
            after = [connection.scalar(sa.text(f"SHOW {name}")) for name in settings]
    assert shown == ["5s"]
    assert after == ["0", "200ms"]
