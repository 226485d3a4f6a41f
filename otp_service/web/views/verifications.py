"""The verification as a resource."""

from __future__ import annotations

import re

from flask import Response, g

from otp_service.domain import verification
from otp_service.domain.errors import (
    InvalidPhoneNumber,
    InvalidRequest,
    RequestLimitExceeded,
    StorageUnavailable,
    VerificationNotFound,
)
from otp_service.domain.service import OtpService
from otp_service.domain.verification import Status
from otp_service.web import auth, examples
from otp_service.web.answer_schemas import VerificationSchema, VerificationsSchema
from otp_service.web.blueprint import Blueprint, Tag
from otp_service.web.bodies import answer, load_query
from otp_service.web.fields import PHONE, VERIFICATION_ID
from otp_service.web.request_schemas import PhoneQuerySchema

_FAILS = [VerificationNotFound, RequestLimitExceeded, StorageUnavailable]
_LISTS = [InvalidRequest, InvalidPhoneNumber, RequestLimitExceeded, StorageUnavailable]
_PATH = "/verifications/<string(maxlength=64):verification_id>"
_ID = {
    "title": "VerificationId",
    "name": "verification_id",
    "in": "path",
    "required": True,
    "description": "As in the answer to `/send-otp`",
    "schema": {
        "type": "string",
        "pattern": f"^{verification.VERIFICATION_ID}$",
        "example": VERIFICATION_ID,
    },
}
_OF_ALL, _OF_ONE = VerificationSchema(), VerificationSchema(exclude=["client"])
_ASKED = PhoneQuerySchema()
_QUERY = [
    {
        "name": "phone_number",
        "in": "query",
        "required": True,
        "description": "As in `/send-otp`; its plus is `%2B` here, and may be left out",
        "schema": {"type": "string", "format": "phone", "example": PHONE},
    },
    {
        "name": "limit",
        "in": "query",
        "description": "How many at most",
        "schema": {"type": "integer", "minimum": 1, "maximum": 100, "default": 20},
    },
]


def blueprint(service: OtpService) -> Blueprint:
    bp = Blueprint("verifications", auth.READ, Tag.VERIFICATIONS, auth.SUPPORT)

    @bp.get(_PATH)
    @bp.documented(parameters=[_ID])
    @bp.responds("Verification found", VerificationSchema, examples.FOUND, _FAILS)
    def get_verification(verification_id: str) -> Response:
        """Look at a verification.

        Its status, times and attempts, and its deliveries in order: one for each message, with what
        became of it and why. A key with the scope `support` sees every client's, and each look is in
        the audit trail.
        """  # noqa: E501 (the document has these very lines)
        support = auth.looks_at_all()
        found = service.get(g.client, _well_formed(verification_id), support=support)
        return answer("Verification found", _shown().dump(found))

    @bp.get("/verifications")
    @bp.documented(parameters=_QUERY)
    @bp.responds(
        "Verifications found", VerificationsSchema, {"verifications": [examples.FOUND]}, _LISTS
    )
    def list_verifications() -> Response:
        """List the verifications of a phone.

        The newest first, each with its deliveries; with the scope `support` those of every client. All
        there are or none: while a database that may have some can't be asked, the answer is 503.
        """  # noqa: E501 (the document has these very lines)
        asked = load_query(_ASKED)
        phone = re.sub("^ +(?=[0-9])", "+", asked["phone_number"])
        support, count = auth.looks_at_all(), int(asked["limit"])
        found = service.of_phone(g.client, phone, count, support=support)
        return answer("Verifications found", {"verifications": _shown().dump(found, many=True)})

    return bp


def cancel_blueprint(service: OtpService) -> Blueprint:
    bp = Blueprint("cancel", auth.OTP, Tag.VERIFICATIONS)

    @bp.delete(_PATH)
    @bp.documented(parameters=[_ID])
    @bp.responds("Verification canceled", VerificationSchema, examples.CANCELED, _FAILS)
    def cancel_verification(verification_id: str) -> Response:
        """Cancel a verification.

        If it is pending it ends, and its code never verifies. Safe to repeat: one that had ended
        already stays as it is.
        """
        ended = service.cancel(g.client, _well_formed(verification_id))
        canceled = ended.status is Status.CANCELED
        message = "Verification canceled" if canceled else "Verification had already ended"
        return answer(message, _shown().dump(ended))

    return bp


def _shown() -> VerificationSchema:
    """Whose it is is told to who sees those of others."""
    return _OF_ALL if auth.looks_at_all() else _OF_ONE


def _well_formed(verification_id: str) -> str:
    """Nothing else was ever given out, and Postgres takes no NUL."""
    if not re.fullmatch(verification.VERIFICATION_ID, verification_id):
        raise VerificationNotFound
    return verification_id
