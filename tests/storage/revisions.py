"""The revisions that there are, and what a database has of the newest."""

from __future__ import annotations

import sqlalchemy as sa
from alembic.config import Config
from alembic.script import ScriptDirectory

from otp_service.storage import schema
from otp_service.storage.models.dialects import SCHEMA
from tests.storage.upgrades import (
    own_schema,
)

INDEX = "ix_verifications_pending_expires_at"


def scripts() -> ScriptDirectory:
    config = Config()
    config.set_main_option("script_location", str(schema.MIGRATIONS))
    return ScriptDirectory.from_config(config)


HEAD = scripts().get_current_head()


EACH = list(scripts().walk_revisions())


def tables(engine: sa.Engine) -> set[str]:
    return set(sa.inspect(engine).get_table_names(schema=own_schema(engine)))


def columns(engine: sa.Engine) -> set[str]:
    found = sa.inspect(engine).get_columns("verifications", schema=own_schema(engine))
    return {column["name"] for column in found}


def is_valid(engine: sa.Engine, index: str) -> bool | None:
    """None: there is no such index."""
    query = sa.text("SELECT indisvalid FROM pg_index WHERE indexrelid = to_regclass(:name)")
    with engine.connect() as connection:
        found: bool | None = connection.scalar(query, {"name": f"{SCHEMA}.{index}"})
        return found
