"""What holds at the moment of a scrape: read off the parts of the process that answers it.

Nothing is asked and nothing is waited for, so that a scrape works in every outage. What only a
database can tell is asked beside it: see `oldest_due`.
"""

from __future__ import annotations

from collections.abc import Iterator, Sequence
from dataclasses import dataclass
from typing import Protocol

from prometheus_client.core import GaugeMetricFamily
from prometheus_client.registry import Collector

from otp_service.domain.verification import Channel
from otp_service.observability.oldest_due import OldestDue

_HOMES = ("primary", "fallback")
_CIRCUIT_STATES = ("closed", "open", "half_open")


class Database(Protocol):
    @property
    def is_down(self) -> bool: ...

    @property
    def connections(self) -> tuple[int, int]:
        """In use, and as many as there may be."""


class SenderState(Protocol):
    """A sender, and the state of its circuit: closed, open or half_open."""

    provider: str
    channel: Channel

    @property
    def state(self) -> str: ...


class WorkerState(Protocol):
    @property
    def state(self) -> str:
        """off, running or stuck."""


@dataclass(frozen=True, eq=False)
class Gauges(Collector):
    """``databases``: the primary and perhaps the fallback; ``oldest_due`` and ``events``: of each
    of them; ``worker`` is None where it is off.
    """

    version: str
    databases: Sequence[Database]
    senders: Sequence[SenderState]
    worker: WorkerState | None
    oldest_due: Sequence[OldestDue]
    events: Sequence[OldestDue]

    def start(self) -> None:
        """Begin to look for what only a database can tell."""
        for each in (*self.oldest_due, *self.events):
            each.start()

    def stop(self) -> None:
        """Look no more. Safe in a signal handler."""
        for each in (*self.oldest_due, *self.events):
            each.stop()

    def collect(self) -> Iterator[GaugeMetricFamily]:
        build = GaugeMetricFamily("otp_build_info", "The release.", labels=["version"])
        build.add_metric([self.version], 1)
        yield build
        yield from self._homes()
        yield self._circuits()
        yield from self._connections()
        yield from self._waiting()
        if self.worker:
            running = self.worker.state == "running"
            yield GaugeMetricFamily("otp_worker_up", "Whether the worker runs.", value=running)

    def _homes(self) -> Iterator[GaugeMetricFamily]:
        down = self.databases[0].is_down
        yield GaugeMetricFamily("otp_database_up", "Whether the database answers.", value=not down)
        if len(self.databases) > 1:
            yield GaugeMetricFamily(
                "otp_fallback_active", "Whether new codes go to the fallback.", value=down
            )

    def _circuits(self) -> GaugeMetricFamily:
        labels = ["provider", "channel", "state"]
        gauge = GaugeMetricFamily("otp_circuit_state", "Circuits of providers.", labels=labels)
        for sender in self.senders:
            current = sender.state  # once: it may change meanwhile
            for state in _CIRCUIT_STATES:
                names = [sender.provider, sender.channel.value, state]
                gauge.add_metric(names, state == current)
        return gauge

    def _connections(self) -> Iterator[GaugeMetricFamily]:
        """Requests wait for one, and get 503, when as many are in use as there may be."""
        in_use = GaugeMetricFamily(
            "otp_database_connections_in_use", "Connections in use.", labels=["database"]
        )
        most = GaugeMetricFamily(
            "otp_database_connections_max", "Connections there may be.", labels=["database"]
        )
        for name, database in zip(_HOMES, self.databases, strict=False):
            for gauge, value in zip((in_use, most), database.connections, strict=True):
                gauge.add_metric([name], value)
        return iter((in_use, most))

    def _waiting(self) -> Iterator[GaugeMetricFamily]:
        messages, receipts = (
            (
                f"otp_oldest_due_{kind}_age_seconds",
                f"For how long the oldest {kind} that is due has waited for a worker.",
            )
            for kind in ("message", "receipt")
        )
        yield from _of_homes(self.oldest_due, messages, receipts)
        waiting = ("otp_events_waiting", "Events that callers are still to be told of.")
        due = (
            "otp_events_oldest_due_seconds",
            "For how long the oldest event that is due has waited for who tells it.",
        )
        yield from _of_homes(self.events, waiting, due)


def _of_homes(asked: Sequence[OldestDue], *named: tuple[str, str]) -> Iterator[GaugeMetricFamily]:
    """A gauge for each of the two figures. Of a database that can't be asked there is no sample: 0
    would be a guess.
    """
    gauges = [GaugeMetricFamily(name, text, labels=["database"]) for name, text in named]
    for home, each in zip(_HOMES, asked, strict=False):
        for gauge, figure in zip(gauges, each.seconds or (), strict=False):
            gauge.add_metric([home], figure)
    return iter(gauges)
