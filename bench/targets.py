"""How fast the service must be: each target, and whether it was met."""

from __future__ import annotations

import statistics
from collections.abc import Iterator
from dataclasses import dataclass

from bench.results import Case, Figures, Results

FLOOR, SQLITE_FLOOR = Case("floor"), Case("sqlite floor")
# Of the floor's rate, with 16 connections: by server, then subject and processes.
SHARES = {
    "waitress": {
        ("check", 1): 0.50,
        ("cycle", 1): 0.40,
        ("check", 2): 0.62,
        ("cycle", 2): 0.50,
        ("sqlite cycle", 1): 0.50,
    },
    "granian": {("check", 2): 0.85, ("cycle", 2): 0.65},
}
AS_FAST = 0.95  # with 64 connections as with 16
SPREAD = 3.0  # p99 in p50
POSTGRES_CPU = {"check": 2.5, "send": 3.0}  # times the floor's
MEMORY_MIB = 120.0
START_SECONDS = 1.5
SLOW_PROVIDER = {  # each, and whether it is to be at least or at most that
    "slow: messages a second": (200.0, True),
    "slow: errors of sends": (0.0, False),
    "slow: p99 of sends, ms": (1000.0, False),
    "slow: p99 of checks, ms more than idle": (50.0, False),
    "slow: errors of checks": (0.0, False),
    "silent: p99 of checks, ms more than idle": (50.0, False),
    "silent: errors of checks": (0.0, False),
}


@dataclass(frozen=True)
class Verdict:
    """A target, and what was found."""

    what: str
    found: float
    bound: float
    at_least: bool = False

    @property
    def met(self) -> bool:
        return self.found >= self.bound if self.at_least else self.found <= self.bound


def judge(results: Results, server: str) -> list[Verdict]:
    """Each target whose figures were measured."""
    verdicts = [*_shares(results, server), *_errors(results), *_processes(results)]
    if server == "waitress":
        verdicts += [*_steadiness(results), *_postgres(results)]
    return verdicts + list(_slow_provider(results))


def _shares(results: Results, server: str) -> Iterator[Verdict]:
    for (subject, processes), bound in SHARES[server].items():
        case = Case(subject, processes)
        floor = SQLITE_FLOOR if subject.startswith("sqlite") else FLOOR
        if (found := results.ratio(case, floor)) is not None:
            yield Verdict(f"{case}: of the {floor}'s rate", found, bound, at_least=True)


def _errors(results: Results) -> Iterator[Verdict]:
    if results.figures:
        yield Verdict("errors of all", sum(map(results.failed, results.figures)), 0)


def _steadiness(results: Results) -> Iterator[Verdict]:
    for case in [each for each in results.figures if each.connections == 64]:
        few = Case(case.subject, case.processes, 16)
        if (found := results.ratio(case, few)) is not None:
            yield Verdict(f"{case}: of the rate with 16", found, AS_FAST, at_least=True)
        if not case.subject.startswith("sqlite"):
            spread = results.median(case, lambda each: each.spread)
            yield Verdict(f"{case}: p99 in p50", spread or 0.0, SPREAD)


def _postgres(results: Results) -> Iterator[Verdict]:
    for subject, bound in POSTGRES_CPU.items():
        found = results.ratio(Case(subject), FLOOR, _postgres_cpu)
        if found is not None:
            yield Verdict(f"{subject}: Postgres's CPU, times the floor's", found, bound)


def _postgres_cpu(figures: Figures) -> float:
    return figures.postgres_cpu


def _processes(results: Results) -> Iterator[Verdict]:
    if results.served:
        memory = max(each.memory for each in results.served)
        start = statistics.median(each.start for each in results.served)
        yield Verdict("memory of a process, MiB", memory, MEMORY_MIB)
        yield Verdict("start, seconds", start, START_SECONDS)


def _slow_provider(results: Results) -> Iterator[Verdict]:
    for name, (bound, at_least) in SLOW_PROVIDER.items():
        if name in results.slow:
            yield Verdict(f"provider {name}", results.slow[name], bound, at_least)
