"""The loop that goes on whatever happens."""

from __future__ import annotations

import logging
from collections.abc import Iterator
from typing import Any, cast

import pytest

from otp_service.delivery.worker import Worker
from otp_service.domain.errors import StorageUnavailable
from otp_service.domain.follow_up import FollowUp, back_off
from tests.faults.waiting import until


class Outbox:
    """Hands out these messages one at a time, and raises what they are if they are errors."""

    def __init__(self) -> None:
        self.waiting: list[Any] = []
        self.handled: list[Any] = []
        self.trouble: Exception | None = None

    def settle_receipts(self) -> int:
        if self.trouble:
            trouble, self.trouble = self.trouble, None
            raise trouble
        return 0

    def take(self, count: int) -> list[Any]:
        """Up to twice as many, as from two homes."""
        assert count > 0
        taken, self.waiting = self.waiting[: 2 * count], self.waiting[2 * count :]
        return taken

    def handle(self, message: Any) -> None:
        if isinstance(message, Exception):
            raise message
        self.handled.append(message)


@pytest.fixture
def outbox() -> Outbox:
    return Outbox()


@pytest.fixture
def worker(outbox: Outbox) -> Iterator[Worker]:
    worker = Worker(cast(FollowUp, outbox), lambda: None, hands=2)
    yield worker
    worker.stop()
    worker.join()


def test_it_is_off_until_started_and_after_it_was_stopped(worker: Worker) -> None:
    assert worker.state == "off"
    worker.start()
    until(lambda: worker.state == "running")
    worker.stop()
    worker.join()
    assert worker.state == "off"


def test_it_works_off_what_waits_without_a_pause(worker: Worker, outbox: Outbox) -> None:
    outbox.waiting = list(range(50))
    worker.start()
    until(lambda: sorted(outbox.handled) == list(range(50)), 5)


@pytest.mark.parametrize("trouble", [ValueError("123456"), StorageUnavailable("SQLSTATE 08006")])
def test_one_that_fails_ends_neither_the_others_nor_the_loop(
    worker: Worker, outbox: Outbox, trouble: Exception, caplog: pytest.LogCaptureFixture
) -> None:
    caplog.set_level(logging.DEBUG)
    outbox.waiting = [trouble, "next"]
    outbox.trouble = trouble
    worker.start()
    until(lambda: outbox.handled == ["next"])
    assert type(trouble).__name__ in caplog.text or "SQLSTATE 08006" in caplog.text
    assert "123456" not in caplog.text


def test_what_was_in_hand_is_finished_before_it_ends(worker: Worker, outbox: Outbox) -> None:
    def finish_late(message: Any) -> None:
        until(worker._stopping.is_set)
        outbox.handled.append(message)

    outbox.waiting = ["one"]
    outbox.handle = finish_late  # type: ignore[method-assign]
    worker.start()
    until(lambda: not outbox.waiting)
    worker.stop()
    worker.join()
    assert outbox.handled == ["one"]


def test_the_next_try_comes_after_1_4_16_and_then_60_seconds_and_up_to_a_quarter_more() -> None:
    for tries, seconds in enumerate((1, 4, 16, 60, 60)):
        waits = [back_off(tries) for _ in range(200)]
        assert seconds <= min(waits) < max(waits) <= 1.25 * seconds
        assert len(set(waits)) > 100
