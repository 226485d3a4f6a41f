"""A sender behind its circuit breaker and bulkhead."""

from __future__ import annotations

import logging
import threading

import pytest

from otp_service.circuit_breaker import TriedCircuit
from otp_service.delivery.guarded_sender import GuardedSender
from otp_service.domain.errors import (
    DeliveryError,
    DeliveryFailed,
    DeliveryUnavailable,
    DeliveryUnconfirmed,
    delivery_error,
)
from otp_service.domain.failures import RATE_LIMITED
from tests.delivery.account import MESSAGE
from tests.fakes import FakeSender

DOWN = DeliveryUnavailable("HTTP 500")


@pytest.fixture
def sender() -> FakeSender:
    return FakeSender()


@pytest.fixture
def circuit() -> TriedCircuit:
    return TriedCircuit(rest=60)


@pytest.fixture
def guarded(sender: FakeSender, circuit: TriedCircuit) -> GuardedSender:
    return GuardedSender(sender, calls=2, circuit=circuit)


def fail(guarded: GuardedSender, times: int) -> DeliveryError:
    for _ in range(times):
        with pytest.raises(DeliveryError) as caught:
            guarded.send(MESSAGE)
    return caught.value


@pytest.mark.parametrize("failure", [DOWN, DeliveryUnconfirmed("ReadTimeout")])
def test_three_in_a_row_open_the_circuit(
    guarded: GuardedSender, sender: FakeSender, failure: DeliveryError
) -> None:
    sender.failure = failure
    fail(guarded, 2)
    assert (guarded.state, guarded.is_available) == ("closed", True)
    fail(guarded, 1)
    assert (guarded.state, guarded.is_available) == ("open", False)
    sender.failure = None
    refused = fail(guarded, 1)
    assert refused.reason == "the circuit is open"
    assert 0 < (refused.retry_after or 0) <= 60
    assert not sender.messages


@pytest.mark.parametrize("failure", [DeliveryFailed("no"), delivery_error(RATE_LIMITED, "slow")])
def test_a_provider_that_answers_is_not_down(
    guarded: GuardedSender, sender: FakeSender, failure: DeliveryError
) -> None:
    sender.failure = DOWN
    fail(guarded, 2)
    sender.failure = failure
    fail(guarded, 5)
    sender.failure = DOWN
    fail(guarded, 2)
    assert guarded.state == "closed"


def test_after_a_rest_one_call_tries_and_a_success_closes_it(
    guarded: GuardedSender, sender: FakeSender, circuit: TriedCircuit
) -> None:
    sender.failure = DOWN
    fail(guarded, 3)
    circuit._next_try = 0
    assert guarded.state == "half_open"
    fail(guarded, 1)
    assert guarded.state == "open"
    circuit._next_try = 0
    sender.failure = None
    sender.on_send = lambda: fail(guarded, 1)  # a second call at the same time
    guarded.send(MESSAGE)
    assert guarded.state == "closed"
    assert len(sender.messages) == 1


def test_no_more_calls_than_its_share_are_under_way(
    guarded: GuardedSender, sender: FakeSender
) -> None:
    stalled, go_on = threading.Semaphore(0), threading.Event()

    def stall() -> None:
        stalled.release()
        go_on.wait(10)

    sender.on_send = stall
    calls = [threading.Thread(target=guarded.send, args=[MESSAGE]) for _ in range(2)]
    for call in calls:
        call.start()
        stalled.acquire()
    assert fail(guarded, 1).reason == "too many calls are under way"
    go_on.set()
    for call in calls:
        call.join()
    assert guarded.send(MESSAGE)


def test_a_full_bulkhead_does_not_use_up_the_try(sender: FakeSender, circuit: TriedCircuit) -> None:
    guarded = GuardedSender(sender, calls=1, circuit=circuit)
    sender.failure = DOWN
    fail(guarded, 3)
    circuit._next_try = 0
    guarded._free.acquire()
    fail(guarded, 1)
    assert guarded.state == "half_open"


# --- what is told of it ---


@pytest.fixture
def counted(sender: FakeSender, circuit: TriedCircuit) -> tuple[GuardedSender, list[str]]:
    """A guarded sender, and what it counted: each outcome, and whether it took any time."""
    outcomes: list[str] = []

    def count(outcome: str, seconds: float | None) -> None:
        outcomes.append(outcome if seconds is None else f"{outcome}, timed")

    return GuardedSender(sender, calls=1, circuit=circuit, count=count), outcomes


def test_each_send_is_counted_and_timed_if_a_call_was_made(
    counted: tuple[GuardedSender, list[str]], sender: FakeSender
) -> None:
    guarded, outcomes = counted
    guarded.send(MESSAGE)
    sender.failure = DOWN
    fail(guarded, 4)
    down = "provider_down, timed"
    assert outcomes == ["accepted, timed", down, down, down, "circuit_open"]


def test_a_send_that_found_no_room_is_counted_without_a_time(
    counted: tuple[GuardedSender, list[str]],
) -> None:
    guarded, outcomes = counted
    guarded._free.acquire()
    fail(guarded, 1)
    assert outcomes == ["busy"]


def test_the_log_tells_once_that_a_provider_is_down_and_once_that_it_is_back(
    guarded: GuardedSender,
    sender: FakeSender,
    circuit: TriedCircuit,
    caplog: pytest.LogCaptureFixture,
) -> None:
    sender.failure = DOWN
    fail(guarded, 5)
    sender.failure, circuit._next_try = None, 0
    guarded.send(MESSAGE)
    guarded.send(MESSAGE)
    assert [(record.levelno, vars(record)["provider"]) for record in caplog.records] == [
        (logging.ERROR, "fake"),
        (logging.WARNING, "fake"),
    ]


def test_one_failure_is_not_worth_a_word(
    guarded: GuardedSender, sender: FakeSender, caplog: pytest.LogCaptureFixture
) -> None:
    sender.failure = DOWN
    fail(guarded, 1)
    sender.failure = None
    guarded.send(MESSAGE)
    assert caplog.records == []


class RestingCircuit(TriedCircuit):
    """One that admits nobody, for so many seconds more."""

    def __init__(self, rests_for: float) -> None:
        super().__init__()
        self._left = rests_for

    @property
    def rests_for(self) -> float:
        return self._left

    def admits(self) -> bool:
        return False


@pytest.mark.parametrize(("left", "seconds"), [(5.5, 6), (0.1, 1), (0.0, 1)])
def test_nobody_is_told_to_come_back_too_early(
    sender: FakeSender, left: float, seconds: int
) -> None:
    guarded = GuardedSender(sender, calls=1, circuit=RestingCircuit(left))
    assert fail(guarded, 1).retry_after == seconds
