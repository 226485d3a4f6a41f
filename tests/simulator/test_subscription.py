"""Trying a callback URL, as saving it in a dashboard does."""

from __future__ import annotations

from typing import Literal

import pytest
import requests

from otp_service.simulator import Simulator
from tests.simulator.receiver import Receiver


@pytest.mark.parametrize("version", [2, 3])
def test_gupshups_test_event_wants_a_2xx(
    simulator: Simulator, receiver: Receiver, version: Literal[2, 3]
) -> None:
    simulator.callback_version, simulator.callback_secret = version, "s3cret"
    assert simulator.subscribe("gupshup")
    assert receiver.callbacks[0].headers["Authorization"] == "Bearer s3cret"
    assert ("set-callback" if version == 3 else "sandbox-start") in receiver.callbacks[
        0
    ].body.decode()
    receiver.answers = [404]
    assert not simulator.subscribe("gupshup")


def test_metas_challenge_wants_an_echo(simulator: Simulator, receiver: Receiver) -> None:
    simulator.meta_verify_token = "verify-me"
    url = f"{simulator.url}/simulator/subscriptions"
    refused = requests.post(url, json={"provider": "meta"}, timeout=10)
    assert refused.json() == {"status": "success", "taken": False}
    assert receiver.callbacks[0].query["hub.verify_token"] == "verify-me"
    receiver.body = receiver.callbacks[0].query["hub.challenge"].encode()
    assert simulator.subscribe("meta")
    assert requests.post(url, json={"provider": "x"}, timeout=10).status_code == 400
