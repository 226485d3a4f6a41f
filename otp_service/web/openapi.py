"""The OpenAPI 3.1 document, made from the blueprints once, at start."""

from __future__ import annotations

from pathlib import Path
from typing import Any

import flask_smorest
from flask import Flask

from otp_service.web import auth, responses, webhook_docs
from otp_service.web.blueprint import Blueprint, Tag
from otp_service.web.components import Components
from otp_service.web.errors import BadRequest

TITLE = "WhatsApp OTP"
VERSION = "1.0.0"
_INTRODUCTION = Path(__file__).with_name("introduction.md")
_NEEDED = "Keys are required here."
_NOT_NEEDED = "Keys are not required here: calls without one are answered."
_INFO = {
    "license": {"name": "MIT", "identifier": "MIT"},
    "contact": {"name": "Whoever runs this service"},
}
_KEY_SCHEMES = {
    "bearer": {"type": "http", "scheme": "bearer", "description": "`Authorization: Bearer KEY`"},
    "apiKey": {"type": "apiKey", "in": "header", "name": "X-API-Key"},
}
_OF_FLASK_SMOREST = ("Error", "PaginationMetadata")  # for features that are not used
Json = dict[str, Any]


class _Api(flask_smorest.Api):  # type: ignore[misc, unused-ignore]
    """flask-smorest for the document only: error answers and pages are our own."""

    DEFAULT_ERROR_RESPONSE_NAME = None

    def _register_error_handlers(self) -> None:
        """See `web.error_handlers`."""


def init_app(app: Flask, blueprints: list[Blueprint], *, keys_required: bool) -> None:
    """Register the blueprints and keep the document of them in ``app.extensions``."""
    app.config.update(API_TITLE=TITLE, API_VERSION=VERSION, OPENAPI_VERSION="3.1.0")
    api = _Api(app, spec_kwargs={"info": _INFO | {"description": _introduction(keys_required)}})
    for blueprint in blueprints:
        api.register_blueprint(blueprint)
    document = api.spec.to_dict()
    # Relative to where the document came from: right wherever it is deployed.
    document["servers"] = [{"url": "/", "description": "This server"}]
    document["tags"] = [{"name": tag.title, "description": tag.value} for tag in Tag]
    schemas = document["components"]["schemas"]
    for unused in _OF_FLASK_SMOREST:
        schemas.pop(unused, None)
    document["components"] = {
        "schemas": schemas,
        "securitySchemes": _KEY_SCHEMES | webhook_docs.SCHEMES,
    }
    components = Components(document)
    for name, schema in list(schemas.items()):
        schemas[name] = components.schema(schema)
    by_name = {blueprint.name: blueprint for blueprint in blueprints}
    for operation in _operations(document):
        (name,) = operation["tags"]
        _complete(operation, by_name[name], components, keys_required=keys_required)
    app.extensions["openapi"] = document


def _introduction(keys_required: bool) -> str:
    text = _INTRODUCTION.read_text(encoding="utf-8")
    return text.replace("(KEYS)", _NEEDED if keys_required else _NOT_NEEDED)


def _operations(document: Json) -> list[Json]:
    """All of them; each names its path's parameters itself."""
    for path in document["paths"].values():
        path.pop("parameters", None)
    return [operation for path in document["paths"].values() for operation in path.values()]


def _complete(
    operation: Json, blueprint: Blueprint, components: Components, *, keys_required: bool
) -> None:
    """What no view has to say about itself, and what it shares with others as components."""
    operation["tags"] = [blueprint.tag.title]
    if blueprint.scope in auth.SCOPES:
        scopes = " or ".join(f"`{each}`" for each in (blueprint.scope, *blueprint.other_scopes))
        operation["description"] += f"\n\nScope of the key: {scopes}."
    operation.setdefault("security", _security(blueprint.scope, keys_required))
    answers = responses.refusals([BadRequest]) | operation["responses"]
    operation["responses"] = {
        status: components.response(answer) for status, answer in sorted(answers.items())
    }
    if parameters := operation.get("parameters"):
        operation["parameters"] = [components.parameter(each) for each in parameters]


def _security(scope: str, keys_required: bool) -> list[Json]:
    """Alternatives, as OpenAPI has them; an empty one is no key at all."""
    if scope not in auth.SCOPES:
        return []
    keys: list[Json] = [{name: []} for name in _KEY_SCHEMES]
    return keys if keys_required else [{}, *keys]
