"""`otp why`, `otp unlock`, `otp audit`: the support desk's questions."""

from __future__ import annotations

import json
import re
from collections.abc import Iterator
from typing import Any

import pytest
from flask import Flask
from flask.testing import FlaskClient

from otp_service.simulator import Simulator
from otp_service.storage.models.base import db
from otp_service.storage.sql import audit
from tests.conftest import MakeApp
from tests.faults.processes import account
from tests.storage.helpers import wrong

PHONE = {"phone_number": "+919876543210"}


@pytest.fixture
def simulated() -> Iterator[Simulator]:
    with Simulator(seed=1, delay=0) as simulator:
        yield simulator


def run(app: Flask, *args: str) -> str:
    result = app.test_cli_runner().invoke(args=["otp", *args])
    assert result.exit_code == 0, result.output
    return result.output


def fill(client: FlaskClient) -> str:
    """Five messages, and ten wrong guesses; the newest code."""
    sent: dict[str, Any] = {}
    for purpose in ("one", "two", "three"):
        sent = client.post("/send-otp", json=PHONE | {"purpose": purpose}).get_json()["data"]
        guess = wrong(sent["otp"])
        for _ in range(5):
            client.post("/verify-otp", json=PHONE | {"purpose": purpose, "otp": guess})
    for _ in range(2):
        sent = client.post("/resend-otp", json=PHONE | {"purpose": "three"}).get_json()["data"]
    return str(sent["otp"])


def test_why_tells_what_blocks_a_number_and_until_when(app: Flask, client: FlaskClient) -> None:
    fill(client)
    told = run(app, "why", "+91 98765 43210")
    assert "+91••••3210: IN, mobile" in told
    assert "database: BLOCKED" in told
    until = r"BLOCKED until 20\d\d-\d\d-\d\dT\d\d:\d\d:\d\dZ"
    assert re.search(r"messages to it +5 of 5 in 10 minutes, " + until, told)
    assert re.search(r"wrong guesses +10 of 10 in 1 hour, " + until, told)
    assert re.search(r"the same, also by id +10 of 15 in 1 hour\n", told)
    assert len(re.findall(r"^  wrong guesses {3}", told, re.MULTILINE)) == 2
    assert re.search(r"wrong guesses in a row +10 of 100", told)
    assert re.search(r"live verifications +1 of 3\n", told)
    assert re.search(r"guesses for another one +0 of 5, " + until, told)
    assert "public two failed, 5 of 5 wrong guesses" in told
    assert "9876543210" not in told


def test_why_of_a_number_that_nothing_blocks(app: Flask) -> None:
    told = run(app, "why", "+919876543210", "--client-ip", "203.0.113.7")
    assert "database: no limit is met" in told
    assert re.search(r"live verifications +0 of 3\n", told)
    assert re.search(r"guesses for another one +5 of 5\n", told)
    assert re.search(r"messages from this address +0 of 20 in 10 minutes\n", told)
    assert "BLOCKED" not in told


def test_why_tells_of_the_messages_with_others_codes_and_of_no_verification(
    app: Flask, client: FlaskClient
) -> None:
    client.post("/messages", json=PHONE | {"otp": "04711", "purpose": "theirs"})
    told = run(app, "why", "+919876543210")
    assert "public theirs, whatsapp through sandbox: submitted" in told
    assert "wrong guesses, " not in told
    assert "04711" not in told


def test_why_tells_destination_rules(make_app: MakeApp) -> None:
    app = make_app(OTP_ALLOWED_COUNTRIES="US")
    told = run(app, "why", "+919876543210")
    assert "BLOCKED: its country is not in OTP_ALLOWED_COUNTRIES" in told
    assert "a test number" in run(app, "why", "+1234567890")


def test_why_tells_what_looks_like_pumping(make_app: MakeApp) -> None:
    app = make_app(OTP_PUMPING_NUMBERS="1/10m", OTP_PUMPING_GUARD="enforce")
    app.test_client().post("/send-otp", json={"phone_number": "+919876540001"})
    told = run(app, "why", "+919876543210")
    assert "BLOCKED, looks like pumping: many numbers of its prefix" in " ".join(told.split())


def test_unlock_lets_the_person_go_on_and_why_says_so(app: Flask, client: FlaskClient) -> None:
    code = fill(client)
    assert (
        client.post("/verify-otp", json=PHONE | {"otp": code, "purpose": "three"}).status_code
        == 429
    )
    assert "+91••••3210 is unlocked (database)." in run(app, "unlock", "+919876543210")
    assert client.post("/verify-otp", json=PHONE | {"otp": code, "purpose": "three"}).get_json()[
        "success"
    ]
    assert client.post("/send-otp", json=PHONE).status_code == 200
    told = run(app, "why", "+919876543210")
    assert "no limit is met" in told
    assert "what was before does not count" in told


def test_both_leave_an_audit_entry_of_the_operator(app: Flask) -> None:
    run(app, "why", "+919876543210")
    run(app, "unlock", "+919876543210")
    run(app, "erase", "--yes", "+919876543210")
    run(app, "unlock", "+14155552671")
    lines = run(app, "audit", "--phone", "+919876543210", "--json").splitlines()
    entries = [json.loads(line) for line in lines]
    assert [entry["action"] for entry in entries] == [
        "phone.explained",
        "phone.unlocked",
        "phone.erased",
    ]
    assert all(entry["actor"].startswith("operator:") for entry in entries)
    assert all(entry["phone"] == "+91••••3210" for entry in entries)


def test_audit_can_be_asked_for_one_verification_actor_or_action(
    app: Flask, client: FlaskClient
) -> None:
    sent = client.post("/send-otp", json=PHONE).get_json()["data"]
    client.post("/send-otp", json=PHONE | {"purpose": "other"})
    client.post("/verify-otp", json=PHONE | {"otp": sent["otp"]})
    mine = run(app, "audit", "--verification", sent["verification_id"])
    assert [line.split()[2] for line in mine.splitlines()] == [
        "ACTION",
        "verification.started",
        "verification.checked",
    ]
    assert len(run(app, "audit", "--action", "verification.started").splitlines()) == 3
    assert len(run(app, "audit", "--count", "1").splitlines()) == 2


def test_the_trail_is_in_columns_below_their_names(app: Flask) -> None:
    run(app, "why", "+919876543210")
    run(app, "unlock", "+919876543210")
    head, why, unlock = run(app, "audit").splitlines()
    assert head.split() == ["AT", "ACTOR", "ACTION", "VERIFICATION", "PHONE", "DETAIL"]
    for name, value in {"ACTION": "phone.explained", "PHONE": "+91••••3210", "DETAIL": "-"}.items():
        assert why[head.index(name) :].startswith(value)
    assert unlock[head.index("DETAIL") :] == "database"


def test_an_empty_trail_says_so_to_people_and_nothing_to_programs(app: Flask) -> None:
    assert run(app, "audit").startswith("No entries match in that time")
    assert run(app, "audit", "--actor", "nobody", "--json") == ""


@pytest.mark.parametrize(
    ("action", "words"),
    [
        ("key.create", "did you mean key.created?"),
        ("verification.check", "did you mean verification.checked?"),
        ("bogus", "they are verification.started, verification.resent"),
        ("", "they are verification.started"),
    ],
)
def test_an_action_that_there_is_not_is_refused_with_the_nearest(
    app: Flask, action: str, words: str
) -> None:
    result = app.test_cli_runner().invoke(args=["otp", "audit", "--action", action])
    assert result.exit_code == 2
    assert f"there is no such action: {words}" in result.output


@pytest.mark.parametrize("text", ["zzz", "", "S" + "0" * 32, "s" * 41, "s0123456789\n"])
def test_an_id_that_was_never_given_out_is_refused(app: Flask, text: str) -> None:
    result = app.test_cli_runner().invoke(args=["otp", "audit", "--verification", text])
    assert result.exit_code == 2
    assert "must be the verification_id of an answer to /send-otp" in result.output


def test_what_why_tells_stands_in_two_columns(app: Flask) -> None:
    told = run(app, "why", "+919876543210").splitlines()
    counts = [line for line in told if " of " in line]
    assert len(counts) > 5
    assert {re.search(r"\d+ of ", line).start() for line in counts} == {30}  # type: ignore[union-attr]


@pytest.mark.parametrize("purpose", ["BAD P", "", "p" * 33, "login\n", "é"])
def test_a_purpose_that_no_request_could_name_is_refused(app: Flask, purpose: str) -> None:
    result = app.test_cli_runner().invoke(
        args=["otp", "why", "+919876543210", "--purpose", purpose]
    )
    assert result.exit_code == 2
    assert "1 to 32 of a-z, 0-9, _ and -" in result.output


def test_why_tells_what_became_of_the_last_messages(
    make_app: MakeApp, database_url: str, simulated: Simulator
) -> None:
    urls = {"DATABASE_URL": database_url, "FALLBACK_DATABASE_URL": "off"}
    app = make_app(**urls, **account(simulated.gupshup_url))
    client = app.test_client()
    assert "messages  " not in run(app, "why", PHONE["phone_number"]).replace("messages to it", "")
    client.post("/send-otp", json=PHONE | {"purpose": "first"})
    simulated.script(fault="http:401")
    client.post("/send-otp", json=PHONE | {"purpose": "second"})
    told = run(app, "why", PHONE["phone_number"])
    told = told[told.index("  messages    ") :]
    at = r"20\d\d-\d\d-\d\dT\d\d:\d\d:\d\dZ"
    heading, second, why, first = told.splitlines()
    assert heading.endswith("the newest, by client and purpose")
    assert re.fullmatch(rf" +{at} public second, whatsapp through gupshup: failed at {at}", second)
    assert why.strip() == (
        "credentials_rejected: The provider does not accept the credentials. "
        "gupshup says: Authentication Failed"
    )
    assert re.fullmatch(rf" +{at} public first, whatsapp through gupshup: submitted at {at}", first)
    for _ in range(12):
        client.post("/send-otp", json={"phone_number": "+14155552671"})
    assert told == run(app, "why", PHONE["phone_number"])[-len(told) :]


def test_the_entries_of_a_phone_tell_its_cancellations_too(app: Flask, client: FlaskClient) -> None:
    sent = client.post("/send-otp", json=PHONE).get_json()["data"]
    client.delete(f"/verifications/{sent['verification_id']}")
    _, *lines = run(app, "audit", "--phone", "+919876543210").splitlines()
    assert [line.split()[2] for line in lines] == ["verification.started", "verification.canceled"]
    assert all("+91••••3210" in line for line in lines)


@pytest.mark.statement(27)
@pytest.mark.parametrize(
    "text", ["a\nb", "a\r\nb", "a\x1b[2Kb", "a\u2028b", "a\u0085b", "a\u202eb"]
)
def test_an_entry_is_one_line_whatever_it_holds(app: Flask, text: str) -> None:
    """As an environment could tell it to an earlier release."""
    with app.app_context():
        audit.record(db.engine, actor=f"operator:{text}", action="key.created", detail=text)
    for options, header in (((), 1), (("--json",), 0)):
        lines = run(app, "audit", *options).splitlines()
        assert len(lines) == header + 1
        assert all(line.isprintable() for line in lines)


@pytest.mark.parametrize(
    "args",
    [
        ("why", "12"),
        ("why", "+919876543210", "--client-ip", "here"),
        ("unlock", "12"),
        ("audit", "--since", "yesterday"),
        ("audit", "--phone", "12"),
        ("audit", "--count", "0"),
    ],
)
def test_a_question_that_makes_no_sense_is_refused(app: Flask, args: tuple[str, ...]) -> None:
    result = app.test_cli_runner().invoke(args=["otp", *args])
    assert result.exit_code == 2
    assert "Error" in result.output


@pytest.mark.parametrize(
    ("number", "why"),
    [
        ("hello", "it must be a plus and digits"),
        ("+9198765", "it has too few digits"),
        ("09876543210", "it does not begin with a country code"),
        ("+14362020123", "there are no such numbers"),
    ],
)
def test_a_number_that_is_none_is_refused_with_the_reason(
    app: Flask, number: str, why: str
) -> None:
    done = app.test_cli_runner().invoke(args=["otp", "why", number])
    assert done.exit_code == 2
    assert why in done.output


def test_commands_read_numbers_as_the_api_does(make_app: MakeApp) -> None:
    app = make_app(OTP_DEFAULT_COUNTRY="IN")
    assert "+91••••3210: IN, mobile" in run(app, "why", "98765 43210")
    assert "as a mobile it has a 9 after +54" in run(app, "why", "+541123456789")
