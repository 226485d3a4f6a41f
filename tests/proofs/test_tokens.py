"""Proofs, as those see them who never call this service."""

from __future__ import annotations

import base64
import hashlib
import hmac
import json
import re
import time
from collections.abc import Callable
from pathlib import Path
from typing import Any

import jwt
import pytest
import requests
import sqlalchemy as sa
from cryptography.exceptions import InvalidSignature
from cryptography.hazmat.primitives.asymmetric.ed25519 import (
    Ed25519PrivateKey,
    Ed25519PublicKey,
)
from flask import Flask
from flask.testing import FlaskClient

from otp_service import create_app
from otp_service.environment import SettingsError
from otp_service.proofs import keys as signing
from otp_service.settings import settings_of
from otp_service.storage import signing_keys
from otp_service.storage.models.base import db, engines_of
from otp_service.web import examples
from tests.conftest import SECRET, MakeApp, Serve
from tests.storage.helpers import wrong

PHONE = {"phone_number": "+919876543210"}
OTHER_PHONE = {"phone_number": "+14155552671"}
NEW_SECRET = bytes(range(0x6F, 0x8F)).hex()
AWAY = "postgresql://otp@127.0.0.1:1/otp"
PAGE = (Path(__file__).parents[2] / "docs" / "proofs.md").read_text()
KEYS = "/.well-known/jwks.json"

Claims = dict[str, Any]
CheckProof = Callable[[str, str], Claims]


def sent(client: FlaskClient, phone: dict[str, str] = PHONE, **more: str) -> str:
    """A new code."""
    answer = client.post("/resend-otp", json=phone | more).get_json()
    return str(answer["data"]["otp"])


def proof(client: FlaskClient, phone: dict[str, str] = PHONE, **more: str) -> str:
    """That of a person who typed the right code."""
    check = phone | more | {"otp": sent(client, phone, **more)}
    answer = client.post("/verify-otp", json=check).get_json()
    return str(answer["data"]["proof"])


def read(proof: str) -> Claims:
    return dict(jwt.decode(proof, options={"verify_signature": False}))


def documented_check(url: str) -> CheckProof:
    """The verifier of docs/proofs.md, as it stands there, against this service."""
    (code,) = re.findall(r"```python\n(.*?)```", PAGE, flags=re.DOTALL)
    names: dict[str, Any] = {}
    exec(code.replace("http://localhost:8000", url), names)
    return names["check_proof"]  # type: ignore[no-any-return]


@pytest.fixture
def proving(make_app: MakeApp) -> Flask:
    return make_app(OTP_PROOF="phone", OTP_PROOF_AUDIENCE="shop")


@pytest.fixture
def client(proving: Flask) -> FlaskClient:
    return proving.test_client()


def test_the_documented_verifier_takes_a_proof_and_learns_what_was_verified(
    proving: Flask, serve: Serve
) -> None:
    url = serve(proving).url
    code = requests.post(f"{url}/send-otp", json=PHONE, timeout=10).json()["data"]["otp"]
    answer = requests.post(f"{url}/verify-otp", json=PHONE | {"otp": code}, timeout=10).json()
    claims = documented_check(url)(answer["data"]["proof"], "login")
    told = {name: answer["data"][name] for name in ("purpose", "verification_id")}
    fixed = {"iss": "otp-service", "sub": "+919876543210", "aud": "shop", "channel": "whatsapp"}
    assert claims.items() >= (told | fixed).items()
    assert set(claims) - set(told | fixed) == {"iat", "exp", "jti", "auth_time"}
    assert abs(claims["iat"] - time.time()) < 60
    assert claims["exp"] == claims["iat"] + 300
    assert 0 <= claims["iat"] - claims["auth_time"] < 60


def decoded(part: str) -> bytes:
    return base64.urlsafe_b64decode(part + "=" * (-len(part) % 4))


def encoded(part: bytes | Claims) -> str:
    raw = part if isinstance(part, bytes) else json.dumps(part).encode()
    return base64.urlsafe_b64encode(raw).rstrip(b"=").decode()


def check_with_cryptography_alone(proof: str, keys: list[dict[str, str]]) -> None:
    """RFC 7515 by hand. Raises `InvalidSignature`."""
    signed, _, signature = proof.rpartition(".")
    header = json.loads(decoded(signed.partition(".")[0]))
    (key,) = [key for key in keys if key["kid"] == header["kid"]]
    public = Ed25519PublicKey.from_public_bytes(decoded(key["x"]))
    public.verify(decoded(signature), signed.encode())


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


def private_key(app: Flask) -> signing.SigningKey:
    with app.app_context():
        (key,) = signing_keys.everything(db.engine, settings_of(app).secrets)
    return key


def signed_again(app: Flask, proof: str, **changed: object) -> str:
    """The proof as the service itself would sign it with other claims; None leaves one out."""
    key = private_key(app)
    claims = {name: v for name, v in (read(proof) | changed).items() if v is not None}
    assert key.private
    return jwt.encode(claims, key.private, algorithm="EdDSA", headers={"kid": key.kid})


def with_header(proof: str, sign: Callable[[bytes], bytes], **header: str) -> str:
    """The proof under another header, signed otherwise."""
    payload = proof.split(".")[1]
    head = encoded(jwt.get_unverified_header(proof) | header)
    return f"{head}.{payload}.{encoded(sign(f'{head}.{payload}'.encode()))}"


def with_payload(proof: str, **changed: object) -> str:
    head, _, signature = proof.split(".")
    return f"{head}.{encoded(read(proof) | changed)}.{signature}"


def signed_with_public_key(app: Flask, proof: str) -> str:
    """HS256, keyed with what everybody knows: a verifier that heeds `alg` would take it."""
    public = decoded(private_key(app).public_key)
    return with_header(proof, lambda text: hmac.digest(public, text, hashlib.sha256), alg="HS256")


FORGERIES: dict[str, Callable[[Flask, str], str]] = {
    "for somebody else": lambda app, proof: signed_again(app, proof, aud="bank"),
    "by somebody else": lambda app, proof: signed_again(app, proof, iss="another"),
    "ended": lambda app, proof: signed_again(app, proof, exp=int(time.time()) - 6),
    "without an end": lambda app, proof: signed_again(app, proof, exp=None),
    "without an id": lambda app, proof: signed_again(app, proof, jti=None),
    "for another purpose": lambda app, proof: signed_again(app, proof, purpose="payment"),
    "tampered with": lambda app, proof: with_payload(proof, sub="+14155552671"),
    "without a signature": lambda app, proof: with_header(proof, lambda _: b"", alg="none"),
    "with a confused algorithm": signed_with_public_key,
    "with another key under the same kid": lambda app, proof: with_header(
        proof, Ed25519PrivateKey.generate().sign
    ),
    "with an unknown key": lambda app, proof: with_header(
        proof, Ed25519PrivateKey.generate().sign, kid="unknown"
    ),
    "cut short": lambda app, proof: proof.rpartition(".")[0],
}


def test_the_documented_verifier_takes_no_forgery(proving: Flask, serve: Serve) -> None:
    check, made = documented_check(serve(proving).url), proof(proving.test_client())
    assert check(signed_again(proving, made), "login")
    taken = []
    for name, forge in FORGERIES.items():
        try:
            check(forge(proving, made), "login")
        except jwt.PyJWTError:
            continue
        taken.append(name)
    assert taken == []


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
    check, statements = PHONE | {"otp": sent(client)}, []
    (engine,) = engines_of(app)
    sa.event.listen(engine, "before_cursor_execute", lambda *args: statements.append(args[2]))
    assert client.post("/verify-otp", json=check).get_json()["data"]["proof"]
    assert statements
    assert [text for text in statements if "signing_keys" in text] == []


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


def test_the_documents_example_is_signed_by_its_example_key(proving: Flask, app: Flask) -> None:
    def example(of: Flask) -> Claims:
        answers = of.extensions["openapi"]["paths"]["/verify-otp"]["post"]["responses"]
        shown = answers["200"]["content"]["application/json"]["examples"]["success"]["value"]
        return dict(shown["data"])

    check_with_cryptography_alone(example(proving)["proof"], examples.PUBLIC_KEYS["keys"])
    assert read(example(proving)["proof"])["verification_id"] == example(app)["verification_id"]
    assert "proof" not in example(app)
