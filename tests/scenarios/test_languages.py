"""The person's language picks the template."""

from __future__ import annotations

import pytest

from tests.scenarios.conftest import MakeScene
from tests.scenarios.scene import WHATSAPP

TEMPLATES = {"GUPSHUP_TEMPLATES": "hi=t-hindi,pt-BR=t-brazil,zh-Hant=t-traditional"}


@pytest.mark.parametrize(
    ("locale", "template"),
    [
        ("hi", "t-hindi"),
        ("hi-IN", "t-hindi"),
        ("pt-br", "t-brazil"),
        ("pt-PT", "t-brazil"),
        ("zh-Hant-TW", "t-traditional"),
        ("zh_HK.UTF-8", "t-traditional"),
        ("not a locale", WHATSAPP["GUPSHUP_TEMPLATE_ID"]),
        ("", WHATSAPP["GUPSHUP_TEMPLATE_ID"]),
        ("fr", WHATSAPP["GUPSHUP_TEMPLATE_ID"]),
        (None, WHATSAPP["GUPSHUP_TEMPLATE_ID"]),
    ],
)
def test_the_nearest_template_is_taken(
    make_scene: MakeScene, locale: str | None, template: str
) -> None:
    scene = make_scene(WHATSAPP, TEMPLATES)
    scene.send(**({} if locale is None else {"locale": locale}))
    (message,) = scene.simulator.messages()
    assert message.template == template


def test_a_message_that_is_tried_later_has_it_too(make_scene: MakeScene) -> None:
    scene = make_scene(WHATSAPP, TEMPLATES)
    scene.simulator.script(next=1, fault="http:503")
    sent = scene.asking(Prefer="respond-async").send(locale="hi")
    scene.comes_to(sent, "whatsapp delivered")
    assert [message.template for message in scene.simulator.messages()] == ["t-hindi"] * 2
