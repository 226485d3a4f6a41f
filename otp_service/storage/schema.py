"""Creating and upgrading the schema: safe to repeat, and safe side by side."""

from __future__ import annotations

from pathlib import Path

import sqlalchemy as sa
from alembic import command
from alembic.config import Config

from otp_service.storage.models import SCHEMA

MIGRATIONS = Path(__file__).resolve().parent.parent.parent / "migrations"
_LOCK = 7_268_452_001  # any number: only this schema's upgrades take it


def upgrade(engine: sa.Engine) -> None:
    """Bring the database to the newest revision.

    One transaction, begun with a lock, so that of several upgrades at once one works and the
    others wait and find nothing left to do. Raises SQLAlchemy's errors.
    """
    config = Config()
    config.set_main_option("script_location", str(MIGRATIONS))
    on_postgres = engine.dialect.name == "postgresql"
    if on_postgres:
        engine = engine.execution_options(isolation_level="READ COMMITTED")
    with engine.begin() as connection:
        if on_postgres:
            connection.execute(sa.select(sa.func.pg_advisory_xact_lock(_LOCK)))
            connection.execute(sa.text(f"CREATE SCHEMA IF NOT EXISTS {SCHEMA}"))
        config.attributes["connection"] = connection
        command.upgrade(config, "head")
