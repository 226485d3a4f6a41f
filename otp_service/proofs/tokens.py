"""Proofs: that a phone was verified, signed, so that others can check it without asking us."""

from __future__ import annotations

import hashlib
import hmac
import secrets
import time
from collections.abc import Callable, Sequence
from functools import partial

import jwt

from otp_service.domain.codes import Secret
from otp_service.domain.errors import StorageUnavailable
from otp_service.domain.verification import Verification
from otp_service.proofs import keys as signing
from otp_service.proofs.keys import SigningKey, utc_now
from otp_service.proofs.settings import ProofSettings


class Proofs:
    """Signs proofs as ``chosen``. ``keys`` tells all signing keys there are, oldest first.

    ``oldest_secret`` keys the hashed subject. It is the last one that is configured, so that a
    phone's subject stays the same while the secret is being replaced.
    """

    def __init__(
        self, chosen: ProofSettings, oldest_secret: Secret, keys: Callable[[], Sequence[SigningKey]]
    ) -> None:
        self._chosen = chosen
        self._oldest_secret = oldest_secret
        self._keys = keys

    def signer(self) -> Callable[[Verification], str]:
        """What signs, with the key of now. It asks nobody any more, and does not fail.

        Raises `StorageUnavailable` if there is no key: ask before a code is used up.
        """
        key = signing.signer(self._keys(), utc_now())
        if key is None or key.private is None:
            raise StorageUnavailable("no key can sign")
        return partial(self._sign, key)

    def published(self) -> list[dict[str, str]]:
        """The public keys as a JWK set has them (RFC 7517). May raise `StorageUnavailable`."""
        return [signing.jwk(key) for key in signing.published(self._keys(), utc_now())]

    def _sign(self, key: SigningKey, verified: Verification) -> str:
        assert key.private
        claims, headers = self._claims(verified), {"kid": key.kid}
        return jwt.encode(claims, key.private, algorithm="EdDSA", headers=headers)

    def _claims(self, verified: Verification) -> dict[str, object]:
        now = int(time.time())
        verified_at = verified.verified_at
        assert verified_at
        return {
            "iss": self._chosen.issuer,
            "sub": self._subject(verified.phone),
            "aud": self._chosen.audience or verified.client,
            "iat": now,
            "exp": now + self._chosen.seconds,
            "jti": secrets.token_urlsafe(16),
            "purpose": verified.purpose,
            "verification_id": verified.id,
            "channel": verified.channel.value,
            "auth_time": int(verified_at.timestamp()),
        }

    def _subject(self, phone: str) -> str:
        if self._chosen.subject == "phone":
            return phone
        key = hmac.digest(self._oldest_secret.key, b"subject of proofs", hashlib.sha256)
        return hmac.digest(key, phone.encode(), hashlib.sha256).hex()
