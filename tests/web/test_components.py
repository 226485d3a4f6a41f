"""What has a title is said once in a document, and referred to."""

from __future__ import annotations

from typing import Any

import pytest

from otp_service.web.components import Components

PHONE = {"title": "Phone", "type": "string"}


@pytest.fixture
def document() -> dict[str, Any]:
    return {"components": {}}


def test_what_has_a_title_is_put_aside_and_referred_to(document: dict[str, Any]) -> None:
    components = Components(document)
    listed = {"type": "array", "items": PHONE}
    reference = {"$ref": "#/components/schemas/Phone"}
    assert components.schema(listed) == {"type": "array", "items": reference}
    assert components.schema(PHONE) == reference
    assert document["components"] == {"schemas": {"Phone": {"type": "string"}}}


def test_a_property_that_is_called_title_is_no_title(document: dict[str, Any]) -> None:
    book = {"type": "object", "properties": {"title": {"type": "string"}}}
    assert Components(document).schema(book) == book
    assert document["components"] == {}


def test_one_name_is_of_one_thing(document: dict[str, Any]) -> None:
    components = Components(document)
    components.schema(PHONE)
    with pytest.raises(AssertionError, match="two schemas are called Phone"):
        components.schema({"title": "Phone", "type": "integer"})


def test_a_response_is_one_with_its_headers_and_examples(document: dict[str, Any]) -> None:
    wait = {"title": "RetryAfter", "schema": {"type": "integer"}}
    example = {"title": "Busy", "value": {"success": False}}
    content = {"application/json": {"schema": PHONE, "examples": {"busy": example}}}
    response = {"title": "Late", "content": content, "headers": {"Retry-After": wait}}
    assert Components(document).response(response) == {"$ref": "#/components/responses/Late"}
    kept = document["components"]
    assert kept["headers"] == {"RetryAfter": {"schema": {"type": "integer"}}}
    assert kept["examples"] == {"Busy": {"value": {"success": False}}}
    assert kept["responses"]["Late"] == {
        "content": {
            "application/json": {
                "schema": {"$ref": "#/components/schemas/Phone"},
                "examples": {"busy": {"$ref": "#/components/examples/Busy"}},
            }
        },
        "headers": {"Retry-After": {"$ref": "#/components/headers/RetryAfter"}},
    }
