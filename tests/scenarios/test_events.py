"""Callers are told what happens: service, worker, providers and receivers on real sockets."""

from __future__ import annotations

import threading
import time
from collections.abc import Iterator
from contextlib import ExitStack

import pytest
import sqlalchemy as sa

from otp_service.events.telling import AT_ONCE
from otp_service.simulator import Simulator
from otp_service.storage.models.base import engines_of
from otp_service.storage.models.events import EventRow
from otp_service.web.dependencies import dependencies_of
from tests.conftest import SECRET, MakeApp
from tests.events.endpoints import listen
from tests.events.receiver import Receiver, receiver
from tests.faults.processes import Servers
from tests.faults.service import PHONE
from tests.faults.waiting import until
from tests.scenarios.conftest import MakeScene
from tests.scenarios.scene import WHATSAPP, Scene
from tests.scrape import Scrape
from tests.storage.helpers import pass_time

STORY = ["verification.started", "message.submitted", "message.delivered"]


@pytest.fixture
def several() -> Iterator[list[Receiver]]:
    with ExitStack() as stack:
        yield [stack.enter_context(receiver()) for _ in range(4)]


@pytest.fixture
def good(several: list[Receiver]) -> Receiver:
    return several[0]


def let_leases_end(engine: sa.Engine) -> None:
    with engine.begin() as connection:
        held = sa.update(EventRow).where(EventRow.lease.is_not(None))
        connection.execute(held.values(due_at=EventRow.at))


def tell_of_expiry(scene: Scene) -> None:
    """As it does by itself within half a minute."""
    dependencies_of(scene.app).telling._next_expiry = 0  # type: ignore[attr-defined]


@pytest.mark.parametrize("database_url", ["sqlite", "postgres"], indirect=True)
def test_a_whole_round_is_told_in_order(scene: Scene, good: Receiver) -> None:
    listen(scene.app, good)
    sent = scene.send()
    until(lambda: good.types(sent.id) == STORY)
    assert scene.verify(scene.code()).code == "ok"
    until(lambda: good.types(sent.id)[3:] == ["verification.verified"])
    lost = scene.send()
    scene.comes_to(lost, "whatsapp delivered")
    pass_time(engines_of(scene.app)[0], 200)
    tell_of_expiry(scene)
    until(lambda: good.types(lost.id) == [*STORY, "verification.expired"])
    canceled = scene.send()
    scene.call("DELETE", f"/verifications/{canceled.id}")
    until(lambda: "verification.canceled" in good.types(canceled.id))
    assert good.refused == 0
    assert len(set(good.ids)) == len(good.ids)
    assert {(each["data"]["phone_number"], each["data"]["client"]) for each in good.verified} == {
        (PHONE, "public")
    }
    codes = [message.code for message in scene.simulator.messages()]
    assert not any(code in str(good.verified) for code in codes)


def test_of_a_code_that_another_system_made_its_message_is_told(
    scene: Scene, good: Receiver
) -> None:
    listen(scene.app, good, "--no-phone")
    scene.simulator.script(next=1, fault="failed:1002")
    failed = scene.call("POST", "/messages", {"phone_number": PHONE, "otp": "4711"})
    name = str(failed.data["message_id"])
    until(lambda: good.types(name) == ["message.submitted", "message.failed"])
    said = good.verified[1]["data"]
    assert (said["status"], said["failure"]) == ("failed", "not_on_whatsapp")
    assert "1002" in said["reason"]
    assert "phone_number" not in said
    assert "4711" not in str(good.verified)


def test_endpoints_in_trouble_harm_neither_a_good_one_nor_who_asks_for_a_code(
    make_scene: MakeScene, several: list[Receiver]
) -> None:
    good, hanging, broken, gone = several
    scene, over = make_scene(), threading.Event()
    hanging.answer = lambda: 204 if over.wait(60) else 500
    broken.answer = lambda: 307
    gone.answer = lambda: 410
    for each in several:
        listen(scene.app, each)
    phones = [f"+9198765000{number:02}" for number in range(12)]
    began = time.monotonic()
    sent = [scene.send(phone) for phone in phones]
    assert time.monotonic() - began < 15  # which an endpoint has for one event
    for answer in sent:
        until(lambda id_=answer.id: good.types(id_) == STORY)  # type: ignore[misc]

    def value(name: str, **labels: str) -> float:
        return Scrape.of(scene.app).value(name, **labels) or 0

    until(lambda: value("otp_events_total", outcome="told") == 3 * len(phones))
    until(lambda: value("otp_events_total", outcome="failed") == len(phones))
    until(lambda: value("otp_events_waiting", database="primary") == 6 * len(phones))
    until(lambda: len(hanging.ids) == AT_ONCE)
    assert len(gone.ids) <= AT_ONCE
    assert set(broken.types()) == {"verification.started"}
    told = scene.app.test_cli_runner().invoke(args=["otp", "events", "list"]).stdout
    assert (told.count("active"), told.count("ended")) == (3, 1)
    over.set()


def test_the_first_event_is_tried_again_and_those_behind_it_wait(
    scene: Scene, good: Receiver
) -> None:
    listen(scene.app, good)
    good.answer = lambda: 500
    sent = scene.send()
    scene.comes_to(sent, "whatsapp delivered")
    scene.verify(scene.code())
    until(lambda: good.types() == ["verification.started"])
    good.answer = lambda: 204
    pass_time(engines_of(scene.app)[0], 6)
    until(lambda: len(good.ids) == 5)
    assert good.types() == ["verification.started", *STORY, "verification.verified"]
    assert good.ids[0] == good.ids[1]
    assert good.verified[0] == good.verified[1]


def test_what_a_killed_process_was_telling_another_one_tells_again(
    simulator: Simulator, engine: sa.Engine, make_app: MakeApp, good: Receiver
) -> None:
    over = threading.Event()
    good.answer = lambda: 204 if over.wait(60) else 500
    settings = {
        "DATABASE_URL": engine.url.render_as_string(hide_password=False),
        "FALLBACK_DATABASE_URL": "off",
        "GUPSHUP_API_URL": simulator.gupshup_url,
        "OTP_SECRET": SECRET,
        **WHATSAPP,
    }
    listen(make_app(**settings), good)
    with Servers(**settings) as servers:
        first = servers.start()
        sent = first.send()
        until(lambda: good.types(sent.id) == ["verification.started"])
        first.kill()
        servers.start()
        over.set()
        assert len(good.ids) == 1  # while the lease runs, nobody else tells it
        let_leases_end(engine)
        until(lambda: len(good.ids) == 3)
    assert good.types()[:2] == ["verification.started", "verification.started"]
    assert good.ids[0] == good.ids[1]
