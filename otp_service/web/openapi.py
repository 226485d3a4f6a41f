"""The OpenAPI 3.1 document, made from the blueprints once, when somebody asks for it."""

from __future__ import annotations

import threading
from collections.abc import Callable, Sequence
from functools import partial
from pathlib import Path
from typing import Any, cast

from flask import Flask

from otp_service import json_text
from otp_service.version import VERSION
from otp_service.web import auth, responses, twilio_docs, webhook_docs
from otp_service.web.blueprint import Blueprint, Tag
from otp_service.web.components import Components
from otp_service.web.errors import BadRequest
from otp_service.web.operations import operations

TITLE = "WhatsApp OTP"
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
Json = dict[str, Any]


class Document:
    """Made when it is first asked for, which most processes never are. What is kept is its text."""

    def __init__(self, make: Callable[[], Json]) -> None:
        self.make = make
        self._lock = threading.Lock()
        self._text = b""

    def text(self) -> bytes:
        with self._lock:
            if not self._text:
                self._text = json_text.dumps(self.make())
            return self._text


def init_app(app: Flask, blueprints: Sequence[Blueprint], *, keys_required: bool) -> None:
    """Register the blueprints, and know how the document of them is made."""
    for blueprint in blueprints:
        app.register_blueprint(blueprint)
    make = partial(_document, app, blueprints, keys_required)
    app.extensions["openapi"] = Document(make)


def document_of(app: Flask) -> Document:
    return cast(Document, app.extensions["openapi"])


def _document(app: Flask, blueprints: Sequence[Blueprint], keys_required: bool) -> Json:
    document = _described(app, blueprints, _introduction(keys_required))
    # Relative to where the document came from: right wherever it is deployed.
    document["servers"] = [{"url": "/", "description": "This server"}]
    schemas = document["components"]["schemas"]
    schemes = _KEY_SCHEMES | webhook_docs.SCHEMES | twilio_docs.SCHEMES
    for blueprint in blueprints:
        schemes |= blueprint.schemes
    document["components"] = {"schemas": schemas, "securitySchemes": schemes}
    components = Components(document)
    for name, schema in list(schemas.items()):
        schemas[name] = components.schema(schema)
    by_name = {blueprint.name: blueprint for blueprint in blueprints}
    for path in document["paths"].values():
        for operation in path.values():
            (name,) = operation["tags"]
            _complete(operation, by_name[name], components, keys_required=keys_required)
    return document


def _described(app: Flask, blueprints: Sequence[Blueprint], introduction: str) -> Json:
    """What the views say of themselves, their schemas as components."""
    # To serve it takes none of this.
    from apispec import APISpec  # noqa: PLC0415
    from apispec.ext.marshmallow import MarshmallowPlugin  # noqa: PLC0415

    info = _INFO | {"description": introduction}
    spec = APISpec(TITLE, VERSION, "3.1.0", [MarshmallowPlugin()], info=info)
    for tag in Tag:
        spec.tag({"name": tag.title, "description": tag.value})
    for blueprint in blueprints:
        for path, method, operation in operations(app, blueprint):
            spec.path(path, operations={method: operation})
    return spec.to_dict()


def _introduction(keys_required: bool) -> str:
    text = _INTRODUCTION.read_text(encoding="utf-8")
    return text.replace("(KEYS)", _NEEDED if keys_required else _NOT_NEEDED)


def _complete(
    operation: Json, blueprint: Blueprint, components: Components, *, keys_required: bool
) -> None:
    """What no view has to say about itself, and what it shares with others as components."""
    operation["tags"] = [blueprint.tag.title]
    if blueprint.scope in auth.SCOPES:
        scopes = " or ".join(f"`{each}`" for each in (blueprint.scope, *blueprint.other_scopes))
        operation["description"] += f"\n\nScope of the key: {scopes}."
    operation.setdefault("security", _security(blueprint, keys_required))
    answers = responses.refusals([BadRequest]) | operation["responses"]
    operation["responses"] = {
        status: components.response(answer) for status, answer in sorted(answers.items())
    }
    if parameters := operation.get("parameters"):
        operation["parameters"] = [components.parameter(each) for each in parameters]


def _security(blueprint: Blueprint, keys_required: bool) -> list[Json]:
    """Alternatives, as OpenAPI has them; an empty one is no key at all."""
    if blueprint.scope not in auth.SCOPES:
        return []
    keys: list[Json] = [{name: []} for name in blueprint.key_schemes]
    return keys if keys_required else [{}, *keys]
