"""Every refusal as an answer: one table of statuses, one envelope.

What a person at the keyboard caused is an answer, not a broken request, so it gets 200 with
``success: false``, as clients of the original API expect. What the caller must fix is 4xx, what
failed behind us 502, 503 or 504.
"""

from __future__ import annotations

import logging
from datetime import datetime
from typing import Any

from flask import Flask, Response, g, jsonify, request
from werkzeug.exceptions import HTTPException

from otp_service.domain import errors as domain
from otp_service.domain.errors import OtpError
from otp_service.observability.log_redaction import described
from otp_service.web import errors, explanations, twilio_errors
from otp_service.web.answer_schemas import SentSchema
from otp_service.web.fields import rfc3339

log = logging.getLogger(__name__)

_SENT = SentSchema()
REPLAYED = "Idempotent-Replayed"
"""The header of an answer that an earlier request with the same key was given, too."""

STATUS: dict[type[OtpError], int] = {
    domain.CodeAlreadySent: 200,
    domain.DestinationNotAllowed: 403,
    domain.RequestLimitExceeded: 429,
    domain.CodeIncorrect: 200,
    domain.CodeNotFound: 200,
    errors.BadRequest: 400,
    errors.InvalidJson: 400,
    domain.InvalidRequest: 400,
    domain.InvalidPhoneNumber: 400,
    errors.Unauthorized: 401,
    errors.WrongWebhookSecret: 401,
    errors.WrongWebhookSignature: 401,
    errors.WrongVerifyToken: 401,
    errors.WrongHookSignature: 401,
    errors.Forbidden: 403,
    errors.WrongWebhookAddress: 403,
    errors.NotFound: 404,
    domain.VerificationNotFound: 404,
    domain.MessageNotFound: 404,
    domain.IdempotencyInProgress: 409,
    errors.MethodNotAllowed: 405,
    errors.BodyTooLarge: 413,
    errors.UnsupportedMediaType: 415,
    domain.IdempotencyKeyReused: 422,
    domain.SendLimitExceeded: 429,
    domain.TooManyAttempts: 429,
    domain.PhoneLocked: 429,
    errors.InternalError: 500,
    domain.DeliveryFailed: 502,
    domain.DeliveryUnavailable: 503,
    domain.StorageUnavailable: 503,
    domain.HomeUnreachable: 503,
    errors.Busy: 503,
    errors.NotReady: 503,
    domain.DeliveryUnconfirmed: 504,
}

_BY_HTTP_STATUS: dict[int | None, type[OtpError]] = {
    404: errors.NotFound,
    405: errors.MethodNotAllowed,
    413: errors.BodyTooLarge,
    415: errors.UnsupportedMediaType,
}


def envelope(error: OtpError) -> dict[str, Any]:
    """What a refusal says."""
    data, details = _data(error), _details(error)
    return {"success": False, "message": error.message, "data": data, "error": details}


def _data(error: OtpError) -> dict[str, Any]:
    if isinstance(error, domain.CodeAlreadySent):
        return dict(_SENT.dump(error))
    data = {} if error.phone is None else {"phone_number": error.phone}
    if isinstance(error, domain.DeliveryError):
        stored = {"verification_id": error.verification_id, "message_id": error.message_id}
        data |= {name: its_id for name, its_id in stored.items() if its_id}
    return data


def _details(error: OtpError) -> dict[str, Any]:
    details: dict[str, Any] = {"code": error.code}
    for name, value in error.details.items():
        details[name] = rfc3339(value) if isinstance(value, datetime) else value
    if error.retry_after is not None:
        details["retry_after"] = error.retry_after
    if (status := STATUS[type(error)]) >= 400:  # what a person caused is an answer and no fault
        for name, text in explanations.of_fault(error.code, status).items():
            details.setdefault(name, text)
    return details


def told(error: OtpError, path: str) -> tuple[dict[str, Any], int]:
    """Body and status, as callers of ``path`` expect them."""
    if path.startswith(twilio_errors.BELOW):
        return twilio_errors.told(error)
    return envelope(error), STATUS[type(error)]


def answer(error: OtpError) -> tuple[Response, int]:
    g.refusal = error  # for who counts and logs the answers
    body, status = told(error, request.path)
    response = jsonify(body)
    if error.repeated:
        response.headers[REPLAYED] = "true"
    if error.retry_after is not None:
        response.headers["Retry-After"] = str(error.retry_after)
    if isinstance(error, errors.Unauthorized):
        is_twilio = request.path.startswith(twilio_errors.BELOW)
        challenge = twilio_errors.CHALLENGE if is_twilio else error.challenge
        response.headers["WWW-Authenticate"] = challenge
    return response, status


def _http_error(error: HTTPException) -> tuple[Response, int]:
    """Whatever Flask and Werkzeug refuse by themselves."""
    kind = _BY_HTTP_STATUS.get(error.code, errors.BadRequest)
    allowed = ", ".join(sorted(getattr(error, "valid_methods", None) or ()))
    response, status = answer(kind(**_rule_here(kind, allowed)))
    if allowed:
        response.headers["Allow"] = allowed
    return response, status


def _rule_here(kind: type[OtpError], allowed: str) -> dict[str, Any]:
    """The rule of this very path, where each has its own."""
    if kind is errors.MethodNotAllowed:
        return {"rule": f"This path takes {allowed}."}
    if kind is errors.BodyTooLarge:
        return {"rule": f"A body has at most {request.max_content_length} bytes here."}
    return {}


def _unexpected(error: Exception) -> tuple[Response, int]:
    log.error("unexpected %s", type(error).__name__, extra=described(error))
    return answer(errors.InternalError())


def init_app(app: Flask) -> None:
    app.register_error_handler(OtpError, answer)
    app.register_error_handler(HTTPException, _http_error)
    app.register_error_handler(Exception, _unexpected)
