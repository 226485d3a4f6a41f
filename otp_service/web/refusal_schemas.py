"""JSON Schemas of refusals: what stands in the envelope of each code."""

from __future__ import annotations

from typing import Any

from marshmallow import Schema

from otp_service import wording
from otp_service.domain.errors import WHY_NO_NUMBER, CodeAlreadySent, DeliveryError, OtpError
from otp_service.web.answer_schemas import SentSchema
from otp_service.web.error_handlers import envelope

Json = dict[str, Any]

TEXT = {"type": "string"}
WHOLE = {"type": "integer"}
_DETAILS: dict[str, Json] = {
    "fields": {
        "type": "object",
        "description": "What is wrong with each field",
        "additionalProperties": {"type": "array", "items": TEXT},
    },
    "attempts_remaining": WHOLE | {"description": "Wrong guesses left"},
    "limit": TEXT | {"description": "Which limit was met"},
    "allowed": WHOLE | {"description": "How often in `per_seconds`"},
    "per_seconds": WHOLE,
    "resets_at": TEXT
    | {"format": "date-time", "description": "When the limit lets the next one pass"},
    "retry_after": WHOLE | {"description": "Seconds, as in Retry-After"},
    "failure": TEXT | {"description": "Why the message was not delivered: a stable code"},
    "state": {"type": "object", "description": "Of each part"},
    "problem": TEXT | {"description": "Why the body is no JSON object"},
    "line": WHOLE | {"description": "Where in the body, from 1"},
    "column": WHOLE | {"description": "The character in this line, from 1"},
    "position": WHOLE | {"description": "The character in the body, from 0"},
    "rule": TEXT | {"description": "What the request has to be"},
    "example": TEXT | {"description": "How that looks"},
    "documentation": TEXT | {"description": "A path of this server that explains the code"},
}
"""What may stand beside ``error.code``; what its example has, every error of that code has."""
_PROVIDERS_WORDS = TEXT | {"description": "Why, in the provider's own words, scrubbed"}
_DETAILS_OF: dict[str, dict[str, Json]] = {
    "destination_not_allowed": {
        "reason": {
            "enum": [*wording.REFUSALS],
            "description": "Why the destination is not allowed",
        }
    },
    "invalid_phone_number": {
        "reason": {"enum": [*WHY_NO_NUMBER], "description": "Why it is no phone number"}
    },
    "delivery_failed": {"reason": _PROVIDERS_WORDS},
    "delivery_unavailable": {"reason": _PROVIDERS_WORDS},
    "delivery_unconfirmed": {"reason": _PROVIDERS_WORDS},
}
"""What means another thing in the error of this code."""
_DATA = {
    "title": "RefusalData",
    "type": "object",
    "properties": {"phone_number": TEXT | {"description": "E.164"}},
}
_NOT_SENT = {
    "title": "NotSentData",
    "type": "object",
    "required": ["phone_number"],
    "properties": {
        "verification_id": TEXT | {"description": "Names the verification that was stored"},
        "message_id": TEXT | {"description": "Of `POST /messages`: names what was stored"},
        "phone_number": TEXT | {"description": "E.164"},
    },
}


def refusal_schema(refusal: OtpError) -> Json:
    """Of the whole answer; its title is made of the code."""
    example = envelope(refusal)
    return {
        "title": "".join(word.capitalize() for word in refusal.code.split("_")),
        "type": "object",
        "required": ["success", "message", "data", "error"],
        "properties": {
            "success": {"const": False},
            "message": TEXT,
            "data": _data(refusal),
            "error": _details(refusal.code, list(example["error"])),
        },
    }


def _data(refusal: OtpError) -> type[Schema] | Json:
    if isinstance(refusal, CodeAlreadySent):
        return SentSchema
    return _NOT_SENT if isinstance(refusal, DeliveryError) else _DATA


def _details(code: str, names: list[str]) -> Json:
    known = _DETAILS | _DETAILS_OF.get(code, {}) | {"code": {"const": code}}
    properties = {name: known[name] for name in names}
    return {"type": "object", "required": names, "properties": properties}
