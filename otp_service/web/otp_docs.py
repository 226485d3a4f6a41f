"""What the OpenAPI document says of send, resend and verify: their headers, their refusals."""

from __future__ import annotations

from otp_service.domain import errors
from otp_service.web.errors import BodyTooLarge, InvalidJson, UnsupportedMediaType

_BODY = [
    InvalidJson,
    errors.InvalidRequest,
    errors.InvalidPhoneNumber,
    BodyTooLarge,
    UnsupportedMediaType,
    errors.StorageUnavailable,
]
RESEND_REFUSALS = [
    *_BODY,
    errors.SendLimitExceeded,
    errors.PhoneLocked,
    errors.RequestLimitExceeded,
    errors.DestinationNotAllowed,
    errors.DeliveryFailed,
    errors.DeliveryUnavailable,
    errors.DeliveryUnconfirmed,
    errors.IdempotencyInProgress,
    errors.IdempotencyKeyReused,
]
MESSAGE_REFUSALS = [each for each in RESEND_REFUSALS if each is not errors.PhoneLocked]
SEND_REFUSALS = [*RESEND_REFUSALS, errors.CodeAlreadySent]
VERIFY_REFUSALS = [
    *_BODY,
    errors.CodeIncorrect,
    errors.CodeNotFound,
    errors.TooManyAttempts,
    errors.PhoneLocked,
    errors.RequestLimitExceeded,
    errors.IdempotencyKeyReused,
]
IDEMPOTENCY_KEY = {
    "title": "IdempotencyKey",
    "name": "Idempotency-Key",
    "in": "header",
    "description": "Makes it safe to repeat a request: for 24 hours the same key and body get the "
    "answer of the first, with `Idempotent-Replayed: true`, and nothing is sent or judged again.",
    "schema": {"type": "string", "pattern": "^[!-~]{1,255}$"},
}
PREFER = {
    "title": "Prefer",
    "name": "Prefer",
    "in": "header",
    "description": "`respond-async`: answer 202 once the message is stored; it is sent after that.",
    "schema": {"type": "string", "examples": ["respond-async"]},  # others are ignored (RFC 7240)
}
