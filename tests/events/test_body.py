"""What an event says, and what it keeps to itself."""

from __future__ import annotations

import json
from dataclasses import replace
from datetime import timedelta, timezone
from typing import Any

from otp_service.domain.events import EventType
from otp_service.events.body import body_of
from tests.events.fakes import AT, PHONE, endpoint, event

FAILED = replace(
    event(kind=EventType.MESSAGE_FAILED),
    status="failed",
    failure="not_on_whatsapp",
    reason="1002: Not on WhatsApp \u2026",
)


def data(*args: Any) -> dict[str, Any]:
    found: dict[str, Any] = json.loads(body_of(*args))["data"]
    return found


def test_it_is_a_type_a_time_and_data_in_the_same_order_and_bytes_each_time() -> None:
    body = body_of(FAILED, endpoint())
    assert body.decode() == (
        '{"type":"message.failed","timestamp":"2026-11-29T12:30:05.123Z","data":'
        '{"verification_id":"a","phone_number":"+919876543210","purpose":"login",'
        '"channel":"whatsapp","status":"failed","failure":"not_on_whatsapp",'
        '"reason":"1002: Not on WhatsApp …"}}'
    )
    assert body_of(replace(FAILED, tries=7, lease="b", home="s"), endpoint()) == body


def test_its_time_is_in_utc_wherever_the_database_is() -> None:
    there = replace(event(), at=AT.astimezone(timezone(timedelta(hours=5, minutes=30))))
    assert body_of(there, endpoint()) == body_of(event(), endpoint())


def test_what_did_not_fail_has_neither_failure_nor_reason() -> None:
    assert (data(event(), endpoint())["failure"], data(event(), endpoint())["reason"]) == (
        None,
        None,
    )


def test_a_message_with_a_code_of_somebody_elses_is_named_as_one() -> None:
    found = data(replace(event(), verification_id=None, message_id="s1"), endpoint())
    assert found["message_id"] == "s1"
    assert "verification_id" not in found


def test_without_phones_there_is_none() -> None:
    assert PHONE not in body_of(FAILED, endpoint(with_phone=False)).decode()


def test_who_gets_everybodys_events_is_told_whose_each_is() -> None:
    assert data(event(), endpoint(client=None))["client"] == "shop"
    assert "client" not in data(event(), endpoint())
