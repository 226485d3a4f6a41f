"""The public keys that proofs are checked with."""

from __future__ import annotations

from flask import Response, jsonify

from otp_service.domain.errors import StorageUnavailable
from otp_service.web import auth, examples
from otp_service.web.blueprint import Blueprint, Tag
from otp_service.web.dependencies import Proofs


def blueprint(proofs: Proofs | None) -> Blueprint:
    """``proofs`` are None where none are made."""
    bp = Blueprint("proofs", auth.PUBLIC, Tag.VERIFICATIONS)

    @bp.get("/.well-known/jwks.json")
    @bp.pages(
        "A JWK set (RFC 7517)", "application/json", examples.PUBLIC_KEYS, [StorageUnavailable]
    )
    def jwks() -> Response:
        """The public keys that proofs are checked with.

        A JWK set: the key that signs, the next one, and those whose proofs may still live. Empty where
        `OTP_PROOF` is off.
        """  # noqa: E501 (the document has these very lines)
        return jsonify({"keys": proofs.published() if proofs else []})

    return bp
