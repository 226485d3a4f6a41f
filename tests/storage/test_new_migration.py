"""A migration as `flask db` writes it."""

from __future__ import annotations

import shutil
from pathlib import Path

import pytest
import sqlalchemy as sa
from alembic import command
from alembic.config import Config

from otp_service.storage.db import engine as engines
from otp_service.storage.models.base import db
from otp_service.storage.schema import MIGRATIONS


@pytest.mark.from_nothing
def test_what_is_written_from_the_models_can_be_run(tmp_path: Path, sqlite_url: str) -> None:
    for name in ("env.py", "script.py.mako"):
        shutil.copy(MIGRATIONS / name, tmp_path)
    (tmp_path / "versions").mkdir()
    config = Config()
    config.set_main_option("script_location", str(tmp_path))
    engine = sa.create_engine(sqlite_url, **engines.options(sqlite_url, 1))
    engines.prepare(engine)
    with engine.begin() as connection:
        config.attributes["connection"] = connection
        command.revision(config, "all of it", autogenerate=True)
        command.upgrade(config, "head")
        there = set(sa.inspect(connection).get_table_names())
    assert there == {table.name for table in db.metadata.tables.values()} | {"alembic_version"}
