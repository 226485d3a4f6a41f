"""The public keys that proofs are checked with."""

from __future__ import annotations

from flask import Response, jsonify

from otp_service.domain.errors import StorageUnavailable
from otp_service.web import auth, examples
from otp_service.web.blueprints import Blueprint
from otp_service.web.parts import parts

bp = Blueprint("proofs", auth.PUBLIC, "The keys that sign proofs of a verification")


@bp.get("/.well-known/jwks.json")
@bp.documented(responses=examples.responses([StorageUnavailable]))
@bp.pages("A JWK set (RFC 7517)", "application/json", examples.PUBLIC_KEYS)
def jwks() -> Response:
    """The public keys, to check proofs with. None where OTP_PROOF is off."""
    proofs = parts().proofs
    return jsonify({"keys": proofs.published() if proofs else []})
