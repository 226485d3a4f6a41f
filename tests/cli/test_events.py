"""`otp events …`, as an operator types it."""

from __future__ import annotations

import base64
import re
from collections.abc import Iterator

import pytest
from flask import Flask

from otp_service.domain.events import EventType
from otp_service.storage.models.base import db
from otp_service.storage.sql import audit
from otp_service.web.dependencies import dependencies_of
from tests.conftest import MakeApp
from tests.events.endpoints import add, listen
from tests.events.receiver import Receiver, receiver
from tests.faults.waiting import until

URL = "https://example.com/otp-events"
COMMANDS = ["add", "list", "remove", "test", "replay"]


@pytest.fixture
def listening() -> Iterator[Receiver]:
    with receiver() as listening:
        yield listening


def run(app: Flask, command: str) -> tuple[int, str, str]:
    """Its exit code, and what it prints to standard output and standard error."""
    result = app.test_cli_runner().invoke(args=["otp", "events", *command.split()])
    return result.exit_code, result.stdout, result.stderr


def rows(app: Flask) -> list[list[str]]:
    code, text, _ = run(app, "list")
    assert code == 0
    return [re.split(" {2,}", line) for line in text.splitlines()[1:]]


@pytest.mark.parametrize("command", COMMANDS)
def test_every_command_has_help_with_an_example(app: Flask, command: str) -> None:
    code, text, _ = run(app, f"{command} --help")
    assert code == 0
    assert f"Example: ./otp events {command}" in text


def test_endpoints_are_added_listed_and_removed_and_their_secret_is_shown_once(app: Flask) -> None:
    assert run(app, "list")[1] == "No endpoints yet. Add one with: ./otp events add URL\n"
    first, secret = add(app, f"{URL}?token=abcd1234")
    types = "--type message.failed --type message.read --type message.failed"
    second, other = add(app, f"http://shop:8080/ --client shop --no-phone {types}")
    assert len(base64.b64decode(secret.removeprefix("whsec_"), validate=True)) == 32
    assert secret != other
    one, two = rows(app)
    assert one[:5] == [first, "active", "all", "all", "yes"]
    assert one[6] == f"{URL}?token=…"
    assert two[:5] == [second, "active", "shop", "message.failed,message.read", "no"]
    assert run(app, f"remove {first}")[:2] == (0, f"The endpoint {first} is removed.\n")
    assert rows(app)[0][1].startswith("ended 20")
    code, out, err = run(app, f"remove {first}")
    assert (code, out) == (1, "")
    assert "see ./otp events list" in err
    for shown in (secret, other, "abcd1234"):
        assert shown not in run(app, "list")[1]


def test_an_endpoint_whose_secret_is_lost_is_listed_so_until_it_is_removed(
    make_app: MakeApp,
) -> None:
    before, after = "0123456789abcdef" * 4, "fedcba9876543210" * 4
    endpoint, _ = add(make_app(OTP_SECRET=before), URL)
    app = make_app(OTP_SECRET=after)
    assert rows(app)[0][:2] == [endpoint, "secret lost"]
    assert "add it anew" in run(app, f"test {endpoint}")[2]
    assert rows(make_app(OTP_SECRET=f"{after},{before}"))[0][1] == "active"
    run(app, f"remove {endpoint}")
    assert rows(app)[0][1].startswith("ended 20")


def test_each_change_is_in_the_audit_trail_without_address_and_secret(app: Flask) -> None:
    endpoint, _ = add(app, URL)
    run(app, "replay --since 1h")
    run(app, f"remove {endpoint}")
    with app.app_context():
        found = audit.find(db.engine, seconds=60, count=20)
    entries = {row.action: row.detail or "" for row in found}
    assert entries["endpoint.added"] == entries["endpoint.removed"] == endpoint
    assert entries["events.replayed"].startswith("0 to all since 20")


@pytest.mark.parametrize(
    ("arguments", "words"),
    [
        ("add http://example.com/", "must begin with https://"),
        ("add https://a:b@example.com/", "no user name or password"),
        (f"add {URL} --type message.lost", "message.failed"),
        (f"add {URL} --client {'c' * 65}", "1 to 64 characters"),
        ("add", "Missing argument 'URL'"),
        ("replay", "Missing option '--since'"),
        ("replay --since yesterday", "must be such as"),
    ],
)
def test_what_nobody_can_have_meant_ends_with_2_and_changes_nothing(
    app: Flask, arguments: str, words: str
) -> None:
    code, out, err = run(app, arguments)
    assert (code, out) == (2, "")
    assert words in err
    assert rows(app) == []


def test_help_names_every_type(app: Flask) -> None:
    text = re.sub(r"\s+", "", run(app, "add --help")[1])
    assert all(each.value in text for each in EventType)


def test_a_test_event_is_signed_and_its_answer_told(app: Flask, listening: Receiver) -> None:
    endpoint = listen(app, listening, "--type message.failed --no-phone")
    code, out, _ = run(app, f"test {endpoint}")
    assert code == 0
    assert re.fullmatch(rf"The endpoint {endpoint} took it: HTTP 204 after \d+\.\d\d s\.\n", out)
    (event,) = listening.verified
    assert event["type"] == "message.failed"
    assert event["data"]["purpose"] == "test"
    assert "phone_number" not in event["data"]


@pytest.mark.parametrize("status", [302, 410, 500])
def test_a_test_event_that_is_refused_ends_with_1_and_changes_nothing(
    app: Flask, listening: Receiver, status: int
) -> None:
    endpoint = listen(app, listening)
    listening.answer = lambda: status
    code, out, err = run(app, f"test {endpoint}")
    assert (code, out) == (1, "")
    assert f"the endpoint {endpoint} did not take it: HTTP {status} after" in err
    assert rows(app)[0][1] == "active"


@pytest.mark.parametrize(
    "command", ["test nobody", "remove nobody", "replay --since 1h --endpoint x"]
)
def test_an_endpoint_that_is_not_there_is_said_so(app: Flask, command: str) -> None:
    code, _, err = run(app, command)
    assert code == 1
    assert "there is no active endpoint" in err


def test_what_was_told_is_told_again_with_its_ids_and_in_order(
    make_app: MakeApp, listening: Receiver
) -> None:
    app = make_app()
    endpoint = listen(app, listening)
    telling = dependencies_of(app).telling
    telling.start()
    body = {"phone_number": "+919876543210"}
    code = app.test_client().post("/send-otp", json=body).get_json()["data"]["otp"]
    app.test_client().post("/verify-otp", json=body | {"otp": code})
    until(lambda: len(listening.ids) == 3)
    assert run(app, f"replay --since 1h --endpoint {endpoint}")[1] == "3 events told again.\n"
    until(lambda: len(listening.ids) == 6)
    assert listening.ids[3:] == listening.ids[:3]
    assert run(app, "replay --since now")[1] == "0 events told again.\n"
    dependencies_of(app).stop()
    telling.join()
