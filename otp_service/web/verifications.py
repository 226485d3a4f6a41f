"""The verification as a resource."""

from __future__ import annotations

import re

from flask import Response

from otp_service.domain.errors import (
    RequestLimitExceeded,
    StorageUnavailable,
    VerificationNotFound,
)
from otp_service.domain.verification import Status
from otp_service.web import auth, examples
from otp_service.web.blueprints import Blueprint, Tag, answer
from otp_service.web.parts import service
from otp_service.web.schemas import VERIFICATION_ID, VerificationSchema

bp = Blueprint("verifications", auth.READ, Tag.VERIFICATIONS)
cancel_bp = Blueprint("cancel", auth.OTP, Tag.VERIFICATIONS)

_ID_PATTERN = "[a-z0-9]{8,40}"
_FAILS = [VerificationNotFound, RequestLimitExceeded, StorageUnavailable]
_PATH = "/verifications/<string(maxlength=64):verification_id>"
_ID = {
    "title": "VerificationId",
    "name": "verification_id",
    "in": "path",
    "required": True,
    "description": "As in the answer to `/send-otp`",
    "schema": {"type": "string", "pattern": f"^{_ID_PATTERN}$", "example": VERIFICATION_ID},
}


@bp.get(_PATH)
@bp.documented(parameters=[_ID])
@bp.answers("Verification found", VerificationSchema, examples.FOUND, _FAILS)
def get_verification(verification_id: str) -> Response:
    """Look at a verification.

    Its status, times and attempts, and its deliveries in order: one for each message, with what
    became of it and why.
    """
    found = service().get(auth.client(), _well_formed(verification_id))
    return answer("Verification found", VerificationSchema().dump(found))


@cancel_bp.delete(_PATH)
@cancel_bp.documented(parameters=[_ID])
@cancel_bp.answers("Verification canceled", VerificationSchema, examples.CANCELED, _FAILS)
def cancel_verification(verification_id: str) -> Response:
    """Cancel a verification.

    If it is pending it ends, and its code never verifies. Safe to repeat: one that had ended
    already stays as it is.
    """
    ended = service().cancel(auth.client(), _well_formed(verification_id))
    canceled = ended.status is Status.CANCELED
    message = "Verification canceled" if canceled else "Verification had already ended"
    return answer(message, VerificationSchema().dump(ended))


def _well_formed(verification_id: str) -> str:
    """Nothing else was ever given out, and Postgres takes no NUL."""
    if not re.fullmatch(_ID_PATTERN, verification_id):
        raise VerificationNotFound
    return verification_id
