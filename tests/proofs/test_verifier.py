"""The verifier of docs/proofs.md takes proofs, and no forgery."""

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
import requests
from cryptography.hazmat.primitives.asymmetric.ed25519 import Ed25519PrivateKey
from flask import Flask

from otp_service.proofs import keys as signing
from otp_service.settings import settings_of
from otp_service.storage import signing_keys
from otp_service.storage.models.base import db
from tests.conftest import Serve
from tests.proofs.reading import PHONE, Claims, decoded, proof, read

PAGE = (Path(__file__).parents[2] / "docs" / "proofs.md").read_text()
CheckProof = Callable[[str, str], Claims]


def documented_check(url: str) -> CheckProof:
    """The verifier of docs/proofs.md, as it stands there, against this service."""
    (code,) = re.findall(r"```python\n(.*?)```", PAGE, flags=re.DOTALL)
    names: dict[str, Any] = {}
    exec(code.replace("http://localhost:8000", url), names)
    return names["check_proof"]  # type: ignore[no-any-return]


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


def encoded(part: bytes | Claims) -> str:
    raw = part if isinstance(part, bytes) else json.dumps(part).encode()
    return base64.urlsafe_b64encode(raw).rstrip(b"=").decode()


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
