"""Events of a service, and what the simulator makes of them as their receiver."""

from __future__ import annotations

from collections.abc import Callable, Iterator
from threading import Thread

import pytest
import requests

from otp_service.simulator import Simulator
from tests.faults.waiting import until
from tests.simulator.told_events import OTHER, SECRET, VERIFICATION, body, headers, tell


@pytest.fixture(scope="module")
def running() -> Iterator[Simulator]:
    with Simulator(seed=1) as simulator:
        yield simulator


@pytest.fixture
def simulator(running: Simulator) -> Simulator:
    """It knows the secret, and nothing else yet."""
    running.reset()
    running.events_secrets = {SECRET}
    return running


def test_an_event_is_taken_and_kept_as_it_came(simulator: Simulator) -> None:
    text = body("message.failed", failure="not_on_whatsapp", reason="Message undeliverable")
    assert tell(simulator.events_url, text).status_code == 204
    (event,) = simulator.events(VERIFICATION)
    assert (event.type, event.timestamp) == ("message.failed", "2026-11-29T02:00:00.000Z")
    assert (event.verified, event.problem, event.answer) == (True, "", "204")
    assert event.data["failure"] == "not_on_whatsapp"
    assert (event.body, event.webhook_id) == (text, "msg_1")
    assert ("webhook-id", "msg_1") in event.headers


def signature(text: str = "", secret: str = SECRET) -> str:
    return headers(text or body(), secret=secret)["webhook-signature"]


@pytest.mark.parametrize(
    ("name", "wrong", "problem"),
    [
        ("webhook-signature", lambda: signature(secret=OTHER), "fits none"),
        ("webhook-signature", lambda: signature(body("x.y")), "fits none"),
        ("webhook-signature", lambda: signature()[:-4], "fits none"),
        ("webhook-signature", lambda: signature().replace("v1,", "v2,"), "fits none"),
        ("webhook-signature", lambda: "v1,\u00e9", "fits none"),
        ("webhook-signature", lambda: None, "fits none"),
        ("webhook-id", lambda: "msg_2", "fits none"),
        ("webhook-id", lambda: None, "no webhook-id"),
        ("webhook-timestamp", lambda: "soon", "no number"),
        ("webhook-timestamp", lambda: None, "no number"),
    ],
)
def test_what_can_not_be_trusted_is_401_and_kept(
    simulator: Simulator, name: str, wrong: Callable[[], str | None], problem: str
) -> None:
    sent = {**headers(body()), name: wrong()}
    encoded = {name: value.encode() for name, value in sent.items() if value is not None}
    answer = requests.post(simulator.events_url, body(), headers=encoded, timeout=10)
    assert answer.status_code == 401
    (event,) = simulator.events()
    assert event.verified is False
    assert problem in event.problem
    assert event.answer.startswith("401")


@pytest.mark.parametrize("age", [310, -330])
def test_what_is_older_or_newer_than_five_minutes_is_401(simulator: Simulator, age: float) -> None:
    assert tell(simulator.events_url, age=age).status_code == 401
    assert "seconds away" in simulator.events()[0].problem


@pytest.mark.parametrize("age", [0, 270, -290])
def test_a_clock_may_be_off_by_five_minutes(simulator: Simulator, age: float) -> None:
    assert tell(simulator.events_url, age=age).status_code == 204


def test_one_of_several_signatures_and_of_several_secrets_is_enough(simulator: Simulator) -> None:
    simulator.events_secrets = {OTHER, SECRET}
    text = body()
    both = headers(text, secret=OTHER)["webhook-signature"], headers(text)["webhook-signature"]
    sent = headers(text) | {"webhook-signature": " ".join(both)}
    assert requests.post(simulator.events_url, text, headers=sent, timeout=10).status_code == 204
    simulator.events_secrets = {SECRET}
    assert requests.post(simulator.events_url, text, headers=sent, timeout=10).status_code == 204


def test_without_a_secret_nothing_is_checked(simulator: Simulator) -> None:
    simulator.events_secrets = set()
    assert requests.post(simulator.events_url, body(), timeout=10).status_code == 204
    assert simulator.events()[0].verified is None


@pytest.mark.parametrize("text", ["", "nonsense", "[]", "{}", '{"type": 1}', "[" * 9999, "\ud800"])
@pytest.mark.parametrize("secrets", [{SECRET}, set()])
def test_what_is_no_event_is_400(simulator: Simulator, text: str, secrets: set[str]) -> None:
    simulator.events_secrets = secrets
    text = text.encode(errors="replace").decode()
    answer = requests.post(simulator.events_url, text, headers=headers(text), timeout=10)
    assert answer.status_code == 400
    assert simulator.events()[0].problem.startswith("no event")
    assert requests.get(f"{simulator.url}/simulator/events", timeout=10).status_code == 200


def test_a_repeat_is_known_by_its_id_but_not_by_one_that_was_refused(simulator: Simulator) -> None:
    tell(simulator.events_url, secret=OTHER)
    for webhook_id in ("msg_1", "msg_2", "msg_1", "msg_1"):
        tell(simulator.events_url, webhook_id=webhook_id)
    assert [event.seen_before for event in simulator.events()] == [0, 0, 0, 1, 2]


@pytest.mark.parametrize("status", [302, 307, 410, 500])
def test_a_script_can_have_the_next_events_answered_otherwise(
    simulator: Simulator, status: int
) -> None:
    simulator.script(next=2, fault=f"event-http:{status}")
    answers = [tell(simulator.events_url, webhook_id=str(number)) for number in range(3)]
    assert [answer.status_code for answer in answers] == [status, status, 204]
    assert ("Location" in answers[0].headers) == (status < 400)
    assert [event.fault for event in simulator.events()] == [f"event-http:{status}"] * 2 + ["ok"]


def test_a_script_can_be_for_the_events_of_one_phone(simulator: Simulator) -> None:
    simulator.script("+12015553931", channel="events", answer="retry-after:7")
    simulator.script(next=1, fault="http:503")  # a message's, which no event uses up
    assert tell(simulator.events_url).status_code == 204
    answer = tell(simulator.events_url, body(phone_number="+12015553931"))
    assert (answer.status_code, answer.headers["Retry-After"]) == (429, "7")


def test_who_is_not_trusted_does_not_use_up_a_script(simulator: Simulator) -> None:
    simulator.script(next=1, fault="event-http:500")
    assert tell(simulator.events_url, secret=OTHER).status_code == 401
    assert tell(simulator.events_url).status_code == 500


def test_an_answer_can_be_slow_or_none() -> None:
    with Simulator(events_secrets={SECRET}) as simulator:
        url = simulator.events_url
        simulator.script(next=1, fault="event-closed")
        with pytest.raises(requests.ConnectionError):
            tell(url)
        simulator.script(next=1, fault="event-stall:60")
        slow = Thread(
            target=pytest.raises, args=[requests.ConnectionError, tell, simulator.events_url]
        )
        slow.start()
        until(lambda: len(simulator.events()) == 2)
        assert simulator.events()[1].answer == ""
    slow.join()  # a simulator that ends stalls no longer
    assert [event.answer for event in simulator.events()] == ["connection closed"] * 2


@pytest.mark.parametrize(
    "entry",
    [
        {"fault": "event-http:204"},
        {"fault": "event-failed:1"},
        {"fault": "event-html"},
        {"fault": "failed:131026", "channel": "events"},
        {"answer": "no-id", "channel": "events"},
        {"receipts": ["sent"], "channel": "events"},
        {"fault": "http:302"},
    ],
)
def test_a_script_that_makes_no_sense_for_events_is_refused(
    simulator: Simulator, entry: dict[str, object]
) -> None:
    url = f"{simulator.url}/simulator/script"
    assert requests.post(url, json={"faults": [entry]}, timeout=10).status_code == 400


def test_events_are_told_and_forgotten_over_http(simulator: Simulator) -> None:
    tell(simulator.events_url)
    tell(simulator.events_url, body(verification_id=None, message_id="another"))
    url = f"{simulator.url}/simulator/events.json"
    (event,) = requests.get(url, params={"about": "another"}, timeout=10).json()["events"]
    assert (event["about"], event["verified"], event["seen_before"]) == ("another", True, 1)
    assert len(requests.get(url, timeout=10).json()["events"]) == 2
    requests.delete(url, timeout=10)
    assert simulator.events() == []
    tell(simulator.events_url)
    requests.delete(f"{simulator.url}/simulator/messages", timeout=10)
    assert simulator.events() == []


def test_only_the_newest_events_are_kept() -> None:
    with Simulator(keep=2) as simulator:
        for number in range(4):
            tell(simulator.events_url, webhook_id=str(number))
        assert [event.webhook_id for event in simulator.events()] == ["2", "3"]


@pytest.mark.parametrize(
    "secret", ["", "nonsense", "whsec_", "whsec_c2hvcnQ=", SECRET[6:], "whsec_é"]
)
def test_a_secret_that_can_be_none_is_refused_and_not_shown(secret: str) -> None:
    with pytest.raises(ValueError, match="whsec_ and base64 of 24 to 64 bytes") as wrong:
        Simulator(events_secrets={secret})
    assert not secret or secret in "whsec_" or secret not in str(wrong.value)
