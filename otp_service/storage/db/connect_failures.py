"""Why a connection could not be made: what was said, what it means, and which host decides."""

from __future__ import annotations

import re
from typing import Any

import psycopg2

from otp_service.storage.db import failure_table
from otp_service.storage.db.failure_table import Row

_SQLSTATE = re.compile(r":\s+(?=[A-Z]*[0-9])([0-9A-Z]{5}):\s")
_TRY = re.compile(r"(?=connection to server )")  # libpq tells of each: with TLS, then without
_WHERE = re.compile(r"connection to server .*? failed: ")
_LONGEST = 300  # characters of what a server says
READ_ONLY = "25006"  # the SQLSTATE of a write to a standby


class NoAnswer(psycopg2.OperationalError):
    """The deadline has passed; what was asked may or may not have happened."""


class ConnectFailed(psycopg2.OperationalError):
    """``pgcode`` is what the server said; None if none could be talked to.

    ``answer`` is its text, or libpq's, on one line. A refused connection quotes no row.
    """

    pgcode: str | None = None  # psycopg2's own can't be set

    def __init__(self, row: Row, answer: str = "", pgcode: str | None = None) -> None:
        super().__init__(answer)
        self.row = row
        self.answer = answer or row.what
        self.pgcode = pgcode


def of(error: psycopg2.Error, parameters: dict[str, Any]) -> ConnectFailed:
    """What it means, and the text: of the last try, without what libpq adds and any password."""
    if isinstance(error, ConnectFailed):
        return error
    if isinstance(error, NoAnswer):
        return ConnectFailed(failure_table.NO_ANSWER)
    text = error.diag.message_primary or _TRY.split(str(error))[-1].strip()
    answer = text.split("\n")[0]
    found = _SQLSTATE.search(answer)
    state = error.pgcode or (found[1] if found else None)
    text = answer[found.end() :] if found else _WHERE.sub("", answer, count=1)
    answer = answer.replace(f" {state}: ", " ") if found else answer
    for secret in ("password", "sslpassword"):
        if parameters.get(secret):
            answer = answer.replace(str(parameters[secret]), "••••")
    printable = "".join(letter if letter.isprintable() else " " for letter in answer)
    line = " ".join(printable.split())[:_LONGEST]
    return ConnectFailed(failure_table.row_of(state, text), line, state)


def deciding(hosts: list[list[ConnectFailed]]) -> ConnectFailed:
    """Of what failed at each address of each host.

    A host that could not be talked to decides: it may have been the one to write to. Without any
    such, what a host answered does (a wrong password, a certificate, read-only). A host that
    answers at one of its addresses is talked to, unless that is a standby.
    """
    each = [min(failures, key=_weight) for failures in hosts]
    return next((failure for failure in each if failure.row.outage), each[-1])


def _weight(failure: ConnectFailed) -> int:
    return 1 if failure.row.outage else 2 * (failure.pgcode == READ_ONLY)
