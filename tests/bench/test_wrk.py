"""What wrk prints is read as a `Load`."""

from __future__ import annotations

import pytest

from bench import wrk

HEAD = "Running 5s test @ http://127.0.0.1:1/\n  1 threads and 16 connections\n"
FIGURES = (
    'BENCH {"requests": 1500, "seconds": 5.0, "p50": 12.5, "p99": 40.25, "refused": %d, '
    '"lost": 0, "timeouts": %d, "ran_out": false, "next_number": 750}\n'
)


def test_the_rate_is_requests_a_second_of_the_time_that_it_took() -> None:
    load = wrk.parse(HEAD + FIGURES % (0, 0))
    assert (load.rate, load.p50, load.p99, load.next_number) == (300.0, 12.5, 40.25, 750)


def test_a_run_without_errors_has_none() -> None:
    load = wrk.parse(HEAD + FIGURES % (0, 0))
    assert (load.failed, load.errors, load.example) == (0, {}, "")


def test_refusals_and_answers_that_never_came_are_errors_and_one_is_shown() -> None:
    load = wrk.parse(HEAD + FIGURES % (3, 2) + 'BENCH-EXAMPLE 503 {"success":false}\n')
    assert load.failed == 5
    assert load.errors == {"refused": 3, "timeouts": 2}
    assert load.example == '503 {"success":false}'


def test_output_without_figures_is_told_and_not_taken_for_none() -> None:
    with pytest.raises(wrk.Failed, match="unable to connect"):
        wrk.parse("unable to connect to 127.0.0.1:1 Connection refused\n")


def test_what_is_asked_travels_in_the_environment() -> None:
    environ = wrk.Ask("send", 8000, ["one", "two"], first=70).environ
    assert environ == {"BENCH_ASK": "send", "BENCH_FIRST": "70", "BENCH_KEYS": "one two"}
