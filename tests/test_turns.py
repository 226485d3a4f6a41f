"""Who computes, and who lets another do so while it waits."""

from __future__ import annotations

import threading
from collections.abc import Callable, Iterator

import pytest

from otp_service import turns
from otp_service.turns import Turns, at_database, let_go, serve_others_meanwhile, wait_elsewhere
from tests.faults.waiting import until


@pytest.fixture(autouse=True)
def nothing_of_an_earlier_test() -> Iterator[None]:
    yield
    turns._here.turns = turns._here.absence = None


class Workers:
    """Threads that each have a turn until they may go on; what they did, in order."""

    def __init__(self, of: Turns) -> None:
        self._turns = of
        self.did: list[str] = []
        self._threads: list[threading.Thread] = []

    def start(self, name: str, *, until: Callable[[], object]) -> None:
        def work() -> None:
            with self._turns.one():
                self.did.append(name)
                until()

        self._threads.append(threading.Thread(target=work))
        self._threads[-1].start()

    def join(self) -> None:
        for thread in self._threads:
            thread.join(20)
            assert not thread.is_alive()


@pytest.fixture
def workers() -> Workers:
    return Workers(Turns(1))


def waiting(workers: Workers) -> int:
    return workers._turns.waiting


def test_turns_are_taken_in_the_order_of_asking(workers: Workers) -> None:
    may_end = threading.Event()
    for number, name in enumerate(["first", "second", "third"]):
        workers.start(name, until=lambda: may_end.wait(60))
        until(lambda number=number: len(workers.did) + waiting(workers) == number + 1)  # type: ignore[misc]
    assert workers.did == ["first"]
    may_end.set()
    workers.join()
    assert workers.did == ["first", "second", "third"]


@pytest.mark.parametrize("wait", [let_go, wait_elsewhere])
def test_who_waits_lets_another_have_its_turn_and_has_it_again_after(
    workers: Workers, wait: Callable[[], Iterator[None]]
) -> None:
    other_began, may_end = threading.Event(), threading.Event()

    def waits() -> None:
        with wait():  # type: ignore[attr-defined]
            assert other_began.wait(60)
        workers.did.append("first again")

    def other() -> None:
        other_began.set()
        until(lambda: waiting(workers) == 1)  # the first one wants its turn back
        may_end.wait(60)

    workers.start("first", until=waits)
    workers.start("second", until=other)
    until(lambda: waiting(workers) == 1)
    assert workers.did == ["first", "second"]
    may_end.set()
    workers.join()
    assert workers.did == ["first", "second", "first again"]


def test_who_had_one_before_goes_before_those_who_are_new(workers: Workers) -> None:
    second_began, third_waits = threading.Event(), threading.Event()

    def lets_go() -> None:
        with let_go():
            assert second_began.wait(60)
            assert third_waits.wait(60)
        workers.did.append("first again")

    def other() -> None:
        second_began.set()
        until(lambda: waiting(workers) == 2)  # the third, and behind it the first

    workers.start("first", until=lets_go)
    workers.start("second", until=other)
    assert second_began.wait(60)
    workers.start("third", until=lambda: None)
    until(lambda: waiting(workers) == 1)
    third_waits.set()
    workers.join()
    assert workers.did == ["first", "second", "first again", "third"]


def test_only_so_many_are_at_the_database_and_who_waits_for_that_has_no_turn() -> None:
    of = Turns(1, connections=2)
    workers, may_end = Workers(of), threading.Event()
    began = threading.Semaphore(0)

    def asks() -> None:
        with at_database(), let_go():
            began.release()
            may_end.wait(60)

    for name in ("first", "second", "third"):
        workers.start(name, until=asks)
    assert began.acquire(timeout=20)
    assert began.acquire(timeout=20)
    until(lambda: bool(of.connections and of.connections.waiting == 1))
    assert not began.acquire(blocking=False)
    workers.start("somebody who asks nothing", until=lambda: None)
    until(lambda: len(workers.did) == 4)
    may_end.set()
    workers.join()
    assert began.acquire(blocking=False)


@pytest.mark.parametrize("lets_go", [True, False])
def test_who_has_let_others_go_first_begins_the_next_one_with_his_turn(lets_go: bool) -> None:
    of = Turns(1)
    of.take_or_keep()
    if lets_go:
        with let_go():
            assert not of.is_mine
    of.leave_or_keep()
    assert of.is_mine == lets_go
    of.take_or_keep()
    of.leave_or_keep()
    assert not of.is_mine


def test_it_is_told_when_nobody_computes_any_more() -> None:
    told: list[str] = []
    of = Turns(2, when_unused=lambda: told.append("nobody"))
    workers, may_end = Workers(of), threading.Event()
    workers.start("other", until=lambda: may_end.wait(60))
    until(lambda: len(workers.did) == 1)
    with of.one():
        pass
    assert told == []
    may_end.set()
    workers.join()
    assert told == ["nobody"]


def test_who_fails_gives_its_turn_back(workers: Workers) -> None:
    with pytest.raises(ZeroDivisionError), workers._turns.one(), wait_elsewhere():
        raise ZeroDivisionError
    workers.start("next", until=lambda: None)
    workers.join()


def test_who_has_no_turn_waits_all_the_same() -> None:
    with let_go(), wait_elsewhere():
        pass


def test_a_long_wait_is_told_and_a_short_one_is_not(workers: Workers) -> None:
    told: list[str] = []
    serve_others_meanwhile(lambda: told.append("away"), lambda: told.append("back"))
    with workers._turns.one():
        with let_go():
            pass
        assert told == []
        with wait_elsewhere():
            assert told == ["away"]
    assert told == ["away", "back"]


def test_who_waits_for_its_turn_is_away_if_that_is_said() -> None:
    """Or threads that wait for a turn would keep others from being served."""
    workers = Workers(Turns(1, away=True))
    told: list[str] = []
    may_end = threading.Event()
    workers.start("first", until=lambda: may_end.wait(60))
    until(lambda: workers.did == ["first"])

    def leave() -> None:
        told.append("away")
        may_end.set()

    serve_others_meanwhile(leave, lambda: told.append("back"))
    with workers._turns.one():
        assert told == ["away", "back"]
    workers.join()


def test_who_takes_a_turn_of_others_lets_go_of_its_own_meanwhile(workers: Workers) -> None:
    own = workers._turns
    with own.one():
        with Turns(1).one():
            assert own._free == 1
        assert own._free == 0
    assert own._free == 1


def test_who_has_waited_for_long_goes_on_without_a_turn(
    workers: Workers, monkeypatch: pytest.MonkeyPatch
) -> None:
    """So nobody can wait for ever, whatever those who have one wait for."""
    monkeypatch.setattr(turns, "PATIENCE", 0.05)
    own = workers._turns
    with own.one():
        workers.start("another", until=lambda: None)
        workers.join()
        assert workers.did == ["another"]
        assert waiting(workers) == 0
        assert own._free == 0
    assert own._free == 1


def test_who_could_not_have_its_turn_again_goes_on_without(
    workers: Workers, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(turns, "PATIENCE", 0.05)
    may_end = threading.Event()
    with workers._turns.one(), let_go():
        workers.start("another", until=lambda: may_end.wait(60))
        until(lambda: workers.did == ["another"])
    may_end.set()
    workers.join()
    assert workers._turns._free == 1
