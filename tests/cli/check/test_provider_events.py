"""What providers told of themselves, as `otp check` shows it."""

from __future__ import annotations

from typing import Any

from otp_service.storage.models.base import engines_of
from tests.cli.check.helpers import COPY_CODE, HOOK_SECRET, PLAIN, checked, line
from tests.conftest import MakeApp
from tests.storage.helpers import pass_time


def template_event(status: str, template: str = COPY_CODE) -> dict[str, Any]:
    payload = {"type": "status-update", "id": template, "elementName": "otp_copy_code"}
    why = {"status": status, "description": "paused for 3 hours"}
    return {"app": "DemoApp", "type": "template-event", "payload": payload | why}


def test_the_newest_that_providers_told_is_shown_with_what_to_do(
    make_app: MakeApp, account: dict[str, str]
) -> None:
    app = make_app(**account)
    assert line(checked(app), "provider events").startswith("ok ")
    url = f"/webhooks/gupshup?token={HOOK_SECRET}"
    client = app.test_client()
    for template, mark in ((COPY_CODE, "problem "), (PLAIN, "warning ")):
        client.post(url, json=template_event("paused", template))
        done = checked(app)
        assert done.exit_code == 1
        assert f"{mark} Gupshup template otp_copy_code: paused, as told at" in done.output
    assert "paused for 3 hours" in done.output
    assert "use another until it is back" in done.output
    assert "It is not used here." in done.output
    client.post(url, json=template_event("approved"))
    done = checked(app)
    assert done.exit_code == 0
    assert "ok       Gupshup template otp_copy_code: approved, as told at" in done.output


def test_what_was_told_long_ago_may_not_hold_any_more(
    make_app: MakeApp, account: dict[str, str]
) -> None:
    app = make_app(**account)
    event = {"type": "account-event", "app": "DemoApp", "payload": {"type": "restricted"}}
    app.test_client().post(f"/webhooks/gupshup?token={HOOK_SECRET}", json=event)
    assert line(checked(app), "Gupshup account DemoApp").startswith("problem ")
    pass_time(engines_of(app)[0], 8 * 86_400)
    told = line(checked(app), "Gupshup account DemoApp")
    assert told.startswith("warning ")
    assert "does it still hold?" in told
