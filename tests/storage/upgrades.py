"""What the tests of upgrades share: engines on a database as it is, and at any revision."""

from __future__ import annotations

from collections.abc import Callable, Iterator
from contextlib import contextmanager
from typing import Any

import sqlalchemy as sa
from alembic import command
from alembic.config import Config

from otp_service.storage import schema
from otp_service.storage.db import engine as engines
from otp_service.storage.models.dialects import SCHEMA

NOW = sa.func.current_timestamp()
ROW = {  # a verification of the first release
    "id": "p1",
    "client": "public",
    "phone": "+919876543210",
    "purpose": "login",
    "channel": "whatsapp",
    "status": "pending",
    "generation": 1,
    "oldest_generation": 1,
    "attempts": 0,
    "max_attempts": 5,
    "created_at": NOW,
    "expires_at": NOW,
}


@contextmanager
def engine_on(url: str, **changes: Any) -> Iterator[sa.Engine]:
    """An engine such as the service's, on a database as it is."""
    engine = sa.create_engine(url, **engines.options(url, 5) | changes)
    engines.prepare(engine)
    yield engine
    engine.dispose()


def go_to(engine: sa.Engine, revision: str) -> None:
    """Upgrade a database to a revision, or downgrade to it what is there."""
    config = Config()
    config.set_main_option("script_location", str(schema.MIGRATIONS))
    with engine.execution_options(isolation_level="SERIALIZABLE").connect() as connection:
        config.attributes["connection"] = connection
        move: Callable[[Config, str], None] = command.upgrade
        if not sa.inspect(connection).has_table("alembic_version", own_schema(engine)):
            if own_schema(engine):
                connection.execute(sa.schema.CreateSchema(SCHEMA))
        elif revision == "base" or (revision_of(connection) or "") > revision:
            move = command.downgrade
        connection.commit()
        move(config, revision)
        connection.commit()


@contextmanager
def holding(engine: sa.Engine, lock: str) -> Iterator[None]:
    """A transaction of another that took a lock by this SQL and does nothing more.

    For 30 seconds at most, so that whoever would wait for ever fails instead.
    """
    with engine.execution_options(isolation_level="READ COMMITTED").begin() as connection:
        connection.execute(sa.text("SET LOCAL idle_in_transaction_session_timeout = '30s'"))
        connection.execute(sa.text(lock))
        yield


def own_schema(engine: sa.Engine) -> str | None:
    return SCHEMA if engine.dialect.name == "postgresql" else None


def insert(engine: sa.Engine, table: str, **values: Any) -> None:
    """A row with these columns only, whatever the models know today."""
    into = sa.table(table, *map(sa.column, values), schema=own_schema(engine))
    with engine.begin() as connection:
        connection.execute(sa.insert(into).values(values))


def add_rows(engine: sa.Engine) -> None:
    """A verification with all that belongs to it, as the first release wrote them."""
    insert(engine, "verifications", **ROW)
    of = {"verification_id": "p1"}
    insert(engine, "codes", **of, generation=1, mac="m", secret_id="s", expires_at=NOW)
    phone = of | {"phone": ROW["phone"], "created_at": NOW}
    insert(engine, "attempts", **phone, id="a1", correct=False)
    message = {"generation": 1, "channel": "whatsapp", "provider": "gupshup", "status": "sent"}
    insert(engine, "deliveries", **phone, **message, id="d1")
    insert(engine, "api_keys", name="shop", digest="d", scopes="otp", created_at=NOW)


def rows(engine: sa.Engine) -> dict[str, list[dict[str, Any]]]:
    """Everything that is stored, by table."""
    tables = sa.MetaData()
    tables.reflect(engine, schema=own_schema(engine))
    with engine.connect() as connection:
        return {
            table.name: [dict(row) for row in connection.execute(sa.select(table)).mappings()]
            for table in tables.sorted_tables
        }


def assert_kept(before: dict[str, Any], after: dict[str, Any]) -> None:
    """All rows are still there, with nothing in columns and tables that are new."""
    for table, found in after.items():
        old = before.get(table, [])
        assert len(found) == len(old), table
        for now, was in zip(found, old, strict=True):
            if table != "alembic_version":
                assert now == dict.fromkeys(now) | was


def stamp(engine: sa.Engine) -> sa.TableClause:
    return sa.table("alembic_version", sa.column("version_num"), schema=own_schema(engine))


def revision(engine: sa.Engine) -> str | None:
    with engine.connect() as connection:
        return revision_of(connection)


def revision_of(connection: sa.Connection) -> str | None:
    found: str | None = connection.scalar(sa.select(stamp(connection.engine).c.version_num))
    return found


def sqlstate(error: sa.exc.SQLAlchemyError) -> str | None:
    state: str | None = getattr(getattr(error, "orig", None), "pgcode", None)
    return state
