"""The simulator as an object in a test's own process."""

from __future__ import annotations

import threading

import requests

from otp_service.simulator import Simulator
from tests.simulator.receiver import Receiver


def test_only_the_newest_messages_are_kept() -> None:
    with Simulator(keep=3, delay=0) as simulator:
        for number in range(5):
            form = {"userid": "1", "password": "2", "method": "SendMessage", "msg": f"{number}000"}
            requests.post(simulator.sms_url, data=form | {"send_to": "919876543210"}, timeout=10)
        assert [m.code for m in simulator.messages()] == ["2000", "3000", "4000"]


def play(seed: int, receiver: Receiver) -> tuple[list[str], list[str]]:
    """The ids and the receipts of three sends of different kinds."""
    receiver.callbacks.clear()
    with Simulator(seed=seed, delay=0.005, callback_url=receiver.url) as simulator:
        for phone in ("919876543210", "919876590015", "919876590017"):
            form = {"source": "911", "src.name": "x", "destination": phone}
            form["template"] = '{"id": "x", "params": ["1234"]}'
            requests.post(simulator.gupshup_url, form, headers={"apikey": "k"}, timeout=10)
            simulator.settle()
        ids = [f"{m.id} {m.whatsapp_id}" for m in simulator.messages()]
    return ids, receiver.types


def test_the_same_seed_gives_the_same_ids_and_order(receiver: Receiver) -> None:
    assert play(7, receiver) == play(7, receiver)
    assert play(7, receiver)[0] != play(8, receiver)[0]


def test_leaving_it_ends_its_threads() -> None:
    before = threading.active_count()
    with Simulator(callback_url="http://127.0.0.1:1/") as simulator:
        simulator.settle(0)
    assert threading.active_count() == before
