"""The OpenAPI 3.1 document, made from the blueprints once, at start."""

from __future__ import annotations

import json
from typing import Any

import flask_smorest
from flask import Flask

from otp_service.web import auth
from otp_service.web.blueprints import Blueprint

TITLE = "WhatsApp OTP"
VERSION = "1.0.0"
_DESCRIPTION = """\
Send a one-time code to a phone over WhatsApp, and check what the person typed.

What a person caused (a wrong code, an expired one, a code already on its way) is answered with
**200 and `success: false`**; what the caller must fix with 4xx; what failed behind the service
with 502, 503 or 504. `error.code` is for programs and never changes its meaning.
"""
_SECURITY_SCHEMES = {
    "bearer": {"type": "http", "scheme": "bearer", "description": "`Authorization: Bearer KEY`"},
    "apiKey": {"type": "apiKey", "in": "header", "name": "X-API-Key"},
}


class _Api(flask_smorest.Api):  # type: ignore[misc, unused-ignore]
    """flask-smorest for the document only: error answers and pages are our own."""

    DEFAULT_ERROR_RESPONSE_NAME = None

    def _register_error_handlers(self) -> None:
        """See `web.errors`."""


def init_app(app: Flask, blueprints: list[Blueprint], *, keys_required: bool) -> None:
    """Register the blueprints and keep the document of them in ``app.extensions``."""
    app.config.update(API_TITLE=TITLE, API_VERSION=VERSION, OPENAPI_VERSION="3.1.0")
    info = {"description": _DESCRIPTION, "license": {"name": "MIT", "identifier": "MIT"}}
    api = _Api(app, spec_kwargs={"info": info})
    for blueprint in blueprints:
        api.register_blueprint(blueprint)
    document = api.spec.to_dict()
    if keys_required:
        _add_security(document, {bp.name for bp in blueprints if bp.scope in auth.SCOPES})
    app.extensions["openapi"] = _without_unused(document)


def _add_security(document: dict[str, Any], guarded: set[str]) -> None:
    document["components"]["securitySchemes"] = _SECURITY_SCHEMES
    operations = (op for path in document["paths"].values() for op in path.values())
    for operation in operations:
        if isinstance(operation, dict) and guarded.intersection(operation.get("tags", [])):
            operation["security"] = [{name: []} for name in _SECURITY_SCHEMES]


def _without_unused(document: dict[str, Any]) -> dict[str, Any]:
    """Leave out what flask-smorest registers for features that are not used."""
    document["components"].pop("responses", None)
    paths = json.dumps(document["paths"])
    for _ in range(2):  # a component may be used by another one only
        schemas = document["components"]["schemas"]
        text = paths + json.dumps(schemas)
        used = {name: s for name, s in schemas.items() if f'schemas/{name}"' in text}
        document["components"]["schemas"] = used
    return document
