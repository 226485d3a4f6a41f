"""One database as the service uses it: no request waits for it while it is known to be down."""

from __future__ import annotations

import logging
import threading
import time
from collections.abc import Sequence
from typing import cast

import sqlalchemy as sa
from sqlalchemy.pool import QueuePool

from otp_service.circuit_breaker import Circuit
from otp_service.domain.errors import HomeUnreachable, StorageUnavailable
from otp_service.storage.db.answer import Row
from otp_service.storage.db.transaction import Transaction
from otp_service.storage.models.base import Base

PROBE_SECONDS = 1.0
log = logging.getLogger(__name__)

# All columns: a schema that an upgrade has not finished yet does not answer.
PING = Transaction(
    *(sa.select(*table.c).limit(1) for table in Base.metadata.sorted_tables), reads=True
)
"""Whether a database answers as it should: it raises what `Transaction` raises."""


class Database:
    """An engine behind a circuit breaker. The ids of what lives here begin with its ``letter``."""

    def __init__(self, engine: sa.Engine) -> None:
        self.engine = engine
        self.letter = "s" if engine.dialect.name == "sqlite" else "p"
        self._circuit = Circuit()
        self._unfit = ""
        self.outages = 0
        """How often it went away: what was read before the last time may have changed in it."""

    @property
    def is_down(self) -> bool:
        return self._circuit.is_open

    @property
    def connections(self) -> tuple[int, int]:
        """Those in use, and as many as there may be: who finds all in use has to wait."""
        pool = cast(QueuePool, self.engine.pool)
        return pool.checkedout(), pool.size() + pool._max_overflow

    def run(self, transaction: Transaction, **values: object) -> Sequence[Row]:
        """What `Transaction.run` does; `HomeUnreachable` at once while the database is down."""
        if self._circuit.is_open:
            raise HomeUnreachable
        if self._unfit:
            raise StorageUnavailable(self._unfit)
        try:
            rows = transaction.run(self.engine, **values)
        except StorageUnavailable as failure:
            facts = {"database": self.engine.dialect.name, "reason": failure.reason}
            log.error("a database failed", extra=facts)
            if isinstance(failure, HomeUnreachable):
                self._open(certain=failure.certain)
            raise
        if self._circuit.failures:
            self._circuit.succeeded()
        return rows

    def hold(self) -> None:
        """It is away, and nobody uses it before `admit`, be it there or not."""
        if self._circuit.failed(certain=True):
            self.outages += 1
            log.error("the database is down: nothing waits for it until it answers")

    def admit(self, *, unfit: str = "") -> None:
        """It is there, to be used; or to be refused, for this reason."""
        self._unfit = unfit
        self._circuit.close()

    def _open(self, *, certain: bool) -> None:
        if self._circuit.failed(certain=certain):
            self.outages += 1
            log.error("the database is down: nothing waits for it until it answers again")
            threading.Thread(target=self._probe, name="database-probe", daemon=True).start()

    def _probe(self) -> None:
        """The half-open circuit: one thread of a process tries, no request has to."""
        since = time.monotonic()
        while not is_there(self.engine):
            time.sleep(PROBE_SECONDS)
        self._circuit.close()
        away = round(time.monotonic() - since, 1)
        log.warning("the database is back after %s seconds", away, extra={"seconds": away})


def keep_in_first(
    databases: Sequence[Database], transaction: Transaction, **values: object
) -> None:
    """In the first home, or in the last one if that can't be reached. Raises what `run` raises."""
    try:
        databases[0].run(transaction, **values)
    except HomeUnreachable:
        if len(databases) == 1:
            raise
        databases[-1].run(transaction, **values)


def is_there(engine: sa.Engine) -> bool:
    """Whether the database is there, be it to refuse: that requests may see."""
    try:
        PING.run(engine)
    except HomeUnreachable:
        return False
    except StorageUnavailable:
        pass
    return True
