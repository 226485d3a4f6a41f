"""Blueprints that declare who may call them and document every answer of their views."""

from __future__ import annotations

from collections.abc import Callable, Iterable
from enum import Enum
from typing import Any

import flask_smorest
from marshmallow import Schema

from otp_service.domain.errors import OtpError
from otp_service.web import auth, responses
from otp_service.web.bodies import View, with_body

Decorator = Callable[[View], View]
Json = dict[str, Any]


class Tag(Enum):
    """Under which heading a call is documented, in the order of the work."""

    CODES = "Send a code, send it again, check what the person typed"
    VERIFICATIONS = "A verification, its state, its messages and the keys that prove it"
    WEBHOOKS = "Where providers tell what became of a message"
    OPERATIONS = "Is it alive, is it ready, what does it do"
    DEBUGGING = "How messages are sent, with every secret masked"
    PAGES = "For people: this documentation, and in the sandbox the phone that gets the messages"

    @property
    def title(self) -> str:
        return self.name.capitalize()


class Blueprint(flask_smorest.Blueprint):
    """Views that share a scope and a tag; `auth.PUBLIC` says that anyone may call them."""

    def __init__(self, name: str, scope: str, tag: Tag, *other_scopes: str) -> None:
        super().__init__(name, __name__)
        self.scope, self.tag, self.other_scopes = scope, tag, other_scopes
        self.scopes = frozenset({scope, *other_scopes})

    def takes(self, schema: Schema, example: Json) -> Decorator:
        """Give the view the request's body as its first argument, once it fits ``schema``.

        ``example`` is the shortest: what people try out first.
        """
        content = {"application/json": {"schema": schema, "example": example}}
        document = self.documented(requestBody={"required": True, "content": content})

        return lambda view: document(with_body(schema, view))

    def documented(self, **operation: Any) -> Decorator:
        """Add to the view's operation object in the OpenAPI document."""

        def decorate(view: View) -> View:
            documented: View = self.doc(operationId=view.__name__, **operation)(view)
            return documented

        return decorate

    def responds(
        self,
        message: str,
        data: type[Schema] | Json,
        example: Json,
        fails: Iterable[type[OtpError]] = (),
    ) -> Decorator:
        """Document the view's one success and each of its refusals, with examples."""
        success = responses.success(message, data, example)
        refused = responses.refusals([*fails, *auth.refusals(self.scope)])
        refused["200"] = responses.with_refusals(success, refused.get("200"))
        return self.documented(responses=refused)

    def accepts(self, message: str, data: type[Schema], example: Json) -> Decorator:
        """Document that a view may also answer 202, with the same data."""
        return self.documented(responses={"202": responses.accepted(message, data, example)})

    def replays(self) -> Decorator:
        """Document that a view may repeat an answer, and says so then."""
        return self.documented(responses={"200": responses.replayed()})

    def pages(self, description: str, media_type: str, example: Any) -> Decorator:
        """Document a view that answers something else than an envelope."""
        schema = responses.shape(example)
        content = {media_type: {"schema": schema, "examples": {"page": {"value": example}}}}
        page = {"description": description, "content": content}
        refused = responses.refusals(auth.refusals(self.scope))
        return self.documented(responses={**refused, "200": page})
