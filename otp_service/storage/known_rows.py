"""The rows of a small table, known to each process at every moment, in an outage too."""

from __future__ import annotations

import logging
import threading
import time
from collections.abc import Callable, Sequence
from typing import Any, Generic, TypeVar

import sqlalchemy as sa

from otp_service.domain.errors import HomeUnreachable, StorageUnavailable
from otp_service.storage.database import Database
from otp_service.storage.models import Base
from otp_service.storage.transaction import Transaction, describe

log = logging.getLogger(__name__)

Known = TypeVar("Known")
Rows = Sequence[sa.Row[Any]]


class KnownRows(Generic[Known]):
    """What ``understand`` makes of the rows that ``read`` finds in the table of ``row``.

    They are read again every few seconds instead of at each request. ``complete`` may add rows
    that are missing, and answers all of them then. With a fallback, a copy of the rows is kept
    there: a service that starts while Postgres is away knows them, as of when it last could look.
    """

    def __init__(
        self,
        row: type[Base],
        read: Transaction,
        understand: Callable[[Rows], Known],
        database: Database,
        fallback: Database | None = None,
        *,
        complete: Callable[[Rows], Rows] = lambda rows: rows,
    ) -> None:
        self._row = row
        self._read = read
        self._understand = understand
        self._database = database
        self._fallback = fallback
        self._complete = complete
        self._copied: Rows | None = None
        self._lock = threading.Lock()
        self._known: Known | None = None
        self._looked_at = 0.0

    def now(self, seconds: float) -> Known:
        """As of so many seconds ago at most, or as of when the database was last there.

        May raise `StorageUnavailable`, but only where nothing was ever known.
        """
        if self._known is not None and time.monotonic() - self._looked_at < seconds:
            return self._known
        # One thread reads; the others go on with what they have, if they have anything.
        if self._lock.acquire(blocking=self._known is None):
            try:
                self._look()
            finally:
                self._lock.release()
        assert self._known is not None
        return self._known

    def _look(self) -> None:
        try:
            self._known = self._understand(self._rows())
        except StorageUnavailable:
            if self._known is None:
                raise
        self._looked_at = time.monotonic()

    def _rows(self) -> Rows:
        try:
            rows = self._complete(self._database.run(self._read))
        except HomeUnreachable:
            if self._fallback is None or self._known is not None:
                raise
            return self._fallback.run(self._read)
        if self._fallback and rows != self._copied and self._copy(rows, self._fallback.engine):
            self._copied = rows
        return rows

    def _copy(self, rows: Rows, engine: sa.Engine) -> bool:
        """Put them in the place of those that are there; whether that could be done."""
        try:
            with engine.begin() as connection:
                connection.execute(sa.delete(self._row))
                if rows:
                    connection.execute(sa.insert(self._row), [dict(r._mapping) for r in rows])
        except sa.exc.SQLAlchemyError as error:
            table = self._row.__tablename__
            log.error("the fallback could not take a copy of %s: %s", table, describe(error))
            return False
        return True
