"""Which target is met, and which are looked at."""

from __future__ import annotations

import pytest

from bench import targets
from bench.results import Case, Results, Served
from bench.targets import Verdict
from tests.bench.figures import figures, results


def verdict(found: Results, what: str, server: str = "waitress") -> Verdict:
    (only,) = [each for each in targets.judge(found, server) if what in each.what]
    return only


@pytest.mark.parametrize(("rate", "met"), [(499, False), (500, True)])
def test_a_check_reaches_half_of_the_floor(rate: float, met: bool) -> None:
    assert verdict(results(floor=[1000], check=[rate]), "of the floor").met is met


def test_two_processes_are_compared_with_the_floor_of_one() -> None:
    found = results(floor=[1000])
    found.figures[Case("cycle", 2)] = [figures(510)]
    assert verdict(found, "cycle, 2 processes, 16 connections: of").met


@pytest.mark.parametrize(("rate", "met"), [(94, False), (95, True)])
def test_a_crowd_is_served_as_fast_as_a_few(rate: float, met: bool) -> None:
    found = results(check=[100])
    found.figures[Case("check", 1, 64)] = [figures(rate)]
    assert verdict(found, "of the rate with 16").met is met


@pytest.mark.parametrize(("p99", "met"), [(30, True), (31, False)])
def test_in_a_crowd_the_slowest_wait_three_times_as_long_as_most(p99: float, met: bool) -> None:
    found = Results()
    found.figures[Case("cycle", 1, 64)] = [figures(p50=10, p99=p99)]
    assert verdict(found, "p99 in p50").met is met


def test_one_error_in_any_round_misses() -> None:
    found = Results()
    found.figures[Case("check", 2, 256)] = [figures(), figures(errors=1)]
    assert not verdict(found, "errors of all").met


@pytest.mark.parametrize(("cpu", "met"), [(0.25, True), (0.26, False)])
def test_a_check_costs_postgres_two_and_a_half_floors(cpu: float, met: bool) -> None:
    found = results(floor=[1000])
    found.figures[Case("check")] = [figures(postgres=cpu)]
    assert verdict(found, "Postgres's CPU").met is met


def test_memory_is_that_of_the_largest_start_that_of_most() -> None:
    found = results()
    found.served = [Served(1.0, 90), Served(1.2, 130), Served(9.0, 91)]
    assert (verdict(found, "memory").found, verdict(found, "start").found) == (130, 1.2)


def test_granian_has_targets_of_its_own() -> None:
    found = results(floor=[1000], check=[100])
    found.figures[Case("check", 2)] = [figures(850)]
    assert [each.what for each in targets.judge(found, "granian") if "rate" in each.what] == [
        "check, 2 processes, 16 connections: of the floor's rate"
    ]
    assert verdict(found, "rate", "granian").met


def test_what_was_not_measured_is_not_judged() -> None:
    assert targets.judge(results(), "waitress") == []
