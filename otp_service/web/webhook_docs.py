"""What the OpenAPI document says of webhooks: who calls, with what, and what that gets."""

from __future__ import annotations

from collections.abc import Iterable
from typing import Any

from otp_service.domain.errors import OtpError
from otp_service.web import responses
from otp_service.web.errors import WrongVerifyToken

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
EVENT = {
    "app": "DemoApp",
    "timestamp": 1747136693404,
    "version": 2,
    "type": "message-event",
    "payload": {
        "id": "326822fd-55e9-4112-b810-e86909cd71f6",
        "gsId": "1a6207e5-af37-4fc8-948a-25867d3ab077",
        "type": "delivered",
        "destination": "919876543210",
        "payload": {"ts": 1747136691},
    },
}
REPORT = {
    "externalId": "3940265861",
    "eventType": "DELIVERED",
    "eventTs": 1747136691000,
    "destAddr": "919876543210",
    "errCode": "000",
}
_CHALLENGE = {"schema": {"type": "string"}, "examples": {"page": {"value": "1158201444"}}}


def body(schema: Json, example: Any, *, required: bool = True) -> Json:
    content = {"application/json": {"schema": schema, "example": example}}
    return {"required": required, "content": content}


def answers(description: str, kinds: Iterable[type[OtpError]], content: Json | None = None) -> Json:
    success = {"description": description, **({"content": content} if content else {})}
    return {**responses.refusals(kinds), "200": success}


def _query(name: str, pattern: str) -> Json:
    schema = {"type": "string", "pattern": pattern}
    return {"name": name, "in": "query", "required": True, "schema": schema}


HANDSHAKE = {
    "responses": answers("The challenge", [WrongVerifyToken], {"text/plain": _CHALLENGE}),
    "parameters": [_query("hub.mode", "^subscribe$"), _query("hub.challenge", f"^{CHALLENGE}$")],
    "security": [{"metaVerifyToken": []}],
}
