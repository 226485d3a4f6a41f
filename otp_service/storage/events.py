"""The domain's `EventOutbox`, over all homes."""

from __future__ import annotations

from collections.abc import Iterator, Sequence
from contextlib import suppress

from otp_service.domain.codes import Secret
from otp_service.domain.errors import StorageUnavailable
from otp_service.domain.events import Endpoint, Event
from otp_service.storage import retention
from otp_service.storage.db.database import Database
from otp_service.storage.event_endpoints import EventEndpoints
from otp_service.storage.sql import events


class Events:
    """``databases``: the primary home first, then the fallback, if there is one.

    ``cache`` is to be kept fresh in each process that issues codes, whether or not it tells
    events: a fallback's events are written for the endpoints of its copy.
    """

    def __init__(self, secrets: Sequence[Secret], *databases: Database) -> None:
        self._endpoints = EventEndpoints(secrets, *databases)
        self._databases = {database.letter: database for database in databases}
        self.cache = self._endpoints.cache
        self.endpoints = self._endpoints.now
        self.backlog = events.backlog

    def _homes(self) -> Iterator[Database]:
        """Those that are not known to be down."""
        return (home for home in self._databases.values() if not home.is_down)

    def take(self, endpoint: Endpoint, count: int) -> list[Event]:
        taken: list[Event] = []
        for home in reversed(list(self._homes())):  # a fallback has few, and is to be emptied
            if len(taken) == count:
                break
            with suppress(StorageUnavailable):  # the other one goes on
                taken += events.take(home, endpoint.id, count - len(taken))
        return taken

    def told(self, event: Event) -> None:
        events.told(self._databases[event.home], event)

    def postpone(self, event: Event, due_in: float | None) -> None:
        events.postpone(self._databases[event.home], event, due_in)

    def end(self, endpoint: Endpoint) -> None:
        self._endpoints.end(endpoint.id)

    def expire(self) -> None:
        """Where nobody is told of it, that is left to the hourly cleanup."""
        if self.endpoints():
            for home in self._homes():
                retention.expire(home)
