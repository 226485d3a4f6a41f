"""What the settings and what waits tell `otp check`."""

from __future__ import annotations

import pytest
from flask import Flask

from otp_service.simulator import Simulator
from otp_service.storage.models.base import engines_of
from tests.cli.check.helpers import PHONE, SMS, Check, checked, line
from tests.conftest import MakeApp
from tests.events.endpoints import add
from tests.storage.helpers import pass_time


@pytest.mark.parametrize("database_url", ["sqlite"], indirect=True)
def test_the_text_of_the_sms_is_shown_as_it_would_be_sent(
    check: Check, simulator: Simulator
) -> None:
    sms = SMS | {"GUPSHUP_SMS_API_URL": simulator.sms_url}
    assert "as it is sent: 123456 is your verification code." in line(check(**sms), "SMS text")
    text = r'"{code}, for {minutes} minutes\n@example.com #{code}"'
    done = check(**sms, GUPSHUP_SMS_TEXT=text, OTP_LENGTH="4")
    shown = r'"1234, for 3 minutes\n@example.com #1234"'
    assert line(done, "SMS text").startswith(f"ok       SMS text: as it is sent: {shown}")
    assert "warning  settings: GUPSHUP_SMS_TEXT still has quotes around it" in done.output
    assert "warning  settings: GUPSHUP_SMS_TEXT has \\n in it as two characters" in done.output


def test_the_sandbox_is_a_warning(app: Flask) -> None:
    done = checked(app, "--send", PHONE)
    assert done.exit_code == 0
    assert "GUPSHUP_API_KEY" in line(done, "sandbox")
    assert "stay on this machine" in line(done, "delivery")


def test_which_hooks_are_on_is_told(make_app: MakeApp) -> None:
    done = checked(
        make_app(HOOK_LOGTO_TOKEN="a-token-of-logto", HOOK_ZITADEL_SECRET="a-secret-of-it")
    )
    assert "at /hooks/logto and /hooks/zitadel, and go by whatsapp" in line(done, "hooks")


def test_what_no_worker_looks_at_is_told(
    make_app: MakeApp, account: dict[str, str], simulator: Simulator
) -> None:
    app = make_app(**account, OTP_WORKER="off")
    app.test_client().post(
        "/send-otp", json={"phone_number": PHONE}, headers={"Prefer": "respond-async"}
    )
    assert "backlog" not in checked(app).output
    pass_time(engines_of(app)[0], 61)
    assert "1 message and 0 receipts waited" in line(checked(app), "backlog")


def test_an_endpoint_that_no_secret_opens_is_a_problem(make_app: MakeApp) -> None:
    before, after = "0123456789abcdef" * 4, "fedcba9876543210" * 4
    endpoint, _ = add(make_app(OTP_SECRET=before), "https://example.com/otp-events")
    known = checked(make_app(OTP_SECRET=f"{after},{before}"))
    assert "ok       events: 1 endpoint can be told" in line(known, "events")
    done = checked(make_app(OTP_SECRET=after))
    assert f"problem  events: nothing can be told to {endpoint}" in line(done, "events")
    assert done.exit_code == 1
