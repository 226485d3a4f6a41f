"""What every provider is asked: whether an event is about what is used here."""

from __future__ import annotations

from typing import Any

import pytest

from otp_service.delivery.providers.gupshup import Gupshup
from otp_service.delivery.providers.gupshup_settings import GupshupSettings
from otp_service.delivery.providers.meta import Meta
from otp_service.delivery.providers.meta_settings import MetaSettings
from tests.delivery.events import ID, OTHER_ID, account, change, of_template, read, template

GUPSHUP = GupshupSettings("k", "917834811114", ID, "DemoApp", templates={"pt": OTHER_ID})
OURS = "158072934066266"
META = MetaSettings("t", OURS, "otp_login", ("en_US", "pt_BR"))


@pytest.mark.parametrize(
    ("body", "ours"),
    [
        (template(status="paused"), True),
        (template(status="paused", id=OTHER_ID), True),
        (template(status="paused", id="11111111-6c04-12db-b393-6190ac567eff"), False),
        (template(status="paused") | {"app": "demoapp"}, True),
        (template(status="paused") | {"app": "AnotherApp"}, False),
        (template(status="paused", id="some-bsp-id"), None),
        (account("restricted"), True),
        (account("restricted") | {"app": "AnotherApp"}, False),
        (of_template("message_template_status_update", event="PAUSED"), True),
        (change("message_template_status_update", message_template_name="promotion"), False),
        (
            change(
                "message_template_status_update",
                message_template_name="otp_login",
                message_template_language="de",
            ),
            False,
        ),
        (change("account_update", event="ACCOUNT_RESTRICTION"), None),
        (
            change(
                "messages", metadata={"phone_number_id": "158072934066266"}, errors=[{"code": 1}]
            ),
            True,
        ),
        (change("messages", metadata={"phone_number_id": "1"}, errors=[{"code": 1}]), False),
    ],
)
def test_it_is_known_whether_it_is_about_what_is_used_here(
    body: dict[str, Any], ours: bool | None
) -> None:
    event = read(body)
    provider = Meta(META) if event.provider == "meta" else Gupshup(GUPSHUP)
    assert provider.is_ours(event) is ours
