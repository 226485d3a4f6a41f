"""Messages that nobody waits for: stored, sent by the worker, and tried again."""

from __future__ import annotations

import time

import pytest

from tests.faults.waiting import until
from tests.scenarios.conftest import MakeScene
from tests.scenarios.scene import META, SMS, WHATSAPP, Scene, seconds

ASYNC = {"Prefer": "respond-async"}


def test_a_caller_that_does_not_wait_gets_202_and_the_worker_sends(scene: Scene) -> None:
    stored = scene.asking(**ASYNC).send()
    assert stored.status == 202
    assert stored.headers["Preference-Applied"] == "respond-async"
    assert stored.data["status"] == "pending"
    scene.comes_to(stored, "whatsapp delivered")
    assert scene.verify(scene.code()).code == "ok"


def test_a_resend_may_be_left_to_the_worker_too(scene: Scene) -> None:
    first = scene.send()
    old = scene.code()
    again = scene.asking(**ASYNC).resend()
    assert (again.status, again.id) == (202, first.id)
    until(lambda: scene.code() != old)
    assert scene.verify(old).code == "invalid_otp"
    assert scene.verify(scene.code()).code == "ok"


def test_other_preferences_are_ignored(scene: Scene) -> None:
    assert scene.asking(Prefer="wait=10, handling=lenient").send().status == 200


@pytest.mark.parametrize("fault", ["http:429", "http:500", "http:503"])
def test_a_temporary_refusal_is_tried_again_with_the_same_code(scene: Scene, fault: str) -> None:
    scene.simulator.script(next=1, fault=fault)
    (delivery,) = scene.comes_to(scene.asking(**ASYNC).send(), "whatsapp delivered")
    refused, taken = scene.simulator.messages()
    assert refused.code == taken.code
    assert not refused.arrived
    assert "error_code" not in delivery


def test_the_providers_retry_after_is_respected(scene: Scene) -> None:
    scene.simulator.script(next=1, fault="retry-after:4")
    sent = scene.asking(**ASYNC).send()
    (delivery,) = scene.comes_to(sent, "whatsapp delivered")
    assert seconds(delivery["submitted_at"]) - seconds(delivery["queued_at"]) > 4


def test_a_temporary_failure_that_a_receipt_tells_is_tried_again(scene: Scene) -> None:
    scene.simulator.script(next=1, fault="failed:131056")
    sent = scene.send()
    first, second = scene.comes_to(sent, "whatsapp failed, whatsapp delivered")
    assert first["error_code"] == "recipient_rate_limited"
    assert len({message.code for message in scene.simulator.messages()}) == 1
    assert seconds(second["submitted_at"]) - seconds(first["failed_at"]) > 3


def test_what_is_refused_for_good_is_not_tried_again(scene: Scene) -> None:
    scene.simulator.script(fault="http:400")
    sent = scene.asking(**ASYNC).send()
    scene.comes_to(sent, "whatsapp failed")
    assert scene.get(sent.id).data["status"] == "failed"
    assert len(scene.simulator.messages()) == 1


def test_a_timed_out_call_is_not_repeated(scene: Scene) -> None:
    scene.simulator.script(fault="closed-taken")
    sent = scene.asking(**ASYNC).send()
    until(lambda: "error_code" in scene.deliveries(sent)[0])
    assert scene.got()
    assert scene.verify(scene.code()).code == "ok"
    (delivery,) = scene.deliveries(sent)
    assert (delivery["status"], delivery["error_code"]) == ("queued", "unconfirmed")
    assert len(scene.simulator.messages()) == 1


def test_nothing_is_tried_past_the_codes_life(make_scene: MakeScene) -> None:
    scene = make_scene(OTP_EXPIRY_MINUTES="0.1")
    scene.simulator.script(fault="http:503")
    sent = scene.asking(**ASYNC).send()
    (delivery,) = scene.comes_to(sent, "whatsapp failed")
    assert delivery["error_code"] == "provider_down"
    tries = len(scene.simulator.messages())
    assert tries in (2, 3)  # at once, after 1 second, and perhaps after 4 more
    time.sleep(3)
    assert len(scene.simulator.messages()) == tries


def test_a_message_whose_code_was_replaced_is_not_sent_any_more(scene: Scene) -> None:
    scene.simulator.script(next=1, fault="retry-after:5")
    first = scene.asking(**ASYNC).send()
    until(lambda: len(scene.simulator.messages()) == 1)
    scene.resend()
    scene.comes_to(first, "whatsapp failed, whatsapp delivered")
    assert len(scene.simulator.messages()) == 2


def test_with_two_senders_the_next_is_tried_when_one_is_down(make_scene: MakeScene) -> None:
    scene = make_scene(WHATSAPP, META, GUPSHUP_API_URL="http://127.0.0.1:9/")
    sent = scene.send()
    assert sent.code == "ok"
    failed, delivered = scene.comes_to(sent, "whatsapp failed, whatsapp delivered")
    assert (failed["provider"], delivered["provider"]) == ("gupshup", "meta")
    assert failed["error_code"] == "provider_down"


def test_the_order_of_senders_is_a_setting(make_scene: MakeScene) -> None:
    scene = make_scene(WHATSAPP, META, OTP_WHATSAPP_SENDERS="meta,gupshup")
    (delivery,) = scene.comes_to(scene.send(), "whatsapp delivered")
    assert delivery["provider"] == "meta"
    assert scene.verify(scene.code()).code == "ok"


def test_an_empty_wallet_is_no_reason_to_fail_where_there_is_another_sender(
    make_scene: MakeScene,
) -> None:
    scene = make_scene(WHATSAPP, META)
    scene.simulator.script(next=1, fault="failed:1003")
    sent = scene.send()
    scene.comes_to(sent, "whatsapp failed, whatsapp delivered")


def test_a_sender_that_is_down_makes_room_for_an_sms(make_scene: MakeScene) -> None:
    scene = make_scene(WHATSAPP, SMS, GUPSHUP_API_URL="http://127.0.0.1:9/")
    sent = scene.send(channel="auto")
    assert sent.data["channel"] == "sms"
    scene.comes_to(sent, "whatsapp failed, sms delivered")


def test_what_only_the_operator_can_mend_is_logged_as_an_error_with_advice(
    scene: Scene, caplog: pytest.LogCaptureFixture
) -> None:
    scene.simulator.script(fault="failed:1003")
    scene.comes_to(scene.send(), "whatsapp failed")
    until(lambda: "balance_empty" in caplog.text)
    (line,) = [each for each in caplog.records if "balance_empty" in each.getMessage()]
    assert line.levelname == "ERROR"
    assert "Top up" in line.getMessage()
