"""The answer to a statement: its columns, and rows that have them as attributes."""

from __future__ import annotations

from collections import namedtuple
from collections.abc import Callable, Iterable, Sequence
from datetime import datetime, timezone
from typing import Any

import orjson
import sqlalchemy as sa

from otp_service.storage.models.dialects import MICROSECONDS, Times, UtcTime

Row = Any
"""A named tuple, as the statement's columns are called."""


class Answer:
    """What ``statement`` answers with: nothing if it has no columns."""

    def __init__(self, statement: Any) -> None:
        columns = list(statement.exported_columns)
        names = [str(column.key) for column in columns]
        self.types: list[sa.types.TypeEngine[Any]] = [column.type for column in columns]
        # Positions for those without a name of their own.
        row: Any = namedtuple("Row", names, rename=True)  # type: ignore[misc]
        self._made: Callable[[Iterable[Any]], Row] = row._make
        self._times = [n for n, type_ in enumerate(self.types) if isinstance(type_, UtcTime)]
        self._lists = [n for n, type_ in enumerate(self.types) if isinstance(type_, Times)]

    def as_text(self, sql: str) -> str:
        """The statement in Postgres's ``sql``, so that it answers with one text, for `of_text`.

        psycopg2 describes each column of each answer anew, and makes a time with its zone: for the
        thirty columns of a check both take longer than a JSON text.
        """
        names = [f"c{number}" for number in range(len(self.types))]
        packed = f"json_agg({self._packed([f'it.{name}' for name in names])})::text"
        return f"WITH it ({', '.join(names)}) AS ({sql}) SELECT {packed} FROM it"  # noqa: S608 (all ours)

    def of_values(self, values: Sequence[str]) -> str:
        """The same of one row of expressions."""
        return f"json_build_array({self._packed(values)})::text"

    def _packed(self, values: Sequence[str]) -> str:
        packed = list(values)
        for number in self._times:
            packed[number] = MICROSECONDS % f"({values[number]})"
        return f"json_build_array({', '.join(packed)})"

    def of_text(self, text: str | None) -> list[Row]:
        """The rows, none of None."""
        found = orjson.loads(text) if text else []
        for row in found:
            for number in self._times:
                row[number] = _time(row[number])
            for number in self._lists:
                row[number] = [_time(each) for each in row[number] or ()]
        return list(map(self._made, found))

    def reader(self, dialect: sa.Dialect) -> Callable[[Iterable[Sequence[Any]]], list[Row]]:
        """Rows of SQLite's driver, whose values need to be made of what it found."""
        makers = [(number, _maker(type_, dialect)) for number, type_ in enumerate(self.types)]
        processors = [(number, make) for number, make in makers if make]

        def read(found: Iterable[Sequence[Any]]) -> list[Row]:
            return [self._made(_processed(row, processors)) for row in found]

        return read


def _maker(type_: sa.types.TypeEngine[Any], dialect: sa.Dialect) -> Callable[[Any], Any] | None:
    if isinstance(type_, UtcTime):
        return _stored_time
    if isinstance(type_, Times):
        return _stored_times
    return type_.dialect_impl(dialect).result_processor(dialect, None)


def _stored_time(text: str | None) -> datetime | None:
    return None if text is None else datetime.fromisoformat(f"{text}+00:00")


def _stored_times(array: str | None) -> list[datetime | None]:
    return [_stored_time(text) for text in orjson.loads(array or "[]")]


def _processed(
    row: Sequence[Any], processors: Sequence[tuple[int, Callable[..., Any]]]
) -> list[Any]:
    values = list(row)
    for number, process in processors:
        values[number] = process(values[number])
    return values


def _time(microseconds: int | None) -> datetime | None:
    """Exact: `fromtimestamp` rounds to microseconds what a float is finer than until 2100."""
    if microseconds is None:
        return None
    return datetime.fromtimestamp(microseconds / 1e6, timezone.utc)
