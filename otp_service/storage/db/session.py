"""What is known of one connection to Postgres, and a transaction on it."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass, field
from typing import Any

import sqlalchemy as sa
from psycopg2 import errors

from otp_service.storage.db.function import Function, compile_, given_types, with_places
from otp_service.storage.db.lookup import each_of
from otp_service.storage.db.message import Message

# Plans are made once, before anything is known of the values, and when tables may still be empty:
# an index is right then, too. Costs that say so must not make Postgres compile anything.
SETTINGS = {
    "default_transaction_isolation": "read committed",  # whatever the database's default
    "plan_cache_mode": "force_generic_plan",
    "enable_seqscan": "off",
    "enable_bitmapscan": "off",  # reads an index from end to end where one row is looked for
    "jit": "off",
}

# The role may make none, the server knows none, or a pooler that was not seen has lost it.
_NO_FUNCTION = (errors.InsufficientPrivilege, errors.FeatureNotSupported, errors.UndefinedFunction)


@dataclass
class Session:
    """``is_ours``: no pooler gives it to others, so it keeps functions and settings."""

    is_ours: bool
    tells_timeline: bool
    limit: int | None = None
    """Its `statement_timeout` in ms, if it is known."""
    functions: set[str] = field(default_factory=set)


def keeps_functions(engine: sa.Engine) -> bool:
    """Whether transactions are functions of its sessions, and no messages."""
    connection = engine.raw_connection()
    try:
        session: Session = connection.info["session"]
        return session.is_ours
    finally:
        connection.close()


class Statements:
    """Of a transaction, in each form that a session may need; made once."""

    def __init__(self, name: str, statements: Sequence[Any]) -> None:
        self._name = name
        self._statements = statements
        self._functions: dict[bool, Function] = {}
        self._messages: dict[bool, Message] = {}

    def run(
        self, dialect: sa.Dialect, session: Session, cursor: Any, values: dict[str, Any], limit: int
    ) -> None:
        """In one round trip; the server gives up after ``limit`` ms."""
        if session.is_ours:
            try:
                self._call(self._function(dialect, session), session, cursor, values, limit)
            except _NO_FUNCTION:  # nothing has happened
                pass
            else:
                return
        message = self._message(dialect, session)
        cursor.execute(message.sql, message.arguments(values, limit))
        session.is_ours = False

    def explainable(self, dialect: sa.Dialect) -> list[str]:
        """Each by itself, with ``$1`` and so on where a value stands."""
        compiled = [compile_(each, dialect) for each in each_of(self._statements)]
        types = given_types(compiled)
        return [with_places(each, types) for each in compiled]

    def _call(
        self, function: Function, session: Session, cursor: Any, values: dict[str, Any], limit: int
    ) -> None:
        prepare = []
        if session.limit != limit:
            session.limit = None  # until it is sure
            prepare.append(f"SET statement_timeout = {limit}")
        if function.name not in session.functions:
            prepare.append(function.create.replace("%", "%%"))
        cursor.execute(";\n".join([*prepare, function.call]), function.arguments(values))
        session.limit = limit
        session.functions.add(function.name)

    def _function(self, dialect: sa.Dialect, session: Session) -> Function:
        tells = session.tells_timeline
        if tells not in self._functions:
            made = Function(self._name, dialect, self._statements, tells_timeline=tells)
            self._functions[tells] = made
        return self._functions[tells]

    def _message(self, dialect: sa.Dialect, session: Session) -> Message:
        tells = session.tells_timeline
        if tells not in self._messages:
            made = Message(dialect, self._statements, tells_timeline=tells)
            self._messages[tells] = made
        return self._messages[tells]
