"""A code from all sides: the service sends, the simulator's phone gets it, the simulator's receiver
of events is told what became of it.
"""

from __future__ import annotations

import pytest

from otp_service.simulator.events import Event
from tests.faults.waiting import until
from tests.scenarios.conftest import MakeScene
from tests.scenarios.scene import Scene

MESSAGE = ("message.submitted", "message.delivered")
NOT_ON_WHATSAPP = "+919876531026"


@pytest.fixture
def scene(make_scene: MakeScene) -> Scene:
    """Its events are told to the simulator, which knows the secret."""
    scene = make_scene()
    command = ["otp", "events", "add", scene.simulator.events_url]
    scene.simulator.events_secrets = {
        scene.app.test_cli_runner().invoke(args=command).stdout.strip()
    }
    return scene


def types(events: list[Event]) -> list[str]:
    return [event.type for event in events]


def comes_to(scene: Scene, about: str, *wanted: str) -> list[Event]:
    until(lambda: types(scene.simulator.events(about)) == list(wanted))
    return scene.simulator.events(about)


@pytest.mark.parametrize("database_url", ["postgres", "sqlite"], indirect=True)
def test_a_caller_is_told_of_the_whole_round(scene: Scene) -> None:
    sent = scene.send()
    until(lambda: scene.story(sent) == "whatsapp delivered")
    scene.verify(scene.code())
    kinds = ["verification.started", *MESSAGE, "verification.verified"]
    events = comes_to(scene, sent.id, *kinds)
    assert [(event.verified, event.answer) for event in events] == [(True, "204")] * 4
    assert {event.data["phone_number"] for event in events} == {sent.data["phone_number"]}


def test_a_code_of_others_is_told_of_as_a_message(scene: Scene) -> None:
    body: dict[str, object] = {"phone_number": NOT_ON_WHATSAPP, "otp": "4711"}
    message_id = scene.call("POST", "/messages", body).data["message_id"]
    events = comes_to(scene, message_id, "message.submitted", "message.failed")
    assert events[1].data["failure"] == "undeliverable"
    assert not any('"4711"' in event.body for event in events)


def test_what_was_not_taken_comes_again_before_what_came_after_it(scene: Scene) -> None:
    scene.simulator.script(next=1, fault="event-http:307")
    sent = scene.send()
    events = comes_to(scene, sent.id, "verification.started", "verification.started", *MESSAGE)
    assert [event.seen_before for event in events] == [0, 1, 0, 0]
    assert [event.answer for event in events] == ["307", "204", "204", "204"]
    assert events[0].body == events[1].body
