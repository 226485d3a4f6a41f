"""What a proof tells, and who gets one."""

from __future__ import annotations

import hashlib
import re
from pathlib import Path

import jwt
import pytest
from cryptography.exceptions import InvalidSignature
from flask import Flask
from flask.testing import FlaskClient

from otp_service import create_app
from otp_service.environment import SettingsError
from otp_service.proofs import keys as signing
from otp_service.settings import settings_of
from otp_service.web import examples
from otp_service.web.openapi import document_of
from tests.conftest import SECRET, MakeApp
from tests.proofs.reading import (
    AWAY,
    KEYS,
    PHONE,
    Claims,
    check_with_cryptography_alone,
    decoded,
    proof,
    read,
    sent,
)
from tests.storage.helpers import wrong

OTHER_PHONE = {"phone_number": "+14155552671"}
NEW_SECRET = bytes(range(0x6F, 0x8F)).hex()


def test_a_proof_is_a_plain_jws_over_the_published_key(client: FlaskClient) -> None:
    made = proof(client)
    published = client.get(KEYS).get_json()
    assert list(published) == ["keys"]
    check_with_cryptography_alone(made, published["keys"])
    with pytest.raises(InvalidSignature):
        check_with_cryptography_alone(f"{made[:-20]}{'A' * 18}{made[-2:]}", published["keys"])
    (key,) = published["keys"]
    assert set(key) == {"kty", "crv", "x", "kid", "use", "alg"}
    fixed = {"kty": "OKP", "crv": "Ed25519", "use": "sig", "alg": "EdDSA"}
    assert key.items() >= fixed.items()
    required = f'{{"crv":"Ed25519","kty":"OKP","x":"{key["x"]}"}}'
    assert decoded(key["kid"]) == hashlib.sha256(required.encode()).digest()
    assert jwt.get_unverified_header(made) == {"alg": "EdDSA", "kid": key["kid"], "typ": "JWT"}


def test_a_hashed_subject_is_the_phones_own_and_does_not_tell_it(make_app: MakeApp) -> None:
    client = make_app(OTP_PROOF="hashed").test_client()
    first, again, other = (proof(client, phone) for phone in (PHONE, PHONE, OTHER_PHONE))
    assert re.fullmatch("[0-9a-f]{64}", read(first)["sub"])
    assert read(first)["sub"] == read(again)["sub"] != read(other)["sub"]
    assert b"9876543210" not in decoded(first.split(".")[1])


def test_a_hashed_subject_lasts_until_the_old_secret_is_gone(make_app: MakeApp) -> None:
    def subject(secrets: str) -> str:
        app = make_app(OTP_PROOF="hashed", OTP_SECRET=secrets)
        return str(read(proof(app.test_client()))["sub"])

    before, during, after = map(subject, (SECRET, f"{NEW_SECRET},{SECRET}", NEW_SECRET))
    assert before == during != after


def test_a_proof_is_for_the_client_that_asked_unless_an_audience_is_set(make_app: MakeApp) -> None:
    app = make_app(OTP_PROOF="hashed", API_KEYS="required")
    create = ["otp", "keys", "create", "shop"]
    client = app.test_client()
    client.environ_base["HTTP_X_API_KEY"] = app.test_cli_runner().invoke(args=create).stdout.strip()
    assert read(proof(client))["aud"] == "shop"
    assert read(proof(make_app(OTP_PROOF="hashed").test_client()))["aud"] == "public"


def test_a_proof_tells_the_purpose_and_lives_as_long_as_it_is_set(make_app: MakeApp) -> None:
    app = make_app(OTP_PROOF="hashed", OTP_PROOF_SECONDS="30", OTP_PROOF_ISSUER="https://otp")
    claims = read(proof(app.test_client(), purpose="payment"))
    assert (claims["purpose"], claims["iss"]) == ("payment", "https://otp")
    assert claims["exp"] - claims["iat"] == 30


def test_no_proof_outlives_what_replaced_keys_are_published_for(tmp_path: Path) -> None:
    def chosen(seconds: int) -> Flask:
        url = f"sqlite:///{tmp_path / 'otp.db'}"
        environ = {"OTP_PROOF_SECONDS": str(seconds), "DATABASE_URL": url}
        return create_app(environ, instance=tmp_path)

    assert settings_of(chosen(signing.LONGEST_PROOF)).proof.seconds == signing.LONGEST_PROOF
    with pytest.raises(SettingsError, match="OTP_PROOF_SECONDS"):
        chosen(signing.LONGEST_PROOF + 1)


def test_a_check_that_is_repeated_with_its_key_gets_a_proof_again(client: FlaskClient) -> None:
    check = PHONE | {"otp": sent(client)}
    header = {"Idempotency-Key": "one"}
    answers = [client.post("/verify-otp", json=check, headers=header) for _ in range(2)]
    first, again = (read(answer.get_json()["data"].pop("proof")) for answer in answers)
    assert first.pop("jti") != again.pop("jti")
    same = ("verification_id", "auth_time", "sub", "aud")
    assert [first[name] for name in same] == [again[name] for name in same]


def test_every_proof_has_128_random_bits_of_its_own(client: FlaskClient) -> None:
    ids = [read(proof(client, purpose=name))["jti"] for name in ("one", "two", "three")]
    assert len(set(ids)) == 3
    assert {len(decoded(each)) for each in ids} == {16}


def test_a_wrong_code_has_no_proof(client: FlaskClient) -> None:
    code = sent(client)
    guess = PHONE | {"otp": wrong(code)}
    assert "proof" not in client.post("/verify-otp", json=guess).get_data(as_text=True)


def test_without_the_setting_there_is_no_proof_and_no_key_and_nothing_is_asked(
    make_app: MakeApp, tmp_path: Path
) -> None:
    client = make_app().test_client()
    check = PHONE | {"otp": sent(client)}
    assert set(client.post("/verify-otp", json=check).get_json()["data"]) == {
        "phone_number",
        "purpose",
        "verification_id",
        "verified_at",
    }
    environ = {"DATABASE_URL": AWAY, "FALLBACK_DATABASE_URL": "off", "OTP_SECRET": SECRET}
    away = create_app(environ, instance=tmp_path).test_client().get(KEYS)
    assert (away.status_code, away.get_json()) == (200, {"keys": []})


def test_the_documents_example_is_signed_by_its_example_key(proving: Flask, app: Flask) -> None:
    def example(of: Flask) -> Claims:
        answers = document_of(of).make()["paths"]["/verify-otp"]["post"]["responses"]
        shown = answers["200"]["content"]["application/json"]["examples"]["success"]["value"]
        return dict(shown["data"])

    check_with_cryptography_alone(example(proving)["proof"], examples.PUBLIC_KEYS["keys"])
    assert read(example(proving)["proof"])["verification_id"] == example(app)["verification_id"]
    assert "proof" not in example(app)
