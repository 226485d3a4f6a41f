"""Figures to judge, without a measurement."""

from __future__ import annotations

from bench.results import Case, Figures, Results
from bench.wrk import Load


def figures(
    rate: float = 100, p50: float = 10, p99: float = 20, errors: int = 0, postgres: float = 0.1
) -> Figures:
    told = {"refused": errors} if errors else {}
    return Figures(Load(int(rate * 10), 10.0, p50, p99, told), 1.0, postgres)


def results(**rates: list[float]) -> Results:
    """Of each subject a figure a round, with one process and 16 connections."""
    found = Results()
    for subject, rounds in rates.items():
        found.figures[Case(subject)] = [figures(rate) for rate in rounds]
    return found
