"""A row that a transaction looks up for the statements behind it."""

from __future__ import annotations

from collections.abc import Iterable, Iterator
from typing import Any

import sqlalchemy as sa

KNOWN = "known_"
"""What the names of values begin with that a transaction has looked up itself."""


class Lookup:
    """The first row of ``select``: each of its columns is a value from then on, null without a row.

    Or the one row that an insert or an update returns.

    What several statements need is read once, behind the locks. In one transaction no two columns
    of lookups may have the same name.
    """

    def __init__(self, select: Any) -> None:
        self.select = select
        self.types = {str(column.key): column.type for column in select.exported_columns}
        self.names = [KNOWN + name for name in self.types]

    def __getitem__(self, name: str) -> sa.BindParameter[Any]:
        return sa.bindparam(KNOWN + name, type_=self.types[name])

    def columns(self, *names: str) -> list[sa.Label[Any]]:
        """For an answer, under the names that they have here; all of them if none is named."""
        return [self[name].label(name) for name in names or self.types]


class Seldom:
    """Statements that do nothing unless ``condition`` holds, so that they may be passed over."""

    def __init__(self, condition: sa.ColumnElement[bool], *statements: Any) -> None:
        self.condition = condition
        self.statements = statements


def each_of(statements: Iterable[Any]) -> Iterator[Any]:
    """Those that are done seldom, too, one by one."""
    for each in statements:
        if isinstance(each, Seldom):
            yield from each.statements
        else:
            yield each
