"""The few SQL expressions that Postgres and SQLite spell differently.

On Postgres, time is the database's clock, since several machines' clocks may differ. A SQLite
file belongs to one machine, so there it is that machine's clock.
"""

from __future__ import annotations

from datetime import datetime, timedelta, timezone
from typing import Any

import sqlalchemy as sa
from sqlalchemy.dialects import postgresql
from sqlalchemy.ext.compiler import compiles
from sqlalchemy.sql.compiler import SQLCompiler
from sqlalchemy.types import TypeDecorator

from otp_service.domain import codes

SCHEMA = "otp_service"
"""Of all tables on Postgres: see `models`."""
ON_SQLITE: dict[str, Any] = {
    "schema_translate_map": {SCHEMA: "main"},  # what SQLite calls the schema of its file
    "render_schema_translate": True,
}
"""How a statement is compiled for it, ahead of its runs."""
TIMELINE = "left(pg_walfile_name(pg_current_wal_lsn()), 8)"
"""`timeline` on Postgres, which not every server tells: see `postgres.connect`."""
MICROSECONDS = "(date_part('epoch', %s) * 1000000)::bigint"
"""A time as a number, on Postgres: exact, and quickly read."""


class UtcTime(TypeDecorator[datetime]):
    """An aware time: ``timestamptz`` on Postgres, UTC text of a fixed width on SQLite."""

    impl = sa.DateTime(timezone=True)
    cache_ok = True

    def process_result_value(self, value: datetime | None, dialect: Any) -> datetime | None:
        if value is None or value.tzinfo:
            return value
        return value.replace(tzinfo=timezone.utc)


class Times(TypeDecorator[list[datetime]]):
    """Several of `UtcTime`, in no order: `MICROSECONDS` on Postgres, a JSON array on SQLite."""

    impl = sa.Text
    cache_ok = True

    def load_dialect_impl(self, dialect: Any) -> Any:
        if dialect.name == "sqlite":
            return dialect.type_descriptor(sa.Text())
        return dialect.type_descriptor(postgresql.ARRAY(sa.BigInteger()))


class times(sa.sql.functions.GenericFunction[list[datetime]]):  # noqa: N801 (an SQL function's name)
    """``times(time)``: an aggregate, those of all its rows."""

    type = Times()
    inherit_cache = True


@compiles(times, "postgresql")
def _array(element: times, compiler: SQLCompiler, **kw: Any) -> str:
    return f"array_agg({MICROSECONDS % compiler.process(element.clauses, **kw)})"


@compiles(times, "sqlite")
def _json_array(element: times, compiler: SQLCompiler, **kw: Any) -> str:
    return f"json_group_array({compiler.process(element.clauses, **kw)})"


class from_now(sa.sql.functions.GenericFunction[datetime]):  # noqa: N801 (an SQL function's name)
    """``from_now(seconds)``: the store's clock, so many seconds later (earlier if negative)."""

    type = UtcTime()
    inherit_cache = True


class clock(sa.sql.functions.GenericFunction[datetime]):  # noqa: N801
    """The store's clock at this very moment.

    On Postgres ``from_now`` stands still from a transaction's start, before it waits for a lock;
    this goes on, so that what is done behind a lock has its times in the order it was done.
    """

    type = UtcTime()
    inherit_cache = True


TIME = "otp_time_"
"""What the names of values begin with that are times, so many seconds from a transaction's."""


@compiles(from_now, "sqlite")
def _given_time(
    element: from_now, compiler: SQLCompiler, *, times_given: bool = False, **kw: Any
) -> str:
    """With ``times_given`` a value named by `TIME`, of which the compiler has the seconds, or the
    name of the value that they are; else, or if they are worked out, a function of the connection.
    """
    (seconds,) = element.clauses
    if not (times_given and isinstance(seconds, sa.BindParameter)):
        return str(compiler.visit_function(element, times_given=times_given, **kw))
    offset = seconds.key if seconds.required else seconds.value
    return compiler.process(sa.bindparam(f"{TIME}{offset}", offset), **kw)


@compiles(clock, "sqlite")
def _same_time(element: clock, compiler: SQLCompiler, **kw: Any) -> str:
    return compiler.process(from_now(0), **kw)


class least(sa.sql.functions.GenericFunction[int]):  # noqa: N801
    """The smallest of whole numbers, none of them null."""

    type = sa.Integer()
    inherit_cache = True


class in_turn(sa.sql.functions.GenericFunction[bool]):  # noqa: N801
    """``in_turn(text)``: whether nobody holds this text's lock; then the transaction holds it.

    The lock of `Transaction`'s ``serialize``, but taken without waiting.
    """

    type = sa.Boolean()
    inherit_cache = True


class wait_in_turn(sa.sql.functions.GenericFunction[str]):  # noqa: N801
    """``wait_in_turn(text)``: the same lock, waited for."""

    type = sa.String()
    inherit_cache = True


class bind_tag(sa.sql.functions.GenericFunction[str]):  # noqa: N801
    """``bind_tag(id, tag)``: `codes.bind`, computed where the row is."""

    type = sa.String()
    inherit_cache = True


class timeline(sa.sql.functions.GenericFunction[str]):  # noqa: N801
    """The Postgres timeline that is written to: 8 hex digits, another after each failover.

    The first part of a WAL file's name is its timeline (PostgreSQL manual, "Backup Control
    Functions"); unlike the control file's, it is current from the moment of the promotion. Null
    where the server does not tell it: then a row that has one is of another server.
    """

    type = sa.String()
    inherit_cache = True


@compiles(timeline, "postgresql")
def _timeline(element: timeline, compiler: SQLCompiler, **kw: Any) -> str:
    return TIMELINE


@compiles(timeline, "sqlite")
def _no_timeline(element: timeline, compiler: SQLCompiler, **kw: Any) -> str:
    return "NULL"


@compiles(from_now, "postgresql")
def _from_now(element: from_now, compiler: SQLCompiler, **kw: Any) -> str:
    return f"(now() + make_interval(secs => {compiler.process(element.clauses, **kw)}))"


@compiles(clock, "postgresql")
def _clock(element: clock, compiler: SQLCompiler, **kw: Any) -> str:
    return "clock_timestamp()"


@compiles(least, "sqlite")
def _least(element: least, compiler: SQLCompiler, **kw: Any) -> str:
    return f"min({compiler.process(element.clauses, **kw)})"


@compiles(in_turn, "postgresql")
def _in_turn(element: in_turn, compiler: SQLCompiler, **kw: Any) -> str:
    text = compiler.process(element.clauses, **kw)
    return f"pg_try_advisory_xact_lock(hashtextextended({text}, 0))"


@compiles(wait_in_turn, "postgresql")
def _wait_in_turn(element: wait_in_turn, compiler: SQLCompiler, **kw: Any) -> str:
    text = compiler.process(element.clauses, **kw)
    return f"pg_advisory_xact_lock(hashtextextended({text}, 0))::text"


@compiles(wait_in_turn, "sqlite")
@compiles(in_turn, "sqlite")
def _always_in_turn(element: in_turn, compiler: SQLCompiler, **kw: Any) -> str:
    return "1"  # behind the file's write lock


@compiles(bind_tag, "postgresql")
def _bind_tag(element: bind_tag, compiler: SQLCompiler, **kw: Any) -> str:
    row_id, tag = (compiler.process(clause, **kw) for clause in element.clauses)
    return f"encode(sha256(convert_to({row_id} || {tag}, 'UTF8')), 'hex')"


def add_to_sqlite(connection: Any) -> None:
    """Teach a new SQLite connection the functions that it lacks."""
    connection.create_function("from_now", 1, _sqlite_from_now)
    connection.create_function("bind_tag", 2, codes.bind, deterministic=True)


def _sqlite_from_now(seconds: float | None) -> str | None:
    if seconds is None:
        return None
    return as_stored(datetime.now(timezone.utc) + timedelta(seconds=seconds))


def as_stored(time: datetime) -> str:
    """An aware time as `UtcTime` is in a SQLite file."""
    return utc_as_stored(time.astimezone(timezone.utc).replace(tzinfo=None))


def utc_as_stored(time: datetime) -> str:
    """The same of a time in UTC whose zone is left out, as it is in the file: quick."""
    return time.isoformat(" ", "microseconds")
