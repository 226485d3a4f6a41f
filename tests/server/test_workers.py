"""How many requests are answered at a time, and what one leaves to others while it waits."""

from __future__ import annotations

import threading
from collections.abc import Iterator
from dataclasses import dataclass, field

import pytest

from otp_service.server import poller
from otp_service.server.workers import AWAY, Workers
from otp_service.turns import wait_elsewhere
from tests.faults.waiting import until


@dataclass
class Channel:
    """A client's connection with a request on it; it may wait elsewhere, and then goes on."""

    is_send: bool = False
    is_of_client: bool = True
    may_come_back: threading.Event = field(default_factory=threading.Event)
    may_end: threading.Event = field(default_factory=threading.Event)
    began: threading.Event = field(default_factory=threading.Event)
    is_back: threading.Event = field(default_factory=threading.Event)

    def service(self) -> bool:
        self.began.set()
        if self.is_send:
            with wait_elsewhere():
                self.may_come_back.wait(60)
            self.is_back.set()
        self.may_end.wait(60)
        return False

    def cancel(self) -> None: ...


@pytest.fixture
def two() -> Iterator[Workers]:
    made_poller = poller.make()
    workers = Workers(2, made_poller, lambda event: None)
    yield workers
    workers.shutdown()
    made_poller.close()


def asked(workers: Workers, count: int, *, sends: bool) -> list[Channel]:
    channels = [Channel(is_send=sends) for _ in range(count)]
    for channel in channels:
        workers.add_task(channel)
    return channels


def end(*channels: Channel) -> None:
    for channel in channels:
        channel.may_come_back.set()
        channel.may_end.set()


def begun(channels: list[Channel]) -> int:
    return sum(channel.began.is_set() for channel in channels)


def test_no_more_requests_run_than_may(two: Workers) -> None:
    checks = asked(two, 5, sends=False)
    until(lambda: begun(checks) == 2)
    end(checks[0])
    until(lambda: begun(checks) == 3)
    assert len(two._threads) == 2
    end(*checks)


def test_who_waits_elsewhere_leaves_its_place_to_others(two: Workers) -> None:
    sends = asked(two, 100, sends=True)
    until(lambda: begun(sends) == 100)
    checks = asked(two, 3, sends=False)
    until(lambda: begun(checks) == 2)
    end(*checks)
    until(lambda: begun(checks) == 3)
    end(*sends)


def test_who_comes_back_goes_on_and_nobody_begins_instead(two: Workers) -> None:
    sends = asked(two, 2, sends=True)
    until(lambda: begun(sends) == 2)
    checks = asked(two, 3, sends=False)
    until(lambda: begun(checks) == 2)
    sends[0].may_come_back.set()
    until(sends[0].is_back.is_set)
    end(sends[0])
    end(checks[0])
    until(lambda: begun(checks) == 3)
    end(*checks, *sends)


def test_sends_never_have_all_threads(two: Workers) -> None:
    sends = asked(two, AWAY + 20, sends=True)
    until(lambda: begun(sends) == AWAY)
    checks = asked(two, 2, sends=False)
    until(lambda: begun(checks) == 2)
    assert begun(sends) == AWAY
    end(*checks, *sends)
    until(lambda: begun(sends) == AWAY + 20)


def test_threads_are_made_once(two: Workers) -> None:
    for _ in range(3):
        sends = asked(two, 10, sends=True)
        until(lambda sends=sends: begun(sends) == 10)  # type: ignore[misc]
        end(*sends)
        until(lambda: two.are_idle)
    assert len(two._threads) <= 10 + 2
