"""`otp keys …`, as an operator types it."""

from __future__ import annotations

import re
from pathlib import Path

import pytest
import sqlalchemy as sa
from flask import Flask

from otp_service.proofs.keys import utc_now
from otp_service.settings import settings_of
from otp_service.storage import api_keys, signing_keys
from otp_service.storage.models.base import db
from otp_service.storage.models.keys import SigningKeyRow
from otp_service.storage.sql import audit
from tests.cli.helpers import flask
from tests.conftest import MakeApp
from tests.faults.waiting import until

COMMANDS = ["create", "list", "revoke", "signing list", "signing rotate", "signing revoke"]
JWKS = "/.well-known/jwks.json"


def run(app: Flask, command: str) -> tuple[int, str]:
    """Its exit code, and what it prints to standard output."""
    result = app.test_cli_runner().invoke(args=["otp", "keys", *command.split()])
    return result.exit_code, result.stdout


def lines(app: Flask, command: str) -> list[list[str]]:
    """The rows below the header, cell by cell."""
    code, text = run(app, command)
    assert code == 0
    return [re.split(" {2,}", line) for line in text.splitlines()[1:]]


def new_key(app: Flask, arguments: str) -> tuple[str, str]:
    """A key, and its id."""
    result = app.test_cli_runner().invoke(args=["otp", "keys", "create", *arguments.split()])
    assert result.exit_code == 0, result.output
    return result.stdout.strip(), result.stderr.rpartition("Its id is ")[2].strip(". \n")


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
    assert f"Example: ./otp keys {command}" in text


@pytest.mark.statement(15)
def test_keys_are_created_listed_and_revoked(app: Flask) -> None:
    before = utc_now()
    key, key_id = new_key(app, "shop --scope admin")
    assert key.startswith("otp_")
    assert len(key) == 4 + 43
    (shown,) = lines(app, "list")
    day = shown[4]
    assert shown == ["shop", key_id, "active", "admin", day, "never"]
    assert day in {f"{time:%Y-%m-%d}" for time in (before, utc_now())}  # midnight may pass
    assert run(app, "revoke shop") == (0, "shop is revoked.\n")
    assert lines(app, "list")[0][:3] == ["shop", key_id, "revoked"]
    assert run(app, "revoke nobody")[0] == 1
    assert key not in run(app, "list")[1]


def test_a_list_has_a_header_and_columns_and_an_empty_one_says_how_to_begin(app: Flask) -> None:
    assert run(app, "list")[1] == ("No keys yet. Make one with: ./otp keys create NAME\n")
    assert "No signing keys yet" in run(app, "signing list")[1]
    new_key(app, "a-client-with-a-long-name")
    new_key(app, "shop --scope otp --scope support")
    shown = run(app, "list")[1].splitlines()
    assert shown[0].split() == ["NAME", "ID", "STATE", "SCOPES", "CREATED", "LAST", "USED"]
    for title in ("ID", "STATE", "SCOPES", "CREATED", "LAST USED"):
        at = shown[0].index(title)
        assert [line[at - 1] + line[at] for line in shown[1:]] == [
            f" {line[at:].split()[0][0]}" for line in shown[1:]
        ]
    assert [line.split()[3] for line in shown[1:]] == ["otp,read", "otp,support"]


def test_a_second_key_of_a_client_lets_keys_be_replaced_without_a_gap(
    make_app: MakeApp, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(api_keys, "SECONDS_TRUSTED", 0)
    app = make_app(API_KEYS="required")
    old, old_id = new_key(app, "shop")
    sent = app.test_client().post(
        "/send-otp", json={"phone_number": "+1234567890"}, headers={"X-API-Key": old}
    )
    path = f"/verifications/{sent.get_json()['data']['verification_id']}"

    def status(key: str) -> int:
        return app.test_client().get(path, headers={"X-API-Key": key}).status_code

    new, new_id = new_key(app, "shop")
    assert (status(old), status(new)) == (200, 200)
    assert [line[:3] for line in lines(app, "list")] == [
        ["shop", old_id, "active"],
        ["shop", new_id, "active"],
    ]
    assert run(app, f"revoke shop --key {old_id}") == (
        0,
        f"shop: the key {old_id} is revoked.\n",
    )
    assert (status(old), status(new)) == (401, 200)
    newest, _ = new_key(app, "shop")
    assert run(app, "revoke shop")[0] == 0
    assert [status(key) for key in (old, new, newest)] == [401, 401, 401]


def test_a_client_has_two_keys_at_most_and_is_told_what_to_do(app: Flask) -> None:
    new_key(app, "shop")
    new_key(app, "shop")
    result = app.test_cli_runner().invoke(args=["otp", "keys", "create", "shop"])
    assert result.exit_code == 1
    assert "shop has 2 keys that hold" in result.stderr
    assert "otp keys revoke shop --key ID" in result.stderr
    assert len(lines(app, "list")) == 2
    for wrong in ("revoke shop --key 00000000", "revoke shop --key shop", "revoke shop --key %"):
        assert run(app, wrong)[0] == 1
    assert [line[2] for line in lines(app, "list")] == ["active", "active"]


def test_the_next_key_may_what_the_one_before_may_unless_it_is_said_otherwise(app: Flask) -> None:
    new_key(app, "prometheus --scope read")
    new_key(app, "prometheus")
    new_key(app, "desk --scope read")
    new_key(app, "desk --scope support")
    assert [line[3] for line in lines(app, "list")] == ["read", "support", "read", "read"]


@pytest.mark.statement(27)
@pytest.mark.parametrize(
    "name",
    [
        "operator:root",
        "Operator:root",
        "operator",
        "OPERATOR-root",
        "0perator",
        "hook:supabase",
        "service",
        "public",
        "Public",
        "\u043eperator:root",  # a Cyrillic o
        "shop\noperator:root",
        "shop\u2028x",
        "shop\u202ex",
        "shop  verification.checked",
        "-shop",
        "",
        " ",
        "x" * 65,
    ],
)
def test_no_client_has_a_name_that_could_pass_for_another_actor(app: Flask, name: str) -> None:
    result = app.test_cli_runner().invoke(args=["otp", "keys", "create", "--", name])
    assert result.exit_code == 2
    assert "NAME must be 1 to 64 letters, digits" in " ".join(result.stderr.split())
    assert "No keys yet" in run(app, "list")[1]


def test_a_key_may_send_and_look_unless_it_is_said_otherwise(app: Flask) -> None:
    run(app, "create shop")
    run(app, "create desk --scope read --scope admin")
    assert {line[0]: line[3] for line in lines(app, "list")} == {
        "shop": "otp,read",
        "desk": "read,admin",
    }


def test_the_list_tells_when_a_key_was_last_used(make_app: MakeApp, database_url: str) -> None:
    app = make_app(DATABASE_URL=database_url, API_KEYS="required")
    key = run(app, "create shop")[1].strip()
    run(app, "create shop")
    before = utc_now()
    assert app.test_client().get("/verifications/none", headers={"X-API-Key": key}).status_code
    until(lambda: lines(app, "list")[0][5] != "never")
    minutes = [f"{time:%Y-%m-%d %H:%M}" for time in (before, utc_now())]
    assert lines(app, "list")[0][5] in minutes
    assert lines(app, "list")[1][5] == "never"


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
    assert re.fullmatch(r"\d{4}-\d\d-\d\d \d\d:\d\d", since)
    code, told = run(proving, "signing rotate")
    second = told.split()[0]
    assert code == 0
    assert told == f"{second} signs from {lines(proving, 'signing list')[1][2]} UTC.\n"
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
    app, me = make_app(DATABASE_URL=database_url), audit.operator()
    _, one = new_key(app, "shop")
    _, other = new_key(app, "shop")
    run(app, "create shop")  # is refused
    run(app, f"revoke shop --key {one}")
    run(app, "revoke shop")
    run(app, "revoke nobody")
    first = run(app, "signing rotate")[1].split()[0]
    run(app, f"signing revoke {first}")
    run(app, "signing revoke unknown")
    assert audited(app) == [
        (me, "key.created", f"shop {one}"),
        (me, "key.created", f"shop {other}"),
        (me, "key.revoked", f"shop {one}"),
        (me, "key.revoked", "shop"),
        (me, "signing_key.created", first),
        (me, "signing_key.revoked", first),
    ]
