"""A provider in trouble keeps its trouble: checks and health are as fast as ever."""

from __future__ import annotations

import threading
import time
from concurrent.futures import ThreadPoolExecutor

import pytest

from otp_service.bootstrap import senders as wiring
from otp_service.web.dependencies import dependencies_of
from tests.faults.service import Answer
from tests.faults.waiting import until
from tests.scenarios.conftest import MakeScene
from tests.scenarios.scene import SMS, WHATSAPP, Scene


def phones(count: int, first: int = 0) -> list[str]:
    return [f"+9198765{number:05}" for number in range(first, first + count)]


def send_all(scene: Scene, phones: list[str]) -> list[Answer]:
    with ThreadPoolExecutor(len(phones)) as pool:
        return list(pool.map(scene.send, phones))


def test_with_the_provider_stalling_checks_and_health_answer_at_once(scene: Scene) -> None:
    sent = scene.send("+919876599999")
    code = scene.code("+919876599999")
    scene.simulator.script(answer="stall:30")
    senders = threading.Thread(target=send_all, args=(scene, phones(24)))
    senders.start()
    until(lambda: len(scene.simulator.messages()) >= 1 + 16)  # as many as there are threads
    began = time.monotonic()
    assert scene.call("GET", "/ready").status == 200
    assert scene.verify(code, "+919876599999").code == "ok"
    assert scene.get(sent.id).code == "ok"
    assert time.monotonic() - began < 6  # they would wait for 8 s and more
    senders.join()


def test_a_hundred_that_wait_for_the_provider_leave_threads_for_checks(scene: Scene) -> None:
    sent = scene.send("+919876599999")
    code = scene.code("+919876599999")
    scene.simulator.script(answer="stall:30")
    under_way = dependencies_of(scene.app).senders[0]._free  # type: ignore[attr-defined]
    senders = threading.Thread(target=send_all, args=(scene, phones(wiring.CALLS)))
    senders.start()
    until(lambda: under_way._value == 0)  # all places are taken
    assert scene.verify(code, "+919876599999").code == "ok"
    assert scene.get(sent.id).code == "ok"
    assert under_way._value == 0
    senders.join()


def test_more_calls_than_its_share_fail_at_once_and_then_the_circuit_is_open(
    make_scene: MakeScene, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(wiring, "CALLS", 8)
    scene = make_scene()
    scene.simulator.script(answer="stall:30")
    answers = send_all(scene, phones(12))
    outcomes = {(answer.status, answer.code) for answer in answers}
    assert outcomes == {(504, "delivery_unconfirmed"), (503, "delivery_unavailable")}
    assert sum(answer.status == 504 for answer in answers) == 8
    assert all(answer.headers["Retry-After"] for answer in answers if answer.status == 503)
    assert scene.ready().data["provider"]["circuit"] == "open"
    began = time.monotonic()
    refused = scene.send("+919876588888")
    assert (refused.status, refused.code) == (503, "delivery_unavailable")
    assert time.monotonic() - began < 6
    assert scene.send("+919876588888").code == "delivery_unavailable"  # at once, and no quota spent


def test_the_circuit_closes_when_a_call_succeeds_again(make_scene: MakeScene) -> None:
    scene = make_scene()
    (sender,) = dependencies_of(scene.app).senders
    circuit = sender._circuit  # type: ignore[attr-defined]
    circuit._rest = 60
    scene.simulator.script(next=3, fault="http:500")
    assert [scene.send(phone).status for phone in phones(3)] == [503] * 3
    assert scene.ready().data["provider"]["circuit"] == "open"
    assert scene.send(phones(1, 10)[0]).status == 503
    assert len(scene.simulator.messages()) == 3  # it was not asked
    circuit._next_try = 0
    assert scene.ready().data["provider"]["circuit"] == "half_open"
    assert scene.send(phones(1, 11)[0]).status == 200
    assert scene.ready().data["provider"]["circuit"] == "closed"


def test_refusals_of_one_message_do_not_open_the_circuit(scene: Scene) -> None:
    scene.simulator.script(next=6, fault="http:400")
    assert [scene.send(phone).status for phone in phones(6)] == [502] * 6
    assert scene.send().status == 200


def test_with_the_circuit_open_auto_goes_to_sms(make_scene: MakeScene) -> None:
    scene = make_scene(WHATSAPP, SMS)
    scene.simulator.script(next=3, fault="http:500", channel="whatsapp")
    for phone in phones(4):
        assert scene.send(phone, channel="auto").data["channel"] == "sms"
    assert [each["channel"] for each in scene.ready().data["providers"]] == ["whatsapp", "sms"]
