"""The answer to a statement: its columns, and rows that have them as attributes."""

from __future__ import annotations

from collections import namedtuple
from collections.abc import Callable, Iterable, Sequence
from typing import Any

import sqlalchemy as sa

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

    def rows(self, found: Iterable[Sequence[Any]]) -> list[Row]:
        """Of what a driver found that has the right types already."""
        return list(map(self._made, found))

    def reader(self, dialect: sa.Dialect) -> Callable[[Iterable[Sequence[Any]]], list[Row]]:
        """`rows` for a driver whose values need to be made of what it found."""
        processors = [
            (number, process)
            for number, type_ in enumerate(self.types)
            if (process := type_.dialect_impl(dialect).result_processor(dialect, None))
        ]

        def read(found: Iterable[Sequence[Any]]) -> list[Row]:
            return self.rows(_processed(row, processors) for row in found)

        return read


def _processed(
    row: Sequence[Any], processors: Sequence[tuple[int, Callable[..., Any]]]
) -> list[Any]:
    values = list(row)
    for number, process in processors:
        values[number] = process(values[number])
    return values
