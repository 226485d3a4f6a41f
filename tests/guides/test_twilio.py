"""docs/integrations/twilio.md: its code runs as it stands there, and its numbers are ours."""

from __future__ import annotations

import re
from typing import Any

import pytest

from otp_service.web import twilio_errors
from tests.guides.conftest import Service
from tests.guides.pages import blocks, page, table
from tests.storage.helpers import wrong

PAGE = page("integrations/twilio.md")
(ENVIRONMENT, _) = blocks(PAGE, "bash")


@pytest.fixture
def program(service: Service, monkeypatch: pytest.MonkeyPatch) -> dict[str, Any]:
    """What a reader has who copies the page's Python."""
    for line in ENVIRONMENT.splitlines():
        name, value = line.split("=")
        value = value.replace("http://localhost:8000", service.url)
        monkeypatch.setenv(name, service.key if value == "KEY" else value)
    names: dict[str, Any] = {}
    for block in blocks(PAGE, "python"):
        exec(block, names)
    return names


def test_a_person_signs_in(service: Service, program: dict[str, Any], phone: str) -> None:
    assert program["send"](phone) is None
    code = service.arrived(phone)
    assert not program["is_right"](phone, wrong(code))
    assert not program["is_right"](phone, "not a code")
    assert program["is_right"](phone, code)
    assert not program["is_right"](phone, code)


def test_a_person_is_told_what_is_wrong(program: dict[str, Any], phone: str) -> None:
    assert "not a phone number" in program["send"]("+1234")
    assert "can't send codes to this number" in program["send"]("+4915123456789")
    assert [program["send"](phone) for _ in range(2)] == [None, None]
    assert "Too many codes" in program["send"](phone)


def test_from_one_address_people_ask_for_so_many(program: dict[str, Any], phone: str) -> None:
    assert program["send"](phone, "203.0.113.9") is None
    assert "Too many codes" in program["send"](phone, "203.0.113.9")


def test_the_table_of_errors_has_each_number_with_its_statuses() -> None:
    told = {row[0]: row[1] for row in table(PAGE, "code")}
    refusals = [*twilio_errors.REFUSALS.values(), *twilio_errors.OF_DESTINATIONS.values()]
    known: dict[str, set[int]] = {}
    for status, number, _ in refusals:
        known.setdefault(str(number), set()).add(int(status))
    assert {code: set(map(int, re.findall(r"\d+", text))) for code, text in told.items()} == known
