"""`otp void`: what it asks, says, leaves in the audit trail, and where it ends otherwise."""

from __future__ import annotations

import json
import re
from datetime import datetime, timedelta, timezone
from pathlib import Path

import pytest
from flask import Flask
from flask.testing import FlaskClient

from otp_service.storage.models.base import db
from tests.cli.helpers import PHONE, flask, on_a_terminal
from tests.cli.test_commands import run_on
from tests.conftest import MakeApp
from tests.storage.helpers import pass_time

SAID = r"{} issued before 20\d\d-\d\d-\d\dT\d\d:\d\d:\d\d\.\d\d\dZ voided\.\n"


def run(app: Flask, *args: str) -> str:
    done = app.test_cli_runner().invoke(args=["otp", *args])
    assert done.exit_code == 0, done.output
    return done.output


def send(client: FlaskClient, purpose: str = "login") -> dict[str, str]:
    sent = client.post("/send-otp", json=PHONE | {"purpose": purpose}).get_json()["data"]
    return PHONE | {"purpose": purpose, "otp": sent["otp"]}


def verify(client: FlaskClient, code: dict[str, str]) -> str:
    answer = client.post("/verify-otp", json=code).get_json()
    return "ok" if answer["success"] else str(answer["error"]["code"])


def test_it_voids_says_how_many_and_leaves_an_entry(make_app: MakeApp, database_url: str) -> None:
    app = make_app(DATABASE_URL=database_url, FALLBACK_DATABASE_URL="off")
    client = app.test_client()
    codes = [send(client, purpose) for purpose in ("login", "payment")]
    assert re.fullmatch(SAID.format("2 verifications"), run(app, "void", "--yes"))
    assert [verify(client, code) for code in codes] == ["otp_not_found"] * 2
    entry = json.loads(run(app, "audit", "--action", "verifications.voided", "--json"))
    assert entry["actor"].startswith("operator:")
    assert re.fullmatch(r"2, issued before 20[\d:.T-]+Z", entry["detail"])
    assert re.fullmatch(SAID.format("0 verifications"), run(app, "void", "--yes"))


@pytest.mark.parametrize("zone", [timezone.utc, timezone(timedelta(hours=5, minutes=30))])
def test_a_time_is_read_with_its_zone(app: Flask, client: FlaskClient, zone: timezone) -> None:
    code = send(client)
    with app.app_context():
        pass_time(db.engine, 60)
    now = datetime.now(zone)
    early, late = ((now - timedelta(seconds=ago)).isoformat() for ago in (90, 30))
    assert run(app, "void", "--yes", "--issued-before", early).startswith("0 verifications")
    assert run(app, "void", "--yes", "--issued-before", late).startswith("1 verification ")
    assert verify(client, code) == "otp_not_found"


def test_a_time_ago_is_read_as_audit_reads_it(app: Flask, client: FlaskClient) -> None:
    code = send(client)
    assert run(app, "void", "--yes", "--issued-before", "1m").startswith("0 verifications")
    assert verify(client, code) == "ok"


@pytest.mark.parametrize(
    "text",
    [
        "yesterday",
        "2026-11-28",
        "2026-11-28T18:30:00",
        "2026-02-30T18:30:00Z",
        "0001-01-01T00:00:00+14:00",  # which is in no year in UTC
        "0m",
        "",
        "2dx",
    ],
)
def test_another_time_is_refused(app: Flask, text: str) -> None:
    done = app.test_cli_runner().invoke(args=["otp", "void", "--yes", "--issued-before", text])
    assert done.exit_code == 2
    assert "such as 2026-11-28T18:30:00Z, 30m" in done.output


def test_both_homes_are_voided_and_each_has_its_entry(
    make_app: MakeApp, postgres_url: str, tmp_path: Path
) -> None:
    file = f"sqlite:///{tmp_path / 'fallback.db'}"
    alone = make_app(DATABASE_URL=file)
    code = send(alone.test_client())
    app = make_app(DATABASE_URL=postgres_url, FALLBACK_DATABASE_URL=file)
    other = send(app.test_client(), "payment")
    assert run(app, "void", "--yes").startswith("2 verifications")
    entries = run(app, "audit", "--action", "verifications.voided", "--json").splitlines()
    assert [json.loads(entry)["detail"][:2] for entry in entries] == ["1,", "1,"]
    for each in (code, other):
        assert verify(app.test_client(), each) == "otp_not_found"


def test_without_a_terminal_it_wants_yes_and_voids_nothing(app: Flask, client: FlaskClient) -> None:
    code = send(client)
    done = app.test_cli_runner().invoke(args=["otp", "void"], input="y\n")
    assert done.exit_code == 2
    assert "give --yes" in done.output
    assert verify(client, code) == "ok"


@pytest.mark.parametrize(
    ("answer", "ends", "words"),
    [
        (b"y\n", (0, "otp_not_found"), "1 verification issued before"),
        (b"\n", (1, "ok"), "nothing is void"),
    ],
)
def test_on_a_terminal_it_asks(
    app: Flask, client: FlaskClient, answer: bytes, ends: tuple[int, str], words: str
) -> None:
    code = send(client)
    url = app.config["SQLALCHEMY_BINDS"][None]["url"]
    done, shown = on_a_terminal(url, "void", answer=answer)
    assert "Whoever waits for one needs another. [y/N]" in shown
    assert words in shown
    assert (done, verify(client, code)) == ends


def test_a_database_that_is_away_is_75_and_says_what_is_not_done() -> None:
    done = flask("postgresql://otp:hunter2@127.0.0.1:1/otp", "void", "--yes")
    assert done.returncode == 75
    assert "the postgresql database is away: ConnectFailed" in done.stderr
    assert "Nothing is void there: run it again." in done.stderr
    assert "hunter2" not in done.stderr
    assert "Traceback" not in done.stderr


@pytest.mark.from_nothing
def test_where_there_are_no_tables_it_says_what_to_do(database_url: str, tmp_path: Path) -> None:
    done = run_on(database_url, tmp_path, "void --yes")
    assert done.exit_code == 1
    assert "has no tables yet" in done.output
