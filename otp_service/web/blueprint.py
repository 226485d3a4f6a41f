"""Blueprints that declare who may call them and document every answer of their views."""

from __future__ import annotations

from collections.abc import Callable, Iterable, Sequence
from enum import Enum
from typing import Any

import flask
from marshmallow import Schema

from otp_service.domain.errors import OtpError
from otp_service.web import auth, responses
from otp_service.web.bodies import FORM, View, load_body, load_form, with_body

Decorator = Callable[[View], View]
Json = dict[str, Any]
Operation = Callable[[], Json]
"""Makes a part of an operation object, once somebody asks for the OpenAPI document."""


class Tag(Enum):
    """Under which heading a call is documented, in the order of the work."""

    CODES = "Send a code, send it again, check what the person typed"
    VERIFICATIONS = "A verification, its state, its messages and the keys that prove it"
    MESSAGES = "Deliver a code that another system made and checks"
    TWILIO = "The same in Twilio Verify's words, for programs that speak those"
    WEBHOOKS = "Where providers tell what became of a message"
    OPERATIONS = "Is it alive, is it ready, what does it do"
    DEBUGGING = "How messages are sent, with every secret masked"
    PAGES = "For people: this documentation, and in the sandbox the phone that gets the messages"

    @property
    def title(self) -> str:
        return self.name.capitalize()


class Blueprint(flask.Blueprint):
    """Views that share a scope and a tag; `auth.PUBLIC` says that anyone may call them."""

    def __init__(self, name: str, scope: str, tag: Tag, *other_scopes: str) -> None:
        super().__init__(name, __name__)
        self.scope, self.tag, self.other_scopes = scope, tag, other_scopes
        self.scopes = frozenset({scope, *other_scopes})
        self.key_schemes: tuple[str, ...] = ("bearer", "apiKey")
        """How a key may travel, as the OpenAPI document calls it."""
        self.operations: dict[str, list[Operation]] = {}
        """By the name of the view; of what several say of one thing, the last holds."""
        self.schemes: Json = {}
        """How callers show who they are, where that is not by a key of ours: OpenAPI's schemes."""

    def described_by(self, operation: Operation) -> Decorator:
        """Add to the view's operation object in the OpenAPI document."""

        def decorate(view: View) -> View:
            self.operations.setdefault(view.__name__, []).append(operation)
            return view

        return decorate

    def documented(self, **operation: Any) -> Decorator:
        """Add to it what has not to be made."""
        return self.described_by(lambda: operation)

    def takes(
        self, schema: Schema, example: Json, one_of: Sequence[type[Schema]] = ()
    ) -> Decorator:
        """Give the view the request's body as its first argument, once it fits ``schema``.

        ``example`` is the shortest: what people try out first. What has several shapes is
        documented as ``one_of`` these.
        """
        shape = {"oneOf": [*one_of]} if one_of else schema
        document = self._body("application/json", shape, example)
        return lambda view: document(with_body(schema, view, load_body))

    def takes_form(self, schema: Schema, example: Json, also: Json | None = None) -> Decorator:
        """The same of a form's fields; ``also`` is what the view itself asks of them."""
        document = self._body(FORM, {"allOf": [schema, also]} if also else schema, example)
        return lambda view: document(with_body(schema, view, load_form))

    def _body(self, media_type: str, schema: Schema | Json, example: Json) -> Decorator:
        content = {media_type: {"schema": schema, "example": example}}
        return self.documented(requestBody={"required": True, "content": content})

    def responds(
        self,
        message: str,
        data: type[Schema] | Json,
        example: Json,
        fails: Iterable[type[OtpError]] = (),
    ) -> Decorator:
        """Document the view's one success and each of its refusals, with examples."""

        def operation() -> Json:
            success = responses.success(message, data, example)
            refused = self._refusals(fails)
            refused["200"] = responses.with_refusals(success, refused.get("200"))
            return {"responses": refused}

        return self.described_by(operation)

    def accepts(self, message: str, data: type[Schema], example: Json) -> Decorator:
        """Document that a view may also answer 202, with the same data."""
        return self.described_by(
            lambda: {"responses": {"202": responses.accepted(message, data, example)}}
        )

    def replays(self) -> Decorator:
        """Document that a view may repeat an answer, and says so then."""
        return self.described_by(lambda: {"responses": {"200": responses.replayed()}})

    def pages(
        self,
        description: str,
        media_type: str,
        example: Any,
        fails: Iterable[type[OtpError]] = (),
    ) -> Decorator:
        """Document a view that answers something else than an envelope."""

        def operation() -> Json:
            examples = {"page": {"value": example}}
            content = {media_type: {"schema": responses.shape(example), "examples": examples}}
            page = {"description": description, "content": content}
            return {"responses": {**self._refusals(fails), "200": page}}

        return self.described_by(operation)

    def _refusals(self, fails: Iterable[type[OtpError]]) -> dict[str, Json]:
        return responses.refusals([*fails, *auth.refusals(self.scope)])
