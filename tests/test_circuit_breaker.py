"""When a circuit opens, who may try, and when it closes."""

from __future__ import annotations

from concurrent.futures import ThreadPoolExecutor

import pytest

from otp_service import circuit_breaker
from otp_service.circuit_breaker import Circuit, TriedCircuit


class Clock:
    """Time that passes when it is told to."""

    def __init__(self) -> None:
        self.now = 1_000.0

    def monotonic(self) -> float:
        return self.now


@pytest.fixture
def clock(monkeypatch: pytest.MonkeyPatch) -> Clock:
    clock = Clock()
    monkeypatch.setattr(circuit_breaker, "time", clock)
    return clock


@pytest.fixture(params=[Circuit, TriedCircuit])
def circuit(request: pytest.FixtureRequest) -> Circuit:
    """Either of them."""
    made: Circuit = request.param()
    return made


@pytest.fixture
def tried(clock: Clock) -> TriedCircuit:
    """Open, and at rest for ten seconds."""
    circuit = TriedCircuit(rest=10)
    circuit.failed(certain=True)
    return circuit


# --- it opens ---


def test_a_failure_without_doubt_opens_it_at_once(circuit: Circuit) -> None:
    assert circuit.failed(certain=True)
    assert circuit.is_open


def test_it_takes_three_doubtful_failures_to_open_it(circuit: Circuit) -> None:
    opened = [circuit.failed(certain=False) for _ in range(3)]
    assert opened == [False, False, True]
    assert circuit.is_open


def test_a_success_between_doubtful_failures_keeps_it_closed(circuit: Circuit) -> None:
    for _ in range(5):
        circuit.failed(certain=False)
        circuit.failed(certain=False)
        circuit.succeeded()
    assert not circuit.is_open


def test_it_is_opened_for_one_caller_only(circuit: Circuit) -> None:
    with ThreadPoolExecutor(8) as callers:
        opened = list(callers.map(lambda _: circuit.failed(certain=True), range(40)))
    assert opened.count(True) == 1


# --- it closes ---


def test_a_probe_closes_it(circuit: Circuit) -> None:
    circuit.failed(certain=True)
    circuit.close()
    assert (circuit.is_open, circuit.failures) == (False, 0)


def test_after_a_probe_it_takes_three_doubts_again(circuit: Circuit) -> None:
    circuit.failed(certain=True)
    circuit.close()
    assert [circuit.failed(certain=False) for _ in range(3)] == [False, False, True]


def test_a_success_that_began_before_does_not_close_it() -> None:
    circuit = Circuit()
    circuit.failed(certain=True)
    circuit.succeeded()
    assert circuit.is_open


def test_a_success_closes_one_that_callers_close(tried: TriedCircuit) -> None:
    tried.succeeded()
    assert (tried.is_open, tried.failures, tried.rests_for) == (False, 0, 0)


# --- one may try ---


def test_a_closed_circuit_admits_everybody(clock: Clock) -> None:
    circuit = TriedCircuit(rest=10)
    circuit.failed(certain=False)
    assert all(circuit.admits() for _ in range(5))
    assert circuit.rests_for == 0


def test_an_open_circuit_admits_nobody_while_it_rests(tried: TriedCircuit, clock: Clock) -> None:
    clock.now += 9.5
    assert tried.rests_for == 0.5
    assert not tried.admits()


def test_after_its_rest_it_admits_one(tried: TriedCircuit, clock: Clock) -> None:
    clock.now += 10
    assert tried.rests_for == 0
    assert [tried.admits() for _ in range(3)] == [True, False, False]


def test_a_try_that_tells_nothing_is_followed_by_another_after_a_rest(
    tried: TriedCircuit, clock: Clock
) -> None:
    clock.now += 10
    tried.admits()
    clock.now += 10
    assert tried.admits()


def test_a_try_that_fails_makes_it_rest_from_then_on(tried: TriedCircuit, clock: Clock) -> None:
    clock.now += 10
    tried.admits()
    clock.now += 4
    assert not tried.failed(certain=False)
    assert tried.rests_for == 10
