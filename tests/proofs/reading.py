"""Proofs are made by a service, and read without it."""

from __future__ import annotations

import base64
import json
from typing import Any

import jwt
from cryptography.hazmat.primitives.asymmetric.ed25519 import Ed25519PublicKey
from flask.testing import FlaskClient

PHONE = {"phone_number": "+919876543210"}
AWAY = "postgresql://otp@127.0.0.1:1/otp"
KEYS = "/.well-known/jwks.json"
Claims = dict[str, Any]


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


def decoded(part: str) -> bytes:
    return base64.urlsafe_b64decode(part + "=" * (-len(part) % 4))


def check_with_cryptography_alone(proof: str, keys: list[dict[str, str]]) -> None:
    """RFC 7515 by hand. Raises `InvalidSignature`."""
    signed, _, signature = proof.rpartition(".")
    header = json.loads(decoded(signed.partition(".")[0]))
    (key,) = [key for key in keys if key["kid"] == header["kid"]]
    public = Ed25519PublicKey.from_public_bytes(decoded(key["x"]))
    public.verify(decoded(signature), signed.encode())
