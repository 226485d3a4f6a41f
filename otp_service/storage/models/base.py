"""What all tables have in common.

On Postgres they live in a schema of their own, so that a hosted database (Supabase) does not
publish them through its API; on SQLite, which has no schemas, without one.
"""

from __future__ import annotations

from datetime import datetime
from typing import TYPE_CHECKING, Any

import sqlalchemy as sa
from flask import Flask
from flask_sqlalchemy import SQLAlchemy
from sqlalchemy.orm import DeclarativeBase, registry

from otp_service.storage.models.dialects import SCHEMA, UtcTime


class Base(DeclarativeBase):
    metadata = sa.MetaData(
        schema=SCHEMA,
        naming_convention={
            "ix": "ix_%(table_name)s_%(column_0_N_name)s",
            "pk": "pk_%(table_name)s",
            "uq": "uq_%(table_name)s_%(column_0_name)s",
            "fk": "fk_%(table_name)s_%(column_0_name)s",
        },
    )
    registry = registry(metadata=metadata, type_annotation_map={datetime: UtcTime()})


class _Databases(SQLAlchemy):
    def _make_engine(
        self, bind_key: str | None, options: dict[str, Any], app: Flask
    ) -> sa.engine.Engine:
        """With the options as they are: `engine_from_config`, which would be used, makes whole
        numbers of them, and of a wait of 0.5 seconds none.
        """
        return sa.create_engine(**options)


db = _Databases(model_class=Base)
if TYPE_CHECKING:
    Model = Base
else:
    Model = db.Model


def engines_of(app: Flask) -> list[sa.Engine]:
    """The database's engine, and the fallback's if there is one."""
    with app.app_context():
        return [db.engines[name] for name in (None, "fallback") if name in db.engines]


def where_not_null(*columns: str) -> sa.Index:
    """Of the rows that have a value in the first of them."""
    some = sa.text(f"{columns[0]} IS NOT NULL")
    return sa.Index(None, *columns, postgresql_where=some, sqlite_where=some)
