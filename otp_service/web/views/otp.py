"""The three calls: send, resend, verify."""

from __future__ import annotations

from collections.abc import Iterable
from typing import Any

from flask import Response
from marshmallow import Schema

from otp_service.domain.drafts import SendOptions
from otp_service.domain.sending import Sent
from otp_service.domain.service import OtpService
from otp_service.web import auth, examples, send_requests
from otp_service.web.answer_schemas import SentSchema, VerifiedSchema
from otp_service.web.blueprint import Blueprint, Tag
from otp_service.web.bodies import answer
from otp_service.web.dependencies import Proofs
from otp_service.web.otp_docs import (
    IDEMPOTENCY_KEY,
    PREFER,
    RESEND_REFUSALS,
    SEND_REFUSALS,
    VERIFY_REFUSALS,
)
from otp_service.web.request_schemas import send_schema, verify_schema
from otp_service.web.send_requests import Body

_SENT, _VERIFIED = SentSchema(), VerifiedSchema()  # once: making one takes longer than its work


def blueprint(
    service: OtpService, proofs: Proofs | None, code_length: int, channels: Iterable[str]
) -> Blueprint:
    """For codes of so many digits, sent over these channels; a success has one of ``proofs``."""
    bp = Blueprint("otp", auth.OTP, Tag.CODES)
    _add_sending(bp, service, send_schema(channels)())
    _add_checking(bp, service, proofs, verify_schema(code_length)())
    return bp


def _add_sending(bp: Blueprint, service: OtpService, send_body: Schema) -> None:
    @bp.post("/send-otp")
    @bp.takes(send_body, examples.ANY_PHONE)
    @bp.documented(parameters=[IDEMPOTENCY_KEY, PREFER])
    @bp.replays()
    @bp.accepts("OTP will be sent", SentSchema, examples.SENT)
    @bp.responds("OTP sent successfully", SentSchema, examples.SENT, SEND_REFUSALS)
    def send_otp(body: Body) -> Response:
        """Send a code to a phone.

        Starts a verification. While one with a live code exists for this phone and purpose, the
        answer is 200 with `otp_already_sent`, and no message goes out.
        """
        options = send_requests.options(body, service.request_key)
        done = service.send(send_requests.person(body), options)
        return _sent("OTP sent successfully", done, options)

    @bp.post("/resend-otp")
    @bp.takes(send_body, examples.ANY_PHONE)
    @bp.documented(parameters=[IDEMPOTENCY_KEY, PREFER])
    @bp.replays()
    @bp.accepts("OTP will be sent", SentSchema, examples.SENT)
    @bp.responds("OTP resent successfully", SentSchema, examples.SENT, RESEND_REFUSALS)
    def resend_otp(body: Body) -> Response:
        """Send another code.

        The next one of the live verification, whose expiry starts anew and whose attempts are not
        given back; or the first one of a new verification, if none is live.
        """
        options = send_requests.options(body, service.request_key)
        done = service.resend(send_requests.person(body), options)
        return _sent("OTP resent successfully", done, options)


def _add_checking(
    bp: Blueprint, service: OtpService, proofs: Proofs | None, verify_body: Schema
) -> None:
    verified_example = examples.PROVED if proofs else examples.VERIFIED
    digits = verify_body.fields["otp"].metadata["example"]

    @bp.post("/verify-otp")
    @bp.takes(verify_body, examples.ANY_PHONE | {"otp": digits})
    @bp.documented(parameters=[IDEMPOTENCY_KEY])
    @bp.replays()
    @bp.responds("OTP verified successfully", VerifiedSchema, verified_example, VERIFY_REFUSALS)
    def verify_otp(body: Body) -> Response:
        """Check the code that a person typed.

        Right once: a code that was right is used up. Name the verification if you know it: then
        nobody else's wrong guesses can lock this person out.
        """
        return _verified(service, proofs, body)


def _verified(service: OtpService, proofs: Proofs | None, body: Body) -> Response:
    """The answer, if the code is right."""
    person = send_requests.person(body)
    key = send_requests.request_key(body, service.request_key)
    # Before the code is used up: without a key to sign with, nothing may be judged.
    sign = proofs.signer() if proofs else None
    verified = service.verify(person, body["otp"], body.get("verification_id"), key)
    data: dict[str, Any] = _VERIFIED.dump(verified)
    if sign:
        data["proof"] = sign(verified)
    return answer("OTP verified successfully", data, repeated=verified.repeated)


def _sent(message: str, sent: Sent, options: SendOptions) -> Response:
    repeated = sent.verification.repeated
    return send_requests.sent(
        message, "OTP will be sent", _SENT.dump(sent), options, repeated=repeated
    )
