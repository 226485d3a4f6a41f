"""The rows of a small table of keys, known to each process at every moment, in an outage too."""

from __future__ import annotations

import logging
import math
import threading
import time
from collections.abc import Callable, Sequence
from typing import Any, Generic, TypeVar

from otp_service.domain.errors import HomeUnreachable, StorageUnavailable
from otp_service.observability.log_redaction import described
from otp_service.storage.copied_rows import Rows, put_copy
from otp_service.storage.db.database import Database
from otp_service.storage.db.transaction import Transaction
from otp_service.storage.models.base import Base
from otp_service.turns import let_go

log = logging.getLogger(__name__)

Value = TypeVar("Value")
REFRESH_SECONDS = 1.0
_TRIES = 3  # of a read whose connection is lost, without the database being known to be away


class _Look:
    """One read, which everybody waits for who comes while it is under way."""

    def __init__(self) -> None:
        self.is_over = threading.Event()
        self.is_refused = False


class CachedRows(Generic[Value]):
    """What ``convert`` makes of the rows that ``read`` finds in the table of ``row``.

    They are read again by `KeepFresh`, and by a request that finds them too old. ``complete`` may
    add rows that are missing, and answers all of them then. With a fallback, a copy of the rows is
    kept there: a service that starts while Postgres is away knows them, as of when it was there.
    """

    def __init__(
        self,
        row: type[Base],
        read: Transaction,
        convert: Callable[[Rows], Value],
        database: Database,
        fallback: Database | None = None,
        *,
        complete: Callable[[Rows], Rows] = lambda rows: rows,
    ) -> None:
        self._row = row
        self._read = read
        self._convert = convert
        self._database = database
        self._fallback = fallback
        self._complete = complete
        self._copied: Rows | None = None
        self._looking, self._copying = threading.Lock(), threading.Lock()
        self._under_way: _Look | None = None
        self._value: Value | None = None
        self._as_of = -math.inf
        self._outages = 0  # of the database, before that

    def now(self, seconds: float) -> Value:
        """As of so many seconds ago at most; while the database is away, as of when it was there.

        Once it is back, nothing from before is used. Raises `StorageUnavailable` if the database
        refuses, or is away and nothing was ever known: what is older may be revoked since.
        """
        oldest = time.monotonic() - seconds
        may_be_used = self._is_fresh(oldest) or self._database.is_down
        value = self._value  # after that: it is replaced before its time is
        return self._value_since(oldest) if value is None or not may_be_used else value

    def _is_fresh(self, oldest: float) -> bool:
        return self._as_of > oldest and self._outages == self._database.outages

    def refresh(self) -> None:
        """Read them now. Raises `StorageUnavailable` as `now` does."""
        self._value_since(time.monotonic())

    def _value_since(self, oldest: float) -> Value:
        """One thread looks for all that come meanwhile, and is refused for all: one after the
        other, the last one would wait for the refusals of all before it.
        """
        while self._value is None or not self._is_fresh(oldest):
            with self._looking:
                look, is_ours = self._under_way or _Look(), self._under_way is None
                self._under_way = look
            if is_ours:
                self._lead(look)
                break
            with let_go():
                look.is_over.wait()
            if look.is_refused:
                raise StorageUnavailable("refused to who looked")
        value = self._value
        assert value is not None
        return value

    def _lead(self, look: _Look) -> None:
        try:
            rows = self._look()
        except StorageUnavailable as failure:
            look.is_refused = not isinstance(failure, HomeUnreachable)
            raise
        finally:
            self._under_way = None
            look.is_over.set()
        if rows is not None:
            self._copy(rows)

    def _look(self) -> Rows | None:
        """The rows, if the database is there."""
        # As of before the read: what is revoked while it is answered may be missing in the answer.
        began, outages = time.monotonic(), self._database.outages
        try:
            rows = self._complete(self._rows())
        except HomeUnreachable:
            if not self._database.is_down:  # it is back, or was never away
                raise
            if self._value is None:
                self._value = self._convert(self._rows_of_copy())
            return None
        self._value = self._convert(rows)
        self._as_of, self._outages = began, outages
        return rows

    def _rows(self) -> Rows:
        for _ in range(_TRIES - 1):
            try:
                return self._database.run(self._read)
            except HomeUnreachable:
                if self._database.is_down:
                    raise
        return self._database.run(self._read)

    def _rows_of_copy(self) -> Rows:
        if self._fallback is None:
            raise HomeUnreachable
        return self._fallback.run(self._read)

    def _copy(self, rows: Rows) -> None:
        """Who finds another thread at it leaves it: the next look copies what has changed since."""
        if self._fallback is None or rows == self._copied:
            return
        if self._copying.acquire(blocking=False):
            try:
                if put_copy(self._fallback.engine, self._row, rows):
                    self._copied = rows
            finally:
                self._copying.release()


class KeepFresh:
    """Reads ``lists`` again every second, in a thread of its own, whether anybody asks or not."""

    def __init__(self, lists: Sequence[CachedRows[Any]]) -> None:
        self._lists = lists
        self._stopping = threading.Event()

    def start(self) -> None:
        threading.Thread(target=self._run, name="cached-rows", daemon=True).start()

    def stop(self) -> None:
        """From now on who finds them too old reads them."""
        self._stopping.set()

    def _run(self) -> None:
        while not self._stopping.is_set():
            for each in self._lists:
                _refreshed(each)
            self._stopping.wait(REFRESH_SECONDS)


def _refreshed(rows: CachedRows[Any]) -> None:
    try:
        rows.refresh()
    except StorageUnavailable:  # the database has told of it
        pass
    except Exception as error:  # nothing may end the loop
        kind = type(error).__name__
        log.error("unexpected %s while keys were read", kind, extra=described(error))
