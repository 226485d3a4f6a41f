"""Callers are told while Postgres is away, and after it: each event in its home."""

from __future__ import annotations

from collections.abc import Iterator

import pytest

from tests.events.endpoints import listen
from tests.events.receiver import Receiver, receiver
from tests.faults.proxy import Proxy
from tests.faults.waiting import until
from tests.scenarios.conftest import MakeScene, make_scene, simulator  # noqa: F401 (fixtures)
from tests.scenarios.scene import WHATSAPP, Scene

STORY = ["verification.started", "message.submitted", "message.delivered"]
VERIFIED = [*STORY, "verification.verified"]


@pytest.fixture
def database_url(urls: dict[str, str]) -> str:
    return urls["DATABASE_URL"]


@pytest.fixture
def scene(make_scene: MakeScene, urls: dict[str, str]) -> Scene:  # noqa: F811
    """With a Postgres behind a proxy, and a fallback."""
    return make_scene(WHATSAPP, **urls)


@pytest.fixture
def listening(scene: Scene) -> Iterator[Receiver]:
    with receiver() as listening:
        listen(scene.app, listening)
        yield listening


def test_what_happens_in_an_outage_is_told_in_it_and_what_happened_before_it_afterwards(
    scene: Scene, proxy: Proxy, listening: Receiver
) -> None:
    listening.answer = lambda: 500
    before = scene.send()
    until(lambda: listening.types(before.id) == STORY[:1])
    proxy.refuse()
    listening.answer = lambda: 204
    during = scene.send("+919876543211")
    assert during.id[0] == "s"
    until(lambda: listening.types(during.id) == STORY)
    assert scene.verify(scene.code("+919876543211"), "+919876543211").code == "ok"
    until(lambda: listening.types(during.id) == VERIFIED)
    assert listening.types(before.id) == STORY[:1]
    proxy.heal()
    until(lambda: listening.types(before.id)[-1:] == STORY[-1:])
    assert len(set(listening.ids)) == len(VERIFIED) + len(STORY)
