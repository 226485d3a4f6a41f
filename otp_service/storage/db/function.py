"""Statements as one function of the session, which Postgres plans once and not at each run.

A message of several statements is parsed and planned at each run, which for a check took twice as
long as to execute it. A function in PL/pgSQL keeps its plans, and one `statement_timeout` covers
all of it. Each of its statements has a snapshot of its own (PostgreSQL manual, "Function
Volatility Categories"), so those behind a lock see what its holder committed. It lives in
``pg_temp``: no schema changes, and no release meets another one's.
"""

from __future__ import annotations

import hashlib
from collections.abc import Iterable, Sequence
from typing import Any, TypeGuard

import sqlalchemy as sa
from sqlalchemy.sql.compiler import SQLCompiler

from otp_service.storage.db.answer import Answer
from otp_service.storage.db.lookup import KNOWN, Lookup, Seldom, each_of
from otp_service.storage.models.dialects import TIMELINE

GIVEN = "given_"
"""What the names of values begin with that each run gives; all others are constants."""


class Function:
    """``statements``, on a server that does or does not tell its timeline."""

    def __init__(
        self, name: str, dialect: sa.Dialect, statements: Sequence[Any], *, tells_timeline: bool
    ) -> None:
        types = given_types([compile_(each, dialect) for each in each_of(statements)])
        answer = Answer(statements[-1])
        body = [_done(statement, dialect) for statement in statements[:-1]]
        body.append(_answered(statements[-1], answer, dialect))
        known = _declarations(each_of(statements), dialect)
        returns = "OUT answer text" if answer.types else ""
        definition = _definition(types, returns, [f"{known}BEGIN\n{body[0]}", *body[1:]])
        if not tells_timeline:
            definition = definition.replace(TIMELINE, "NULL::text")
        digest = hashlib.sha256(definition.encode()).hexdigest()[:8]
        self.name = f"pg_temp.{name}_{digest}"
        self.create = f"CREATE OR REPLACE FUNCTION {self.name}{definition}"
        places = ", ".join(["%s"] * len(types))
        self.call = f"SELECT {self.name}({places})"
        self._given = list(types)

    def arguments(self, values: dict[str, Any]) -> list[Any]:
        """For `call`."""
        return [values[name] for name in self._given]


def compile_(statement: Any, dialect: sa.Dialect) -> Any:
    if isinstance(statement, Lookup):
        statement = statement.select
    return statement.compile(dialect=dialect)


def given_types(compiled: Sequence[SQLCompiler]) -> dict[str, str]:
    """By name; where one place leaves it open, another may tell."""
    types: dict[str, str] = {}
    for each in compiled:
        for name, bind in each.binds.items():
            if name.startswith(GIVEN) and types.get(name, "text") == "text":
                types[name] = declared(bind.type, each.dialect)
    return types


def _declarations(statements: Iterable[Any], dialect: sa.Dialect) -> str:
    looked_up = [each for each in statements if isinstance(each, Lookup)]
    names = [
        f"{KNOWN}{name} {declared(type_, dialect)};\n"
        for each in looked_up
        for name, type_ in each.types.items()
    ]
    return "DECLARE\n" + "".join(names) if names else ""


def declared(type_: sa.types.TypeEngine[Any], dialect: sa.Dialect) -> str:
    """Texts without a length: columns see to that."""
    if isinstance(type_, (sa.String, sa.types.NullType)):
        return "text"
    return str(type_.compile(dialect))


def _definition(types: dict[str, str], answer: str, body: Sequence[str]) -> str:
    arguments = [f"{name} {type_}" for name, type_ in types.items()] + [answer] * bool(answer)
    returns = "" if answer else " RETURNS void"
    source = ";\n".join(body)
    return f"({', '.join(arguments)}){returns} LANGUAGE plpgsql AS $otp$\n{source};\nEND $otp$"


def _done(statement: Any, dialect: sa.Dialect) -> str:
    if isinstance(statement, Seldom):
        condition = _sql(statement.condition.compile(dialect=dialect))
        then = ";\n".join(_done(each, dialect) for each in statement.statements)
        return f"IF ({condition}) THEN\n{then};\nEND IF"
    if isinstance(statement, Lookup) and _reads_no_table(statement.select):
        values = _values(statement.select, dialect)
        pairs = zip(statement.names, values, strict=True)
        return ";\n".join(f"{name} := {value}" for name, value in pairs)
    sql = _sql(compile_(statement, dialect))
    if isinstance(statement, Lookup):
        return f"{sql} INTO {', '.join(statement.names)}"
    return f"PERFORM * FROM ({sql}) AS it" if statement.is_select else sql


def _answered(statement: Any, answer: Answer, dialect: sa.Dialect) -> str:
    if _reads_no_table(statement):
        return f"answer := {answer.of_values(_values(statement, dialect))}"
    sql = _sql(compile_(statement, dialect))
    return f"{answer.as_text(sql)} INTO answer" if answer.types else sql


def _values(statement: sa.Select[Any], dialect: sa.Dialect) -> list[str]:
    return [_sql(column.compile(dialect=dialect)) for column in statement.selected_columns]


def _reads_no_table(statement: Any) -> TypeGuard[sa.Select[Any]]:
    """An expression is worked out by PL/pgSQL itself, in a tenth of a statement's time."""
    if not isinstance(statement, sa.Select):
        return False
    return not statement.get_final_froms() and statement.whereclause is None


def _sql(compiled: SQLCompiler) -> str:
    names = {
        name: name if name.startswith((GIVEN, KNOWN)) else literal(value)
        for name, value in compiled.params.items()
    }
    return compiled.string % names


def with_places(compiled: SQLCompiler, types: dict[str, str]) -> str:
    """The statement with ``$1`` and so on for what is given, by ``types``, or was looked up."""
    values = [name for name in compiled.params if name.startswith((GIVEN, KNOWN))]
    looked_up = {
        name: declared(compiled.binds[name].type, compiled.dialect)
        for name in values
        if name.startswith(KNOWN)
    }
    declared_as = types | looked_up
    places = {name: f"${number}::{declared_as[name]}" for number, name in enumerate(values, 1)}
    constants = {name: literal(value) for name, value in compiled.params.items()}
    return compiled.string % (constants | places)


def literal(value: str | bool | float | None) -> str:
    if isinstance(value, str):
        return "'" + value.replace("'", "''") + "'"
    return "NULL" if value is None else str(value)
