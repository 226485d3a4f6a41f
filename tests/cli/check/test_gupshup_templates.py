"""Gupshup's template, as `otp check` looks at it."""

from __future__ import annotations

import json
from typing import Any

import pytest
from flask import Flask

from otp_service.simulator.providers import templates
from tests.cli.check.helpers import Check, line
from tests.conftest import Serve


@pytest.mark.parametrize("database_url", ["sqlite"], indirect=True)
@pytest.mark.parametrize(
    ("change", "told", "words"),
    [
        ({"status": "PENDING"}, "problem template", "wait"),
        ({"status": "REJECTED"}, "problem template", "otp_copy_code is rejected"),
        ({"status": "REJECTED"}, "problem template", ": no code in it"),
        ({"quality": "RED"}, "warning template", "quality is low"),
        ({"category": "MARKETING"}, "warning template", "authentication template"),
        ({"ttl": 600}, "warning lifetime", "OTP_EXPIRY_MINUTES to 10"),
        ({"ttl": 60}, "ok lifetime", "for 60 s"),
        ({"ttl": -1}, "warning lifetime", "for 2592000 s"),
        ({"ttl": None}, "warning lifetime", "Meta's default"),
        ({"footer": 5}, "warning lifetime", "OTP_EXPIRY_MINUTES=5"),
        ({"containerMeta": "?"}, "warning copy-code button", "press the button"),
    ],
)
def test_what_the_template_is_decides(
    check: Check, monkeypatch: pytest.MonkeyPatch, change: dict[str, Any], told: str, words: str
) -> None:
    made_of = {
        "buttons": [{"type": "OTP", "otp_type": "COPY_CODE"}],
        "codeExpirationMinutes": change.pop("footer", 3),
        "messageSendTTLSeconds": change.pop("ttl", 180),
    }
    shown = {"containerMeta": json.dumps(made_of), "reason": "no code in it"} | change

    class Changed(templates.Template):
        def describe(self) -> dict[str, Any]:
            return super().describe() | shown

    monkeypatch.setattr(templates, "TEMPLATES", (Changed(**vars(templates.COPY_CODE)),))
    done = check()
    assert words in done.output
    mark, _, subject = told.partition(" ")
    assert f"{mark:<8} {subject}: " in done.output
    assert done.exit_code == (mark == "problem")


@pytest.mark.parametrize("database_url", ["sqlite"], indirect=True)
@pytest.mark.parametrize("app_id", ["app", ""])
def test_somebody_else_in_gupshups_place_is_told(check: Check, serve: Serve, app_id: str) -> None:
    portal = Flask("portal")
    portal.before_request(lambda: "Please sign in")
    url = f"{serve(portal).url}/wa/api/v1/template/msg"
    done = check(GUPSHUP_API_URL=url, GUPSHUP_APP_ID=app_id)
    assert "warning  template: " in done.output
    if app_id:
        assert "something in between" in line(done, "Gupshup")
