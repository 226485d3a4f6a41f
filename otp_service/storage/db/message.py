"""Statements as one message, for a pooler: what a session keeps may be another client's there.

PostgreSQL runs the statements of one simple-protocol message as a single transaction, each with
a snapshot of its own (PostgreSQL manual, "Multiple Statements in a Simple Query"). So the first
one can wait for a lock and those behind it see what its holder committed, which one statement
with many `WITH` parts would not. That needs READ COMMITTED, whatever is the database's default.
"""

from __future__ import annotations

from collections.abc import Sequence
from typing import Any

import sqlalchemy as sa

from otp_service.storage.db.answer import Answer
from otp_service.storage.db.function import GIVEN, compile_, declared
from otp_service.storage.db.lookup import KNOWN, Lookup, each_of
from otp_service.storage.models.dialects import TIMELINE

# In the message, since a pooler may give each transaction another session. SET TRANSACTION has to
# come before any query.
_BEGIN = "SET TRANSACTION ISOLATION LEVEL READ COMMITTED;\nSET LOCAL statement_timeout = %(limit)s"
# The server's own limit, in ms, is for each statement of a message (the manual's
# "statement_timeout"). Before each it is set to what is left for all: now() stands still. 0 would
# be no limit.
_WHAT_IS_LEFT = (
    "SELECT set_config('statement_timeout', greatest(1, %(limit)s - "
    "1000 * date_part('epoch', clock_timestamp() - now()))::int::text, true)"
)


class Message:
    """``statements``, on a server that does or does not tell its timeline."""

    def __init__(
        self, dialect: sa.Dialect, statements: Sequence[Any], *, tells_timeline: bool
    ) -> None:
        texts, self._constants = [], dict[str, Any]()
        for number, statement in enumerate(each_of(statements)):
            compiled = compile_(statement, dialect)
            names = {}
            for name, value in compiled.params.items():
                if name.startswith(KNOWN):
                    names[name] = _known(name, compiled.binds[name].type, dialect)
                elif name.startswith(GIVEN):
                    names[name] = f"%({name})s"
                else:
                    names[name] = f"%(s{number}_{name})s"
                    self._constants[f"s{number}_{name}"] = value
            sql = compiled.string % names
            texts.append(_kept(statement, sql) if isinstance(statement, Lookup) else sql)
        answer = Answer(statements[-1])
        if answer.types:
            texts[-1] = answer.as_text(texts[-1])
        sql = f"{_BEGIN};\n" + f";\n{_WHAT_IS_LEFT};\n".join(texts)
        self.sql = sql if tells_timeline else sql.replace(TIMELINE, "NULL::text")

    def arguments(self, values: dict[str, Any], limit: int) -> dict[str, Any]:
        """For `sql`; ``limit`` in ms."""
        return self._constants | values | {"limit": limit}


def _kept(lookup: Lookup, sql: str) -> str:
    """As settings of this transaction: there is nothing else that statements could share."""
    names = [(f"c{number}", name) for number, name in enumerate(lookup.types)]
    keep = [f"set_config('otp.{KNOWN}{name}', {column}::text, true)" for column, name in names]
    columns = ", ".join(column for column, _ in names)
    return f"WITH it ({columns}) AS ({sql}) SELECT {', '.join(keep)} FROM it"  # noqa: S608 (all ours)


def _known(name: str, type_: sa.types.TypeEngine[Any], dialect: sa.Dialect) -> str:
    """Empty is null: set to null, or not at all, or by a transaction before."""
    return f"nullif(current_setting('otp.{name}', true), '')::{declared(type_, dialect)}"
