"""Ratios and medians of what was measured."""

from __future__ import annotations

import pytest

from bench.results import Case
from tests.bench.figures import figures, results


def test_a_ratio_is_the_median_of_the_rounds_ratios_not_the_ratio_of_medians() -> None:
    found = results(floor=[1000, 500, 800], check=[500, 300, 240])
    assert found.ratio(Case("check"), Case("floor")) == 0.5  # of 0.5, 0.6 and 0.3


def test_what_was_not_measured_has_no_ratio_and_no_median() -> None:
    found = results(check=[100])
    assert found.ratio(Case("check"), Case("floor")) is None
    assert found.median(Case("floor"), lambda each: each.rate) is None


def test_a_round_that_was_not_finished_is_left_out() -> None:
    found = results(floor=[1000, 1000], check=[500])
    assert found.ratio(Case("check"), Case("floor")) == 0.5


def test_the_fastest_is_that_of_any_round_with_any_number_of_connections() -> None:
    found = results(check=[100, 300], cycle=[900])
    found.figures[Case("check", 1, 64)] = [figures(400)]
    found.figures[Case("check", 2, 64)] = [figures(500)]
    assert found.fastest("check", 1) == 400
    assert found.fastest("check", 4) == 0


def test_errors_of_all_rounds_count() -> None:
    found = results()
    found.figures[Case("check")] = [figures(errors=1), figures(), figures(errors=2)]
    assert found.failed(Case("check")) == 3


def test_the_spread_is_p99_in_p50() -> None:
    assert figures(p50=10, p99=25).spread == pytest.approx(2.5)
