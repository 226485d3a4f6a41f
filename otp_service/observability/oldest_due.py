"""How late messages, receipts and events are: asked beside scrapes, which wait for nothing."""

from __future__ import annotations

import logging
import threading
import time
from collections.abc import Callable
from typing import Protocol

from otp_service.domain.errors import StorageUnavailable
from otp_service.observability.log_redaction import described

ASK_SECONDS = 5.0
BUSY_SECONDS = 0.25
OLD_SECONDS = 15.0
log = logging.getLogger(__name__)

Ages = tuple[float, float]
"""Seconds for which the oldest message has waited, and the oldest receipt; of events how many wait,
and seconds for which the oldest has.
"""


class Database(Protocol):
    @property
    def connections(self) -> tuple[int, int]:
        """In use, and as many as there may be."""


class OldestDue:
    """What ``ages`` says of the ``database``, every 5 seconds, in a thread of its own.

    It never waits for a connection: while all are in use, those are for requests.
    """

    def __init__(self, database: Database, ages: Callable[[], Ages]) -> None:
        self._database = database
        self._ages = ages
        self._stopping = threading.Event()
        self._known: tuple[Ages, float] | None = None

    @property
    def seconds(self) -> Ages | None:
        """As of 5 seconds ago at most, nearly always; None if it is not known."""
        known = self._known
        if known is None or time.monotonic() - known[1] > OLD_SECONDS:
            return None
        return known[0]

    def start(self) -> None:
        threading.Thread(target=self._keep_asking, name="oldest-due", daemon=True).start()

    def stop(self) -> None:
        """Ask no more. Safe in a signal handler."""
        self._stopping.set()

    def _keep_asking(self) -> None:
        while not self._stopping.wait(self.ask()):
            pass

    def ask(self) -> float:
        """Ask now, if there is a connection for it; in how many seconds to ask again."""
        in_use, most = self._database.connections
        if in_use >= most:
            return BUSY_SECONDS
        try:
            self._known = self._ages(), time.monotonic()
        except StorageUnavailable:  # the database has told of it
            self._known = None
        except Exception as error:  # nothing may end the loop
            self._known = None
            kind = type(error).__name__
            log.error("unexpected %s while the due was looked for", kind, extra=described(error))
        return ASK_SECONDS
