"""Alembic's environment: always online, on a connection that the caller opened.

`otp_service.storage.schema.upgrade` gives that connection: on Postgres outside of a transaction,
so that each migration has one of its own; on SQLite inside of one. The `flask db …` commands of
Flask-Migrate (for writing a new revision) take the application's.
"""

from __future__ import annotations

import sqlalchemy as sa
from alembic import context

from otp_service.storage.models.base import db
from otp_service.storage.models.dialects import SCHEMA


def run(connection: sa.Connection) -> None:
    on_postgres = connection.dialect.name == "postgresql"
    context.configure(
        connection=connection,
        target_metadata=db.metadata,
        include_schemas=on_postgres,
        include_name=lambda name, type_, _parents: type_ != "schema" or name == SCHEMA,
        version_table_schema=SCHEMA if on_postgres else None,
        render_as_batch=not on_postgres,
        transaction_per_migration=True,
        user_module_prefix="dialects.",
    )
    with context.begin_transaction():
        context.run_migrations()


given = context.config.attributes.get("connection")
if given is not None:
    run(given)
else:
    with db.engine.connect() as connection:
        run(connection)
