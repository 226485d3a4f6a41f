"""The three calls: send, resend, verify."""

from __future__ import annotations

import json
import re
from collections.abc import Iterable
from typing import Any

from flask import Response, g
from marshmallow import Schema

from otp_service.domain import errors
from otp_service.domain.drafts import RequestKey, SendOptions
from otp_service.domain.sending import Sent
from otp_service.domain.service import OtpService
from otp_service.domain.verification import Person
from otp_service.web import auth, examples
from otp_service.web.answer_schemas import SentSchema, VerifiedSchema
from otp_service.web.blueprint import Blueprint, Tag
from otp_service.web.bodies import answer
from otp_service.web.dependencies import Proofs
from otp_service.web.fields import needed
from otp_service.web.otp_docs import (
    IDEMPOTENCY_KEY,
    PREFER,
    RESEND_REFUSALS,
    SEND_REFUSALS,
    VERIFY_REFUSALS,
)
from otp_service.web.request_schemas import send_schema, verify_schema
from otp_service.web.unproxied import header, the_request

Body = dict[str, Any]
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
        options = _options(service, body)
        return _sent("OTP sent successfully", service.send(_person(body), options), options)

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
        options = _options(service, body)
        return _sent("OTP resent successfully", service.resend(_person(body), options), options)


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


def _person(body: Body) -> Person:
    return Person(g.client, body["phone_number"], body["purpose"])


def _options(service: OtpService, body: Body) -> SendOptions:
    return SendOptions(
        channel=body["channel"],
        locale=body.get("locale"),
        background=_need_not_wait(),
        key=_request_key(service, body),
        address=body.get("client_ip"),
    )


def _need_not_wait() -> bool:
    """Whether the caller prefers an answer before the message is sent (RFC 7240, 4.1)."""
    preferences = (header(the_request(), "Prefer") or "").lower().split(",")
    return "respond-async" in (each.partition(";")[0].strip() for each in preferences)


def _request_key(service: OtpService, body: Body) -> RequestKey | None:
    asked = the_request()
    if (key := header(asked, "Idempotency-Key")) is None:
        return None
    if not re.fullmatch(r"[!-~]{1,255}", key):
        rule = needed("1 to 255 visible ASCII characters", "8e03978e-40d5-43e8")
        raise errors.InvalidRequest({"Idempotency-Key": [rule]})
    what = f"{asked.path} {json.dumps(body, sort_keys=True)}"
    return service.request_key(g.client, key, what)


def _verified(service: OtpService, proofs: Proofs | None, body: Body) -> Response:
    """The answer, if the code is right."""
    person, key = _person(body), _request_key(service, body)
    # Before the code is used up: without a key to sign with, nothing may be judged.
    sign = proofs.signer() if proofs else None
    verified = service.verify(person, body["otp"], body.get("verification_id"), key)
    data: dict[str, Any] = _VERIFIED.dump(verified)
    if sign:
        data["proof"] = sign(verified)
    return answer("OTP verified successfully", data, repeated=verified.repeated)


def _sent(message: str, sent: Sent, options: SendOptions) -> Response:
    data, repeated = _SENT.dump(sent), sent.verification.repeated
    if not options.background:
        return answer(message, data, repeated=repeated)
    response = answer("OTP will be sent", data, repeated=repeated)
    response.status_code = 202
    response.headers["Preference-Applied"] = "respond-async"
    return response
