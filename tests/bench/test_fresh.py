"""A new database's first minutes."""

from __future__ import annotations

from bench import fresh

USUAL = [10.0] * fresh.LATER


def test_first_minutes_half_as_slow_again_pass() -> None:
    assert fresh.judge("new", [15.0, 9.0, *USUAL]) == []


def test_one_slow_window_fails_whenever_it_was() -> None:
    (failure,) = fresh.judge("new", [9.0, 15.1, 9.0, *USUAL])
    assert failure == "new: 15.1 ms at first, 10.0 ms later: 1.51 times"


def test_what_is_slow_later_is_not_what_is_usual() -> None:
    assert fresh.judge("new", [10.0, *USUAL[1:], 90.0]) == []
