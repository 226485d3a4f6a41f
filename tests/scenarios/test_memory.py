"""Numbers that are known not to be on WhatsApp, and for how long."""

from __future__ import annotations

import time

import pytest

from tests.scenarios.conftest import MakeScene
from tests.scenarios.scene import SMS, WHATSAPP, Scene

HOUR = 3600


@pytest.fixture
def both(make_scene: MakeScene) -> Scene:
    return make_scene(WHATSAPP, SMS)


@pytest.mark.parametrize(
    ("fault", "hours"), [("failed:1002", 7 * 24), ("failed:1013", 7 * 24), ("failed:131026", 12)]
)
def test_a_number_is_remembered_for_days_or_hours(both: Scene, fault: str, hours: int) -> None:
    both.simulator.script(next=1, fault=fault)
    first = both.send(channel="whatsapp")
    both.comes_to(first, "whatsapp failed")
    both.cancel(first.id)
    both.pass_time((hours - 0.1) * HOUR)
    remembered = both.send(channel="auto")
    assert remembered.data["channel"] == "sms"
    both.cancel(remembered.id)
    both.pass_time(0.2 * HOUR)
    assert both.send(channel="auto").data["channel"] == "whatsapp"


@pytest.mark.parametrize("fault", ["failed:1003", "failed:131049", "http:400"])
def test_other_failures_say_nothing_about_the_number(both: Scene, fault: str) -> None:
    both.simulator.script(next=1, fault=fault)
    both.cancel(both.send(channel="auto").id)
    both.simulator.settle()
    assert both.send(channel="auto").data["channel"] == "whatsapp"


def test_a_test_number_never_gets_a_second_message(make_scene: MakeScene) -> None:
    settings = {"OTP_TEST_NUMBERS": "+1234567890=123456", "OTP_SMS_AFTER_SECONDS": "1"}
    scene = make_scene(WHATSAPP, SMS | settings)
    sent = scene.send("+1234567890", channel="auto")
    time.sleep(2.5)
    assert scene.story(sent) == "whatsapp submitted"
    assert not scene.simulator.messages()
    assert scene.verify("123456", "+1234567890").code == "ok"


def test_without_sms_a_number_is_tried_on_whatsapp_again(scene: Scene) -> None:
    scene.simulator.script(next=1, fault="failed:1002")
    first = scene.send()
    scene.comes_to(first, "whatsapp failed")
    scene.cancel(first.id)
    scene.comes_to(scene.send(channel="auto"), "whatsapp delivered")


def test_a_resend_that_may_goes_out_by_sms_as_well(both: Scene) -> None:
    both.simulator.script(next=1, fault="failed:1002")
    first = both.send(channel="whatsapp")
    both.comes_to(first, "whatsapp failed")
    again = both.resend(channel="auto")
    assert (again.id, again.data["channel"]) == (first.id, "sms")
    both.comes_to(again, "whatsapp failed, sms delivered")
    assert both.verify(both.code()).code == "ok"
