"""From what SQLAlchemy raises to the domain's errors, without the database's text."""

from __future__ import annotations

import sqlite3

import psycopg2
import sqlalchemy as sa

from otp_service.domain.errors import HomeUnreachable, StorageUnavailable
from otp_service.storage.db import failure_table
from otp_service.storage.db.connect_failures import ConnectFailed, NoAnswer
from otp_service.storage.db.failure_table import Row

DRIVERS = (psycopg2.Error, sqlite3.Error)


def failure_of(error: Exception) -> StorageUnavailable:
    """Connection-class or not, by `failure_table`."""
    row, failure = row_of(error), StorageUnavailable(describe(error))
    if row.outage:
        certain = isinstance(_cause(error), (NoAnswer, ConnectFailed))
        failure = HomeUnreachable(failure.reason, certain=certain)
    failure.advice = f"{row.what[:1].upper()}{row.what[1:]}. {row.advice}".strip(" .")
    return failure


def row_of(error: Exception) -> Row:
    """Its row of `failure_table`."""
    cause = _cause(error)
    if isinstance(error, sa.exc.TimeoutError):
        return failure_table.FULL_POOL
    if isinstance(cause, NoAnswer):
        return failure_table.NO_ANSWER
    if isinstance(cause, ConnectFailed):
        return cause.row
    if not isinstance(cause, psycopg2.Error):
        return failure_table.UNKNOWN
    row = failure_table.row_of(cause.pgcode, cause.diag.message_primary or str(cause))
    lost = isinstance(error, sa.exc.DBAPIError) and error.connection_invalidated
    return failure_table.LOST if lost and row is failure_table.UNKNOWN else row


def describe(error: Exception) -> str:
    """What failed, without the database's text, which may quote a row.

    But with what was said while a connection was refused: that can't.
    """
    cause = _cause(error)
    sqlstate = getattr(cause, "pgcode", None)
    fact = f"{type(cause or error).__name__}, SQLSTATE {sqlstate or 'none'}"
    return f"{fact}: {cause.answer}" if isinstance(cause, ConnectFailed) else fact


def _cause(error: Exception) -> BaseException | None:
    """The driver's error, which comes as it is or in SQLAlchemy's."""
    return getattr(error, "orig", error if isinstance(error, DRIVERS) else None)
