"""Many rows for one statement: handed over as one JSON text, a table to the statement.

A statement is prepared once and has the same parameters each time; so many rows are one parameter,
and one round trip. Texts, numbers, booleans and null come as they are; times as `text_of` has them.
"""

from __future__ import annotations

import json
from collections.abc import Iterable, Mapping
from datetime import datetime
from typing import Any

import sqlalchemy as sa
from sqlalchemy.ext.compiler import compiles
from sqlalchemy.sql.compiler import SQLCompiler

from otp_service.storage.db.transaction import given
from otp_service.storage.models.dialects import UtcTime, as_stored


def rows_of(name: str, /, **columns: sa.types.TypeEngine[Any]) -> sa.Subquery:
    """A table with these columns of what is `given` as ``name``: a text of `as_json`."""
    elements = sa.func.json_elements(given(name, sa.Text())).table_valued("value")
    found = [_column(elements.c.value, *column).label(column[0]) for column in columns.items()]
    return sa.select(*found).subquery(name)


def as_json(rows: Iterable[Mapping[str, object]]) -> str:
    """Of a NUL, which Postgres can't keep, nothing may be in it."""
    return json.dumps(list(rows), default=text_of)


def text_of(time: object) -> str:
    """An aware time, in UTC and of a fixed width, as SQLite stores it."""
    assert isinstance(time, datetime)
    return as_stored(time)


def _column(value: Any, name: str, type_: sa.types.TypeEngine[Any]) -> Any:
    text = sa.func.json_text(value, name)
    if isinstance(type_, UtcTime):
        return sa.func.utc_time(text)
    return sa.type_coerce(text, type_) if isinstance(type_, sa.String) else sa.cast(text, type_)


class json_elements(sa.sql.functions.GenericFunction[Any]):  # noqa: N801 (an SQL function's name)
    """The elements of a JSON array, one a row, in the column ``value``."""

    inherit_cache = True


class json_text(sa.sql.functions.GenericFunction[str]):  # noqa: N801
    """``json_text(object, name)``: the member of this name, null if it is null or not there."""

    type = sa.String()
    inherit_cache = True


class utc_time(sa.sql.functions.GenericFunction[datetime]):  # noqa: N801
    """The time that `text_of` wrote."""

    type = UtcTime()
    inherit_cache = True


@compiles(json_elements, "postgresql")
def _elements(element: json_elements, compiler: SQLCompiler, **kw: Any) -> str:
    return f"jsonb_array_elements(CAST({compiler.process(element.clauses, **kw)} AS JSONB))"


@compiles(json_elements, "sqlite")
def _each(element: json_elements, compiler: SQLCompiler, **kw: Any) -> str:
    return f"json_each({compiler.process(element.clauses, **kw)})"


@compiles(json_text, "postgresql")
def _member(element: json_text, compiler: SQLCompiler, **kw: Any) -> str:
    value, name = (compiler.process(clause, **kw) for clause in element.clauses)
    return f"({value} ->> {name})"


@compiles(json_text, "sqlite")
def _extract(element: json_text, compiler: SQLCompiler, **kw: Any) -> str:
    value, name = (compiler.process(clause, **kw) for clause in element.clauses)
    return f"json_extract({value}, '$.' || {name})"


@compiles(utc_time, "postgresql")
def _timestamp(element: utc_time, compiler: SQLCompiler, **kw: Any) -> str:
    return f"(CAST({compiler.process(element.clauses, **kw)} AS TIMESTAMP) AT TIME ZONE 'UTC')"


@compiles(utc_time, "sqlite")
def _as_it_is(element: utc_time, compiler: SQLCompiler, **kw: Any) -> str:
    return str(compiler.process(element.clauses, **kw))
