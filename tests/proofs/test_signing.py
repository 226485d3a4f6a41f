"""Which key signs, and that a code is used up only where one can."""

from __future__ import annotations

from pathlib import Path

import jwt
import pytest
import sqlalchemy as sa
from flask import Flask
from flask.testing import FlaskClient

from otp_service import create_app
from otp_service.storage import signing_keys
from otp_service.storage.models.base import db, engines_of
from tests.conftest import SECRET, MakeApp
from tests.proofs.reading import AWAY, KEYS, PHONE, check_with_cryptography_alone, proof, read, sent
from tests.statements import recorded
from tests.storage.helpers import wrong


def rename(app: Flask, old: str, new: str) -> None:
    """Take the table of signing keys away, or put it back."""
    with app.app_context(), db.engine.begin() as connection:
        schema = "otp_service." if db.engine.dialect.name == "postgresql" else ""
        connection.execute(sa.text(f"ALTER TABLE {schema}{old} RENAME TO {new}"))


def test_no_code_is_used_up_and_no_guess_counted_while_nothing_can_sign(
    make_app: MakeApp, database_url: str
) -> None:
    app = make_app(DATABASE_URL=database_url, FALLBACK_DATABASE_URL="off", OTP_PROOF="hashed")
    client = app.test_client()
    rename(app, "signing_keys", "gone")
    right = PHONE | {"otp": sent(client)}
    guess = PHONE | {"otp": wrong(right["otp"])}
    for refused in (client.post("/verify-otp", json=body) for body in (right, guess)):
        assert refused.status_code == 503
        assert refused.get_json()["error"]["code"] == "storage_unavailable"
        assert "Retry-After" in refused.headers
    assert client.get(KEYS).status_code == 503
    rename(app, "gone", "signing_keys")
    guessed = client.post("/verify-otp", json=guess).get_json()
    assert guessed["error"]["attempts_remaining"] == 4
    assert client.post("/verify-otp", json=right).get_json()["data"]["proof"]


def test_a_check_asks_no_database_for_the_key_that_it_knows(
    make_app: MakeApp, database_url: str, monkeypatch: pytest.MonkeyPatch
) -> None:
    app = make_app(DATABASE_URL=database_url, FALLBACK_DATABASE_URL="off", OTP_PROOF="hashed")
    client = app.test_client()
    assert proof(client)
    monkeypatch.setattr(signing_keys, "SECONDS_TRUSTED", 3600)
    check = PHONE | {"otp": sent(client)}
    statements = recorded(engines_of(app)[0])
    assert client.post("/verify-otp", json=check).get_json()["data"]["proof"]
    assert statements
    assert [text for text in statements if b"signing_keys" in text] == []


@pytest.mark.statement(24)
def test_a_key_that_may_have_been_revoked_meanwhile_signs_nothing_and_uses_up_no_code(
    proving: Flask, client: FlaskClient, monkeypatch: pytest.MonkeyPatch
) -> None:
    before = proof(client)
    rename(proving, "signing_keys", "gone")
    after = proof(client)
    assert jwt.get_unverified_header(before) == jwt.get_unverified_header(after)
    monkeypatch.setattr(signing_keys, "SECONDS_TRUSTED", 0)  # what is known is too old now
    right = PHONE | {"otp": sent(client)}
    for refused in (client.post("/verify-otp", json=right), client.get(KEYS)):
        assert refused.status_code == 503
    rename(proving, "gone", "signing_keys")
    assert client.post("/verify-otp", json=right).get_json()["data"]["proof"]


def test_a_service_that_starts_in_an_outage_signs_with_the_copy(
    make_app: MakeApp, postgres_url: str, tmp_path: Path
) -> None:
    chosen = {"OTP_PROOF": "hashed", "OTP_SECRET": SECRET}
    fallback = {"FALLBACK_DATABASE_URL": f"sqlite:///{tmp_path / 'fallback.db'}"}
    before = proof(make_app(DATABASE_URL=postgres_url, **chosen, **fallback).test_client())
    started = create_app(chosen | fallback | {"DATABASE_URL": AWAY}, instance=tmp_path)
    client = started.test_client()
    after = proof(client)
    assert read(after)["verification_id"][0] == "s"
    assert jwt.get_unverified_header(after) == jwt.get_unverified_header(before)
    check_with_cryptography_alone(after, client.get(KEYS).get_json()["keys"])


def test_a_service_that_never_saw_a_key_uses_up_no_code_in_an_outage(
    make_app: MakeApp, tmp_path: Path
) -> None:
    fallback = {"FALLBACK_DATABASE_URL": f"sqlite:///{tmp_path / 'fallback.db'}"}
    make_app(DATABASE_URL=fallback["FALLBACK_DATABASE_URL"])  # makes the tables
    environ = fallback | {"DATABASE_URL": AWAY, "OTP_SECRET": SECRET}
    client = create_app(environ | {"OTP_PROOF": "hashed"}, instance=tmp_path).test_client()
    check = PHONE | {"otp": sent(client)}
    assert client.post("/verify-otp", json=check).status_code == 503
    without = create_app(environ, instance=tmp_path).test_client()
    assert without.post("/verify-otp", json=check).get_json()["success"]
