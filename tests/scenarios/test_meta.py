"""Meta's Cloud API in Gupshup's place."""

from __future__ import annotations

import pytest
import requests

from tests.faults.waiting import until
from tests.scenarios.conftest import MakeScene
from tests.scenarios.scene import META, SECRET, SMS, Scene
from tests.scrape import Scrape


@pytest.fixture
def meta(make_scene: MakeScene) -> Scene:
    return make_scene(META)


def test_a_code_goes_out_through_meta_and_its_webhook_tells_the_rest(meta: Scene) -> None:
    meta.simulator.read = True
    sent = meta.send()
    (delivery,) = meta.comes_to(sent, "whatsapp read")
    assert delivery["provider"] == "meta"
    assert meta.verify(meta.code()).code == "ok"


@pytest.mark.parametrize("fault", ["closed-taken", "no-id"])
def test_a_message_whose_answer_was_lost_is_settled_by_its_receipts(
    meta: Scene, fault: str
) -> None:
    meta.simulator.script(fault=fault)
    lost = meta.send()
    assert (lost.status, lost.code) == (504, "delivery_unconfirmed")
    (delivery,) = meta.comes_to(meta.send(), "whatsapp delivered")
    assert "error_code" not in delivery
    assert meta.verify(meta.code()).code == "ok"


def test_the_price_that_a_status_tells_is_kept_shown_and_counted(meta: Scene) -> None:
    (delivery,) = meta.comes_to(meta.send(), "whatsapp delivered")
    told = {"billable": True, "pricing_model": "PMP", "category": "authentication"}
    assert delivery["pricing"] == told | {"type": "regular"}
    counted = {"provider": "meta", "category": "authentication", "billable": "yes"}
    until(lambda: Scrape.of(meta.app).value("otp_messages_priced_total", **counted) == 1)


def test_an_sms_follows_there_too(make_scene: MakeScene) -> None:
    scene = make_scene(META, SMS, GUPSHUP_WEBHOOK_SECRET=SECRET)
    scene.simulator.script(fault="failed:131049", channel="whatsapp")
    scene.comes_to(scene.send(channel="auto"), "whatsapp failed, sms delivered")


def test_a_webhook_that_meta_did_not_sign_is_refused(meta: Scene) -> None:
    meta.simulator.meta_app_secret = "another"
    sent = meta.send()
    meta.simulator.settle()
    assert meta.story(sent) == "whatsapp submitted"


def test_the_handshake_echoes_the_challenge_to_who_knows_the_token(meta: Scene) -> None:
    asked = {"hub.mode": "subscribe", "hub.challenge": "1158201444"}
    hook = f"{meta.url}/webhooks/meta"
    right = requests.get(hook, params=asked | {"hub.verify_token": "a-verify-token"}, timeout=10)
    assert (right.status_code, right.text) == (200, "1158201444")
    assert right.headers["Content-Type"].startswith("text/plain")
    for wrong in ({}, {"hub.verify_token": "a-verify-toke"}, {"hub.verify_token": ""}):
        assert requests.get(hook, params=asked | wrong, timeout=10).status_code == 401


def test_the_template_has_the_persons_language(make_scene: MakeScene) -> None:
    scene = make_scene(META, META_TEMPLATE_LANGUAGES="en_US,pt_BR")
    scene.send(locale="pt-PT")
    (message,) = scene.simulator.messages()
    assert message.language == "pt_BR"
