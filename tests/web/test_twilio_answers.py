"""A verification in Twilio's words."""

from __future__ import annotations

from dataclasses import replace
from datetime import datetime, timedelta, timezone

import pytest

from otp_service.domain.verification import Channel, Status
from otp_service.web import twilio_answers
from otp_service.web.examples import FAILED, VERIFICATION

ACCOUNT = "AC" + "0" * 32


def told(**facts: object) -> dict[str, object]:
    found = replace(VERIFICATION, **facts)  # type: ignore[arg-type]
    return twilio_answers.verification(found, "VA", ACCOUNT, "https://otp.example/V")


@pytest.mark.parametrize(
    ("status", "attempts", "word"),
    [
        (Status.PENDING, 4, "pending"),
        (Status.VERIFIED, 0, "approved"),
        (Status.CANCELED, 0, "canceled"),
        (Status.EXPIRED, 0, "expired"),
        (Status.FAILED, 5, "max_attempts_reached"),
        (Status.FAILED, 0, "failed"),
    ],
)
def test_each_status_has_twilios_word(status: Status, attempts: int, word: str) -> None:
    found = told(status=status, attempts=attempts)
    assert (found["status"], found["valid"]) == (word, word == "approved")


def test_every_message_is_an_attempt() -> None:
    sms = replace(FAILED, id="1" * 32, channel=Channel.SMS)
    assert told(deliveries=(replace(FAILED, id="0" * 32), sms))["send_code_attempts"] == [
        {"time": "2026-11-22T17:30:28Z", "channel": "whatsapp", "attempt_sid": "VL" + "0" * 32},
        {"time": "2026-11-22T17:30:28Z", "channel": "SMS", "attempt_sid": "VL" + "1" * 32},
    ]


def test_it_was_updated_when_it_was_sent_again_or_ended() -> None:
    east = timezone(timedelta(hours=5, minutes=30))
    ended = datetime(2026, 11, 22, 23, 1, 0, tzinfo=east)
    assert told()["date_updated"] == told()["date_created"] == "2026-11-22T17:30:28Z"
    assert told(verified_at=ended)["date_updated"] == "2026-11-22T17:31:00Z"


def test_the_account_is_the_users_or_always_the_same_of_a_client() -> None:
    assert twilio_answers.account_sid(ACCOUNT, "shop") == ACCOUNT
    derived = [twilio_answers.account_sid(user, "shop") for user in (None, "", "SK1")]
    assert len({*derived, twilio_answers.account_sid(None, "other")}) == 2
    assert len(derived[0]) == 34
