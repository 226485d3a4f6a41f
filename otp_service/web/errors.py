"""Every refusal as an answer: one table of statuses, one envelope.

What a person at the keyboard caused is an answer, not a broken request, so it gets 200 with
``success: false``, as clients of the original API expect. What the caller must fix is 4xx, what
failed behind us 502, 503 or 504.
"""

from __future__ import annotations

import logging
from datetime import datetime
from typing import Any, ClassVar

from flask import Flask, Response, g, jsonify, request
from werkzeug.exceptions import HTTPException

from otp_service.domain import errors
from otp_service.domain.errors import OtpError
from otp_service.observability.log_redaction import described
from otp_service.web import explanations
from otp_service.web.schemas import SentSchema, rfc3339

log = logging.getLogger(__name__)

REPLAYED = "Idempotent-Replayed"
"""The header of an answer that an earlier request with the same key was given, too."""


class InvalidJson(OtpError):
    """``details`` tell where: see `web.json_position`."""

    code, message = "invalid_json", "The body must be one JSON object in UTF-8"


class BodyTooLarge(OtpError):
    code, message = "body_too_large", "The body is too large"


class UnsupportedMediaType(OtpError):
    code, message = "unsupported_media_type", "Content-Type must be application/json"


class Unauthorized(OtpError):
    code = "unauthorized"
    message = "A valid API key is required, as Authorization: Bearer KEY or X-API-Key: KEY"
    challenge = 'Bearer realm="otp"'


class _WebhookUnauthorized(Unauthorized):
    """Nobody has a key there: each webhook has a secret of its own, and its own way for it."""

    example: ClassVar[str]

    def __init__(self) -> None:
        super().__init__(rule=f"{self.message}.", example=self.example)


class WrongWebhookSecret(_WebhookUnauthorized):
    message = (
        "The webhook's secret is missing or wrong: it travels as Authorization: Bearer SECRET, or "
        "in the query as token"
    )
    challenge = 'Bearer realm="webhook"'
    example = "Authorization: Bearer SECRET"


class WrongWebhookSignature(_WebhookUnauthorized):
    message = (
        "The webhook's signature is missing or wrong: it travels as X-Hub-Signature-256, and is "
        "made of the body with the app's secret"
    )
    challenge = 'X-Hub-Signature-256 realm="webhook"'
    example = "X-Hub-Signature-256: sha256=HMAC"


class WrongVerifyToken(_WebhookUnauthorized):
    message = (
        "The webhook's verify token, its secret, is missing or wrong: it travels in the query as "
        "hub.verify_token, beside hub.mode=subscribe and hub.challenge"
    )
    challenge = 'hub.verify_token realm="webhook"'
    example = (
        "GET /webhooks/meta?hub.mode=subscribe&hub.challenge=1158201444&hub.verify_token=TOKEN"
    )


class Forbidden(OtpError):
    code, message = "forbidden", "This API key does not allow this call"


class WrongWebhookAddress(Forbidden):
    message = "This address may not call the webhook: GUPSHUP_WEBHOOK_IPS does not name it"

    def __init__(self) -> None:
        super().__init__(rule=f"{self.message}.", example="GUPSHUP_WEBHOOK_IPS=192.0.2.0/24")


class NotFound(OtpError):
    code, message = "not_found", "Not found"


class MethodNotAllowed(OtpError):
    code, message = "method_not_allowed", "This path does not allow this method"


class BadRequest(OtpError):
    code, message = "bad_request", "The request could not be understood"


class NotReady(OtpError):
    """``details`` hold the state of each part."""

    code, message = "not_ready", "Not ready"


class Busy(OtpError):
    """Before anything was looked at: others of its kind are arriving."""

    code, message = "busy", "Too many large bodies are arriving at once"


class InternalError(OtpError):
    code, message = "internal_error", "Something went wrong on our side"


STATUS: dict[type[OtpError], int] = {
    errors.CodeAlreadySent: 200,
    errors.DestinationNotAllowed: 403,
    errors.RequestLimitExceeded: 429,
    errors.CodeIncorrect: 200,
    errors.CodeNotFound: 200,
    BadRequest: 400,
    InvalidJson: 400,
    errors.InvalidRequest: 400,
    errors.InvalidPhoneNumber: 400,
    Unauthorized: 401,
    WrongWebhookSecret: 401,
    WrongWebhookSignature: 401,
    WrongVerifyToken: 401,
    Forbidden: 403,
    WrongWebhookAddress: 403,
    NotFound: 404,
    errors.VerificationNotFound: 404,
    errors.IdempotencyInProgress: 409,
    MethodNotAllowed: 405,
    BodyTooLarge: 413,
    UnsupportedMediaType: 415,
    errors.IdempotencyKeyReused: 422,
    errors.SendLimitExceeded: 429,
    errors.TooManyAttempts: 429,
    errors.PhoneLocked: 429,
    InternalError: 500,
    errors.DeliveryFailed: 502,
    errors.DeliveryUnavailable: 503,
    errors.StorageUnavailable: 503,
    errors.HomeUnreachable: 503,
    Busy: 503,
    NotReady: 503,
    errors.DeliveryUnconfirmed: 504,
}

_BY_HTTP_STATUS: dict[int | None, type[OtpError]] = {
    404: NotFound,
    405: MethodNotAllowed,
    413: BodyTooLarge,
    415: UnsupportedMediaType,
}


def body(error: OtpError) -> dict[str, Any]:
    """The envelope of a refusal."""
    details: dict[str, Any] = {"code": error.code}
    for name, value in error.details.items():
        details[name] = rfc3339(value) if isinstance(value, datetime) else value
    if error.retry_after is not None:
        details["retry_after"] = error.retry_after
    for name, text in explanations.told(error.code, STATUS[type(error)]).items():
        details.setdefault(name, text)
    data: dict[str, Any] = {} if error.phone is None else {"phone_number": error.phone}
    if isinstance(error, errors.CodeAlreadySent):
        data = SentSchema().dump(error)
    if isinstance(error, errors.DeliveryError) and error.verification_id:
        data["verification_id"] = error.verification_id
    return {"success": False, "message": error.message, "data": data, "error": details}


def answer(error: OtpError) -> tuple[Response, int]:
    g.refusal = error  # for who counts and logs the answers
    response = jsonify(body(error))
    if error.repeated:
        response.headers[REPLAYED] = "true"
    if error.retry_after is not None:
        response.headers["Retry-After"] = str(error.retry_after)
    if isinstance(error, Unauthorized):
        response.headers["WWW-Authenticate"] = error.challenge
    return response, STATUS[type(error)]


def _http_error(error: HTTPException) -> tuple[Response, int]:
    """Whatever Flask and Werkzeug refuse by themselves."""
    kind = _BY_HTTP_STATUS.get(error.code, BadRequest)
    allowed = ", ".join(sorted(getattr(error, "valid_methods", None) or ()))
    response, status = answer(kind(**_rule_here(kind, allowed)))
    if allowed:
        response.headers["Allow"] = allowed
    return response, status


def _rule_here(kind: type[OtpError], allowed: str) -> dict[str, Any]:
    """The rule of this very path, where each has its own."""
    if kind is MethodNotAllowed:
        return {"rule": f"This path takes {allowed}."}
    if kind is BodyTooLarge:
        return {"rule": f"A body has at most {request.max_content_length} bytes here."}
    return {}


def _unexpected(error: Exception) -> tuple[Response, int]:
    log.error("unexpected %s", type(error).__name__, extra=described(error))
    return answer(InternalError())


def init_app(app: Flask) -> None:
    app.register_error_handler(OtpError, answer)
    app.register_error_handler(HTTPException, _http_error)
    app.register_error_handler(Exception, _unexpected)
