"""What has to be stored and told again: sealed with a secret, so that a stolen database tells
nothing of it.

AES-GCM (NIST SP 800-38D) with a random nonce, under a key that HKDF (RFC 5869) derives for each
``kind`` of thing from one of `OTP_SECRET`. The ``context``, such as the id of its row, is bound to
it: what was sealed for one row does not open in another. `cryptography` is large, so it is
imported by who seals.
"""

from __future__ import annotations

import os
from base64 import urlsafe_b64decode, urlsafe_b64encode
from typing import TYPE_CHECKING

from otp_service.domain.codes import Secret

if TYPE_CHECKING:
    from cryptography.hazmat.primitives.ciphers.aead import AESGCM

_NONCE_BYTES = 12


def seal(secret: Secret, kind: str, context: str, plain: bytes) -> str:
    """In base64url: a nonce, and ``plain`` under it with its tag, 28 bytes longer than that."""
    nonce = os.urandom(_NONCE_BYTES)
    sealed = _cipher(secret, kind).encrypt(nonce, plain, context.encode())
    return urlsafe_b64encode(nonce + sealed).decode()


def unseal(secret: Secret, kind: str, context: str, sealed: str) -> bytes:
    """Raises `ValueError` if `seal` did not make that with the same secret, kind and context."""
    from cryptography.exceptions import InvalidTag  # noqa: PLC0415

    raw = urlsafe_b64decode(sealed)
    nonce, rest = raw[:_NONCE_BYTES], raw[_NONCE_BYTES:]
    try:
        return _cipher(secret, kind).decrypt(nonce, rest, context.encode())
    except InvalidTag:
        raise ValueError("not sealed with this secret for this") from None


def _cipher(secret: Secret, kind: str) -> AESGCM:
    from cryptography.hazmat.primitives.ciphers.aead import AESGCM  # noqa: PLC0415
    from cryptography.hazmat.primitives.hashes import SHA256  # noqa: PLC0415
    from cryptography.hazmat.primitives.kdf.hkdf import HKDF  # noqa: PLC0415

    derived = HKDF(SHA256(), length=32, salt=None, info=b"otp-seal " + kind.encode())
    return AESGCM(derived.derive(secret.key))
