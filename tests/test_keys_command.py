"""`otp keys …`, as an operator types it."""

from __future__ import annotations

import getpass
import re
from pathlib import Path

import pytest
import sqlalchemy as sa
from flask import Flask

from otp_service import create_app
from otp_service.settings import settings_of
from otp_service.signing import utc_now
from otp_service.storage import audit, signing_keys
from otp_service.storage.access_models import SigningKeyRow
from otp_service.storage.models import db
from tests.conftest import SECRET, MakeApp
from tests.faults.waiting import until
from tests.test_cli import flask

COMMANDS = ["create", "list", "revoke", "signing list", "signing rotate", "signing revoke"]
JWKS = "/.well-known/jwks.json"


def run(app: Flask, command: str) -> tuple[int, str]:
    """Its exit code, and what it prints to standard output."""
    result = app.test_cli_runner().invoke(args=["otp", "keys", *command.split()])
    return result.exit_code, result.stdout


def lines(app: Flask, command: str) -> list[list[str]]:
    code, text = run(app, command)
    assert code == 0
    return [line.split("\t") for line in text.splitlines()]


def audited(app: Flask) -> list[tuple[str, str, str | None]]:
    """What was done, in order."""
    with app.app_context():
        found = audit.find(db.engine, seconds=60, count=20)
    return [(row.actor, row.action, row.detail) for row in reversed(found)]


def published(app: Flask) -> list[str]:
    return [key["kid"] for key in app.test_client().get(JWKS).get_json()["keys"]]


@pytest.fixture
def proving(make_app: MakeApp, monkeypatch: pytest.MonkeyPatch) -> Flask:
    monkeypatch.setattr(signing_keys, "SECONDS_TRUSTED", 0)
    return make_app(OTP_PROOF="hashed")


@pytest.mark.parametrize("command", COMMANDS)
def test_every_command_has_help_with_an_example(app: Flask, command: str) -> None:
    code, text = run(app, f"{command} --help")
    assert code == 0
    assert f"Example: flask --app wsgi otp keys {command}" in text


@pytest.mark.parametrize("command", ["signing list", "signing rotate", "signing revoke x"])
def test_every_command_says_plainly_when_the_database_is_not_there(
    command: str, tmp_path: Path
) -> None:
    url = "postgresql://otp:hunter2@127.0.0.1:1/otp"
    environ = {"DATABASE_URL": url, "FALLBACK_DATABASE_URL": "off", "OTP_SECRET": SECRET}
    app = create_app(environ, instance=tmp_path)
    result = app.test_cli_runner().invoke(args=["otp", "keys", *command.split()])
    assert result.exit_code == 1
    assert "the database can't be reached or refuses" in result.stderr
    assert "hunter2" not in result.stderr


@pytest.mark.statement(15)
def test_keys_are_created_listed_and_revoked(app: Flask) -> None:
    code, text = run(app, "create shop --scope admin")
    key = text.strip()
    assert code == 0
    assert key.startswith("otp_")
    assert len(key) == 4 + 43
    today = f"created {utc_now():%Y-%m-%d}"
    assert lines(app, "list") == [["shop", "active", "admin", today, "never used"]]
    assert run(app, "create shop")[0] == 1
    assert run(app, "revoke shop") == (0, "shop is revoked.\n")
    assert lines(app, "list")[0][:2] == ["shop", "revoked"]
    assert run(app, "revoke nobody")[0] == 1
    assert key not in run(app, "list")[1]


def test_a_key_may_send_and_look_unless_it_is_said_otherwise(app: Flask) -> None:
    run(app, "create shop")
    run(app, "create desk --scope read --scope admin")
    assert {line[0]: line[2] for line in lines(app, "list")} == {
        "shop": "otp read",
        "desk": "read admin",
    }


def test_the_list_tells_when_a_key_was_last_used(make_app: MakeApp, database_url: str) -> None:
    app = make_app(DATABASE_URL=database_url, API_KEYS="required")
    key = run(app, "create shop")[1].strip()
    run(app, "create idle")
    before = utc_now()
    assert app.test_client().get("/verifications/none", headers={"X-API-Key": key}).status_code
    until(lambda: lines(app, "list")[0][4] != "never used")
    minutes = [f"last used {time:%Y-%m-%d %H:%M}" for time in (before, utc_now())]
    assert lines(app, "list")[0][4] in minutes
    assert lines(app, "list")[1][4] == "never used"


@pytest.mark.statement(15)
def test_a_key_that_another_process_revokes_ends_within_seconds(
    make_app: MakeApp, tmp_path: Path
) -> None:
    url = f"sqlite:///{tmp_path / 'otp.db'}"
    app = make_app(DATABASE_URL=url, API_KEYS="required")
    headers = {"X-API-Key": run(app, "create shop")[1].strip()}

    def status() -> int:
        return app.test_client().get("/verifications/none", headers=headers).status_code

    assert status() == 404
    assert flask(url, "keys", "revoke", "shop").returncode == 0
    until(lambda: status() == 401)


def test_signing_keys_are_listed_rotated_and_revoked(proving: Flask) -> None:
    (first,) = published(proving)
    ((kid, state, since),) = lines(proving, "signing list")
    assert (kid, state) == (first, "signs")
    assert re.fullmatch(r"signs from \d{4}-\d\d-\d\d \d\d:\d\d", since)
    code, told = run(proving, "signing rotate")
    second = told.split()[0]
    assert code == 0
    assert told == f"{second} {lines(proving, 'signing list')[1][2]} UTC.\n"
    assert published(proving) == [first, second]
    assert [line[1] for line in lines(proving, "signing list")] == ["signs", "next"]
    assert run(proving, f"signing revoke {first}") == (0, f"{first} is revoked.\n")
    assert published(proving) == [second]
    assert [line[1] for line in lines(proving, "signing list")] == ["revoked", "signs"]
    assert run(proving, "signing revoke unknown")[0] == 1


def test_the_first_key_may_be_made_by_hand_and_signs_at_once(app: Flask) -> None:
    kid = run(app, "signing rotate")[1].split()[0]
    assert [line[:2] for line in lines(app, "signing list")] == [[kid, "signs"]]


@pytest.mark.parametrize("kid", ["-Zq3", "--help-me", "-_-"])
def test_a_key_whose_name_looks_like_an_option_can_be_revoked(app: Flask, kid: str) -> None:
    run(app, "signing rotate")
    with app.app_context(), db.engine.begin() as connection:
        connection.execute(sa.update(SigningKeyRow).values(kid=kid))
    assert run(app, f"signing revoke {kid}") == (0, f"{kid} is revoked.\n")


def test_no_command_shows_a_private_key(proving: Flask) -> None:
    told = [run(proving, command)[1] for command in ("signing rotate", "signing list")]
    with proving.app_context():
        secrets = settings_of(proving).secrets
        for key in signing_keys.everything(db.engine, secrets):
            assert key.private
            assert key.private.private_bytes_raw().hex() not in str(told)
    assert "PRIVATE" not in str(told)


def test_each_change_of_a_key_leaves_an_entry_in_the_audit_trail(
    make_app: MakeApp, database_url: str
) -> None:
    app, me = make_app(DATABASE_URL=database_url), f"operator:{getpass.getuser()}"
    run(app, "create shop")
    run(app, "create shop")  # is refused
    run(app, "revoke shop")
    run(app, "revoke nobody")
    first = run(app, "signing rotate")[1].split()[0]
    run(app, f"signing revoke {first}")
    run(app, "signing revoke unknown")
    assert audited(app) == [
        (me, "key.created", "shop"),
        (me, "key.revoked", "shop"),
        (me, "signing_key.created", first),
        (me, "signing_key.revoked", first),
    ]
