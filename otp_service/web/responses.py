"""OpenAPI response objects: successes and refusals, with an example of each.

What has a ``title`` here becomes a component of that name (`web.components`), so that the document
says it once, and a generated client has one class for each error, whatever calls it may answer.
"""

from __future__ import annotations

from collections.abc import Iterable
from typing import Any

from marshmallow import Schema

from otp_service.domain.errors import DeliveryError, OtpError
from otp_service.web import errors
from otp_service.web.error_handlers import REPLAYED, STATUS, envelope
from otp_service.web.example_refusals import REFUSALS
from otp_service.web.refusal_schemas import TEXT, WHOLE, refusal_schema

Json = dict[str, Any]

_WAIT = {"title": "RetryAfter", "description": "Seconds to wait", "schema": WHOLE}
_APPLIED = {"title": "PreferenceApplied", "description": "respond-async", "schema": TEXT}
_REPLAYED = {
    "title": "IdempotentReplayed",
    "description": "`true` where an earlier request with this Idempotency-Key got the same answer",
    "schema": {"const": "true"},
}
_KEY_WANTED = {"title": "WWWAuthenticate", "description": "How a key travels", "schema": TEXT}


def success(message: str, data: type[Schema] | Json, example: Json) -> Json:
    """The response to what went well. The envelope is called after the ``data`` in it."""
    shown = {"success": True, "message": message, "data": example}
    content = {"schema": _envelope(data), "examples": {"success": {"value": shown}}}
    return {"description": message, "content": {"application/json": content}}


def accepted(message: str, data: type[Schema], example: Json) -> Json:
    """The response to what is stored and will be done."""
    response = success(message, data, example)
    headers = {"Preference-Applied": _APPLIED, REPLAYED: _REPLAYED}
    title = data.__name__.removesuffix("Schema") + "Accepted"
    return response | {"title": title, "headers": headers}


def replayed() -> Json:
    """What the response to a request has that may be a repeated one."""
    return {"headers": {REPLAYED: _REPLAYED}}


def _envelope(data: type[Schema] | Json) -> Json:
    name = data.get("title", "") if isinstance(data, dict) else data.__name__
    return {
        "title": name.removesuffix("Schema") + "Answer",
        "type": "object",
        "required": ["success", "message", "data"],
        "properties": {"success": {"const": True}, "message": TEXT, "data": data},
    }


def refusals(kinds: Iterable[type[OtpError]]) -> dict[str, Json]:
    """One response for each status that these refusals have."""
    wanted = set(kinds)
    by_status: dict[int, list[OtpError]] = {}
    for kind, refusal in REFUSALS.items():  # one order for all
        if kind in wanted:
            by_status.setdefault(STATUS[kind], []).append(refusal)
    return {str(status): _response(group) for status, group in sorted(by_status.items())}


def _response(group: list[OtpError]) -> Json:
    schemas = [refusal_schema(refusal) for refusal in group]
    content = {
        "schema": schemas[0] if len(schemas) == 1 else {"anyOf": schemas},
        "examples": {refusal.code: _example(refusal) for refusal in group},
    }
    response: Json = {
        "title": "Or".join(type(refusal).__name__ for refusal in group),
        "description": "; ".join(refusal.message for refusal in group),
        "content": {"application/json": content},
    }
    if named := headers(group):
        response["headers"] = named
    return response


def headers(group: list[OtpError]) -> Json:
    """Those of an answer that may be any of these."""
    found: Json = {}
    if any(refusal.retry_after is not None for refusal in group):
        found["Retry-After"] = _WAIT
    if any(isinstance(refusal, errors.Unauthorized) for refusal in group):
        found["WWW-Authenticate"] = _KEY_WANTED
    if any(isinstance(refusal, DeliveryError) for refusal in group):
        found[REPLAYED] = _REPLAYED
    return found


def _example(refusal: OtpError) -> Json:
    return {"title": type(refusal).__name__, "value": envelope(refusal)}


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
    both = f"{response['description']}; or, with `success: false`: {refused['description']}"
    return {**response, "description": both, "content": {"application/json": content}}


def shape(example: Any) -> dict[str, Any]:
    """The JSON Schema of whatever has exactly the example's fields."""
    if isinstance(example, dict):
        properties = {name: shape(value) for name, value in example.items()}
        return {"type": "object", "required": sorted(example), "properties": properties}
    if isinstance(example, list):
        return {"type": "array", "items": shape(example[0]) if example else {}}
    return {"type": _JSON_TYPES.get(type(example), "string")}


_JSON_TYPES = {bool: "boolean", int: "integer", type(None): "null"}
