"""OpenAPI response objects: successes and refusals, with an example of each.

What has a ``title`` here becomes a component of that name (`web.components`), so that the document
says it once, and a generated client has one class for each error, whatever calls it may answer.
"""

from __future__ import annotations

from collections.abc import Iterable
from typing import Any

from marshmallow import Schema

from otp_service import wording
from otp_service.domain.errors import WHY_NO_NUMBER, CodeAlreadySent, DeliveryError, OtpError
from otp_service.web import errors, examples
from otp_service.web.error_handlers import REPLAYED, STATUS, envelope
from otp_service.web.schemas import SentSchema

Json = dict[str, Any]

_TEXT = {"type": "string"}
_WHOLE = {"type": "integer"}
_DETAILS: dict[str, Json] = {
    "fields": {
        "type": "object",
        "description": "What is wrong with each field",
        "additionalProperties": {"type": "array", "items": _TEXT},
    },
    "attempts_remaining": _WHOLE | {"description": "Wrong guesses left"},
    "limit": _TEXT | {"description": "Which limit was met"},
    "allowed": _WHOLE | {"description": "How often in `per_seconds`"},
    "per_seconds": _WHOLE,
    "resets_at": _TEXT
    | {"format": "date-time", "description": "When the limit lets the next one pass"},
    "retry_after": _WHOLE | {"description": "Seconds, as in Retry-After"},
    "failure": _TEXT | {"description": "Why the message was not delivered: a stable code"},
    "state": {"type": "object", "description": "Of each part"},
    "problem": _TEXT | {"description": "Why the body is no JSON object"},
    "line": _WHOLE | {"description": "Where in the body, from 1"},
    "column": _WHOLE | {"description": "The character in this line, from 1"},
    "position": _WHOLE | {"description": "The character in the body, from 0"},
    "rule": _TEXT | {"description": "What the request has to be"},
    "example": _TEXT | {"description": "How that looks"},
    "documentation": _TEXT | {"description": "A path of this server that explains the code"},
}
"""What may stand beside ``error.code``; what its example has, every error of that code has."""
_PROVIDERS_WORDS = _TEXT | {"description": "Why, in the provider's own words, scrubbed"}
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
    "properties": {"phone_number": _TEXT | {"description": "E.164"}},
}
_NOT_SENT = {
    "title": "NotSentData",
    "type": "object",
    "required": ["verification_id", "phone_number"],
    "properties": {
        "verification_id": _TEXT | {"description": "Names the verification that was stored"},
        "phone_number": _TEXT | {"description": "E.164"},
    },
}
_WAIT = {"title": "RetryAfter", "description": "Seconds to wait", "schema": _WHOLE}
_APPLIED = {"title": "PreferenceApplied", "description": "respond-async", "schema": _TEXT}
_REPLAYED = {
    "title": "IdempotentReplayed",
    "description": "`true` where an earlier request with this Idempotency-Key got the same answer",
    "schema": {"const": "true"},
}
_KEY_WANTED = {"title": "WWWAuthenticate", "description": "How a key travels", "schema": _TEXT}


def success(message: str, data: type[Schema] | Json, example: Json) -> Json:
    """The response to what went well. The envelope is called after the ``data`` in it."""
    shown = {"success": True, "message": message, "data": example}
    content = {"schema": _envelope(data), "examples": {"success": {"value": shown}}}
    return {"description": message, "content": {"application/json": content}}


def accepted(message: str, data: type[Schema], example: Json) -> Json:
    """The response to what is stored and will be done."""
    response = success(message, data, example)
    headers = {"Preference-Applied": _APPLIED, REPLAYED: _REPLAYED}
    return response | {"title": "Accepted", "headers": headers}


def replayed() -> Json:
    """What the response to a request has that may be a repeated one."""
    return {"headers": {REPLAYED: _REPLAYED}}


def _envelope(data: type[Schema] | Json) -> Json:
    name = data.get("title", "") if isinstance(data, dict) else data.__name__
    return {
        "title": name.removesuffix("Schema") + "Answer",
        "type": "object",
        "required": ["success", "message", "data"],
        "properties": {"success": {"const": True}, "message": _TEXT, "data": data},
    }


def refusals(kinds: Iterable[type[OtpError]]) -> dict[str, Json]:
    """One response for each status that these refusals have."""
    wanted = set(kinds)
    by_status: dict[int, list[OtpError]] = {}
    for kind, refusal in examples.REFUSALS.items():  # one order for all
        if kind in wanted:
            by_status.setdefault(STATUS[kind], []).append(refusal)
    return {str(status): _response(group) for status, group in sorted(by_status.items())}


def _response(group: list[OtpError]) -> Json:
    schemas = [_refusal(refusal) for refusal in group]
    content = {
        "schema": schemas[0] if len(schemas) == 1 else {"anyOf": schemas},
        "examples": {refusal.code: _example(refusal) for refusal in group},
    }
    response: Json = {
        "title": "Or".join(type(refusal).__name__ for refusal in group),
        "description": "; ".join(refusal.message for refusal in group),
        "content": {"application/json": content},
    }
    if headers := _headers(group):
        response["headers"] = headers
    return response


def _headers(group: list[OtpError]) -> Json:
    headers: Json = {}
    if any(refusal.retry_after is not None for refusal in group):
        headers["Retry-After"] = _WAIT
    if any(isinstance(refusal, errors.Unauthorized) for refusal in group):
        headers["WWW-Authenticate"] = _KEY_WANTED
    if any(isinstance(refusal, DeliveryError) for refusal in group):
        headers[REPLAYED] = _REPLAYED
    return headers


def _example(refusal: OtpError) -> Json:
    return {"title": type(refusal).__name__, "value": envelope(refusal)}


def _refusal(refusal: OtpError) -> Json:
    example = envelope(refusal)
    return {
        "title": "".join(word.capitalize() for word in refusal.code.split("_")),
        "type": "object",
        "required": ["success", "message", "data", "error"],
        "properties": {
            "success": {"const": False},
            "message": _TEXT,
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


def with_refusals(response: Json, refused: Json | None) -> Json:
    """The success beside the refusals that share its status, if there are any."""
    if refused is None:
        return response
    mine, theirs = (each["content"]["application/json"] for each in (response, refused))
    others = theirs["schema"].get("anyOf", [theirs["schema"]])
    content = {
        "schema": {"anyOf": [mine["schema"], *others]},
        "examples": mine["examples"] | theirs["examples"],
    }
    told = f"{response['description']}; or, with `success: false`: {refused['description']}"
    return {**response, "description": told, "content": {"application/json": content}}
