"""Keys that sign proofs: made, sealed for the database, opened again; which of them signs when.

A new key is published at once and signs 10 minutes later, when verifiers that keep a copy of the
public keys know it. The one that it replaces stays published until the last proof that it can
have signed has ended.
"""

from __future__ import annotations

import hashlib
import hmac
import json
from base64 import urlsafe_b64encode
from collections.abc import Sequence
from dataclasses import dataclass, field
from datetime import datetime, timedelta, timezone

from cryptography.hazmat.primitives import serialization
from cryptography.hazmat.primitives.asymmetric.ed25519 import Ed25519PrivateKey

from otp_service.domain.codes import Secret

LONGEST_PROOF = 3_600  # seconds: the most that OTP_PROOF_SECONDS may be
SECONDS_AHEAD = 600  # so long a new key is published before it signs
SECONDS_BEHIND = LONGEST_PROOF + 300  # so long a replaced one still is; clocks may differ


@dataclass(frozen=True)
class SealedKey:
    """A new key pair as it is stored: raw public key in base64url, encrypted private key."""

    kid: str
    public_key: str
    private_key: str = field(repr=False)
    secret_id: str


@dataclass(frozen=True)
class SigningKey:
    """A stored key pair. ``private`` is None if it can't sign: revoked, or its secret is gone."""

    kid: str
    public_key: str
    created_at: datetime
    signs_from: datetime
    revoked: bool
    private: Ed25519PrivateKey | None = field(repr=False)


def make(secret: Secret) -> SealedKey:
    """A new Ed25519 key pair, sealed with the secret."""
    private = Ed25519PrivateKey.generate()
    public_key = _base64url(private.public_key().public_bytes_raw())
    pem = private.private_bytes(
        serialization.Encoding.PEM,
        serialization.PrivateFormat.PKCS8,
        serialization.BestAvailableEncryption(_passphrase(secret)),
    )
    return SealedKey(_thumbprint(public_key), public_key, pem.decode(), secret.id)


def unseal(private_key: str, secret: Secret) -> Ed25519PrivateKey:
    """Raises `ValueError` if the text is not what `make` sealed with this secret."""
    opened = serialization.load_pem_private_key(private_key.encode(), _passphrase(secret))
    if not isinstance(opened, Ed25519PrivateKey):
        raise ValueError("not an Ed25519 key")
    return opened


def utc_now() -> datetime:
    return datetime.now(timezone.utc)


def published(keys: Sequence[SigningKey], at: datetime) -> list[SigningKey]:
    """Of ``keys``, oldest first, those that verifiers must know."""
    live = [key for key in keys if not key.revoked]
    long_ago = at - timedelta(seconds=SECONDS_BEHIND)
    successors = [key.signs_from for key in live if key.signs_from <= long_ago]
    return [key for key in live if not successors or key.signs_from >= max(successors)]


def signer(keys: Sequence[SigningKey], at: datetime) -> SigningKey | None:
    """Of ``keys``, oldest first, the newest whose time has come, or else the first to come."""
    able = [key for key in published(keys, at) if key.private]
    begun = [key for key in able if key.signs_from <= at]
    return begun[-1] if begun else able[0] if able else None


def state(key: SigningKey, keys: Sequence[SigningKey], at: datetime) -> str:
    """What one of ``keys`` does at this moment, in a word or two."""
    if key.revoked:
        return "revoked"
    if key not in published(keys, at):
        return "ended"
    if key == signer(keys, at):
        return "signs"
    if key.private is None:
        return "its secret is gone"
    return "next" if key.signs_from > at else "replaced"


def jwk(key: SigningKey) -> dict[str, str]:
    """The public key as RFC 8037 writes it."""
    return _public(key.public_key) | {"kid": key.kid, "use": "sig", "alg": "EdDSA"}


def _public(public_key: str) -> dict[str, str]:
    return {"crv": "Ed25519", "kty": "OKP", "x": public_key}


def _thumbprint(public_key: str) -> str:
    """RFC 7638: SHA-256 of the required members, sorted, without white space."""
    text = json.dumps(_public(public_key), sort_keys=True, separators=(",", ":"))
    return _base64url(hashlib.sha256(text.encode()).digest())


def _passphrase(secret: Secret) -> bytes:
    return hmac.new(secret.key, b"key that signs proofs", hashlib.sha256).hexdigest().encode()


def _base64url(raw: bytes) -> str:
    return urlsafe_b64encode(raw).rstrip(b"=").decode()
