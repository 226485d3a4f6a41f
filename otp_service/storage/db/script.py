"""Statements one by one on a SQLite file.

Constants are in the texts: SQLite plans a statement anew whenever a value is bound that it had
compared with the condition of a partial index. The times of a run are values: they are worked out
once, behind the lock, where a function would have SQLite call Python for each place and row.
"""

from __future__ import annotations

import sqlite3
from collections.abc import Callable, Iterable, Iterator, Sequence
from datetime import datetime, timedelta, timezone
from operator import itemgetter
from typing import Any, NamedTuple

import sqlalchemy as sa
from sqlalchemy.dialects import sqlite

from otp_service.storage.db.answer import Answer, Row
from otp_service.storage.db.function import GIVEN, literal
from otp_service.storage.db.lookup import KNOWN, Lookup, Seldom
from otp_service.storage.models.dialects import ON_SQLITE, TIME, utc_as_stored

Values = dict[str, Any]
_DIALECT = sqlite.dialect(paramstyle="pyformat")
# The driver asks every None that it binds for an adapter, then the None itself, which takes ten
# times as long as binding it: so there is one.
sqlite3.register_adapter(type(None), lambda none: none)


class _Step(NamedTuple):
    """``sql`` with the values that it names, in their order."""

    sql: str
    values: Callable[[Values], Sequence[Any]]
    names: Sequence[str] = ()
    """Of what it looks up."""
    then: Sequence[_Step] = ()
    """What is done if the one value that it answers with is true."""


class Script:
    """``statements``, the last one with the ``answer``; ``reads`` if none of them writes."""

    def __init__(self, statements: Sequence[Any], answer: Answer, *, reads: bool) -> None:
        self._binders: dict[str, Callable[[Any], Any]] = {}
        self._times: dict[str, float | str] = {}
        self._steps = list(self._made(statements))
        self._unknown = dict.fromkeys(_looked_up(self._steps))
        self.reads = reads
        self._read = answer.reader(_DIALECT) if answer.types else None

    def run(self, cursor: Any, given: Values) -> list[Row]:
        """In a transaction of the caller's."""
        values = self._unknown | given
        for name, bind in self._binders.items():
            values[name] = bind(values[name])
        self._add_times(values)
        _run(cursor, self._steps, values)
        return self._read(cursor.fetchall()) if self._read else []

    def _add_times(self, values: Values) -> None:
        """Those that the statements name, by the clock of now: behind the lock."""
        now = datetime.now(timezone.utc).replace(tzinfo=None)
        for name, offset in self._times.items():
            seconds = values[offset] if isinstance(offset, str) else offset
            time = None if seconds is None else now + timedelta(seconds=seconds)
            values[name] = time and utc_as_stored(time)

    def _made(self, statements: Iterable[Any]) -> Iterator[_Step]:
        for each in statements:
            if isinstance(each, Seldom):
                step = self._step(sa.select(each.condition))
                yield step._replace(then=list(self._made(each.statements)))
            elif isinstance(each, Lookup):
                yield self._step(each.select)._replace(names=each.names)
            else:
                yield self._step(each)

    def _step(self, statement: Any) -> _Step:
        kwargs = {"times_given": True}
        compiled = statement.compile(dialect=_DIALECT, compile_kwargs=kwargs, **ON_SQLITE)
        names = [name for name in compiled.params if name.startswith((GIVEN, KNOWN, TIME))]
        for name in names:
            if name.startswith(TIME):
                self._times[name] = compiled.params[name]
            elif name.startswith(GIVEN) and (bind := _binder(compiled.binds[name].type)):
                self._binders[name] = bind
        constants = {name: literal(value) for name, value in compiled.params.items()}
        places = {name: f"?{number}" for number, name in enumerate(names, 1)}
        return _Step(str(compiled) % (constants | places), _getter(names))


def _run(cursor: Any, steps: Iterable[_Step], values: Values) -> None:
    for sql, values_of, names, then in steps:
        cursor.execute(sql, values_of(values))
        if names:
            values |= zip(names, cursor.fetchone() or [None] * len(names), strict=True)
        elif then and cursor.fetchone()[0]:
            _run(cursor, then, values)


def _getter(names: Sequence[str]) -> Callable[[Values], Sequence[Any]]:
    if len(names) > 1:
        return itemgetter(*names)
    return lambda values: [values[name] for name in names]


def _binder(type_: sa.types.TypeEngine[Any]) -> Callable[[Any], Any] | None:
    """For values that SQLite's driver does not take as they are: times."""
    return type_.dialect_impl(_DIALECT).bind_processor(_DIALECT)


def _looked_up(steps: Iterable[_Step]) -> Iterator[str]:
    for step in steps:
        yield from step.names
        yield from _looked_up(step.then)
