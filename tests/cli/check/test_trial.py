"""`otp check --send`: a code on its way to a phone."""

from __future__ import annotations

import pytest
import sqlalchemy as sa

from otp_service.domain.drafts import SendOptions
from otp_service.domain.verification import Person, Status
from otp_service.simulator import Simulator
from otp_service.storage.models.base import engines_of
from otp_service.storage.models.dialects import SCHEMA
from otp_service.web.dependencies import dependencies_of
from tests.cli.check.helpers import PHONE, SMS, Check, checked, line
from tests.conftest import LiveServer, MakeApp


def test_a_sent_code_is_followed_to_the_phone(
    check: Check, server: LiveServer, simulator: Simulator
) -> None:
    done = check("--send", PHONE)
    assert done.exit_code == 0, done.output
    stages = ("submitted (", "sent (", "delivered (")
    places = [done.output.index(stage) for stage in stages]
    assert places == sorted(places)
    assert "the message arrived over whatsapp" in line(done, "delivery")
    assert "+91••••5678" in done.output
    (message,) = simulator.messages(PHONE)
    assert message.code not in done.output
    assert "\r" not in done.output


def test_its_code_is_of_no_use_afterwards(
    check: Check, server: LiveServer, simulator: Simulator
) -> None:
    assert "canceled" in check("--send", PHONE).output
    engine = engines_of(server.app)[0]
    with server.app.app_context(), engine.connect() as connection:
        schema = f"{SCHEMA}." if engine.dialect.name == "postgresql" else ""
        found = connection.execute(
            sa.text(f"SELECT status, client, purpose FROM {schema}verifications")
        ).all()
    assert [tuple(row) for row in found] == [("canceled", "check", "check")]


@pytest.mark.parametrize("database_url", ["sqlite"], indirect=True)
@pytest.mark.parametrize(
    ("fault", "words"),
    [
        ("failed:1003", ("The account has no money left.", "Check Your Wallet", "Top up")),
        ("failed:132000", ("does not fit the template", "132000", "GUPSHUP_OTP_PARAM_COUNT")),
        ("http:401", ("does not accept the credentials", "Authentication Failed", "app name")),
        ("http:503", ("has a fault, or can't be reached",)),
    ],
)
def test_a_failure_is_explained_with_the_providers_reason_and_advice(
    check: Check, server: LiveServer, simulator: Simulator, fault: str, words: tuple[str, ...]
) -> None:
    simulator.script(fault=fault)
    done = check("--send", PHONE)
    assert done.exit_code == 1
    for word in words:
        assert word in done.output


@pytest.mark.parametrize("database_url", ["sqlite"], indirect=True)
def test_without_a_receipt_the_likely_causes_are_told(
    check: Check, server: LiveServer, simulator: Simulator
) -> None:
    simulator.script(fault="lost")
    done = check("--send", PHONE, "--wait", "1", GUPSHUP_APP_ID="")
    assert done.exit_code == 1
    for cause in ("no server of this service", "/webhooks/gupshup?token=", "not ticked"):
        assert cause in done.output
    assert "Press the message's copy-code button" in done.output  # the template is not known


@pytest.mark.parametrize("database_url", ["sqlite"], indirect=True)
def test_what_is_undeliverable_may_arrive_after_all(
    check: Check, server: LiveServer, simulator: Simulator
) -> None:
    simulator.delay = 1
    simulator.script(fault="failed-then-delivered")
    done = check("--send", PHONE)
    assert done.exit_code == 0, done.output
    assert "failed (whatsapp" in done.output
    assert "the message arrived over whatsapp" in line(done, "delivery")


@pytest.mark.parametrize("database_url", ["sqlite"], indirect=True)
def test_a_phone_that_is_off_is_a_warning(
    check: Check, server: LiveServer, simulator: Simulator
) -> None:
    simulator.script(fault="offline")
    done = check("--send", PHONE, "--wait", "3")
    assert done.exit_code == 0
    assert "sent, but no receipt of its arrival" in line(done, "delivery")


@pytest.mark.parametrize("database_url", ["sqlite"], indirect=True)
def test_auto_is_followed_to_the_sms(
    check: Check, server: LiveServer, simulator: Simulator
) -> None:
    simulator.script(fault="failed:1002", channel="whatsapp")
    sms = SMS | {"GUPSHUP_SMS_API_URL": simulator.sms_url}
    done = check("--send", PHONE, "--channel", "auto", **sms)
    assert done.exit_code == 0, done.output
    assert "whatsapp failed: This number is not on WhatsApp." in done.output
    assert "the message arrived over sms" in done.output


@pytest.mark.parametrize("database_url", ["sqlite"], indirect=True)
def test_a_test_numbers_message_stays_here(check: Check, simulator: Simulator) -> None:
    done = check("--send", PHONE, OTP_TEST_NUMBERS=PHONE)
    assert done.exit_code == 0
    assert "stay on this machine" in line(done, "delivery")
    assert simulator.messages() == []


@pytest.mark.parametrize("database_url", ["sqlite"], indirect=True)
def test_a_check_that_was_broken_off_is_in_nobodys_way(
    make_app: MakeApp, account: dict[str, str], server: LiveServer
) -> None:
    app = make_app(**account)
    service = dependencies_of(app).service
    earlier = service.send(Person("check", PHONE, "check"), SendOptions()).verification
    assert checked(app, "--send", PHONE).exit_code == 0
    assert service.get("check", earlier.id).status is Status.CANCELED
