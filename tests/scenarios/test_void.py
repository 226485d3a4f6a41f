"""Messages of verifications that an operator voids: what waits is not sent, nothing follows."""

from __future__ import annotations

import time

from tests.scenarios.conftest import MakeScene
from tests.scenarios.scene import SMS, WHATSAPP, Scene


def void(scene: Scene) -> None:
    done = scene.app.test_cli_runner().invoke(args=["otp", "void", "--yes"])
    assert done.output.startswith("1 verification issued before"), done.output


def test_a_message_that_waits_is_not_sent_any_more(make_scene: MakeScene) -> None:
    scene = make_scene(WHATSAPP, OTP_WORKER="off")
    stored = scene.asking(Prefer="respond-async").send()
    assert stored.status == 202
    void(scene)
    scene = make_scene(WHATSAPP)  # another server, whose worker looks after what waits
    (message,) = scene.comes_to(stored, "whatsapp failed")
    assert message["error_code"] == "overtaken"
    assert scene.simulator.messages() == []
    assert scene.get(stored.id).data["status"] == "canceled"


def test_no_sms_follows_a_message_that_fails_after_it(make_scene: MakeScene) -> None:
    scene = make_scene(WHATSAPP, SMS)
    scene.simulator.script(fault="lost", channel="whatsapp")
    sent = scene.send(channel="auto")
    void(scene)
    assert scene.simulator.receipt(scene.simulator.messages()[0], "failed:1002")
    scene.comes_to(sent, "whatsapp failed")
    time.sleep(1)  # in which a worker would have sent it
    assert [message.channel for message in scene.simulator.messages()] == ["whatsapp"]
