"""`flask --app wsgi otp check`, against a simulated provider on real sockets."""

from __future__ import annotations

import os
import pty
import subprocess
import sys
import time

import pytest
from flask import Flask

from otp_service.simulator import Simulator
from tests.cli.check.helpers import COPY_CODE, PAUSED, PHONE, PLAIN, ROOT, SMS, Check, line
from tests.conftest import SECRET, MakeApp
from tests.delivery.misbehaving import closed_port_url


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
