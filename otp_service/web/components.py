"""What a document says more than once is said once, as a component, and referred to."""

from __future__ import annotations

from typing import Any

Json = dict[str, Any]


class Components:
    """The components of one document. Whatever has a ``title`` becomes one; the title is its name.

    Each method gives what to put in a thing's place: a reference, or else the thing.
    """

    def __init__(self, document: Json) -> None:
        self._kinds: dict[str, Json] = document["components"]

    def schema(self, schema: Any) -> Any:
        if isinstance(schema, list):
            return [self.schema(each) for each in schema]
        if not isinstance(schema, dict):
            return schema
        inner = {name: self.schema(each) for name, each in schema.items()}
        # A title is a text; a property of that name is a schema.
        return self._put("schemas", inner) if isinstance(inner.get("title"), str) else inner

    def response(self, response: Json) -> Json:
        shared = dict(response)
        if content := response.get("content"):
            shared["content"] = {kind: self._media_type(each) for kind, each in content.items()}
        if headers := response.get("headers"):
            shared["headers"] = {name: self._put("headers", each) for name, each in headers.items()}
        return self._put("responses", shared)

    def parameter(self, parameter: Json) -> Json:
        return self._put("parameters", parameter)

    def _media_type(self, content: Json) -> Json:
        shared = {"schema": self.schema(content["schema"])}
        if examples := content.get("examples"):
            named = {name: self._put("examples", each) for name, each in examples.items()}
            shared["examples"] = named
        return shared

    def _put(self, kind: str, thing: Json) -> Json:
        if "title" not in thing:
            return thing
        component = {name: value for name, value in thing.items() if name != "title"}
        known = self._kinds.setdefault(kind, {}).setdefault(thing["title"], component)
        assert known == component, f"two {kind} are called {thing['title']}"
        return {"$ref": f"#/components/{kind}/{thing['title']}"}
