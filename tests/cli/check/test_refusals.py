"""`otp check --send` where no message goes out: why, in words."""

from __future__ import annotations

import pytest

from otp_service.cli.check.findings import Mark
from otp_service.cli.check.refusals import refusal
from otp_service.domain.errors import (
    CodeAlreadySent,
    DeliveryError,
    InvalidRequest,
    OtpError,
    PhoneLocked,
    SendLimitExceeded,
)
from otp_service.domain.limits import Limit
from otp_service.simulator import Simulator
from tests.cli.check.helpers import PHONE, Check, line
from tests.conftest import LiveServer


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
