"""The three calls: send, resend, verify."""

from __future__ import annotations

from collections.abc import Iterable
from typing import Any

from flask import Response

from otp_service.domain import errors
from otp_service.domain.verification import Person
from otp_service.web import auth, examples
from otp_service.web.blueprints import Blueprint, answer
from otp_service.web.errors import BodyTooLarge, InvalidJson, UnsupportedMediaType
from otp_service.web.parts import service
from otp_service.web.schemas import SentSchema, VerifiedSchema, send_schema, verify_schema

Body = dict[str, Any]

_BODY = [
    InvalidJson,
    errors.InvalidRequest,
    errors.InvalidPhoneNumber,
    BodyTooLarge,
    UnsupportedMediaType,
    errors.StorageUnavailable,
]
_SENDING = [
    *_BODY,
    errors.SendLimitExceeded,
    errors.DeliveryFailed,
    errors.DeliveryUnavailable,
    errors.DeliveryUnconfirmed,
]
_STARTING = [*_SENDING, errors.CodeAlreadySent]
_CHECKING = [
    *_BODY,
    errors.CodeIncorrect,
    errors.CodeNotFound,
    errors.TooManyAttempts,
    errors.PhoneLocked,
]


def blueprint(code_length: int, channels: Iterable[str]) -> Blueprint:
    """The blueprint for codes of so many digits, sent over these channels."""
    send_body, verify_body = send_schema(channels)(), verify_schema(code_length)()
    bp = Blueprint("otp", auth.OTP, "Send a code, send it again, check what the person typed")

    @bp.post("/send-otp")
    @bp.takes(send_body)
    @bp.answers("OTP sent successfully", SentSchema, examples.SENT, _STARTING)
    def send_otp(body: Body) -> Response:
        """Send a code to a phone."""
        sent = service().send(_person(body), body["channel"], body.get("locale"))
        return answer("OTP sent successfully", SentSchema().dump(sent))

    @bp.post("/resend-otp")
    @bp.takes(send_body)
    @bp.answers("OTP resent successfully", SentSchema, examples.SENT, _SENDING)
    def resend_otp(body: Body) -> Response:
        """Send the next code of the live verification, or start one if there is none."""
        sent = service().resend(_person(body), body["channel"], body.get("locale"))
        return answer("OTP resent successfully", SentSchema().dump(sent))

    @bp.post("/verify-otp")
    @bp.takes(verify_body)
    @bp.answers("OTP verified successfully", VerifiedSchema, examples.VERIFIED, _CHECKING)
    def verify_otp(body: Body) -> Response:
        """Check the code a person typed."""
        verified = service().verify(_person(body), body["otp"], body.get("verification_id"))
        return answer("OTP verified successfully", VerifiedSchema().dump(verified))

    return bp


def _person(body: Body) -> Person:
    return service().person(auth.client(), body["phone_number"], body["purpose"])
