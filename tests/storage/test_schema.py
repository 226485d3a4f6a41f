"""The migrations make what the models say, on both kinds of database, up and down."""

from __future__ import annotations

import pytest
import sqlalchemy as sa
from alembic import command
from alembic.autogenerate import compare_metadata
from alembic.config import Config
from alembic.migration import MigrationContext

from otp_service.storage import schema
from otp_service.storage.models import SCHEMA, db


def tables(engine: sa.Engine) -> set[str]:
    own = SCHEMA if engine.dialect.name == "postgresql" else None
    return set(sa.inspect(engine).get_table_names(schema=own))


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


def test_every_table_has_the_models_columns(engine: sa.Engine) -> None:
    own = SCHEMA if engine.dialect.name == "postgresql" else None
    for table in db.metadata.tables.values():
        found = sa.inspect(engine).get_columns(table.name, schema=own)
        assert {c["name"]: c["nullable"] for c in found} == {c.name: c.nullable for c in table.c}


def test_the_tables_can_be_taken_down_and_made_again(engine: sa.Engine) -> None:
    before = tables(engine)
    assert "verifications" in before
    config = Config()
    config.set_main_option("script_location", str(schema.MIGRATIONS))
    with engine.execution_options(isolation_level="SERIALIZABLE").begin() as connection:
        config.attributes["connection"] = connection
        command.downgrade(config, "base")
    assert tables(engine) == {"alembic_version"}
    schema.upgrade(engine)
    assert tables(engine) == before


def test_on_postgres_nothing_is_left_in_the_public_schema(postgres_url: str) -> None:
    engine = sa.create_engine(postgres_url)
    schema.upgrade(engine)
    assert sa.inspect(engine).get_table_names(schema="public") == []
    engine.dispose()
