"""What the OpenAPI document says of webhooks: who calls, with what, and what that gets."""

from __future__ import annotations

from collections.abc import Iterable
from typing import Any

from otp_service.domain.callbacks import Body, Callback, Handshake, Signature
from otp_service.domain.errors import OtpError, StorageUnavailable
from otp_service.web import responses
from otp_service.web.errors import (
    BodyTooLarge,
    Busy,
    InvalidJson,
    WrongVerifyToken,
    WrongWebhookAddress,
    WrongWebhookSecret,
    WrongWebhookSignature,
)

Json = dict[str, Any]
CHALLENGE = "[A-Za-z0-9_.-]{1,200}"
"""What Meta may ask to have repeated."""
SCHEMES = {
    "webhookSecret": {
        "type": "http",
        "scheme": "bearer",
        "description": "GUPSHUP_WEBHOOK_SECRET; without the word Bearer, too",
    },
    "webhookToken": {
        "type": "apiKey",
        "in": "query",
        "name": "token",
        "description": "GUPSHUP_WEBHOOK_SECRET, if it is not in `Authorization`",
    },
    "metaVerifyToken": {
        "type": "apiKey",
        "in": "query",
        "name": "hub.verify_token",
        "description": "META_VERIFY_TOKEN",
    },
    "metaSignature": {
        "type": "apiKey",
        "in": "header",
        "name": "X-Hub-Signature-256",
        "description": "sha256= and the body's HMAC with META_APP_SECRET, in hexadecimal digits",
    },
}
"""How a provider shows that it is the one, as OpenAPI's security schemes."""
_CHALLENGE = {"schema": {"type": "string"}, "examples": {"page": {"value": "1158201444"}}}


_READING = [Busy, InvalidJson, BodyTooLarge, StorageUnavailable]
_BY_SECRET: list[type[OtpError]] = [WrongWebhookSecret, WrongWebhookAddress, *_READING]
_BY_SIGNATURE: list[type[OtpError]] = [WrongWebhookSignature, *_READING]


def operation(which: Callback | Handshake) -> Json:
    """What its operation object has beside the view's own words."""
    if isinstance(which, Handshake):
        return _HANDSHAKE
    asks = _asks(which)
    if isinstance(which.authentication, Signature):
        return {**asks, "responses": _responses("Stored", _BY_SIGNATURE), "security": _SIGNED}
    return {"responses": _responses("Stored", _BY_SECRET), "security": _SECRET, **asks}


_SECRET: list[Json] = [{"webhookSecret": []}, {"webhookToken": []}]
_SIGNED: list[Json] = [{"metaSignature": []}]


def _asks(callback: Callback) -> Json:
    if callback.body is Body.QUERY:
        return {}
    is_json = callback.body is Body.JSON
    example = {"schema": {"type": "object"} if is_json else {}, "example": callback.example}
    return {"requestBody": {"required": is_json, "content": {"application/json": example}}}


def _responses(
    description: str, kinds: Iterable[type[OtpError]], content: Json | None = None
) -> Json:
    success = {"description": description, **({"content": content} if content else {})}
    return {**responses.refusals(kinds), "200": success}


def _query(name: str, pattern: str) -> Json:
    schema = {"type": "string", "pattern": pattern}
    return {"name": name, "in": "query", "required": True, "schema": schema}


_HANDSHAKE = {
    "responses": _responses("The challenge", [WrongVerifyToken], {"text/plain": _CHALLENGE}),
    "parameters": [_query("hub.mode", "^subscribe$"), _query("hub.challenge", f"^{CHALLENGE}$")],
    "security": [{"metaVerifyToken": []}],
}
