"""The loop that tells, with an outbox in memory and endpoints that do as the test says."""

from __future__ import annotations

import logging
import threading
from collections import Counter
from collections.abc import Callable, Iterator
from dataclasses import replace
from typing import cast

import pytest

from otp_service.domain.events import Endpoint, Event, EventType
from otp_service.events import telling as module
from otp_service.events.poster import Outcome, Poster, Try
from otp_service.events.telling import Telling
from tests.events.fakes import LEASE, PHONE, FakeOutbox, endpoint, event
from tests.faults.waiting import until

TOLD = Try(Outcome.TOLD, "HTTP 204")
FAILED = Try(Outcome.FAILED, "HTTP 500")
GONE = Try(Outcome.GONE, "HTTP 410")
GOOD, BAD = endpoint(), endpoint(name="we_2")


class Endpoints:
    """What each answers; ``got`` is what was posted, to each in order."""

    def __init__(self) -> None:
        self.answers: dict[str, Callable[[Event], Try]] = {}
        self.got: dict[str, list[str]] = {}
        self.over = threading.Event()

    def post(self, endpoint: Endpoint, event: Event) -> Try:
        self.got.setdefault(endpoint.id, []).append(event.id)
        answer = self.answers.get(endpoint.id)
        return answer(event) if answer else TOLD

    def hang(self, _: Event) -> Try:
        self.over.wait()
        return FAILED


Make = Callable[..., Telling]


@pytest.fixture
def outbox() -> FakeOutbox:
    return FakeOutbox([GOOD])


@pytest.fixture
def endpoints() -> Iterator[Endpoints]:
    endpoints = Endpoints()
    yield endpoints
    endpoints.over.set()


@pytest.fixture
def counted() -> Counter[str]:
    return Counter()


@pytest.fixture
def make(outbox: FakeOutbox, endpoints: Endpoints, counted: Counter[str]) -> Iterator[Make]:
    made: list[Telling] = []

    def make(**parameters: object) -> Telling:
        how = {"idle": 0.01, "new_poster": lambda: cast(Poster, endpoints)} | parameters
        made.append(Telling(outbox, lambda outcome: counted.update([outcome]), **how))  # type: ignore[arg-type]
        made[-1].start()
        return made[-1]

    yield make
    endpoints.over.set()
    for each in made:
        each.stop()
        each.join()


def test_what_is_due_is_told_once_and_counted(
    make: Make, outbox: FakeOutbox, endpoints: Endpoints, counted: Counter[str]
) -> None:
    outbox.add(*(event(number, of=f"v{number}") for number in range(50)))
    make()
    until(lambda: counted["told"] == 50)
    assert set(Counter(endpoints.got["we_1"]).values()) == {1}
    assert {each.due for each in outbox.kept.values()} == {None}


def test_a_later_event_of_a_verification_waits_while_its_earlier_one_is_tried_again(
    make: Make, outbox: FakeOutbox, endpoints: Endpoints, counted: Counter[str]
) -> None:
    answers = {"evt_1": [FAILED, FAILED, TOLD]}
    endpoints.answers["we_1"] = lambda event: answers.get(event.id, [TOLD]).pop(0)
    outbox.add(event(1, of="a"), event(2, of="a", kind=EventType.VERIFIED), event(3, of="b"))
    make()
    until(lambda: counted == {"failed": 1, "told": 1})
    assert sorted(endpoints.got["we_1"]) == ["evt_1", "evt_3"]
    outbox.now = 4.9
    assert outbox.take(GOOD, 8) == []
    outbox.now = 5
    until(lambda: counted["failed"] == 2)
    outbox.now = 305
    until(lambda: counted["told"] == 3)
    assert endpoints.got["we_1"][2:] == ["evt_1", "evt_1", "evt_2"]


def test_an_endpoint_that_hangs_holds_up_itself_alone(
    make: Make, outbox: FakeOutbox, endpoints: Endpoints
) -> None:
    outbox.known = [BAD, GOOD]
    endpoints.answers["we_2"] = endpoints.hang
    outbox.add(*(event(number, of=f"v{number}", to="we_2") for number in range(100)))
    outbox.add(*(event(100 + number, of=f"v{number}") for number in range(100)))
    make(at_once=4)
    until(lambda: len(endpoints.got.get("we_1", [])) == 100)
    assert len(endpoints.got["we_2"]) == 4
    endpoints.over.set()
    until(lambda: len(endpoints.got["we_2"]) == 100)


def test_the_next_try_begins_when_one_is_over_and_waits_for_no_second(
    make: Make, outbox: FakeOutbox, endpoints: Endpoints, counted: Counter[str]
) -> None:
    outbox.add(*(event(number, of="a") for number in range(20)))
    make(idle=1000)
    until(lambda: counted["told"] == 20)
    assert endpoints.got["we_1"] == [f"evt_{number}" for number in range(20)]


def test_after_410_nothing_more_is_told_there(
    make: Make, outbox: FakeOutbox, endpoints: Endpoints, counted: Counter[str]
) -> None:
    outbox.known = [BAD, GOOD]
    endpoints.answers["we_2"] = lambda _: GONE
    outbox.add(event(1, to="we_2"), event(2, to="we_2"), event(3))
    make()
    until(lambda: counted == {"gone": 1, "told": 1})
    outbox.add(event(4, to="we_2"), event(5))
    until(lambda: counted["told"] == 2)
    assert endpoints.got["we_2"] == ["evt_1"]


def test_after_the_last_try_it_is_given_up_and_the_next_one_goes_out(
    make: Make, outbox: FakeOutbox, endpoints: Endpoints, counted: Counter[str]
) -> None:
    endpoints.answers["we_1"] = lambda event: FAILED if event.id == "evt_1" else TOLD
    outbox.add(event(1), event(2, kind=EventType.EXPIRED))
    make(waits=[0, 0])
    until(lambda: counted == {"failed": 2, "given_up": 1, "told": 1})
    assert endpoints.got["we_1"] == ["evt_1", "evt_1", "evt_1", "evt_2"]


def test_what_a_killed_one_had_in_hand_is_told_again_when_its_lease_ends(
    make: Make, outbox: FakeOutbox, endpoints: Endpoints, counted: Counter[str]
) -> None:
    outbox.add(event(1), event(2))
    assert [each.id for each in outbox.take(GOOD, 8)] == ["evt_1"]  # and then it was killed
    make()
    asked = len(outbox.asked)
    until(lambda: len(outbox.asked) > asked + 3)
    assert endpoints.got == {}
    outbox.now = LEASE
    until(lambda: counted["told"] == 2)
    assert endpoints.got["we_1"] == ["evt_1", "evt_2"]


def test_where_it_can_not_be_recorded_it_is_told_again_when_its_lease_ends(
    make: Make, outbox: FakeOutbox, endpoints: Endpoints, counted: Counter[str]
) -> None:
    outbox.trouble = {"told"}
    outbox.add(event(1))
    make()
    until(lambda: counted["told"] == 1)
    outbox.trouble, outbox.now = set(), LEASE
    until(lambda: outbox.kept["evt_1"].due is None)
    assert endpoints.got["we_1"] == ["evt_1", "evt_1"]


@pytest.mark.parametrize("trouble", ["endpoints", "take we_2", "told", "postpone", "end", "expire"])
def test_nothing_that_fails_ends_the_loop_or_another_endpoints_events(
    make: Make, outbox: FakeOutbox, endpoints: Endpoints, trouble: str
) -> None:
    outbox.known, outbox.trouble = [BAD, GOOD], {trouble}
    outbox.add(event(1, to="we_2"), event(2, of="b"), event(3, of="c"))
    answers = {"told": TOLD, "postpone": FAILED, "end": GONE}
    endpoints.answers["we_2"] = lambda _: answers.get(trouble, TOLD)
    make(expire_every=0)
    if trouble == "endpoints":
        outbox.trouble = set()
    until(lambda: sorted(endpoints.got.get("we_1", [])) == ["evt_2", "evt_3"])
    outbox.trouble = set()
    outbox.add(event(4, of="d"))
    until(lambda: outbox.kept["evt_4"].due is None)


def test_a_try_that_breaks_counts_as_failed_and_nothing_logged_holds_a_phone_or_an_address(
    make: Make,
    outbox: FakeOutbox,
    endpoints: Endpoints,
    counted: Counter[str],
    caplog: pytest.LogCaptureFixture,
) -> None:
    caplog.set_level(logging.DEBUG)
    there = endpoint("https://example.com/?token=abcd1234")
    outbox.known = [there]

    def broken(event: Event) -> Try:
        raise ValueError(f"{event.phone} {there.url} {there.key!r}")

    endpoints.answers["we_1"] = broken
    outbox.add(event(1))
    make(waits=[])
    until(lambda: counted["given_up"] == 1)
    assert "ValueError" in caplog.text
    assert "the endpoint we_1 does not take events" in caplog.text
    for secret in (PHONE, "abcd1234", repr(there.key)):
        assert secret not in caplog.text


def test_an_endpoint_whose_secret_is_gone_is_left_alone_and_said_so_once(
    make: Make, outbox: FakeOutbox, endpoints: Endpoints, caplog: pytest.LogCaptureFixture
) -> None:
    outbox.known = [replace(BAD, key=b""), GOOD]
    outbox.add(event(1, to="we_2"), event(2, of="b"))
    make()
    until(lambda: len(outbox.asked) > 5)
    assert endpoints.got == {"we_1": ["evt_2"]}
    assert caplog.text.count("we_2 can't be told: its secret is gone") == 1


def test_an_endpoint_whose_secret_is_lost_meanwhile_gets_nothing_until_it_is_there_again(
    make: Make, outbox: FakeOutbox, endpoints: Endpoints, caplog: pytest.LogCaptureFixture
) -> None:
    outbox.known = [BAD, GOOD]
    outbox.add(event(1, to="we_2"))
    make()
    until(lambda: endpoints.got.get("we_2") == ["evt_1"])
    outbox.known = [replace(BAD, key=b""), GOOD]
    until(lambda: "we_2 can't be told: its secret is gone" in caplog.text)
    outbox.add(event(2, to="we_2"), event(3))
    until(lambda: endpoints.got.get("we_1") == ["evt_3"])
    asked = len(outbox.asked)
    until(lambda: len(outbox.asked) > asked + 5)
    assert endpoints.got["we_2"] == ["evt_1"]
    assert outbox.kept["evt_2"].event.tries == 0
    outbox.known = [BAD, GOOD]
    until(lambda: endpoints.got["we_2"] == ["evt_1", "evt_2"])
    assert caplog.text.count("its secret is gone") == 1


def test_without_an_endpoint_nothing_is_asked_but_whether_there_is_one(
    make: Make, outbox: FakeOutbox, endpoints: Endpoints
) -> None:
    outbox.known = []
    outbox.add(event(1))
    make(expire_every=0)
    looks = 0

    def count_looks() -> list[Endpoint]:
        nonlocal looks
        looks += 1
        return []

    outbox.endpoints = count_looks  # type: ignore[method-assign]
    until(lambda: looks > 5)
    assert (outbox.asked, outbox.expired) == ([], 0)


def test_what_has_expired_is_written_down_twice_a_minute_or_more(
    make: Make, outbox: FakeOutbox
) -> None:
    assert module.EXPIRE_SECONDS <= 30
    make(expire_every=0.01)
    until(lambda: outbox.expired > 3)


def test_what_is_under_way_is_recorded_before_it_ends_and_nothing_begins(
    make: Make, outbox: FakeOutbox, endpoints: Endpoints, counted: Counter[str]
) -> None:
    telling = make()

    def finish_late(_: Event) -> Try:
        until(telling._stopping.is_set)
        return TOLD

    endpoints.answers["we_1"] = finish_late
    outbox.add(event(1), event(2))
    until(lambda: endpoints.got.get("we_1") == ["evt_1"])
    telling.stop()
    telling.join()
    assert (counted["told"], outbox.kept["evt_1"].due) == (1, None)
    assert endpoints.got["we_1"] == ["evt_1"]


def test_it_ends_without_a_try_that_hangs(
    make: Make, outbox: FakeOutbox, endpoints: Endpoints, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(module, "STOP_SECONDS", 0.05)
    endpoints.answers["we_1"] = endpoints.hang
    outbox.add(event(1))
    telling = make()
    until(lambda: "we_1" in endpoints.got)
    telling.stop()
    telling.join()
    assert outbox.kept["evt_1"].due == LEASE
