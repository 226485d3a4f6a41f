"""Delivery while Postgres is away, and after it: each message in its home."""

from __future__ import annotations

import pytest

from tests.faults.proxy import Proxy
from tests.faults.waiting import until
from tests.scenarios.conftest import MakeScene, make_scene, simulator  # noqa: F401 (fixtures)
from tests.scenarios.scene import SMS, WHATSAPP, Scene

PHONE = "+919876543210"
OTHER = "+919876543211"


@pytest.fixture
def database_url(urls: dict[str, str]) -> str:
    return urls["DATABASE_URL"]


@pytest.fixture
def scene(make_scene: MakeScene, urls: dict[str, str]) -> Scene:  # noqa: F811
    """With a Postgres behind a proxy, and a fallback."""
    return make_scene(WHATSAPP, SMS, **urls)


def test_the_worker_sends_and_follows_what_is_in_the_fallback(scene: Scene, proxy: Proxy) -> None:
    proxy.refuse()
    scene.simulator.script(fault="failed:1002", channel="whatsapp")
    stored = scene.asking(Prefer="respond-async").send(channel="auto")
    assert (stored.status, stored.id[0]) == (202, "s")
    scene.comes_to(stored, "whatsapp failed, sms delivered")
    assert scene.verify(scene.code()).code == "ok"


def test_receipts_that_come_in_an_outage_are_kept_and_applied_after_it(
    scene: Scene, proxy: Proxy
) -> None:
    scene.simulator.delay = 1
    sent = scene.send()
    assert sent.id[0] == "p"
    proxy.refuse()
    scene.simulator.settle()
    assert scene.simulator.messages()[0].callbacks[-1].answer.startswith("200")
    assert scene.get(sent.id).status == 503
    proxy.heal()
    until(lambda: scene.get(sent.id).status == 200)
    scene.comes_to(sent, "whatsapp delivered")


def test_a_message_that_waits_in_postgres_is_sent_when_it_is_back(
    scene: Scene, proxy: Proxy
) -> None:
    scene.simulator.script(next=1, fault="retry-after:3")
    stored = scene.asking(Prefer="respond-async").send()
    until(lambda: len(scene.simulator.messages()) == 1)
    # Noted before the outage: what could not be noted waits until its lease ends.
    until(lambda: scene.get(stored.id).data["deliveries"][0].get("error_code"))
    proxy.refuse()
    fallback = scene.send(OTHER)
    assert fallback.id[0] == "s"
    proxy.heal()
    until(lambda: scene.get(stored.id).status == 200)
    scene.comes_to(stored, "whatsapp delivered")
    assert scene.verify(scene.code(PHONE), PHONE).code == "ok"
