"""Memory over a million requests."""

from __future__ import annotations

from bench import soak


def test_memory_that_grew_at_first_and_is_flat_since_passes() -> None:
    assert soak.judge([60, 80, 90, 91, 92, 92]) == []


def test_memory_that_still_grows_in_the_last_third_fails() -> None:
    (failure,) = soak.judge([60, 61, 62, 63, 64, 67.5])
    assert failure == "3.5 MiB more than when two thirds were done"


def test_memory_that_is_too_much_in_the_end_fails() -> None:
    (failure,) = soak.judge([119, 120, 120])
    assert failure.startswith("120 MiB in the end")
