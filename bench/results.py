"""What was measured: figures of each case, one a round; and ratios of them."""

from __future__ import annotations

import statistics
from collections import defaultdict
from collections.abc import Callable
from dataclasses import dataclass, field

from bench.wrk import Load

FLOORS = ("flask", "floor", "sqlite floor")


@dataclass(frozen=True)
class Case:
    """What is measured: flask, floor, send, check, cycle, sqlite floor or sqlite cycle."""

    subject: str
    processes: int = 1
    connections: int = 16

    def __str__(self) -> str:
        if self.subject in FLOORS:
            return self.subject
        many = "" if self.processes == 1 else "es"
        return f"{self.subject}, {self.processes} process{many}, {self.connections} connections"


@dataclass(frozen=True)
class Figures:
    """Of one round: ``server_cpu`` and ``postgres_cpu`` are milliseconds a request."""

    load: Load
    server_cpu: float
    postgres_cpu: float

    @property
    def rate(self) -> float:
        return self.load.rate

    def __str__(self) -> str:
        load = self.load
        told = f"{self.rate:.0f}/s, p50 {load.p50:.1f} ms, p99 {load.p99:.1f} ms, CPU a request "
        told += f"{self.server_cpu:.2f} ms, of Postgres {self.postgres_cpu:.2f} ms"
        return told + (f", ERRORS {dict(load.errors)} {load.example}" if load.failed else "")

    @property
    def spread(self) -> float:
        """How many times as long the slowest hundredth takes as the half."""
        return self.load.p99 / self.load.p50 if self.load.p50 else 0.0


@dataclass(frozen=True)
class Served:
    """Of one life of a server: seconds until it answered, MiB of its largest process after."""

    start: float
    memory: float


@dataclass
class Results:
    """``slow`` are figures of the slow provider, by name."""

    figures: dict[Case, list[Figures]] = field(default_factory=lambda: defaultdict(list))
    served: list[Served] = field(default_factory=list)
    slow: dict[str, float] = field(default_factory=dict)

    def median(self, case: Case, of: Callable[[Figures], float]) -> float | None:
        """None if it was not measured."""
        found = self.figures.get(case)
        return statistics.median(map(of, found)) if found else None

    def ratio(
        self, case: Case, to: Case, of: Callable[[Figures], float] = lambda each: each.rate
    ) -> float | None:
        """The median of each round's: what else the machine did in a round, it did to both."""
        both = list(zip(self.figures.get(case, ()), self.figures.get(to, ()), strict=False))
        ratios = [of(one) / of(other) for one, other in both if of(other)]
        return statistics.median(ratios) if ratios else None

    def fastest(self, subject: str, processes: int) -> float:
        """The highest rate with any number of connections; 0 if it was not measured."""
        found = self.figures.items()
        alike = [of for case, of in found if (case.subject, case.processes) == (subject, processes)]
        return max((each.rate for rounds in alike for each in rounds), default=0.0)

    def failed(self, case: Case) -> int:
        return sum(each.load.failed for each in self.figures.get(case, ()))
