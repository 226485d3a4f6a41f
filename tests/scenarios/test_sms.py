"""SMS in the place of a WhatsApp message that does not arrive, with the same code."""

from __future__ import annotations

import time

import pytest

from tests.scenarios.conftest import MakeScene
from tests.scenarios.scene import SMS, WHATSAPP, Scene, seconds

PHONE = "+919876543210"


@pytest.fixture
def both(make_scene: MakeScene) -> Scene:
    """WhatsApp and SMS."""
    return make_scene(WHATSAPP, SMS)


def test_without_an_account_there_is_no_sms(scene: Scene) -> None:
    refused = scene.send(channel="sms")
    assert (refused.status, refused.code) == (400, "invalid_request")
    assert scene.send(channel="auto").data["channel"] == "whatsapp"


def test_a_code_can_be_asked_for_by_sms(both: Scene) -> None:
    sent = both.send(channel="sms")
    assert sent.data["channel"] == "sms"
    (delivery,) = both.comes_to(sent, "sms delivered")
    assert delivery["provider"] == "gupshup-sms"
    assert both.verify(both.code()).code == "ok"


@pytest.mark.parametrize("fault", ["failed:1002", "failed:131049", "failed:1003", "failed:130497"])
def test_what_whatsapp_fails_to_deliver_goes_out_by_sms_with_the_same_code(
    both: Scene, fault: str
) -> None:
    both.simulator.script(fault=fault, channel="whatsapp")
    sent = both.send(channel="auto")
    both.comes_to(sent, "whatsapp failed, sms delivered")
    first, second = both.simulator.messages(PHONE)
    assert first.code == second.code
    assert both.get(sent.id).data["channel"] == "sms"
    assert both.verify(second.code).code == "ok"


def test_what_whatsapp_refuses_at_once_goes_out_by_sms_in_the_same_call(both: Scene) -> None:
    both.simulator.script(fault="http:400", channel="whatsapp")
    sent = both.send(channel="auto")
    assert (sent.status, sent.data["channel"]) == (200, "sms")
    both.comes_to(sent, "whatsapp failed, sms delivered")


def test_after_undeliverable_a_late_delivered_is_waited_for(both: Scene) -> None:
    both.simulator.script(fault="failed-then-delivered", channel="whatsapp")
    sent = both.send(channel="auto")
    both.comes_to(sent, "whatsapp delivered")
    time.sleep(6)
    assert both.story(sent) == "whatsapp delivered"


def test_after_undeliverable_an_sms_follows_in_five_seconds(both: Scene) -> None:
    both.simulator.script(fault="failed:131026", channel="whatsapp")
    sent = both.send(channel="auto")
    both.comes_to(sent, "whatsapp failed")
    first, second = both.comes_to(sent, "whatsapp failed, sms delivered")
    assert 4 < (seconds(second["queued_at"]) - seconds(first["failed_at"])) < 20


def test_a_message_that_does_not_arrive_in_time_is_followed_by_an_sms(
    make_scene: MakeScene,
) -> None:
    scene = make_scene(WHATSAPP, SMS, OTP_SMS_AFTER_SECONDS="2")
    scene.simulator.script(fault="offline", channel="whatsapp")
    sent = scene.send(channel="auto")
    first, second = scene.comes_to(sent, "whatsapp sent, sms delivered")
    assert 1.9 < (seconds(second["queued_at"]) - seconds(first["submitted_at"])) < 15


def test_a_message_that_arrived_is_not_followed(both: Scene) -> None:
    sent = both.send(channel="auto")
    both.comes_to(sent, "whatsapp delivered")
    both.pass_time(61)
    time.sleep(2)  # in which a worker would have sent it
    assert both.story(sent) == "whatsapp delivered"


def test_nor_is_one_whose_code_was_used(both: Scene) -> None:
    both.simulator.script(fault="lost", channel="whatsapp")
    sent = both.send(channel="auto")
    assert both.verify(both.code()).code == "ok"
    both.pass_time(61)
    time.sleep(2)
    assert both.story(sent) == "whatsapp submitted"


def test_only_one_sms_follows_in_a_verification(both: Scene) -> None:
    both.simulator.script(fault="failed:1003", channel="whatsapp")
    sent = both.send(channel="auto")
    both.comes_to(sent, "whatsapp failed, sms delivered")
    both.resend(channel="auto")
    both.comes_to(sent, "whatsapp failed, sms delivered, whatsapp failed")
    time.sleep(2)
    assert both.story(sent) == "whatsapp failed, sms delivered, whatsapp failed"


def test_a_number_known_not_to_be_on_whatsapp_gets_an_sms_at_once(both: Scene) -> None:
    both.simulator.script(fault="failed:1002", channel="whatsapp")
    first = both.send(channel="auto")
    both.comes_to(first, "whatsapp failed, sms delivered")
    both.verify(both.code())
    again = both.send(channel="auto")
    assert again.data["channel"] == "sms"
    both.comes_to(again, "sms delivered")
    assert both.verify(both.code()).code == "ok"


def test_but_one_that_asks_for_whatsapp_gets_whatsapp(both: Scene) -> None:
    both.simulator.script(next=1, fault="failed:1002", channel="whatsapp")
    first = both.send(channel="auto")
    both.comes_to(first, "whatsapp failed, sms delivered")
    both.cancel(first.id)
    there = both.send(channel="whatsapp")
    both.comes_to(there, "whatsapp delivered")
    both.cancel(there.id)
    assert both.send(channel="auto").data["channel"] == "whatsapp"  # it is on WhatsApp after all


@pytest.mark.parametrize("fault", ["sms-failed:003", "sms-http:400"])
def test_an_sms_that_fails_too_is_told(both: Scene, fault: str) -> None:
    both.simulator.script(fault="failed:1002", channel="whatsapp")
    both.simulator.script(fault=fault, channel="sms")
    sent = both.send(channel="auto")
    _, sms = both.comes_to(sent, "whatsapp failed, sms failed")
    assert sms["error_code"] == "invalid_number"


def test_a_timed_out_whatsapp_message_is_not_repeated_but_followed_by_an_sms(
    make_scene: MakeScene,
) -> None:
    scene = make_scene(WHATSAPP, SMS, OTP_SMS_AFTER_SECONDS="2")
    scene.simulator.script(fault="closed-taken", channel="whatsapp")
    unclear = scene.send(channel="auto")
    assert (unclear.status, unclear.code) == (504, "delivery_unconfirmed")
    live = scene.send(channel="auto")
    scene.comes_to(live, "whatsapp queued, sms delivered")
    assert len({message.code for message in scene.got()}) == 1
