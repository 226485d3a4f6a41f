"""`flask --app wsgi otp check`, against a simulated provider on real sockets."""

from __future__ import annotations

import json
import os
import pty
import subprocess
import sys
import time
from collections.abc import Callable, Iterator
from contextlib import closing
from pathlib import Path
from typing import Any

import pytest
import sqlalchemy as sa
from click.testing import Result
from flask import Flask

from otp_service import create_app
from otp_service.cli.check.findings import Mark
from otp_service.cli.check.refusals import refusal
from otp_service.domain.drafts import SendOptions
from otp_service.domain.errors import (
    CodeAlreadySent,
    DeliveryError,
    InvalidRequest,
    OtpError,
    PhoneLocked,
    SendLimitExceeded,
)
from otp_service.domain.limits import Limit
from otp_service.domain.verification import Person, Status
from otp_service.simulator import Simulator
from otp_service.simulator.providers import meta_callbacks, templates
from otp_service.storage.models.base import engines_of
from otp_service.storage.models.dialects import SCHEMA
from otp_service.web.dependencies import dependencies_of
from tests.conftest import SECRET, LiveServer, MakeApp, Serve
from tests.delivery.account import META
from tests.delivery.misbehaving import closed_port_url
from tests.storage.helpers import pass_time

ROOT = Path(__file__).parents[3]
PHONE = "+919812345678"
KEY, HOOK_SECRET = "k3y-of-gupshup-0001", "a-webhook-secret-of-the-tests"
COPY_CODE, PLAIN, PAUSED = (template.id for template in templates.TEMPLATES)
SMS = {"GUPSHUP_SMS_USERID": "2000000001", "GUPSHUP_SMS_PASSWORD": "a-pass-word"}
SECRETS = (KEY, HOOK_SECRET, SECRET, PHONE, PHONE[1:], "a-pass-word", "t0ken-of-meta", "an-app-s")
Check = Callable[..., Result]


@pytest.fixture
def simulator() -> Iterator[Simulator]:
    with Simulator(seed=1, delay=0.02, retry_pause=0.1, api_key=KEY) as simulator:
        yield simulator


@pytest.fixture
def account(simulator: Simulator, database_url: str) -> dict[str, str]:
    """Settings with nothing to be said about."""
    return {
        "DATABASE_URL": database_url,
        "FALLBACK_DATABASE_URL": "off",
        "GUPSHUP_API_URL": simulator.gupshup_url,
        "GUPSHUP_API_KEY": KEY,
        "GUPSHUP_SOURCE": "917834811114",
        "GUPSHUP_SRC_NAME": "DemoApp",
        "GUPSHUP_TEMPLATE_ID": COPY_CODE,
        "GUPSHUP_OTP_PARAM_COUNT": "2",
        "GUPSHUP_APP_ID": "82ed52f4-30c0-4f12-81b4-e7ad07bd41de",
        "GUPSHUP_WEBHOOK_SECRET": HOOK_SECRET,
        "API_KEYS": "off",
    }


@pytest.fixture
def check(make_app: MakeApp, account: dict[str, str]) -> Check:
    """The command with these settings, in this process; it never tells a secret."""

    def run(*arguments: str, **settings: str) -> Result:
        app = make_app(**{k: v for k, v in (account | settings).items() if v})
        return checked(app, *arguments)

    return run


def checked(app: Flask, *arguments: str) -> Result:
    result = app.test_cli_runner().invoke(args=["otp", "check", *arguments])
    assert not isinstance(result.exception, Exception), result.exception
    assert not [secret for secret in SECRETS if secret in result.output]
    return result


@pytest.fixture
def server(
    make_app: MakeApp, serve: Serve, account: dict[str, str], simulator: Simulator
) -> LiveServer:
    """A running server without a worker of its own, to which receipts come."""
    server = serve(
        make_app(**account | SMS, OTP_WORKER="off", GUPSHUP_SMS_API_URL=simulator.sms_url)
    )
    simulator.callback_url = f"{server.url}/webhooks/gupshup?token={HOOK_SECRET}"
    simulator.sms_callback_url = f"{server.url}/webhooks/gupshup-sms?token={HOOK_SECRET}"
    return server


def line(result: Result, subject: str) -> str:
    """The line about it, and what to do."""
    lines = result.output.splitlines()
    found = next(n for n, text in enumerate(lines) if text[9:].startswith(f"{subject}: "))
    return " ".join(lines[found : found + 2])


def test_a_right_configuration_has_no_problem(check: Check) -> None:
    done = check()
    assert done.exit_code == 0
    assert " ok, 0 problems, " in done.output.splitlines()[-1]
    for subject in ("worker", "receipts", "database", "Gupshup", "template", "copy-code button"):
        assert line(done, subject).startswith("ok  "), subject


def test_it_changes_and_sends_nothing(check: Check, simulator: Simulator) -> None:
    check()
    assert simulator.messages() == []


@pytest.mark.parametrize("database_url", ["sqlite"], indirect=True)
@pytest.mark.parametrize(
    ("settings", "subject", "words"),
    [
        ({"GUPSHUP_API_KEY": "another"}, "Gupshup", "does not accept the credentials"),
        ({"GUPSHUP_API_KEY": "another"}, "Gupshup", "enterprise account"),
        ({"GUPSHUP_API_URL": closed_port_url()}, "Gupshup", "127.0.0.1 can't be reached"),
        ({"GUPSHUP_TEMPLATE_ID": "otp_plain"}, "template", f"its name; Gupshup's id is {PLAIN}"),
        ({"GUPSHUP_TEMPLATE_ID": "900000000000002"}, "template", "Meta's id of it"),
        ({"GUPSHUP_TEMPLATE_ID": "welcome"}, "template", "must be Gupshup's UUID"),
        ({"GUPSHUP_TEMPLATE_ID": "welcome"}, "template", "There are: otp_copy_code (en_US)"),
        ({"GUPSHUP_TEMPLATE_ID": PAUSED}, "template", "otp_paused is paused"),
        ({"GUPSHUP_OTP_PARAM_COUNT": "1"}, "copy-code button", "Set GUPSHUP_OTP_PARAM_COUNT=2"),
        ({"GUPSHUP_TEMPLATE_ID": PLAIN}, "copy-code button", "(132000)"),
        ({"GUPSHUP_TEMPLATES": f"pt-BR={COPY_CODE}"}, "language pt-BR", "a template in en_US"),
        ({"GUPSHUP_TEMPLATES": f"pt={PAUSED}"}, "template (pt)", "is paused"),
        ({"GUPSHUP_TEMPLATES": "pt=nothing"}, "template (pt)", "the id in GUPSHUP_TEMPLATES"),
        ({"API_KEYS": "required"}, "API keys", "otp keys create NAME"),
        (SMS | {"GUPSHUP_SMS_API_URL": closed_port_url()}, "SMS", "can't be reached"),
        ({"GUPSHUP_API_URL": "http://[nobody"}, "Gupshup", "GUPSHUP_API_URL, or the key"),
        ({"GUPSHUP_APP_ID": "", "GUPSHUP_API_URL": "http://[nobody"}, "Gupshup", "can't be used"),
    ],
)
def test_a_problem_is_named_with_what_to_do(
    check: Check, settings: dict[str, str], subject: str, words: str
) -> None:
    done = check(**settings)
    assert done.exit_code == 1
    assert line(done, subject).startswith("problem ")
    assert words in line(done, subject)


@pytest.mark.parametrize("database_url", ["sqlite"], indirect=True)
@pytest.mark.parametrize(
    ("settings", "subject", "words"),
    [
        ({"GUPSHUP_APP_ID": ""}, "template", "in Gupshup's dashboard"),
        ({"GUPSHUP_WEBHOOK_SECRET": ""}, "settings", "receipts are refused"),
        ({"OTP_WORKER": "off"}, "worker", "./otp worker"),
        ({"OTP_EXPIRY_MINUTES": "2"}, "lifetime", "(message_send_ttl_seconds) to 120"),
        ({"GUPSHUP_TEMPLATES": f"en-GB={COPY_CODE}"}, "language en-GB", "in en_US"),
    ],
)
def test_a_warning_alone_is_no_failure(
    check: Check, settings: dict[str, str], subject: str, words: str
) -> None:
    done = check(**settings)
    assert done.exit_code == 0
    assert f"warning  {subject}: " in done.output
    assert words in done.output


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


def test_the_sandbox_is_a_warning(app: Flask) -> None:
    done = checked(app, "--send", PHONE)
    assert done.exit_code == 0
    assert "GUPSHUP_API_KEY" in line(done, "sandbox")
    assert "stay on this machine" in line(done, "delivery")


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


def test_a_database_without_tables_or_with_others_is_told(
    make_app: MakeApp, account: dict[str, str], tmp_path: Path
) -> None:
    app = make_app(**account)
    engine = engines_of(app)[0]
    schema = f"{SCHEMA}." if engine.dialect.name == "postgresql" else ""
    for version, mark in (("0001", "problem "), ("9999", "warning ")):
        with engine.begin() as connection:
            connection.execute(
                sa.text(f"UPDATE {schema}alembic_version SET version_num = '{version}'")
            )
        assert line(checked(app), "database").startswith(mark)
    with engine.begin() as connection:
        connection.execute(sa.text(f"DROP TABLE {schema}alembic_version"))
    assert checked(app).exit_code == 1
    fresh = create_app(
        account | {"DATABASE_URL": f"sqlite:///{tmp_path}/new.db", "OTP_SECRET": SECRET}
    )
    with closing_engines(fresh):
        assert "has no tables yet" in line(checked(fresh), "database")
        assert "otp init-db" in line(checked(fresh), "database")


@pytest.mark.parametrize("database_url", ["sqlite"], indirect=True)
def test_both_homes_are_looked_at(account: dict[str, str], tmp_path: Path) -> None:
    homes = {
        "DATABASE_URL": "postgresql://otp:hunter2@127.0.0.1:1/otp",
        "FALLBACK_DATABASE_URL": f"sqlite:///{tmp_path}/fallback.db",
    }
    app = create_app(account | homes | {"OTP_SECRET": SECRET}, instance=tmp_path)
    with closing_engines(app):
        done = checked(app)
    assert "can't be reached: ConnectFailed" in line(done, "database")
    assert "has no tables yet" in line(done, "fallback")
    assert "hunter2" not in done.output


def closing_engines(app: Flask) -> Any:
    class Engines:
        def close(self) -> None:
            for engine in engines_of(app):
                engine.dispose()

    return closing(Engines())


@pytest.mark.parametrize("database_url", ["sqlite"], indirect=True)
@pytest.mark.parametrize(
    ("answer", "mark", "words"),
    [
        (({"id": META["META_PHONE_NUMBER_ID"]}, 200), "ok", "the token is accepted"),
        (({"error": {"code": 190, "message": "Invalid token"}}, 401), "problem", "system user"),
        (({"error": {"code": 100, "message": "Unsupported get"}}, 400), "problem", "API Setup"),
        (({"error": {"code": 2, "message": "Down"}}, 503), "warning", "can't tell now"),
        (({}, 404), "warning", "META_API_URL"),
    ],
)
def test_meta_is_asked_for_the_number(
    check: Check, serve: Serve, answer: tuple[dict[str, Any], int], mark: str, words: str
) -> None:
    graph = Flask("graph")
    graph.get("/v23.0/<number>")(lambda number: answer)
    done = check(**META, META_API_URL=f"{serve(graph).url}/v23.0")
    assert line(done, "Meta").startswith(mark)
    assert words in line(done, "Meta")


@pytest.fixture
def meta(simulator: Simulator) -> dict[str, str]:
    """Settings with nothing to be said about."""
    return META | {"META_API_URL": simulator.meta_url, "META_TEMPLATE": "otp_copy_code"}


def test_metas_template_is_looked_at_in_each_language_without_the_accounts_id(
    check: Check, meta: dict[str, str]
) -> None:
    done = check(**meta)
    assert done.exit_code == 0, done.output
    assert line(done, "Meta account").startswith("ok ")
    template = [text for text in done.output.splitlines() if "Meta template (en_US)" in text]
    assert [text.split()[0] for text in template] == ["ok"] * 3
    assert "otp_copy_code is approved (authentication, en_US)" in done.output
    assert "in its text and in its copy-code button" in done.output
    assert "tries to deliver for 180 s" in template[-1]


@pytest.mark.parametrize("database_url", ["sqlite"], indirect=True)
@pytest.mark.parametrize(
    ("settings", "told", "words"),
    [
        ({"META_TEMPLATE": "otp_paused"}, "problem Meta template (en_US)", "otp_paused is paused"),
        ({"META_TEMPLATE": "otp_plain"}, "problem Meta template (en_US)", "no copy-code button"),
        ({"META_TEMPLATE": "otp"}, "problem Meta template", "There are: otp_copy_code, otp_plain"),
        (
            {"META_TEMPLATE_LANGUAGES": "en_US,pt_BR"},
            *("problem Meta template (pt_BR)", "there is en_US"),
        ),
        ({"META_TEMPLATE_LANGUAGES": "en"}, "problem Meta template (en)", "(132001)"),
        ({"OTP_EXPIRY_MINUTES": "2"}, "warning Meta template (en_US)", "_ttl_seconds) to 120"),
    ],
)
def test_what_of_metas_template_does_not_fit_is_told(
    check: Check, meta: dict[str, str], settings: dict[str, str], told: str, words: str
) -> None:
    done = check(**meta | settings)
    mark, _, subject = told.partition(" ")
    assert f"{mark:<8} {subject}: " in done.output
    assert words in done.output
    assert done.exit_code == (mark == "problem")


@pytest.mark.parametrize("database_url", ["sqlite"], indirect=True)
@pytest.mark.parametrize(
    ("change", "words"),
    [
        ({"category": "UTILITY"}, "its category is utility"),
        ({"status": "REJECTED", "rejected_reason": "INVALID_FORMAT"}, "rejected"),
        ({"components": [{"type": "BODY", "text": "{{1}}, {{2}}"}]}, "takes 2 values"),
        ({"status": "PENDING"}, "wait"),
    ],
)
def test_what_metas_template_is_decides(
    check: Check,
    meta: dict[str, str],
    monkeypatch: pytest.MonkeyPatch,
    change: dict[str, Any],
    words: str,
) -> None:
    class Changed(templates.Template):
        def describe_for_meta(self) -> dict[str, Any]:
            return super().describe_for_meta() | change

    monkeypatch.setattr(templates, "TEMPLATES", (Changed(**vars(templates.COPY_CODE)),))
    done = check(**meta)
    assert "problem  Meta template (en_US): " in done.output
    assert words in done.output


@pytest.mark.parametrize("database_url", ["sqlite"], indirect=True)
def test_what_keeps_metas_account_from_sending_is_told_with_its_own_advice(
    check: Check, meta: dict[str, str], monkeypatch: pytest.MonkeyPatch
) -> None:
    trouble = {"error_code": 141006, "error_description": "There is an error with the payment."}
    trouble |= {"possible_solution": "Add a payment method."}
    entities = [
        {"entity_type": "PHONE_NUMBER", "id": "1", "can_send_message": "LIMITED"}
        | {"additional_info": ["Your display name has not been approved yet."]},
        {"entity_type": "WABA", "id": meta_callbacks.ACCOUNT_ID, "can_send_message": "BLOCKED"}
        | {"errors": [trouble]},
    ]
    monkeypatch.setattr(meta_callbacks, "health", lambda number: {"entities": entities})
    done = check(**meta)
    assert done.exit_code == 1
    number = "warning  Meta account: the phone number is limited: Your display name has not been"
    assert number in done.output
    assert "problem  Meta account: the waba is blocked: There is an error with the" in done.output
    assert "Add a payment method." in done.output


@pytest.mark.parametrize("database_url", ["sqlite"], indirect=True)
def test_an_account_that_meta_does_not_name_is_a_warning(
    check: Check, meta: dict[str, str], monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(meta_callbacks, "health", lambda number: {})
    done = check(**meta)
    assert done.exit_code == 0
    assert "whatsapp_business_management" in line(done, "Meta template")


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


@pytest.mark.parametrize("database_url", ["sqlite"], indirect=True)
def test_a_phone_that_had_its_messages_gets_no_more(
    check: Check, server: LiveServer, simulator: Simulator
) -> None:
    done = [check("--send", PHONE) for _ in range(6)]
    assert [each.exit_code for each in done] == [0, 0, 0, 0, 0, 1]
    told = line(done[-1], "send")
    assert "(messages to it: 5 in 10 minutes): again in " in told
    assert "otp why +NUMBER" in told
    assert "phone_sends" not in told
    assert len(simulator.messages(PHONE)) == 5


@pytest.mark.parametrize("database_url", ["sqlite"], indirect=True)
@pytest.mark.parametrize(
    ("number", "settings", "words"),
    [
        ("+912227721234", {}, "its kind is one of OTP_BLOCKED_NUMBER_TYPES"),
        (PHONE, {"OTP_ALLOWED_COUNTRIES": "US"}, "its country is not in OTP_ALLOWED_COUNTRIES"),
        (PHONE, {"OTP_BLOCKED_PREFIXES": "+9198"}, "it begins with one of OTP_BLOCKED_PREFIXES"),
    ],
)
def test_a_number_that_gets_no_messages_is_told_why(
    check: Check, simulator: Simulator, number: str, settings: dict[str, str], words: str
) -> None:
    done = check("--send", number, **settings)
    assert done.exit_code == 1
    assert f"problem  send: this phone gets no messages: {words}" in done.output
    assert simulator.messages() == []


@pytest.mark.parametrize(
    "error",
    [
        kind()
        for kind in OtpError.__subclasses__()
        if kind not in (CodeAlreadySent, DeliveryError, InvalidRequest)
    ],
    ids=lambda error: error.code,
)
def test_whatever_a_send_may_be_refused_for_is_a_problem_in_words(error: OtpError) -> None:
    found = refusal(error, "whatsapp")
    assert found.mark is Mark.PROBLEM
    assert found.text


def test_a_locked_phone_is_told_what_it_waits_for() -> None:
    limit = Limit("phone_failures", 10, 3600)
    found = refusal(PhoneLocked(phone=PHONE, retry_after=12, **limit.details), "whatsapp")
    assert found.text.endswith("(wrong guesses: 10 in 1 hour): again in 12 s")
    unknown = SendLimitExceeded(phone=PHONE, retry_after=7, limit="a_new_one", allowed=3)
    assert refusal(unknown, "sms").text.endswith("(a_new_one: 3 at once): again in 7 s")


@pytest.mark.parametrize("database_url", ["sqlite"], indirect=True)
@pytest.mark.parametrize(
    ("arguments", "code", "words"),
    [
        (["--send", "hello"], 2, "must be international"),
        (["--channel", "sms"], 2, "--channel is for --send"),
        (["--send", PHONE, "--wait", "0"], 2, "--wait"),
        (["--send", PHONE, "--channel", "sms"], 1, "sms is not configured"),
    ],
)
def test_what_can_not_be_done_is_refused(
    check: Check, arguments: list[str], code: int, words: str
) -> None:
    done = check(*arguments)
    assert done.exit_code == code
    assert words in done.output


def test_help_has_examples(app: Flask) -> None:
    done = app.test_cli_runner().invoke(args=["otp", "check", "--help"])
    assert "Example: ./otp check --send +919876543210" in done.output


@pytest.mark.parametrize("database_url", ["sqlite"], indirect=True)
def test_on_a_terminal_the_wait_is_seen_and_marks_have_colours(
    make_app: MakeApp, account: dict[str, str], simulator: Simulator
) -> None:
    make_app(**account)
    simulator.script(fault="lost")
    command = [sys.executable, "-m", "flask", "--app", "wsgi", "otp", "check"]
    ours, theirs = pty.openpty()
    process = subprocess.Popen(
        [*command, "--send", PHONE, "--wait", "1"],
        cwd=ROOT,
        env=os.environ | account | {"OTP_SECRET": SECRET, "TERM": "xterm"},
        stdout=theirs,
        stderr=theirs,
    )
    os.close(theirs)
    shown = b""
    began = time.monotonic()
    while time.monotonic() - began < 60:
        try:
            piece = os.read(ours, 65536)
        except OSError:  # Linux's way of saying that the other side has closed
            break
        shown += piece
    os.close(ours)
    assert process.wait(30) == 1
    assert b"waiting, up to 1 s" in shown
    assert b"\x1b[31m" in shown
    assert b"Traceback" not in shown
