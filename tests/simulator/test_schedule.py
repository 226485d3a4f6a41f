"""Jobs that run when they are due."""

from __future__ import annotations

import threading
from collections.abc import Iterator

import pytest

from otp_service.simulator.schedule import Schedule


@pytest.fixture
def schedule() -> Iterator[Schedule]:
    made = Schedule()
    yield made
    made.close()


def test_what_is_due_sooner_runs_first(schedule: Schedule) -> None:
    ran: list[str] = []
    schedule.put(1, lambda: ran.append("later"), schedule.generation)
    schedule.put(0.01, lambda: ran.append("sooner"), schedule.generation)
    assert schedule.settle(30)
    assert ran == ["sooner", "later"]


def test_what_was_cleared_does_not_run_and_has_no_next_step(schedule: Schedule) -> None:
    ran: list[str] = []
    before = schedule.generation
    schedule.put(60, lambda: ran.append("cleared"), before)
    assert not schedule.settle(0)
    schedule.clear()
    schedule.put(0, lambda: ran.append("next step"), before)
    assert schedule.settle(30)
    assert ran == []


def test_it_is_not_settled_while_a_job_is_under_way(schedule: Schedule) -> None:
    end = threading.Event()
    schedule.put(0, end.wait, schedule.generation)
    assert not schedule.settle(0.05)
    end.set()
    assert schedule.settle(30)


def test_a_job_that_fails_stops_no_other(schedule: Schedule) -> None:
    ran: list[str] = []
    schedule.put(0, lambda: 1 / 0, schedule.generation)
    schedule.put(0.01, lambda: ran.append("other"), schedule.generation)
    assert schedule.settle(30)
    assert ran == ["other"]
