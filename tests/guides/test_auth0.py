"""The Action of docs/integrations/auth0.md, given events as Auth0 makes them."""

from __future__ import annotations

import json
import shutil
import subprocess
from collections.abc import Callable
from pathlib import Path
from typing import Any

import pytest

from tests.faults.loopback import free_port
from tests.guides.conftest import Service
from tests.guides.pages import blocks, page
from tests.system import node

ACTION, TRY = blocks(page("integrations/auth0.md"), "js")
DRIVER = Path(__file__).parent / "auth0.mjs"
Event = dict[str, Any]
Run = Callable[..., list[dict[str, str]]]


@pytest.fixture
def run(tmp_path: Path) -> Run:
    """What the Action asks of Auth0 for each of these events: nothing, a drop or a retry."""

    def run(*events: Event) -> list[dict[str, str]]:
        (tmp_path / "action.cjs").write_text(ACTION)
        shutil.copy(DRIVER, tmp_path)
        lines = "".join(json.dumps(event) + "\n" for event in events)
        command = [node(), DRIVER.name]
        done = subprocess.run(
            command, cwd=tmp_path, input=lines, capture_output=True, text=True, check=True
        )
        return [json.loads(line) for line in done.stdout.splitlines()]

    return run


def event(service: Service, phone: str, code: str | None = "482913", **other: Any) -> Event:
    """What the Action reads of an event, in the shape of the example in Auth0's own package."""
    message = {
        "as_text": f"Your code is {code}",
        "delivery_method": "text",
        "message_type": "otp_verify",
        "recipient": f"{phone[:3]}-{phone[3:8]}-{phone[8:]}",  # with hyphens, as the example has it
        "locale": "en-US",
        "from": "+1-808-555-2222",
    }
    if code:
        message["code"] = code
    made = {
        "notification": message | other.pop("notification", {}),
        "request": {"ip": "13.33.86.47", "language": "en", "method": "POST"},
        "secrets": {"OTP_URL": service.url, "OTP_API_KEY": service.key},
        "transaction": {"correlation_id": "abcefg123"},
    }
    return made | other


def without_address(service: Service, phone: str, **other: Any) -> Event:
    """As `event`, but of nobody's address, which would have had its messages."""
    return event(service, phone, request={}, **other)


def test_auth0s_code_reaches_the_phone(run: Run, service: Service, phone: str) -> None:
    assert run(event(service, phone)) == [{}]
    assert service.arrived(phone) == "482913"


def test_the_page_can_be_tried_without_an_account(tmp_path: Path, service: Service) -> None:
    (tmp_path / "action.js").write_text(ACTION)
    given = {"http://localhost:8000": service.url, "anything, in the sandbox": service.key}
    script = TRY
    for shown, ours in given.items():
        assert shown in script
        script = script.replace(shown, ours)
    (tmp_path / "try.js").write_text(script)
    command = [node(), "try.js"]
    done = subprocess.run(command, cwd=tmp_path, capture_output=True, text=True, check=True)
    assert done.stdout == ""
    assert service.arrived("+919876543210") == "561166"


def test_a_retry_sends_nothing_twice(run: Run, service: Service, phone: str) -> None:
    assert run(*[without_address(service, phone)] * 3) == [{}] * 3
    service.arrived(phone)
    assert run(without_address(service, phone, code="555444")) == [{}]
    service.arrived(phone, number=2)
    assert service.codes(phone) == ["482913", "555444"]


def test_what_auth0_can_do_nothing_about_is_dropped(run: Run, service: Service, phone: str) -> None:
    wrong_key = {"OTP_URL": service.url, "OTP_API_KEY": "a-wrong-key"}
    asked = run(
        without_address(service, phone, secrets=wrong_key),
        without_address(service, "+12025550143"),
    )
    assert asked == [{"drop": "401 unauthorized"}, {"drop": "403 destination_not_allowed"}]
    for number, code in enumerate(["111111", "222222"], 1):
        assert run(without_address(service, phone, code=code)) == [{}]
        service.arrived(phone, number)
    too_many = run(without_address(service, phone, code="333333"))
    assert too_many == [{"drop": "429 send_limit_exceeded"}]


def test_a_call_and_a_message_without_a_code_are_dropped(
    run: Run, service: Service, phone: str
) -> None:
    voice = {"delivery_method": "voice"}
    blocked = {"message_type": "blocked_account"}
    asked = run(
        event(service, phone, notification=voice),
        event(service, phone, code=None, notification=blocked),
    )
    assert asked == [
        {"drop": "only codes as text are delivered, no otp_verify as voice"},
        {"drop": "only codes as text are delivered, no blocked_account as text"},
    ]
    assert service.codes(phone) == []


def test_a_service_that_is_away_is_asked_again(run: Run, service: Service, phone: str) -> None:
    away = {"OTP_URL": f"http://127.0.0.1:{free_port()}", "OTP_API_KEY": service.key}
    assert run(event(service, phone, secrets=away)) == [{"retry": "no answer: TypeError"}]


def test_the_end_users_address_is_counted(run: Run, service: Service) -> None:
    address = {"ip": "198.51.100.7"}
    asked = run(
        event(service, "+919812342000", request=address),
        event(service, "+919812342001", request=address),
    )
    assert asked == [{}, {"drop": "429 send_limit_exceeded"}]
