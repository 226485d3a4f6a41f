"""Blueprints that declare who may call them and document every answer of their views."""

from __future__ import annotations

from collections.abc import Callable, Iterable
from functools import wraps
from typing import Any

import flask_smorest
from flask import Response, jsonify
from marshmallow import Schema

from otp_service.domain.errors import OtpError
from otp_service.web import auth, examples
from otp_service.web.requests import load_body

View = Callable[..., Any]
Decorator = Callable[[View], View]
Json = dict[str, Any]


class Blueprint(flask_smorest.Blueprint):
    """Views that share a scope; `auth.PUBLIC` says that anyone may call them."""

    def __init__(self, name: str, scope: str, description: str) -> None:
        super().__init__(name, __name__, description=description)
        self.scope = scope
        self.before_request(auth.requires(scope))

    def takes(self, schema: Schema) -> Decorator:
        """Give the view the request's body as its first argument, once it fits ``schema``."""
        content = {"application/json": {"schema": schema}}
        document = self.documented(requestBody={"required": True, "content": content})

        def decorate(view: View) -> View:
            @wraps(view)
            def with_body(**kwargs: Any) -> Any:
                return view(load_body(schema), **kwargs)

            return document(with_body)

        return decorate

    def documented(self, **operation: Any) -> Decorator:
        """Add to the view's operation object in the OpenAPI document."""

        def decorate(view: View) -> View:
            documented: View = self.doc(operationId=view.__name__, **operation)(view)
            return documented

        return decorate

    def answers(
        self,
        message: str,
        data: type[Schema] | Json,
        example: Json,
        fails: Iterable[type[OtpError]] = (),
    ) -> Decorator:
        """Document the view's one success and each of its refusals, with examples."""
        success = envelope(data)
        shown = {"success": True, "message": message, "data": example}
        responses = examples.responses([*fails, *auth.refusals(self.scope)])
        add_success(responses, message, success, shown)
        return self.documented(responses=responses)

    def accepts(self, message: str, data: type[Schema], example: Json) -> Decorator:
        """Document that a view may also answer 202, with the same data."""
        shown = {"accepted": {"value": {"success": True, "message": message, "data": example}}}
        content = {"application/json": {"schema": envelope(data), "examples": shown}}
        applied = {"description": "respond-async", "schema": {"type": "string"}}
        accepted = {
            "description": message,
            "content": content,
            "headers": {"Preference-Applied": applied},
        }
        return self.documented(responses={"202": accepted})

    def pages(self, description: str, media_type: str, example: Any) -> Decorator:
        """Document a view that answers something else than an envelope."""
        schema = examples.shape(example)
        content = {media_type: {"schema": schema, "examples": {"page": {"value": example}}}}
        return self.documented(responses={"200": {"description": description, "content": content}})


def envelope(data: type[Schema] | Json) -> Json:
    """The schema of a success."""
    return {
        "type": "object",
        "required": ["success", "message", "data"],
        "properties": {
            "success": {"type": "boolean", "enum": [True]},
            "message": {"type": "string"},
            "data": data,
        },
    }


def add_success(responses: dict[str, Json], message: str, schema: Json, example: Json) -> None:
    """Put the success beside the refusals that share its status, if there are any."""
    shown = {"success": {"value": example}}
    if refusals := responses.get("200"):
        content = refusals["content"]["application/json"]
        content["schema"] = {"oneOf": [schema, content["schema"]]}
        content["examples"] = shown | content["examples"]
        refusals["description"] = f"{message}; or, with `success: false`: {refusals['description']}"
    else:
        content = {"application/json": {"schema": schema, "examples": shown}}
        responses["200"] = {"description": message, "content": content}


def answer(message: str, data: Json) -> Response:
    """The envelope of a success."""
    return jsonify({"success": True, "message": message, "data": data})
