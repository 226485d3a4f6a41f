"""Receipts, whatever their order, number and form: the same end state."""

from __future__ import annotations

import pytest

from tests.scenarios.conftest import MakeScene
from tests.scenarios.scene import Scene

TIMES = ("queued_at", "submitted_at", "sent_at", "delivered_at", "read_at")


def test_a_message_is_followed_from_the_queue_to_the_reader(scene: Scene) -> None:
    scene.simulator.read = True
    sent = scene.send()
    (delivery,) = scene.comes_to(sent, "whatsapp read")
    times = [delivery[name] for name in TIMES]
    assert times == sorted(times)
    assert "failed_at" not in delivery
    assert scene.verify(scene.code()).code == "ok"


@pytest.mark.parametrize("version", [2, 3])
@pytest.mark.parametrize(
    "fault", ["early", "duplicated", "reordered", "read-only", "delivered-then-failed"]
)
def test_however_they_come_the_message_was_read_or_delivered(
    scene: Scene, fault: str, version: int
) -> None:
    scene.simulator.callback_version = version  # type: ignore[assignment]
    scene.simulator.script(fault=fault)
    sent = scene.send()
    scene.simulator.settle()
    end = "whatsapp read" if fault == "read-only" else "whatsapp delivered"
    (delivery,) = scene.comes_to(sent, end)
    assert delivery["delivered_at"]


def test_failed_and_then_delivered_is_delivered(scene: Scene) -> None:
    scene.simulator.script(fault="failed-then-delivered")
    (delivery,) = scene.comes_to(scene.send(), "whatsapp delivered")
    assert delivery["failed_at"]
    assert delivery["error_code"] == "undeliverable"


@pytest.mark.parametrize(
    "quirks",
    [{"string-ts", "string-codes"}, {"no-phone", "gbeg-ids"}, {"conversation", "uuid-ids"}],
)
def test_the_quirks_of_real_callbacks_make_no_difference(scene: Scene, quirks: set[str]) -> None:
    scene.simulator.quirks = quirks
    scene.comes_to(scene.send(), "whatsapp delivered")


@pytest.mark.parametrize(
    ("fault", "code", "words"),
    [
        ("failed:1002", "not_on_whatsapp", "This number is not on WhatsApp."),
        ("failed:1003", "balance_empty", "The account has no money left."),
        ("failed:132000", "template_rejected", "does not fit the template"),
        ("failed:9999", "balance_empty", "The account has no money left."),
        ("failed:131043", "message_expired", "could not be delivered within its life"),
        ("failed:130403", "recipient_blocked", "has blocked this person"),
        ("failed:130497", "unsupported_destination", "may not send to this country"),
    ],
)
def test_a_failure_is_told_under_a_stable_code_in_plain_words_and_in_the_providers(
    scene: Scene, fault: str, code: str, words: str
) -> None:
    scene.simulator.script(fault=fault)
    sent = scene.send()
    (delivery,) = scene.comes_to(sent, "whatsapp failed")
    assert delivery["error_code"] == code
    assert words in delivery["explanation"]
    assert delivery["reason"].startswith(fault.partition(":")[2])
    assert scene.get(sent.id).data["status"] == "pending"


def test_a_receipt_never_verifies_anyone(scene: Scene) -> None:
    scene.simulator.read = True
    sent = scene.send()
    scene.comes_to(sent, "whatsapp read")
    assert scene.get(sent.id).data["status"] == "pending"


def test_lost_receipts_leave_the_message_submitted(scene: Scene) -> None:
    scene.simulator.script(fault="lost")
    sent = scene.send()
    assert scene.story(sent) == "whatsapp submitted"
    assert scene.verify(scene.code()).code == "ok"


def test_receipts_wait_for_a_worker_elsewhere(make_scene: MakeScene) -> None:
    scene = make_scene(OTP_WORKER="off")
    sent = scene.send()
    scene.simulator.settle()
    assert scene.story(sent) == "whatsapp submitted"
    assert scene.ready().data["worker"] == "off"
    make_scene()  # another process of the same service
    scene.comes_to(sent, "whatsapp delivered")


def test_who_asks_again_is_told_that_the_message_has_failed(scene: Scene) -> None:
    scene.simulator.script(next=1, fault="failed:1002")
    sent = scene.send()
    (delivery,) = scene.comes_to(sent, "whatsapp failed")
    again = scene.send()
    assert (again.status, again.code, again.id) == (200, "otp_already_sent", sent.id)
    assert again.data["delivery"] == {
        "channel": "whatsapp",
        "status": "failed",
        "failure": "not_on_whatsapp",
        "explanation": delivery["explanation"],
        "reason": "1002: Number Does Not Exists On WhatsApp",
    }


def test_who_asks_again_is_told_how_far_the_newest_message_came(scene: Scene) -> None:
    scene.simulator.script(next=1, fault="failed:1002")
    scene.comes_to(scene.send(), "whatsapp failed")
    scene.comes_to(scene.resend(), "whatsapp failed, whatsapp delivered")
    assert scene.send().data["delivery"] == {"channel": "whatsapp", "status": "delivered"}


def test_what_may_be_out_is_told_as_such(scene: Scene) -> None:
    scene.simulator.script(next=1, fault="closed-taken")
    assert scene.send().status == 504
    told = scene.send().data["delivery"]
    assert (told["status"], told["failure"]) == ("queued", "unconfirmed")
