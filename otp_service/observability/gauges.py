"""What holds at the moment of a scrape: read off the parts of the process that answers it.

Nothing is asked and nothing is waited for, so that a scrape works in every outage.
"""

from __future__ import annotations

from collections.abc import Iterator, Sequence
from dataclasses import dataclass
from typing import Protocol

from prometheus_client.core import GaugeMetricFamily
from prometheus_client.registry import Collector
from sqlalchemy import Engine
from sqlalchemy.pool import QueuePool

from otp_service.domain.verification import Channel

_CIRCUIT_STATES = ("closed", "open", "half_open")


class Database(Protocol):
    engine: Engine

    @property
    def is_down(self) -> bool: ...


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
    """``databases``: the primary and perhaps the fallback; ``worker`` is None where it is off."""

    version: str
    databases: Sequence[Database]
    senders: Sequence[SenderState]
    worker: WorkerState | None

    def collect(self) -> Iterator[GaugeMetricFamily]:
        build = GaugeMetricFamily("otp_build_info", "The release.", labels=["version"])
        build.add_metric([self.version], 1)
        yield build
        yield from self._homes()
        yield self._circuits()
        yield from self._connections()
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
        for name, database in zip(("primary", "fallback"), self.databases, strict=False):
            if isinstance(pool := database.engine.pool, QueuePool):
                in_use.add_metric([name], pool.checkedout())
                most.add_metric([name], pool.size())
        return iter((in_use, most))
